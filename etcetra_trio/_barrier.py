"""A barrier that programs wait at: ``await barrier.hold()``, ``await barrier.wait()``, ``await barrier.release()``."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from ._compare import CompareKey, encode_compare
from ._keys import RAW
from ._proto import _codec as pb
from ._proto._methods import DELETE_RANGE, RANGE, TXN
from ._server_errors import CompactedError
from ._watch_events import WatchFilter
from ._watches import Watches

if TYPE_CHECKING:
    from .streams._endpoints import Endpoints


@final
class Barrier:
    """A barrier in etcd: closed from :meth:`hold` to :meth:`release`, and whoever waits meanwhile is held up.

    Made by :meth:`EtcdCommunicator.barrier`. It is the key of its name, in the layout of etcd's Go recipes, and belongs
    to nobody: any program may close or open it, and it stays as it is when that program ends.
    """

    __slots__ = ("_endpoints", "_key")

    def __init__(self, endpoints: Endpoints, key: bytes) -> None:
        self._endpoints = endpoints
        self._key = key

    async def hold(self) -> None:
        """Close it; it may be closed already.

        Cancellation:
          May have happened.

        Raises:
          EtcdError: as every write. It is safe to repeat.
        """
        message = pb.txn_request(
            [encode_compare(CompareKey(self._key).version == 0, RAW)],
            [pb.request_op(request_put=pb.put_request(self._key, b""))],
        )
        await self._endpoints.call(TXN, message, pb.decode_txn_response, write=True)

    async def release(self) -> None:
        """Open it, and let everybody go on who waits; it may be open already.

        Cancellation:
          May have happened.

        Raises:
          EtcdError: as every write. It is safe to repeat, unless somebody closes it again.
        """
        message = pb.delete_range_request(self._key)
        await self._endpoints.call(DELETE_RANGE, message, pb.decode_delete_range_response, write=True)

    async def wait(self) -> None:
        """Wait until it is open, or was for a moment.

        Returns at once if it is open. Nobody is left behind when it is closed again right after it was opened.

        Cancellation:
          No effect.

        Raises:
          EtcdError: as every read and watch.
          trio.ClosedResourceError: the client is closed.
        """
        closed_at = await self._closed_at()
        while closed_at:
            events = Watches(self._endpoints, RAW).watch(self._key, filters=[WatchFilter.NOPUT])
            try:
                async with events:
                    if await self._closed_at() == closed_at:
                        await events.receive()
                    return
            except CompactedError:  # while no server was there; looking again tells as well
                continue

    async def _closed_at(self) -> int:
        """The revision at which it was closed; 0 while it is open."""
        answer = await self._endpoints.call(RANGE, pb.range_request(self._key), pb.decode_range_response)
        return answer.kvs[0].create_revision if answer.kvs else 0
