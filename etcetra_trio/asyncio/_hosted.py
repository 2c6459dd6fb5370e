"""Context managers of Trio for asyncio programs: each lives in one Trio task, from its beginning to its end."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import trio

from .._blocks import ToEnter
from .errors import translated

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager
    from types import TracebackType

    from ._calls import Scope, TrioCall

ValueT_co = TypeVar("ValueT_co", covariant=True)


class Hosted(ToEnter, Generic[ValueT_co]):
    """``async with`` a context manager of Trio, also by hand and from different tasks.

    When Trio's side ends under a running body (a lock is lost), the task that entered is cancelled, as
    ``asyncio.timeout`` does it, and what happened is raised where the block ends.
    """

    def __init__(
        self,
        scope: Scope,
        make: Callable[[], AbstractAsyncContextManager[Any]],
        wrap: Callable[[Any], ValueT_co],
    ) -> None:
        self._scope = scope
        self._make = make
        self._wrap = wrap
        self._call: TrioCall[bool] | None = None
        self._value: ValueT_co
        self._entering: asyncio.Future[None]
        self._entered = False
        self._leave: trio.Event
        self._body_error: BaseException | None = None
        self._body_left = False
        self._interrupted = False
        self._task: asyncio.Task[Any] | None = None
        self._cancelling = 0

    async def __aenter__(self) -> ValueT_co:
        """Enter, in a Trio task that stays there until the block is left."""
        if self._call is not None:
            raise RuntimeError("this was entered before: make a new one for each block")
        self._task = asyncio.current_task()
        self._cancelling = 0 if self._task is None else self._task.cancelling()
        self._leave = trio.Event()
        self._entering = self._scope.loop.create_future()
        call = self._call = self._scope.start(self._host)
        try:
            await self._entering
        except asyncio.CancelledError:
            self._body_left = True
            call.scope.cancel("the asyncio task was cancelled")
            await call.wait()
            raise
        if self._entered:
            return self._value
        self._body_left = True
        await call.wait()
        raise self._failure(call)

    async def _host(self) -> bool:
        """The Trio task; whether the context manager swallowed the body's exception."""
        try:
            async with self._make() as value:
                self._value = self._wrap(value)
                self._entered = True
                self._wake()
                await self._leave.wait()
                if self._body_error is not None:
                    raise self._body_error
            return self._body_error is not None
        finally:
            self._ended()

    def _wake(self) -> None:
        if not self._entering.done() and not self._scope.loop.is_closed():
            self._entering.set_result(None)

    def _ended(self) -> None:
        self._wake()
        if not self._body_left and self._entered and not self._leave.is_set():
            self._interrupted = True
            if self._task is not None and not self._scope.loop.is_closed():
                self._task.cancel("etcetra_trio: what this block stands on was lost")

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        """Leave, and wait until Trio's side has left."""
        call = self._call
        if call is None or not self._entered:
            raise RuntimeError("this was not entered")
        self._body_left = True
        if isinstance(exc, GeneratorExit):  # the coroutine is dropped: nobody can wait any more
            if not self._scope.loop.is_closed():
                call.scope.cancel("the asyncio task was dropped")
            return False
        cancelled: asyncio.CancelledError | None = None
        try:
            if not self._interrupted:
                if isinstance(exc, asyncio.CancelledError):
                    call.scope.cancel("the asyncio task was cancelled")
                else:
                    self._body_error = exc
                self._leave.set()
            cancelled = await call.wait()
            if self._interrupted:
                if await self._cancelled_by_others(exc):
                    return False
                raise self._failure(call) from None if isinstance(exc, asyncio.CancelledError) else exc
            if cancelled is not None and not isinstance(exc, asyncio.CancelledError):
                raise cancelled
            if call.error is None or call.error is exc:
                return call.error is None and not call.cancelled and call.result
            raise translated(call.error)
        finally:
            call.error = self._body_error = None  # no cycle with our own frame
            del cancelled

    def _failure(self, call: TrioCall[bool]) -> BaseException:
        """Why Trio's side ended without the body."""
        if call.error is not None:
            return translated(call.error)
        return trio.ClosedResourceError("the connect() block that this was made in was left")

    async def _cancelled_by_others(self, exc: BaseException | None) -> bool:
        """Take our cancellation back; whether somebody else cancelled the task as well, so that it goes on."""
        task = self._task
        if task is None or task is not asyncio.current_task():
            return False
        if not isinstance(exc, asyncio.CancelledError):
            with suppress(
                asyncio.CancelledError
            ):  # it may not have arrived yet; 3.13 would forget it, others not
                await asyncio.sleep(0)
        return task.uncancel() > self._cancelling and isinstance(exc, asyncio.CancelledError)
