"""RPCs as Trio tasks see them: a unary call parks its task once, a streaming call hands messages over one at a time."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import trio
from trio.lowlevel import Abort, enable_ki_protection, reschedule

from .._proto._methods import TXN
from ._protocol import Stream
from ._waiter import Waiter

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._proto._methods import Method
    from ._connection import Connection
    from ._grpc import StreamEnd


class UnaryCall(Stream):
    """One request, one answer; made and awaited by :meth:`Connection.unary`."""

    __slots__ = ("connection", "end", "reset", "task")

    def __init__(self, connection: Connection, method: Method, *, write: bool) -> None:
        super().__init__(unary=True)
        self.connection: Connection = connection
        #: Whether cancelling it resets its stream, and the server knows its deadline. Either, while a transaction
        #: reads, crashes etcd 3.5.0 to 3.5.6 (etcd issues 14110 and 14891): one that only reads is carried out.
        self.reset: bool = write or method.path != TXN.path
        if not self.reset:
            connection.unfinished.add(self)
        self.end: StreamEnd | None = None
        self.task: trio.lowlevel.Task | None = None

    def on_end(self, end: StreamEnd) -> None:
        self.end = end
        if not self.reset:
            self.connection.finished(self)
        if self.task is not None:
            reschedule(self.task)

    def abort(self, _raise_cancel: Callable[[], None]) -> Abort:
        """Trio's abort function: the caller leaves at once, the server hears of it."""
        self.task = None
        if self.reset:
            self.connection.cancel(self)
        return Abort.SUCCEEDED


class StreamCall(Stream):
    """An RPC that streams in one direction or both. One task may send and one may receive at a time.

    Leaving the ``async with`` block resets the stream if it is not over.
    """

    __slots__ = ("_messages", "_receiver", "_sender", "cancelled", "connection", "end")

    def __init__(self, connection: Connection) -> None:
        super().__init__(unary=False)
        self.connection: Connection = connection
        self._messages: deque[tuple[bytes, int]] = deque()
        self._receiver = Waiter()
        self._sender = Waiter()
        #: How the RPC ended; messages that came before may still be there to receive.
        self.end: StreamEnd | None = None
        self.cancelled: bool = False

    @enable_ki_protection
    async def send(self, message: bytes, *, end: bool = False) -> None:
        """Send one message; waits while the server's windows hold an earlier one back.

        Cancellation:
          May have happened: the message is queued before this waits.

        Raises:
          trio.BrokenResourceError: the RPC is over; :meth:`receive` tells how.
        """
        await trio.lowlevel.checkpoint()
        if self.end is not None or self.cancelled:
            msg = "the RPC is over"
            raise trio.BrokenResourceError(msg)
        self.connection.send(self, message, end=end)
        while self.pending is not None and self.end is None:
            await self._sender.wait()

    def half_close(self) -> None:
        """Tell the server that no message follows."""
        self.connection.half_close(self)

    @enable_ki_protection
    async def receive(self) -> bytes | None:
        """The next message; None once the RPC is over (then :attr:`end` tells how).

        Cancellation:
          No effect: no message is lost.

        Raises:
          trio.BusyResourceError: another task is receiving.
          trio.ClosedResourceError: the call was cancelled on our side.
        """
        await trio.lowlevel.checkpoint()
        while not self._messages:
            if self.cancelled:
                msg = "the RPC was cancelled"
                raise trio.ClosedResourceError(msg)
            if self.end is not None:
                return None
            await self._receiver.wait()
        message, cost = self._messages.popleft()
        self.connection.consumed(self, cost)
        return message

    @enable_ki_protection
    async def wait_headers(self) -> None:
        """Wait until a gRPC server's initial metadata is in :attr:`headers`, or the RPC is over.

        Cancellation:
          No effect.
        """
        await trio.lowlevel.checkpoint()
        while (
            (self.headers is None or not self.headers.acceptable) and self.end is None and not self.cancelled
        ):
            await self._receiver.wait()

    @enable_ki_protection
    async def wait_end(self) -> None:
        """Wait until :attr:`end` is known or the call was cancelled; takes no message.

        Cancellation:
          No effect.

        Raises:
          trio.BusyResourceError: another task is receiving.
        """
        await trio.lowlevel.checkpoint()
        while self.end is None and not self.cancelled:
            await self._receiver.wait()

    @enable_ki_protection
    def cancel(self) -> None:
        """Reset the stream if it is not over. Everything that waits on it ends."""
        if self.end is None and not self.cancelled:
            self.cancelled = True
            self.connection.cancel(self)
            self._wake()

    def on_headers(self) -> None:
        """As in :class:`Stream`, like all that follow."""
        self._receiver.wake()

    def on_message(self, message: bytes, cost: int) -> None:
        """It waits for :meth:`receive`."""
        self._messages.append((message, cost))
        self._receiver.wake()

    def on_writable(self) -> None:
        """Wake the task that sends."""
        self._sender.wake()

    def on_end(self, end: StreamEnd) -> None:
        """Wake everyone who waits."""
        self.end = end
        self._wake()

    def _wake(self) -> None:
        self._receiver.wake()
        self._sender.wake()
