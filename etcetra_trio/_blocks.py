"""Blocks: what ``async with`` enters, and what says so when it is used in another way."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from functools import wraps
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

ParamsT = ParamSpec("ParamsT")
ValueT = TypeVar("ValueT")


class ToEnter:
    """The base of what is to be entered before it is of any use."""

    if not TYPE_CHECKING:  # type checkers shall go on to say that there is nothing of the kind

        def __getattr__(self, name: str) -> NoReturn:
            text = f"this was not entered: use {name!r} of what `async with ... as` gives"
            raise AttributeError(text, name=name, obj=self)

        def __await__(self) -> NoReturn:
            raise TypeError("this is not awaited, it is entered: `async with ... as ...:`")

        def __enter__(self) -> NoReturn:
            raise TypeError("this is entered with `async with`, not with `with`")

        def __exit__(self, *_: object) -> None:
            """Stand beside ``__enter__``, without which Python would say less."""


class _Block(ToEnter, AbstractAsyncContextManager[ValueT]):
    def __init__(self, manager: AbstractAsyncContextManager[ValueT]) -> None:
        self._manager: AbstractAsyncContextManager[ValueT] = manager

    # No coroutines of its own: an interrupt could come between them and those of the block.
    def __aenter__(self) -> Any:  # noqa: ANN401 - mypy and pyright call the type by different names
        return self._manager.__aenter__()

    def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> Any:  # noqa: ANN401 - as above
        return self._manager.__aexit__(exc_type, exc, traceback)


def to_enter(
    make: Callable[ParamsT, AbstractAsyncContextManager[ValueT]],
) -> Callable[ParamsT, AbstractAsyncContextManager[ValueT]]:
    """Decorate what makes a block, so that those who forget ``async with`` are told."""

    @wraps(make)
    def begin(*args: ParamsT.args, **options: ParamsT.kwargs) -> AbstractAsyncContextManager[ValueT]:
        return _Block(make(*args, **options))

    return begin
