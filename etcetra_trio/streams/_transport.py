"""A connection's socket: who reads it, and who writes to it.

Users' tasks never touch the socket but for one non-blocking send of whole frames when nothing is queued, and where
the reader lends reading to the only one who waits; everything else is the reader's and the writer's. Whatever breaks
is stored; neither raises what a network can do.
"""

from __future__ import annotations

import math
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import trio
from trio.lowlevel import notify_closing, wait_readable, wait_writable

from .._errors import TLSError
from ._calls import StreamCall, UnaryCall
from ._frames import first_stream
from ._protocol import CANCEL, goaway_end
from ._waiter import Waiter

if TYPE_CHECKING:
    from .._addresses import Endpoint
    from .._proto._changes import Change
    from ._protocol import Engine
    from ._socket import Wire
    from ._watcher import Watcher

RECEIVE_SIZE: Final = (
    65536  # larger ones cross malloc's mmap threshold and cost four times as much (transport.md, C)
)
READS_IN_A_ROW: Final = 16
#: How long grpc-go's bandwidth probe stays unanswered, in seconds: while it is, no further one comes
#: (transport.md, "The BDP ping").
PROBE_DELAY: Final = 0.025
#: How long nobody may read while who borrowed it is busy elsewhere, in seconds. Nobody else waits for anything then.
LOAN: Final = 0.1


