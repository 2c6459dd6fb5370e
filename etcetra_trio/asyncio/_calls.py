"""Coroutines of Trio, awaited by asyncio tasks."""

# pyright: reportPrivateUsage=false
# This package stands on the insides of the Trio client.

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from weakref import WeakSet

import trio

from .errors import translated

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ._turns import Turns
    from ._wrapped import Channel

ResultT = TypeVar("ResultT")


class TrioCall(Generic[ResultT]):
    """One Trio task that an asyncio task waits for."""

    __slots__ = ("_loop", "_waiter", "cancelled", "done", "error", "result", "scope")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.scope: trio.CancelScope = trio.CancelScope()
        self.done: bool = False
        #: Whether Trio's side was cancelled: there is neither a result nor an error.
        self.cancelled: bool = True
        self.result: ResultT
        self.error: BaseException | None = None
        self._loop = loop
        self._waiter: asyncio.Future[None] | None = None

    async def run(self, function: Callable[..., Awaitable[ResultT]], args: tuple[Any, ...]) -> None:
        """The Trio task."""
        try:
            with self.scope:
                self.result = await function(*args)
                self.cancelled = False
        except trio.Cancelled:
            raise  # the portal closes
        except BaseException as error:  # noqa: BLE001 - it is raised where the task is awaited
            self.error, self.cancelled = error, False
        finally:
            self.finish()

    def finish(self) -> None:
        """Wake the asyncio task."""
        self.done = True
        waiter = self._waiter
        if waiter is not None and not waiter.done() and not self._loop.is_closed():
            waiter.set_result(None)

    async def wait(self) -> asyncio.CancelledError | None:
        """Wait for the end of the Trio task, which is cancelled when this is; whether it was."""
        cancelled = None
        while not self.done:
            self._waiter = self._loop.create_future()
            try:
                await self._waiter
            except asyncio.CancelledError as error:
                cancelled = error
                self.scope.cancel("the asyncio task was cancelled")
        return cancelled


class Scope:
    """What ends together: the Trio tasks that run for one ``connect()`` block."""

    def __init__(self, turns: Turns, nursery: trio.Nursery) -> None:
        self.turns: Turns = turns
        self.loop: asyncio.AbstractEventLoop = turns.loop
        self._nursery = nursery
        self._running: set[TrioCall[Any]] = set()
        #: Those that are open, or were forgotten.
        self.channels: WeakSet[Channel[Any]] = WeakSet()
        self.closed: bool = False

    def check_open(self) -> None:
        """Raise trio.ClosedResourceError once the block was left."""
        if self.closed:
            raise trio.ClosedResourceError("the connect() block of this communicator was left")

    def start(self, function: Callable[..., Awaitable[ResultT]], *args: Any) -> TrioCall[ResultT]:  # noqa: ANN401
        """Start a Trio task, in the context of the asyncio task."""
        self.check_open()
        call = TrioCall[ResultT](self.loop)
        self._running.add(call)
        self._nursery.start_soon(self._run, call, function, args, name=function)
        return call

    async def _run(
        self, call: TrioCall[ResultT], function: Callable[..., Awaitable[ResultT]], args: tuple[Any, ...]
    ) -> None:
        try:
            await call.run(function, args)
        finally:
            self._running.discard(call)

    async def call(
        self,
        function: Callable[..., Awaitable[ResultT]],
        *args: Any,  # noqa: ANN401
        unread: Callable[[ResultT], object] | None = None,
    ) -> ResultT:
        """Await ``function(*args)`` in a Trio task.

        Cancelling the asyncio task cancels the Trio task, and leaves this only when that has ended. Asyncio never loses
        a cancellation, so a result that comes at the same time is lost, unless ``unread`` takes it.
        """
        call = self.start(function, *args)
        try:
            cancelled = await call.wait()
            if cancelled is not None and (call.error is None or isinstance(call.error, Exception)):
                if unread is not None and call.error is None and not call.cancelled:
                    unread(call.result)
                raise cancelled
            if call.error is not None:
                raise translated(call.error)
            if call.cancelled:
                self.closed = True
                self.check_open()
            return call.result
        finally:
            call.error = None  # no cycle with our own frame

    def close(self) -> None:
        """Cancel everything that runs."""
        if self.closed:
            return
        self.closed = True
        for call in self._running:
            call.scope.cancel("the connect() block was left")
        for channel in self.channels:
            channel.stop()

    def spawn(self, function: Callable[[], Awaitable[object]]) -> None:
        """Start a Trio task that nobody waits for."""
        self._nursery.start_soon(TrioCall[object](self.loop).run, function, ())


async def in_asyncio(loop: asyncio.AbstractEventLoop, awaitable: Awaitable[ResultT]) -> ResultT:
    """Await something of asyncio in a Trio task; cancelling that cancels it, and waits for its end."""
    task = asyncio.ensure_future(awaitable, loop=loop)
    ended = trio.Event()
    task.add_done_callback(lambda _: ended.set())
    try:
        await ended.wait()
    except trio.Cancelled:
        task.cancel("the Trio task was cancelled")
        with trio.CancelScope(shield=True):
            await ended.wait()
        raise
    return task.result()
