"""One RPC with the face of grpclib's client streams, over our connections and under Trio."""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Generic, NoReturn, Protocol, TypeVar, final

import trio
from grpclib import GRPCError, Status
from grpclib.exceptions import ProtocolError, StreamTerminatedError
from multidict import MultiDict

from .._error_table import rpc_error
from .._proto._methods import METHODS
from ._connection import TIMEOUT_GRACE
from ._grpc import timeout_value
from ._metadata import decode_metadata, status_details
from ._tokens import STALE

if TYPE_CHECKING:
    from collections.abc import Generator
    from types import TracebackType
    from typing import Self

    from ._calls import StreamCall
    from ._endpoints import Endpoints
    from ._grpc import EndKind, Field, StreamEnd


class Message(Protocol):
    """What betterproto2's and protobuf's messages have in common."""

    def SerializeToString(self) -> bytes:  # noqa: N802 - protobuf's name
        """The message's octets."""
        ...

    @classmethod
    def FromString(cls, data: bytes, /) -> Self:  # noqa: N802 - protobuf's name
        """The message of these octets."""
        ...


class Cardinality(Protocol):
    """Which sides stream: what is used of ``grpclib.const.Cardinality``."""

    @property
    def client_streaming(self) -> bool:
        """Whether many requests are sent."""
        ...

    @property
    def server_streaming(self) -> bool:
        """Whether many replies come."""
        ...


RequestT = TypeVar("RequestT", bound=Message)
ReplyT = TypeVar("ReplyT", bound=Message)

#: The RPC ended without an answer: grpclib raises StreamTerminatedError for these.
_TERMINATED: Final[frozenset[EndKind]] = frozenset(
    {"reset", "refused", "goaway", "connection", "protocol", "local"}
)


