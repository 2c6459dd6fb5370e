"""What communicators work over, which stubs made for grpclib can use as well."""

# pyright: reportPrivateUsage=false
# This package stands on the insides of the Trio client.

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ._wrapped import Entered, do

if TYPE_CHECKING:
    from typing import Self

    from grpclib.metadata import Deadline

    from ..streams._grpc_stream import Cardinality
    from ..streams._metadata import MetadataLike
    from ._links import Block

RequestT = TypeVar("RequestT")
ReplyT = TypeVar("ReplyT")


class GrpcStream(Entered, Generic[RequestT, ReplyT]):
    """One RPC, with the face of ``grpclib.client.Stream``; made by :meth:`EtcdChannel.request`.

    It is :class:`etcetra_trio.streams.GrpcStream`, for asyncio.
    """

    @property
    def initial_metadata(self) -> Any:  # noqa: ANN401 - a multidict
        """What came before the first reply."""
        return self._get("initial_metadata")

    @property
    def trailing_metadata(self) -> Any:  # noqa: ANN401 - a multidict
        """What came at the end."""
        return self._get("trailing_metadata")

    async def __aenter__(self) -> Self:
        """Begin."""
        entered: Self = await self._enter()
        return entered

    async def send_request(self, *, end: bool = False) -> None:
        """Send the headers."""
        await self._call(self._trio.send_request, end=end)

    async def send_message(self, message: RequestT, *, end: bool = False) -> None:
        """Send a request."""
        await self._call(self._trio.send_message, message, end=end)

    async def end(self) -> None:
        """Say that no further request follows."""
        await self._call(self._trio.end)

    async def recv_initial_metadata(self) -> None:
        """Wait for :attr:`initial_metadata`."""
        await self._call(self._trio.recv_initial_metadata)

    async def recv_message(self) -> ReplyT | None:
        """The next reply; None at the end."""
        reply: ReplyT | None = await self._call(self._trio.recv_message)
        return reply

    async def recv_trailing_metadata(self) -> None:
        """Wait for the end, and raise its error status."""
        await self._call(self._trio.recv_trailing_metadata)

    async def cancel(self) -> None:
        """Reset it, and let everything that waits for it end."""
        await self._call(self._trio.cancel)

    def reset(self) -> None:
        """Reset it if it is not over."""
        self._do(self._trio.reset)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ReplyT:
        """The next reply."""
        reply = await self.recv_message()
        if reply is None:
            raise StopAsyncIteration
        return reply


class EtcdChannel:
    """The connection of one ``connect()`` block: for other communicators, and for stubs made for grpclib.

    ``KVStub(communicator.channel)``: stubs that betterproto2, or grpclib's own plug-in, generates run over it unchanged
    (the extra ``stubs``). Keys are as the server has them: no namespace is put before them.
    """

    def __init__(self, block: Block, namespace: bytes) -> None:
        self._block = block
        self._namespace = namespace

    def request(
        self,
        name: str,
        cardinality: Cardinality,
        request_type: type[RequestT],
        reply_type: type[ReplyT],
        *,
        timeout: float | None = None,
        deadline: Deadline | None = None,
        metadata: MetadataLike | None = None,
    ) -> GrpcStream[RequestT, ReplyT]:
        """Prepare an RPC; what stubs call. Arguments as :meth:`etcetra_trio.streams.GrpcChannel.request`."""
        from ..streams import GrpcChannel  # noqa: PLC0415 - brings grpclib, which only this needs

        self._block.check_open()
        channel: Any = GrpcChannel(self._block.endpoints)
        stream = do(
            channel.request,
            name,
            cardinality,
            request_type,
            reply_type,
            timeout=timeout,
            deadline=deadline,
            metadata=metadata,
        )
        return GrpcStream(self._block, stream)

    async def close(self) -> None:
        """End the block; the connection itself stays open for a while, for the next one."""
        self._block.leave()
