"""Reading a range of any size with bounded memory: in pages, or over RangeStream where the server has it."""

from __future__ import annotations

import warnings
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import trio

from ._errors import RpcError, StatusCode
from ._keys import TextT
from ._proto import _codec as pb
from ._proto._methods import RANGE, RANGE_STREAM
from ._proto._wire import DecodeError
from ._types import KeyValue, key_value, revision

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._keys import KeySpace
    from .streams._calls import StreamCall
    from .streams._connection import Connection
    from .streams._endpoints import Endpoints

#: What a page should be at most, in octets: large enough that its round trip costs little.
PAGE_SIZE: Final = 1 << 20
#: Records of the first page: few, for nothing is known of their size yet (etcd takes 1.5 MiB a record).
FIRST_LIMIT: Final = 8
#: How fast pages grow and shrink.
STEP: Final = 8


class RangeIterator(trio.abc.ReceiveChannel[KeyValue[TextT]]):
    """Gives the records of a range one at a time, all as of one revision.

    Made by :meth:`EtcdCommunicator.iter_range`.

    Leave its ``async with`` block, read it to its end, or call :meth:`aclose`: else the server may be left in
    the middle of a stream.

    Attributes:
      revision: The revision that is read; 0 until the first part came.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        keys: KeySpace[TextT],
        first: bytes,
        message: Callable[[bytes, int, int], bytes],
        at_revision: int,
        *,
        leader: bool,
        may_stream: bool,
    ) -> None:
        self._stream: StreamCall | None = None
        self._token: trio.lowlevel.TrioToken | None = None
        self.revision = at_revision
        self._endpoints = endpoints
        self._keys: KeySpace[TextT] = keys
        self._message = message
        self._leader = leader
        self._may_stream = may_stream
        self._limit = FIRST_LIMIT
        self._next: bytes | None = first  # where the next part begins; None: there is none
        self._records: deque[pb.KeyValue] = deque()
        self._busy = self._closed = False

    async def receive(self) -> KeyValue[TextT]:
        """The next record.

        Cancellation:
          No effect: no record is lost.

        Raises:
          trio.EndOfChannel: there is none.
          trio.BusyResourceError: another task is receiving.
          trio.ClosedResourceError: this was closed, or the client.
          CompactedError: the revision was compacted away meanwhile.
          EtcdError: as for every read.
        """
        if self._busy:
            raise trio.BusyResourceError("another task is receiving from this range")
        self._busy = True
        try:
            await trio.lowlevel.checkpoint()
            while not self._records:
                self._check_open()
                if self._next is None:
                    raise trio.EndOfChannel
                await (self._read_page() if self._stream is None else self._read_stream(self._stream))
            self._check_open()
            return key_value(self._keys, self._records.popleft())
        finally:
            self._busy = False

    async def aclose(self) -> None:
        """Stop reading.

        Cancellation:
          It is closed in any case.
        """
        self._closed = True
        self._records.clear()
        self._end_stream()
        await trio.lowlevel.checkpoint()

    def _check_open(self) -> None:
        if self._closed:
            raise trio.ClosedResourceError("this range was closed")

    async def _read_page(self) -> None:
        assert self._next is not None
        message = self._message(self._next, self._limit, self.revision)
        try:
            page, size = await self._endpoints.call(RANGE, message, _decode_page, leader=self._leader)
        except RpcError as error:
            if error.code is not StatusCode.RESOURCE_EXHAUSTED or self._limit == 1:
                raise
            self._limit = max(1, self._limit // STEP)  # larger than we take at once: the records grew
            return
        self.revision = self.revision or revision(page.header)
        self._take(page.kvs, last=not page.more)
        self._limit = max(1, min(self._limit * STEP, self._limit * PAGE_SIZE // max(size, 1)))
        if not page.more or not self._may_stream:
            return
        connection = await self._endpoints.connection()
        if RANGE_STREAM.path not in connection.unimplemented:
            self._open_stream(connection)

    def _open_stream(self, connection: Connection) -> None:
        assert self._next is not None
        self._token = trio.lowlevel.current_trio_token()
        message = self._message(self._next, 0, self.revision)
        self._stream = connection.stream(RANGE_STREAM.path, leader=self._leader, message=message, end=True)

    async def _read_stream(self, stream: StreamCall) -> None:
        data = await stream.receive()
        if data is not None:
            try:
                chunk = pb.decode_range_stream_response(data).range_response
            except DecodeError as error:
                raise stream.connection.malformed(error, RANGE_STREAM, write=False) from error
            if chunk is not None:
                self._take(chunk.kvs, last=False)
            return
        end = stream.end
        assert end is not None
        self._stream = None
        if end.status == StatusCode.OK:
            self._next = None
        elif end.status == StatusCode.UNIMPLEMENTED:
            stream.connection.unimplemented.add(RANGE_STREAM.path)
        elif end.kind == "status":
            raise stream.connection.error(end, RANGE_STREAM, write=False)
        # Else the connection broke: a page goes on from here, over a new one.

    def _take(self, kvs: list[pb.KeyValue], *, last: bool) -> None:
        self._records.extend(kvs)
        if last:
            self._next = None
        elif kvs:
            self._next = kvs[-1].key + b"\0"

    def _end_stream(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.cancel()

    def __del__(self) -> None:
        if self._stream is not None and self._token is not None:
            warnings.warn(
                f"{self!r} was dropped in the middle: use `async with`",
                ResourceWarning,
                stacklevel=2,
                source=self,
            )
            with suppress(trio.RunFinishedError):  # the connection ended with its run
                self._token.run_sync_soon(self._stream.cancel)

    def __repr__(self) -> str:
        return f"<etcetra_trio.RangeIterator at revision {self.revision}>"


def _decode_page(data: bytes) -> tuple[pb.RangeResponse, int]:
    return pb.decode_range_response(data), len(data)
