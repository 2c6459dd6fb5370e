"""The records of a range of any size as a Trio channel."""

from __future__ import annotations

import warnings
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

import trio

from ._keys import TextT
from ._types import KeyValue, key_value

if TYPE_CHECKING:
    from ._keys import KeySpace
    from ._proto import _codec as pb
    from ._range_reader import RangeReader


class RangeIterator(trio.abc.ReceiveChannel[KeyValue[TextT]]):
    """Gives the records of a range one at a time, all as of one revision.

    Made by :meth:`EtcdCommunicator.iter_range`. Leave its ``async with`` block, read it to its end, or call
    :meth:`aclose`: else the server may be left in the middle of a stream.
    """

    def __init__(self, reader: RangeReader, keys: KeySpace[TextT]) -> None:
        self._reader = reader
        self._token: trio.lowlevel.TrioToken | None = None
        self._keys: KeySpace[TextT] = keys
        self._records: deque[pb.KeyValue] = deque()
        self._busy = self._closed = False

    @property
    def revision(self) -> int:
        """The revision that is read; 0 until the first part came."""
        return self._reader.revision

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
                if self._reader.done:
                    raise trio.EndOfChannel
                self._token = trio.lowlevel.current_trio_token()
                self._records.extend(await self._reader.part())
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
        self._reader.close()
        await trio.lowlevel.checkpoint()

    def _check_open(self) -> None:
        if self._closed:
            raise trio.ClosedResourceError("this range was closed")

    def __del__(self) -> None:
        if self._reader.stream is not None and self._token is not None:
            text = f"{self!r} was dropped in the middle: use `async with`"
            warnings.warn(text, ResourceWarning, stacklevel=2, source=self)
            with suppress(trio.RunFinishedError):  # the connection ended with its run
                self._token.run_sync_soon(self._reader.close)

    def __repr__(self) -> str:
        return f"<etcetra_trio.RangeIterator at revision {self.revision}>"
