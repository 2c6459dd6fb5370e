"""Reading a range of any size in parts, as of one revision: in pages, or over RangeStream where the server has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ._errors import RpcError, StatusCode
from ._proto import _codec as pb
from ._proto._methods import RANGE, RANGE_STREAM
from ._proto._wire import DecodeError
from ._types import revision
from .streams._tokens import STALE

if TYPE_CHECKING:
    from collections.abc import Callable

    from .streams._calls import StreamCall
    from .streams._endpoints import Endpoints

#: What a page should be at most, in octets: large enough that its round trip costs little.
PAGE_SIZE: Final = 1 << 20
#: What a page of several records may be, in octets: if the records grew, it is asked for anew, and smaller.
LARGEST_PAGE: Final = 4 << 20
#: Records of the first page: few, for nothing is known of their size yet (etcd takes 1.5 MiB a record).
FIRST_LIMIT: Final = 8
#: How fast pages grow and shrink.
STEP: Final = 8


class RangeReader:
    """The parts of a range, one after the other.

    Args:
      message: Makes the RangeRequest from where to begin, how many records at most, and the revision.
      at_revision: The revision to read; 0 is the newest one.
      leader: Refuse members that know no leader.
      may_stream: RangeStream can answer such a request.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        first: bytes,
        message: Callable[[bytes, int, int], bytes],
        at_revision: int,
        *,
        leader: bool = True,
        may_stream: bool = True,
    ) -> None:
        #: The revision that is read; 0 until the first part came.
        self.revision: int = at_revision
        #: Whether there is no further part.
        self.done: bool = False
        #: The server's stream, while there is one.
        self.stream: StreamCall | None = None
        self._endpoints = endpoints
        self._next = first
        self._message = message
        self._leader = leader
        self._may_stream = may_stream
        self._limit = FIRST_LIMIT

    async def part(self) -> list[pb.KeyValue]:
        """The next records; maybe none, though it is not :attr:`done`.

        Cancellation:
          No effect.

        Raises:
          EtcdError: as every read.
        """
        return await (self._page() if self.stream is None else self._chunk(self.stream))

    def close(self) -> None:
        """End the stream, if one is open."""
        self.done = True
        stream, self.stream = self.stream, None
        if stream is not None:
            stream.cancel()

    async def _page(self) -> list[pb.KeyValue]:
        message = self._message(self._next, self._limit, self.revision)
        try:
            page, size = await self._endpoints.call(
                RANGE,
                message,
                _decode_page,
                leader=self._leader,
                max_message=LARGEST_PAGE if self._limit > 1 else 0,
            )
        except RpcError as error:
            if error.code is not StatusCode.RESOURCE_EXHAUSTED or self._limit == 1:
                raise
            self._limit = max(1, self._limit // STEP)  # larger than we take at once: the records grew
            return []  # noqa: ASYNC910 - it came over the network
        self.revision = self.revision or revision(page.header)
        self.done = not page.more
        self._limit = max(1, min(self._limit * STEP, self._limit * PAGE_SIZE // max(size, 1)))
        self._go_behind(page.kvs)
        live = self._endpoints.live
        if (
            not self.done
            and self._may_stream
            and live is not None
            and RANGE_STREAM.path not in live.unimplemented
        ):
            message = self._message(self._next, 0, self.revision)
            self.stream = live.stream(RANGE_STREAM.path, leader=self._leader, message=message, end=True)
            self.stream.max_message = LARGEST_PAGE
        return page.kvs

    async def _chunk(self, stream: StreamCall) -> list[pb.KeyValue]:
        data = await stream.receive()
        if data is not None:
            try:
                chunk = pb.decode_range_stream_response(data).range_response
            except DecodeError as error:
                raise stream.connection.malformed(error, RANGE_STREAM, write=False) from error
            kvs = [] if chunk is None else chunk.kvs
            self._go_behind(kvs)
            return kvs
        end = stream.end
        assert end is not None
        self.stream = None
        if end.status == StatusCode.OK:
            self.done = True
        elif end.status == StatusCode.UNIMPLEMENTED:
            stream.connection.unimplemented.add(RANGE_STREAM.path)
        elif end.kind == "status" and end.status != StatusCode.UNAVAILABLE:
            failure = stream.connection.error(end, RANGE_STREAM, write=False)
            if not isinstance(failure, STALE):  # else a page goes on, with another token
                raise failure
        elif end.kind == "message":
            self._may_stream = False  # its chunks are larger than we take at once
        return []  # where the connection broke, or its server has no leader, a page goes on from here elsewhere

    def _go_behind(self, kvs: list[pb.KeyValue]) -> None:
        if kvs:
            self._next = kvs[-1].key + b"\0"


def _decode_page(data: bytes) -> tuple[pb.RangeResponse, int]:
    return pb.decode_range_response(data), len(data)