@final
class GrpcStream(Generic[RequestT, ReplyT]):
    """One RPC, with the face of ``grpclib.client.Stream``; made by :meth:`GrpcChannel.request`.

    Use it as ``async with channel.request(…) as stream:``. The block's end waits for the end of an RPC with
    one reply, and raises its error status if nothing did so before. An RPC with many replies that is not over
    by then is reset instead. So is every RPC whose block is left by an exception. There is no nursery inside.

    The methods raise ``grpclib.GRPCError`` for error statuses, ``grpclib.exceptions.StreamTerminatedError``
    where the RPC ended without one (a lost connection, a reset), ``grpclib.exceptions.ProtocolError`` where
    they are called in an impossible order, :exc:`TimeoutError` once the RPC's ``timeout`` or ``deadline`` has
    passed, and :exc:`trio.ClosedResourceError` after :meth:`cancel` and when the client is closed.
    """

    __slots__ = (
        "_call",
        "_client_streams",
        "_deadline",
        "_end_done",
        "_end_told",
        "_endpoints",
        "_initial_done",
        "_metadata",
        "_path",
        "_reply_type",
        "_request_type",
        "_sent",
        "_server_streams",
        "_told_deadline",
        "initial_metadata",
        "trailing_metadata",
    )

    def __init__(
        self,
        endpoints: Endpoints,
        path: str,
        cardinality: Cardinality,
        request_type: type[RequestT],
        reply_type: type[ReplyT],
        metadata: tuple[Field, ...],
        deadline: float,
    ) -> None:
        self._endpoints = endpoints
        self._path = path
        self._client_streams = cardinality.client_streaming
        self._server_streams = cardinality.server_streaming
        self._request_type = request_type
        self._reply_type = reply_type
        self._metadata = metadata
        self._deadline = self._told_deadline = deadline
        self._call: StreamCall | None = None
        self._sent = self._end_done = self._initial_done = self._end_told = False
        #: What came with the server's headers; None before.
        self.initial_metadata: MultiDict[str | bytes] | None = None
        #: What came with the server's status; None before.
        self.trailing_metadata: MultiDict[str | bytes] | None = None

    async def __aenter__(self) -> Self:
        await trio.lowlevel.checkpoint()
        if self._deadline <= trio.current_time():
            raise TimeoutError("Deadline exceeded")
        if not self._server_streams:
            # The caller's scopes are around the whole block. With many replies they may be around one wait
            # only (a generated stub enters this block from within a generator), and say nothing of the RPC.
            self._told_deadline = min(self._deadline, trio.current_effective_deadline())
        return self

    async def _leave(  # noqa: ASYNC910 - an exception goes on at once
        self,
        _exc_type: type[BaseException] | None,
        exc: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        call = self._call
        try:
            if exc is None:
                await self._finish()
            elif isinstance(exc, StreamTerminatedError):
                end = call.end if call is not None else None
                if end is not None and end.kind == "status" and end.status:
                    # Sending failed since the server had answered already: its answer says more.
                    raise self._failure(end) from exc
        finally:
            self.reset()

    __aexit__ = _leave  # in a method of that name ASYNC102 asks for a deadline; here the caller's holds

    async def send_request(self, *, end: bool = False) -> None:
        """Send the headers; :meth:`send_message` does it where this was not called.

        Args:
          end: No message follows: for an RPC with many requests that has none.

        Cancellation:
          Cleans up: the RPC did not begin.

        Raises:
          ConnectionFailedError: no endpoint answered.
        """
        if end and not self._client_streams:
            raise ProtocolError("an RPC with one request needs its message")
        await self._open(None, end=end, leader=self._needs_leader(None))

    async def send_message(self, message: RequestT, *, end: bool = False) -> None:
        """Send a message, and wait while the server takes no more.

        Args:
          end: No further message follows.

        Cancellation:
          May have happened.

        Raises:
          TypeError: it is not of the request's type.
          ConnectionFailedError: no endpoint answered.
        """
        if self._end_done:
            raise ProtocolError("the stream of requests was already ended")
        if not isinstance(message, self._request_type):
            raise TypeError(f"use a {self._request_type.__name__}, not a {type(message).__name__}")
        data = message.SerializeToString()
        end = end or not self._client_streams
        if self._call is None:
            await self._open(data, end=end, leader=self._needs_leader(message))
        else:
            with self._bounded():
                await self._send(self._call, data, end=end)
        self._sent, self._end_done = True, end

    async def end(self) -> None:
        """Tell the server that no further message follows.

        Cancellation:
          May have happened.
        """
        call = self._started()
        if self._client_streams:
            if self._end_done:
                raise ProtocolError("the stream of requests was already ended")
            call.half_close()
            self._end_done = True
        elif not self._sent:
            raise ProtocolError("an RPC with one request needs its message")
        await trio.lowlevel.checkpoint()

    async def recv_initial_metadata(self) -> None:
        """Wait for :attr:`initial_metadata`; :meth:`recv_message` does it where this was not called.

        Cancellation:
          No effect.
        """
        call = self._started()
        if self._initial_done:
            raise ProtocolError("the initial metadata was already received")
        with self._bounded():
            await call.wait_headers()
            self._initial_done = True
            if call.headers is not None and call.headers.acceptable:
                self.initial_metadata = decode_metadata(call.headers.fields)
            else:  # the status came without headers before it, or no status
                self.initial_metadata = MultiDict()
                failed = self._take_end(call)
                if failed is not None:
                    await self._raise(failed)

    async def recv_message(self) -> ReplyT | None:
        """Wait for the next reply.

        Cancellation:
          No effect: no reply is lost.

        Returns:
          The reply; None when there is no further one. Then the block's end, or
          :meth:`recv_trailing_metadata`, tells the status.
        """
        if not self._initial_done:
            await self.recv_initial_metadata()
        call = self._started()
        with self._bounded():
            data = await call.receive()
            if data is None and call.end is not None and call.end.kind != "status":
                await self._raise(call.end)
        return None if data is None else self._reply_type.FromString(data)

    async def recv_trailing_metadata(self) -> None:
        """Wait for the RPC's end, and :attr:`trailing_metadata`; replies that nobody took are still there then.

        Cancellation:
          No effect.
        """
        call = self._started()
        if not self._end_done and call.end is None:
            raise ProtocolError("the stream of requests was not ended")
        if not self._initial_done:
            raise ProtocolError("receive the initial metadata first")
        if self._end_told:
            raise ProtocolError("the trailing metadata was already received")
        with self._bounded():
            await call.wait_end()
            failed = self._take_end(call)
            if failed is not None:
                await self._raise(failed)
            self._end_told = True

    async def cancel(self) -> None:
        """Reset the RPC: the server is told to stop.

        Cancellation:
          Cleans up: the RPC is reset anyway.
        """
        if self._started().cancelled:
            raise ProtocolError("the RPC was already cancelled")
        self.reset()
        await trio.lowlevel.checkpoint()

    def reset(self) -> None:
        """:meth:`cancel` at any time and without an ``await``; does nothing to an RPC that is over."""
        if self._call is not None:
            self._call.cancel()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ReplyT:
        message = await self.recv_message()
        if message is None:
            raise StopAsyncIteration
        return message

    # -- what the methods share

    async def _open(self, message: bytes | None, *, end: bool, leader: bool) -> None:
        with self._bounded():
            connection = await self._endpoints.connection()
            if self._call is not None:
                raise ProtocolError("the request was already sent")
            timeout = None
            if self._told_deadline < math.inf:
                left = max(self._told_deadline - trio.current_time(), 0.0)
                timeout = timeout_value(left + TIMEOUT_GRACE)
            self._call = connection.stream(
                self._path, message=message, end=end, leader=leader, metadata=self._metadata, timeout=timeout
            )
            self._end_done = end

    async def _send(self, call: StreamCall, data: bytes, *, end: bool) -> None:
        try:
            await call.send(data, end=end)
        except trio.BrokenResourceError as error:
            if call.end is None:
                raise trio.ClosedResourceError("the RPC was cancelled") from error
            if call.end.kind == "status":
                raise StreamTerminatedError("the server has ended the RPC") from error
            raise self._failure(call.end) from error

    def _needs_leader(self, message: RequestT | None) -> bool:
        """Whether a member without a leader shall refuse it: as the method table says, of etcd's own methods."""
        method = METHODS.get(self._path)
        return (
            method is not None
            and method.require_leader
            and not getattr(message, "serializable", False)
            and bool(getattr(message, "linearizable", True))
            and all(name != b"hasleader" for name, _ in self._metadata)
        )

    async def _finish(self) -> None:
        """Leave the block in order."""
        call = self._call
        if call is None or call.cancelled or self._end_told or (self._server_streams and call.end is None):
            await trio.lowlevel.checkpoint()
            return
        if not self._end_done and call.end is None:
            raise ProtocolError("the stream of requests was not ended")
        if not self._initial_done:
            await self.recv_initial_metadata()
        await self.recv_trailing_metadata()

    def _take_end(self, call: StreamCall) -> StreamEnd | None:
        """Keep what the end says; returns it where it must be raised."""
        end = call.end
        if end is None:
            raise trio.ClosedResourceError("the RPC was cancelled")
        if end.kind != "status":
            return end
        self.trailing_metadata = decode_metadata(end.trailers)
        return end if end.status else None

    async def _raise(self, end: StreamEnd) -> NoReturn:
        if Status(end.status) in {Status.CANCELLED, Status.DEADLINE_EXCEEDED}:
            # After our own deadline our own clock has the word.
            await trio.lowlevel.checkpoint_if_cancelled()
        self._end_told = True
        raise self._failure(end)

    def _failure(self, end: StreamEnd) -> Exception:
        failure: GRPCError | StreamTerminatedError
        if end.kind in _TERMINATED:
            self._endpoints.service.check_open()
            failure = StreamTerminatedError(end.message)
        else:
            status = Status(end.status)
            failure = GRPCError(status, end.message or None, status_details(status, end))
            self._note_refusal(end)
        assert self._call is not None
        failure.add_note(f"{self._path} at {self._call.connection.endpoint}")
        return failure

    def _note_refusal(self, end: StreamEnd) -> None:
        """Where the token was refused, the next RPC has another one; this one is its caller's to repeat."""
        assert self._call is not None
        connection = self._call.connection
        error = rpc_error(
            end.status, end.message, method=self._path, endpoint=connection.endpoint, write=False
        )
        if isinstance(error, STALE):
            connection.note_refusal(self._call.stream_id)
            self._endpoints.renew_token(connection)

    def _started(self) -> StreamCall:
        if self._call is None:
            raise ProtocolError("the request was not sent yet")
        return self._call

    @contextmanager
    def _bounded(self) -> Generator[None]:
        """One wait; entered anew for each, since a scope must not stay open while a generator is suspended."""
        with trio.CancelScope(deadline=self._deadline) as scope:
            yield
        if scope.cancelled_caught:
            raise TimeoutError("Deadline exceeded")
