"""One connection: its life, and the RPCs that run over it.

Whatever breaks it is stored and told to every RPC on it; its tasks never raise it.
"""

from __future__ import annotations

import math
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import trio
from trio.lowlevel import (
    checkpoint,
    checkpoint_if_cancelled,
    current_task,
    enable_ki_protection,
    wait_task_rescheduled,
)

from .._error_table import failure_error, rpc_error
from .._proto._methods import AUTHENTICATE
from ._calls import StreamCall, UnaryCall
from ._grpc import INTERNAL, StreamEnd, timeout_value
from ._liveness import Pings, wait_silent
from ._protocol import CANCEL, ProtocolViolation, too_large_end
from ._transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .._addresses import Endpoint
    from .._proto._methods import Method
    from .._proto._wire import DecodeError
    from .._secret import Secret
    from ._grpc import Field
    from ._protocol import Engine, Head, Stream
    from ._socket import Wire

#: Added to the caller's deadline in ``grpc-timeout``, in seconds, so that our own clock is always the first
#: to say it.
TIMEOUT_GRACE: Final = 0.5
#: How long a connection must last to count as one, in seconds, if it carries no call.
USEFUL: Final = 1.0
#: How long a connection that is to close waits for the answers to calls that must not be reset, in seconds.
LINGER: Final = 1.0
REQUIRE_LEADER: Final[Field] = (b"hasleader", b"true")