class Transport:
    """What :class:`Connection` stands on."""

    def __init__(self, wire: Wire, engine: Engine, target: Endpoint) -> None:
        #: The endpoint, with the address that was connected to.
        self.target = target
        self.endpoint: str = str(target)
        self.engine = engine
        self._wire = wire
        #: When something came from the other end, or went there after the socket had been full.
        self.heard: float = trio.current_time()
        self._unsent: memoryview | None = None  # what the socket did not take: the writer's
        self._send_error: OSError | None = None
        self._writer = Waiter()
        self._probe = Waiter()
        self._ready = trio.Event()
        #: Why it ended, where TLS is why: some of its refusals come only after the handshake.
        self.tls_failure: TLSError | None = None
        # The only watch of the only watch stream; and, while reading is lent, to which, until when it is so even if
        # its reader does not wait, whether it does, and what it found that is for the reader task.
        self._sole: Watcher | None = None
        self._borrower: Watcher | None = None
        self._term = trio.CancelScope()
        self._borrowed = False
        self._found: str | Exception = ""
        self._back = Waiter()

    async def wait_ready(self) -> None:
        """Wait until the server's SETTINGS came, or the connection failed."""
        await self._ready.wait()

    # -- reading -----------------------------------------------------------------------------------------

    async def _read(self) -> str:
        """Read until the connection is over; says why it is."""
        wire, engine = self._wire, self.engine
        while True:
            await wait_readable(wire)
            sole = self._sole
            if sole is not None and sole.arrived.task is None:
                sole = None
            found = self._take()
            if found:
                return found
            if (
                sole is not None
                and sole.arrived.task is None
                and sole is self._sole
                and len(engine.streams) == 1
            ):
                await self._lend(sole)
                if isinstance(self._found, Exception):
                    raise self._found
                if self._found:
                    return self._found

    def _take(self) -> str:
        """Take what the socket has; says why the connection is over, if it is."""
        engine, recv = self.engine, self._wire.recv
        self.heard = trio.current_time()
        reads = READS_IN_A_ROW
        while reads:
            try:
                data = recv(RECEIVE_SIZE)
            except (BlockingIOError, InterruptedError):
                break
            except TLSError as error:
                self.tls_failure = error
                return str(error)
            except OSError as error:
                return str(self._send_error or error)
            if not data:
                return str(self._send_error or self._closed())
            engine.receive(data)
            if len(data) < RECEIVE_SIZE:
                break
            reads -= 1
        if engine.ready and not self._ready.is_set():
            self._ready.set()
        if engine.wants_send:
            self._flush()
        if engine.probe_held:
            self._probe.wake()
        if not engine.accepting:
            self._move_long_streams()
            if not engine.streams:
                return str(engine.goaway or "its stream ids are used up")
        return ""

    def _move_long_streams(self) -> None:
        """The server goes away: whoever has a long stream begins it elsewhere, before the server ends it."""
        goaway = self.engine.goaway
        if goaway is not None:
            for stream in list(self.engine.streams.values()):
                if not isinstance(stream, UnaryCall | StreamCall):  # so it came by `open`
                    self.engine.cancel(stream, CANCEL)
                    stream.on_end(goaway_end(goaway))

    def _closed(self) -> str:
        closed = "the server closed the connection"
        if self.engine.ready or self.endpoint.startswith(("https:", "unixs:")):
            return closed
        # What Go's TLS does when it hears something else; then it says nothing.
        return f"{closed} before it said anything: perhaps it expects TLS (https://)"

    # -- lending it --------------------------------------------------------------------------------------

    async def _lend(self, watcher: Watcher) -> None:
        """Let a watch read, as long as nothing else does anything here: an event then costs one task switch less.

        Its reader has just been woken. While it is elsewhere nobody reads, for :data:`LOAN` at most.
        """
        self._borrower, watcher.lender = watcher, self
        deadline = trio.current_time() + LOAN
        try:
            while True:
                with trio.CancelScope(deadline=deadline) as self._term:
                    await self._back.wait()
                if not self._borrowed:
                    break
                # Who borrowed it wakes this as it leaves, even if the loan has ended meanwhile.
                deadline = math.inf
        finally:
            self.end_loan()

    def end_loan(self) -> None:
        """Have the reader task go on, once a borrower that waits has left: it may have something from elsewhere."""
        watcher, self._borrower = self._borrower, None
        if watcher is not None:
            watcher.lender = None
            if self._borrowed:
                notify_closing(self._wire)
            else:
                self._back.wake()

    async def borrow(self, watcher: Watcher, *, hand_over: bool) -> Change | None:
        """Wait for the socket and read, until the watch has something or the loan ends.

        Args:
          watcher: Whose reader it is that reads now.
          hand_over: Return the next event without the inbox, if it is alone in its revision.

        Cancellation:
          No effect.
        """
        self._borrowed, watcher.hand_over = True, hand_over
        try:
            while True:
                await wait_readable(self._wire)
                self._found = self._take()
                if self._found or watcher.handed is not None or watcher.inbox or self._borrower is None:
                    break
        except trio.ClosedResourceError:
            pass  # sent away
        except Exception as error:  # noqa: BLE001 - the reader task raises it
            self._found = error
        finally:
            self._borrowed = watcher.hand_over = False
            if self._borrower is None:
                self._back.wake()
            elif self._found or len(self.engine.streams) != 1:
                self.end_loan()
            elif self._term.deadline == math.inf:
                self._term.deadline = trio.current_time() + LOAN
        change, watcher.handed = watcher.handed, None
        return change  # noqa: ASYNC910 - where it was sent away, it had waited

    def set_sole(self, watcher: Watcher | None) -> None:
        """A watch stream serves one watch, and no other is to come; or (None) it does so no longer."""
        if watcher is not self._sole:
            self._sole = watcher
            self.end_loan()

    # -- writing -----------------------------------------------------------------------------------------

    async def _write(self) -> None:
        while True:
            await self._writer.wait()
            self._flush()
            if self._borrower is not None and not self._borrowed:
                self.end_loan()  # something was asked, and nobody would read the answer
            while self._unsent is not None and self._send_error is None:
                try:
                    await wait_writable(self._wire)
                except trio.ClosedResourceError:
                    continue  # it is open: this was for a borrower, which was sent away
                self.heard = trio.current_time()
                unsent, self._unsent = self._unsent, None
                self._send(unsent)
                if self._unsent is None:
                    self._flush()

    async def _answer_probes(self) -> None:
        while True:
            await self._probe.wait()
            await trio.sleep(PROBE_DELAY)
            self.engine.release_probe()
            self._flush()

    def ping(self, payload: bytes) -> None:
        """Send a PING."""
        self.engine.ping(payload)
        self._flush()

    def _flush(self) -> None:
        """Send what the engine has, if nothing is before it."""
        if self._unsent is None and self._send_error is None:
            data = self.engine.data_to_send()
            if data:
                self._send(data)

    def _send(self, data: bytes | memoryview) -> None:
        try:
            sent = self._wire.send(data)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError as error:
            # What the server said last may still be there to read: the reader finds it, and then the end.
            self._send_error = error
            sent = 0 if isinstance(self._wire, socket.socket) else len(data)  # TLS may have sent a part
            self._unsent = memoryview(data)[sent:]
            self._shut_down()
            return
        if sent < len(data):
            self._unsent = memoryview(data)[sent:]
            self._writer.wake()

    def _shut_down(self) -> None:
        with suppress(OSError):  # it is down already, so the reader will see its end
            self._wire.shutdown(socket.SHUT_RDWR)

    def _first_unsent(self) -> int:
        """The first call of which nothing went, so that it certainly was not carried out."""
        batch, sent = b"", 0
        if self._unsent is not None:
            assert isinstance(self._unsent.obj, bytes)
            batch = self._unsent.obj
            sent = len(batch) - len(self._unsent)
        return first_stream(batch + self.engine.data_to_send(), sent)
