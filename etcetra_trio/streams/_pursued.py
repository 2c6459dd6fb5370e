"""A call whose outcome is learned even by a caller who gives up waiting: a task of its own makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

import trio

from .._errors import EtcdError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ._service import Service

ResultT = TypeVar("ResultT")


class Pursued(Generic[ResultT]):
    """The call, which begins at once."""

    __slots__ = ("_call", "_failure", "over", "result", "scope")

    def __init__(self, service: Service, call: Callable[[], Awaitable[ResultT]], name: str) -> None:
        #: What it gave; None: nothing so far, or it failed.
        self.result: ResultT | None = None
        self.over = trio.Event()
        #: Of the call alone, whatever becomes of its callers.
        self.scope = trio.CancelScope()
        self._call = call
        self._failure: Exception | None = None
        service.start_soon(self._run, name=name)

    def outcome(self) -> ResultT:
        """What it gave, once it is over.

        Raises:
          EtcdError: how it failed.
          trio.ClosedResourceError: the client was closed meanwhile.
        """
        if self.result is not None:
            return self.result
        failure, self._failure = self._failure, None
        assert failure is not None
        try:
            raise failure
        finally:
            del failure  # no reference cycle with our own frame

    async def _run(self) -> None:  # noqa: ASYNC910 - a task of its own
        """Never raises what can be expected."""
        try:
            with self.scope:
                self.result = await self._call()
        except (EtcdError, trio.ClosedResourceError) as error:
            self._failure = error
        finally:
            self.over.set()
