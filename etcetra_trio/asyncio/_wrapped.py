"""What the derived classes (``_derived.py``) stand on: an object of Trio's API, used by asyncio tasks."""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .._errors import EtcdError
from ._calls import in_asyncio
from ._hosted import Hosted
from .errors import EndOfChannel, translated

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType
    from typing import Self

    from ._calls import Scope

ItemT = TypeVar("ItemT")

#: How a value of Trio's API is given to asyncio programs; other values are given as they are.
_WRAPPERS: dict[str, Callable[[Scope, Any], Any]] = {}


def register(wrappers: dict[str, Callable[[Scope, Any], Any]]) -> None:
    """Say how values are given to asyncio programs, by the names of their classes."""
    _WRAPPERS.update(wrappers)


def wrap(scope: Scope, value: Any) -> Any:  # noqa: ANN401 - whatever a method returns
    """A value as asyncio programs get it."""
    cls = value.__class__
    wrapper = _WRAPPERS.get(cls.__name__)
    return (
        value if wrapper is None or not cls.__module__.startswith("etcetra_trio") else wrapper(scope, value)
    )


async def answer(awaitable: Awaitable[Any]) -> Any:  # noqa: ANN401 - as above
    """The result; errors as asyncio programs get them."""
    try:
        return await awaitable
    except EtcdError as error:
        raise translated(error) from error.__cause__


def do(function: Callable[..., Any], *args: Any, **options: Any) -> Any:  # noqa: ANN401 - as above
    """The same for a plain function."""
    try:
        return function(*args, **options)
    except EtcdError as error:
        raise translated(error) from error.__cause__


class Wrapped:
    """An object of Trio's API; its coroutines run in Trio tasks."""

    def __init__(self, scope: Scope, trio: Any) -> None:  # noqa: ANN401 - of any class of Trio's API
        self._scope = scope
        self._trio = trio

    def _do(self, function: Callable[..., Any], *args: Any, **options: Any) -> Any:  # noqa: ANN401
        return wrap(self._scope, do(function, *args, **options))

    def _get(self, name: str) -> Any:  # noqa: ANN401
        return wrap(self._scope, do(getattr, self._trio, name))

    async def _call(self, function: Callable[..., Awaitable[Any]], *args: Any, **options: Any) -> Any:  # noqa: ANN401
        return wrap(self._scope, await self._scope.call(partial(function, **options), *args))

    def _hosted(self, function: Callable[..., Any], *args: Any, **options: Any) -> Hosted[Any]:  # noqa: ANN401
        return Hosted(self._scope, partial(function, *args, **options), partial(wrap, self._scope))

    def _callback(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function of the user's, called with what asyncio programs get."""
        return lambda *args: function(*(wrap(self._scope, value) for value in args))

    def _coroutine(self, function: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        """A coroutine function of the user's, for Trio to call; it runs in an asyncio task."""

        async def in_trio(*args: Any) -> Any:  # noqa: ANN401
            return await in_asyncio(self._scope.loop, function(*(wrap(self._scope, value) for value in args)))

        return in_trio

    def __repr__(self) -> str:
        return repr(self._trio).replace("<etcetra_trio.", "<etcetra_trio.asyncio.")


class Entered(Wrapped):
    """One that is entered with ``async with``."""

    _block: Hosted[Any] | None = None

    async def _enter(self) -> Any:  # noqa: ANN401
        self._block = Hosted(self._scope, lambda: self._trio, self._entered)
        return await self._block.__aenter__()

    def _entered(self, value: object) -> object:
        return self if value is self._trio else wrap(self._scope, value)

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        """Leave, and wait until Trio's side has left."""
        if self._block is None:
            raise RuntimeError("this was not entered")
        return await self._block.__aexit__(exc_type, exc, traceback)


class Channel(Entered, Generic[ItemT]):
    """A channel of Trio's; an asynchronous iterator that goes on after a timeout of one of its steps."""

    def __init__(self, scope: Scope, trio: Any) -> None:  # noqa: ANN401
        super().__init__(scope, trio)
        # What came together with a cancellation.
        self._unread: deque[ItemT] = deque()
        self._begun = False
        scope.channels.add(self)

    async def __aenter__(self) -> Self:
        """Begin."""
        entered: Self = await self._enter()
        return entered

    async def _receive(self) -> ItemT:
        if self._unread:
            return self._unread.popleft()
        self._begun = True
        item: ItemT = wrap(self._scope, await self._scope.call(self._trio.receive, unread=self._keep))
        return item

    def _keep(self, item: object) -> None:
        self._unread.append(wrap(self._scope, item))

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        """End it, on the server as well."""
        self._begun = False
        return await super().__aexit__(exc_type, exc, traceback)

    async def _aclose(self) -> None:
        self._begun = False
        self._unread.clear()
        await self._scope.call(self._trio.aclose)

    def stop(self) -> None:
        """End it, without waiting: its block was left, or nobody has it any more."""
        if self._begun:
            self._begun = False
            self._scope.spawn(self._trio.aclose)

    def __del__(self) -> None:
        # As asyncio does it with asynchronous generators: a bare `async for` that was left ends quietly.
        if not self._scope.closed and self._scope.turns.is_here():
            self.stop()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ItemT:
        """The next item."""
        try:
            return await self._receive()
        except EndOfChannel:
            raise StopAsyncIteration from None
