"""Stubs that betterproto2 generates for grpclib, with streams that belong to Trio's tasks."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing, asynccontextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol, TypeVar, cast, final

import trio
from grpclib.const import Cardinality
from grpclib.exceptions import StreamTerminatedError

from ._grpc_stream import Message
from ._service import open_service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractAsyncContextManager
    from types import TracebackType
    from typing import Self

    from grpclib.metadata import Deadline

    from ._grpc_stream import GrpcStream
    from ._grpclib import GrpcChannel
    from ._metadata import MetadataLike
    from ._service import Service

    Requests = Iterable[Message] | AsyncIterable[Message]

StubT = TypeVar("StubT")
ReplyT = TypeVar("ReplyT", bound=Message)

#: betterproto2's helpers that generated methods with many replies call.
_HELPERS: Final = frozenset({"_stream_stream", "_unary_stream"})


def stub(stub_class: type[StubT], channel: GrpcChannel) -> StubT:
    """Make a betterproto2 stub for Trio: its methods with many replies return a :class:`ReplyStream`.

    As generated, such methods are async generators, and those with many requests start an asyncio task. Here a
    Trio task sends the requests, and leaving a block ends everything::

        watches = stub(WatchStub, communicator.channel)
        async with watches.watch([WatchRequest(create_request=...)]) as replies:
            async for reply in replies:
                ...

    Type checkers see what is generated, an ``AsyncIterator``; use ``typing.cast`` for ``async with``.

    Args:
      stub_class: What ``protoc`` with betterproto2's plug-in generates (``client_generation=async``). It stays
        as it is.
      channel: ``communicator.channel``.

    Returns:
      An instance of a subclass. All its other methods are the generated ones.
    """
    methods = {
        name: _opener(method)
        for name, method in inspect.getmembers(stub_class, inspect.isasyncgenfunction)
        if not _HELPERS.isdisjoint(method.__code__.co_names)
    }
    subclass = cast("Callable[[GrpcChannel], StubT]", type(stub_class.__name__, (stub_class,), methods))
    return subclass(channel)


@final
class ReplyStream(trio.abc.ReceiveChannel[ReplyT]):
    """The replies of an RPC; made by the methods of a :func:`stub`.

    Preferably ``async with … as replies: async for reply in replies:``. Entering the block sends the request,
    or starts a task that sends the requests as the server takes them. Leaving it resets an RPC that is not
    over, and waits until that task has ended. A nursery inside owns it, so do not ``yield`` in the block from
    an async generator.

    Without the block, ``async for`` begins the RPC, and its task belongs to the ``connect()`` block. An
    iteration that is left early (by ``break``, an error, a cancellation) then leaves the RPC open until
    :meth:`aclose`, or until the ``connect()`` block is left.

    Replies that came before an error are delivered first. What the iterable of requests raises,
    :meth:`receive` raises, or the end of the block where nobody received it. A generator of requests is closed
    with the RPC.
    """

    def __init__(
        self,
        service: Service,
        stream: GrpcStream[Message, ReplyT],
        request: Message | None,
        requests: Requests,
    ) -> None:
        self._service = service
        self._stream = stream
        self._request = request
        self._requests = requests
        self._begun = self._over = self._closed = False
        self._sending = trio.CancelScope()
        self._failure: Exception | None = None
        self._block: AbstractAsyncContextManager[None] | None = None

    async def receive(self) -> ReplyT:
        """Wait for the next reply.

        Cancellation:
          No effect: no reply is lost. (The call that begins the RPC may end it.)

        Raises:
          trio.EndOfChannel: the RPC ended with status OK.
          grpclib.GRPCError: it ended with another.
          grpclib.exceptions.StreamTerminatedError: it ended without a status.
          TimeoutError: its ``timeout`` or ``deadline`` passed.
          trio.ClosedResourceError: it was closed, or the client was.
        """
        if self._closed:
            await trio.lowlevel.checkpoint()
            raise trio.ClosedResourceError("this stream of replies is closed")
        if self._over:
            await trio.lowlevel.checkpoint()
            raise trio.EndOfChannel
        if not self._begun:
            await self._begin(self._service)
        try:
            message = await self._next()
        except Exception:
            self._close()
            raise
        if message is None:
            self._over = True
            self._sending.cancel("the RPC is over")
            raise trio.EndOfChannel
        return message

    async def aclose(self) -> None:
        """Reset the RPC if it is not over.

        Cancellation:
          Cleans up: it is reset anyway.
        """
        self._close()
        await trio.lowlevel.checkpoint()

    async def __aenter__(self) -> Self:
        if self._begun:
            raise RuntimeError("enter the block before the first reply is received")
        self._block = self._opened()
        await self._block.__aenter__()
        return self

    async def _leave(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._block is not None
        await self._block.__aexit__(exc_type, exc_value, traceback)

    __aexit__ = _leave  # in a method of that name ASYNC102 asks for a deadline; this waits for no server

    @asynccontextmanager
    async def _opened(self) -> AsyncGenerator[None]:
        async with open_service() as service:
            await self._begin(service)
            try:
                yield
            finally:
                self._close()
        self._raise_failure()

    async def _begin(self, service: Service) -> None:
        self._begun = True
        try:
            if self._request is not None:
                await self._stream.send_message(self._request, end=True)
            else:
                await self._stream.send_request()
                service.start_soon(self._send, name="requests of a stub")
        except BaseException:
            self._close()
            raise

    async def _send(self) -> None:  # noqa: ASYNC910 - a task of its own
        """Send the requests; what goes wrong is for :meth:`receive` to raise."""
        try:
            with self._sending:
                if isinstance(self._requests, AsyncIterable):
                    requests = aiter(self._requests)
                    # A generator is made for one call, so nobody else would close it.
                    owned = isinstance(requests, AsyncGenerator)
                    async with (
                        aclosing(cast("AsyncGenerator[Message]", requests)) if owned else nullcontext()
                    ):
                        async for request in requests:
                            if not await self._send_one(request):
                                return
                else:
                    for request in self._requests:
                        if not await self._send_one(request):
                            return
                await self._stream.end()
        except Exception as error:  # noqa: BLE001 - the user's own, most likely
            self._failure = error
            self._stream.reset()

    async def _send_one(self, request: Message) -> bool:
        try:
            await self._stream.send_message(request)
        except StreamTerminatedError:  # the RPC is over: receive() tells how
            await trio.lowlevel.checkpoint()
            return False
        return True

    async def _next(self) -> ReplyT | None:
        try:
            message = await self._stream.recv_message()
        except trio.ClosedResourceError:
            self._raise_failure()
            raise
        if message is None:
            await self._stream.recv_trailing_metadata()
            self._raise_failure()
        return message

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def _close(self) -> None:
        self._closed = True
        self._sending.cancel("the stream of replies was closed")
        self._stream.reset()


class _Stub(Protocol):
    """What betterproto2 puts into every stub."""

    channel: GrpcChannel
    timeout: float | None
    deadline: Deadline | None
    metadata: MetadataLike | None


class _Asked(Exception):  # noqa: N818 - no error: it carries out of a generated method what that asks for
    def __init__(self, replies: ReplyStream[Message]) -> None:
        self.replies = replies


class _Asker:
    """Stands for the stub in a generated method: its helpers leave the method with what it asks them for."""

    def __init__(self, stub: _Stub) -> None:
        self._stub = stub

    def _stream_stream(
        self,
        route: str,
        requests: Requests,
        request_type: type[Message],
        reply_type: type[Message],
        **options: Any,  # noqa: ANN401 - of the stub's own
    ) -> NoReturn:
        stream = self._stream(route, Cardinality.STREAM_STREAM, request_type, reply_type, options)
        raise _Asked(ReplyStream(self._stub.channel.endpoints.service, stream, None, requests))

    def _unary_stream(
        self,
        route: str,
        request: Message,
        reply_type: type[Message],
        **options: Any,  # noqa: ANN401 - of the stub's own
    ) -> NoReturn:
        stream = self._stream(route, Cardinality.UNARY_STREAM, type(request), reply_type, options)
        raise _Asked(ReplyStream(self._stub.channel.endpoints.service, stream, request, ()))

    def _stream(
        self,
        route: str,
        cardinality: Cardinality,
        request_type: type[Message],
        reply_type: type[Message],
        options: dict[str, Any],
    ) -> GrpcStream[Message, Message]:
        given = {
            name: getattr(self._stub, name) if options.get(name) is None else options[name]
            for name in ("timeout", "deadline", "metadata")
        }
        return self._stub.channel.request(route, cardinality, request_type, reply_type, **given)


def _opener(method: Callable[..., AsyncGenerator[Message]]) -> Callable[..., ReplyStream[Message]]:
    """The same method, but its call returns a :class:`ReplyStream`."""

    @functools.wraps(method)
    def opener(self: _Stub, *args: object, **kwargs: object) -> ReplyStream[Message]:
        first_step = method(_Asker(self), *args, **kwargs).asend(None)
        try:
            first_step.send(None)
        except _Asked as asked:
            return asked.replies
        with suppress(GeneratorExit):
            first_step.throw(GeneratorExit)
        raise TypeError(f"{method.__qualname__} is not as betterproto2 generates it: it waits before it asks")

    return opener