class Connection(Transport):
    """One HTTP/2 connection to one endpoint. Made by ``_endpoints``; lives while :meth:`run` does."""

    def __init__(
        self,
        wire: Wire,
        engine: Engine,
        target: Endpoint,
        pings: Pings,
        on_lost: Callable[[Connection], None],
    ) -> None:
        super().__init__(wire, engine, target)
        self._pings = pings
        self._on_lost = on_lost
        self._opened = self.heard
        #: True when no further call is meant for it: it ends when it is at rest.
        self.spare = False
        self._heads: dict[tuple[str, bool], Head] = {}
        #: What is sent with every call but the one that fetches it.
        self.token: Secret | None = None
        self._token_after = 0  # the last stream that was without it, or with another one
        #: Whether the last call that failed was sent before the token was changed.
        self.refusal_is_old: bool = False
        self._never_sent = 0  # how many calls of which nothing went it had at its end
        self._scope = trio.CancelScope()
        #: Why it ended, once it has.
        self.failure: str | None = None
        #: Methods that the server said it does not have.
        self.unimplemented: set[str] = set()
        #: Whether the server's progress answers can be believed; None: not asked yet (see ``_server_version``).
        self.progress_is_true: bool | None = None
        #: Whether anybody was told that it is open.
        self.told: bool = False
        #: Whether its end is our own wish.
        self.closing: bool = False
        #: Calls that must not be reset.
        self.unfinished: set[UnaryCall] = set()

    # -- life --------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Read and write until the connection breaks or is closed. Never raises what a network can do."""
        reason, violation = "", False
        try:
            with self._scope:
                async with trio.open_nursery(strict_exception_groups=True) as nursery:
                    nursery.start_soon(self._write, name=f"etcetra_trio writer {self.endpoint}")
                    nursery.start_soon(self._answer_probes, name=f"etcetra_trio probe {self.endpoint}")
                    nursery.start_soon(self._leave_silence, name=f"etcetra_trio pings {self.endpoint}")
                    self._flush()
                    try:
                        reason = await self._read()
                    except ProtocolViolation as error:
                        reason, violation = str(error), True
                    nursery.cancel_scope.cancel("connection lost")
        finally:
            if not reason and self.unfinished:
                with trio.move_on_after(LINGER, shield=True) as self._scope:
                    await self._linger()
            self._end(reason, violation=violation)

    async def _linger(self) -> None:  # noqa: ASYNC910 - at the end of a task
        """Before the end: wait for the answers to calls that must not be reset."""
        self.closing = True
        with suppress(ProtocolViolation):
            await self._read()

    def finished(self, call: UnaryCall) -> None:
        """A call that must not be reset is over."""
        self.unfinished.discard(call)
        if self.closing and not self.unfinished:
            self._scope.cancel("all answers came")

    def close(self) -> None:
        """End :meth:`run`; says goodbye if the socket takes it."""
        self._scope.cancel("connection closed")

    @property
    def useful(self) -> bool:
        """Whether it carried a call, or at least could have for a while."""
        return self.engine.started > self._never_sent or trio.current_time() > self._opened + USEFUL

    async def _leave_silence(self) -> None:
        silence = await wait_silent(self, self._pings)
        if silence:
            self._send_error = TimeoutError(silence)
            self._shut_down()
        else:
            self.engine.close()
            self.close()

    def _end(self, reason: str, *, violation: bool) -> None:
        if not reason:  # nothing broke: we are told to end
            self.closing = True
            reason = "the client was closed"
            if self.engine.accepting:
                self.engine.close()
        self._flush()  # the GOAWAY, if the socket takes it
        self.failure = reason
        self._wire.close()
        self._ready.set()
        unsent = self._first_unsent()
        self._never_sent = sum(stream_id >= unsent for stream_id in self.engine.streams)
        self._on_lost(self)
        self.engine.lost(reason, violation=violation, unsent=unsent)

    # -- RPCs --------------------------------------------------------------------------------------------

    @enable_ki_protection
    async def unary(
        self,
        method: Method,
        message: bytes,
        *,
        write: bool,
        leader: bool = True,
        max_message: int = 0,
    ) -> bytes:
        """One request, one answer.

        Args:
          method: What to call.
          message: The request.
          write: Whether it can change anything, for the verdict in errors.
          leader: A member that knows no leader refuses it.
          max_message: The longest answer to take, in octets; 0: as the client is set.

        Cancellation:
          May have happened: the request may have reached the server, which is told to stop, but for a transaction that
          only reads.

        Raises:
          EtcdError: as ``_error_table`` says.
        """
        await checkpoint_if_cancelled()
        engine = self.engine
        call = UnaryCall(self, method, write=write)
        call.max_message = max_message
        deadline = trio.current_effective_deadline()
        timeout = (
            None
            if deadline == math.inf or not call.reset
            else timeout_value(max(deadline - trio.current_time(), 0.0) + TIMEOUT_GRACE)
        )
        engine.open(call, self.head(method.path, leader=leader), message, end=True, timeout=timeout)
        end = call.end
        if end is None:
            call.task = current_task()
            if len(engine.streams) == 1:
                self._flush()
            else:
                self._writer.wake()
            await wait_task_rescheduled(call.abort)
            end = call.end
            assert end is not None
        else:
            await checkpoint()
        if end.status:
            await checkpoint_if_cancelled()  # after our own deadline the server's word for it does not count
            self.note_refusal(call.stream_id)
            raise self.error(end, method, write=write, leader=leader)
        assert call.message is not None
        return call.message

    @enable_ki_protection
    def stream(
        self,
        path: str,
        *,
        message: bytes | None = None,
        end: bool = False,
        leader: bool = True,
        metadata: Sequence[Field] = (),
        timeout: bytes | None = None,
    ) -> StreamCall:
        """Start an RPC that streams; :meth:`StreamCall.cancel` ends it.

        Args:
          path: The method's.
          message: The first message.
          end: No further message follows.
          leader: A member that knows no leader refuses or ends it.
          metadata: Further header fields.
          timeout: The value of ``grpc-timeout``.
        """
        call = StreamCall(self)
        head = (
            self.head(path, leader=leader)
            if not metadata
            else self._new_head(path, leader=leader, metadata=metadata)
        )
        self.engine.open(call, head, message, end=end, timeout=timeout)
        self._writer.wake()
        return call

    @enable_ki_protection
    def open(self, call: Stream, path: str, *, leader: bool) -> None:
        """Start a long RPC with a stream of another kind; nothing but its headers is sent.

        When the server says that it goes away, the stream ends at once, as one that the connection lost.
        """
        self.engine.open(call, self.head(path, leader=leader), None, end=False)
        self._writer.wake()

    @enable_ki_protection
    def send(self, call: Stream, message: bytes, *, end: bool) -> None:
        """Send one message of an RPC; one that is too large ends it."""
        limit = self.engine.limits.request
        if len(message) > limit:
            self.engine.cancel(call, CANCEL)
            call.on_end(too_large_end(message, limit))
        else:
            self.engine.send(call, message, end=end)
        self._writer.wake()

    @enable_ki_protection
    def half_close(self, call: Stream) -> None:
        """Say that no further message follows."""
        self.engine.half_close(call)
        self._writer.wake()

    @enable_ki_protection
    def consumed(self, call: Stream, cost: int) -> None:
        """Give the window of a message back."""
        self.engine.consumed(call, cost)
        if self.engine.wants_send:
            self._writer.wake()

    @enable_ki_protection
    def cancel(self, call: Stream) -> None:
        """Reset the stream of an RPC."""
        self.engine.cancel(call, CANCEL)
        self._writer.wake()

    def use_token(self, token: Secret | None) -> None:
        """Send this token with whatever begins from now on."""
        if token is not self.token:
            self.token = token
            self._token_after = max(self.engine.streams, default=0)
            self._heads.clear()

    def note_refusal(self, stream_id: int) -> None:
        """A call failed: tell by :attr:`refusal_is_old` with which token."""
        self.refusal_is_old = 0 < stream_id <= self._token_after

    def head(self, path: str, *, leader: bool) -> Head:
        """The request headers of a method, made once."""
        head = self._heads.get((path, leader))
        if head is None:
            head = self._heads[path, leader] = self._new_head(path, leader=leader)
        return head

    def _new_head(self, path: str, *, leader: bool, metadata: Sequence[Field] = ()) -> Head:
        token = self.token
        fields = () if token is None or path == AUTHENTICATE.path else ((b"token", token.octets()),)
        return self.engine.prepare(path, (*((REQUIRE_LEADER,) if leader else ()), *fields, *metadata))

    def error(self, end: StreamEnd, method: Method, *, write: bool, leader: bool = True) -> Exception:
        """The exception for an RPC that did not end well."""
        if end.kind == "status":
            return rpc_error(
                end.status,
                end.message,
                method=method.path,
                endpoint=self.endpoint,
                write=write,
                since=method.since,
                hasleader=leader,
            )
        if self.closing and not write:
            return trio.ClosedResourceError("the connect() block of this communicator was left")
        return failure_error(
            end.kind,
            end.status,
            end.message,
            method=method.path,
            endpoint=self.endpoint,
            write=write,
            unprocessed=end.unprocessed,
        )

    def malformed(self, error: DecodeError, method: Method, *, write: bool) -> Exception:
        """The exception for an answer that does not decode; ``error`` is its cause, or its cause's."""
        end = StreamEnd("protocol", INTERNAL, f"its answer does not decode: {error}")
        failure = self.error(end, method, write=write)
        (failure.__cause__ or failure).__cause__ = error
        return failure

    def __repr__(self) -> str:
        state = self.failure or ("open" if self.engine.ready else "opening")
        return f"<etcetra_trio.Connection to {self.endpoint}: {state}, {len(self.engine.streams)} calls>"
