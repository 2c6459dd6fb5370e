"""Elections: the leader holds, the others watch."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import trio

from ._follow import follow
from ._held import Held
from ._keys import TextT
from ._types import KeyValue, key_value

if TYPE_CHECKING:
    from ._contender import Contest
    from ._keys import KeySpace
    from ._proto import _codec as pb
    from ._proto._changes import Change
    from ._watch import Watch
    from .streams._endpoints import Endpoints
    from .streams._watcher import Batch


@final
class Leadership(Held[TextT]):
    """An election that is won; made by :meth:`EtcdCommunicator.campaign`.

    ``put``, ``delete``, ``txn`` and ``proclaim`` write only while this program leads, whatever happened to it in the
    meantime; otherwise they raise :exc:`LeadershipLostError`.
    """

    __slots__ = ()

    async def proclaim(self, value: str | bytes) -> None:
        """Change the leader's value, without another election.

        Cancellation:
          May have happened.

        Raises:
          LeadershipLostError: this program does not lead any more.
          EtcdError: as every write.
        """
        await self.put(self.key, value, lease=self.lease)


@final
class LeaderObserver(trio.abc.ReceiveChannel[KeyValue[TextT] | None]):
    """Who leads, as a channel; made by :meth:`EtcdCommunicator.observe`. Enter it with ``async with``.

    First comes the leader of the moment, then each one that follows, and each value that a leader proclaims; None
    where nobody leads. Nothing is left out, whatever happens to connections, unless history was compacted before it
    came. A leader is the :class:`KeyValue` of its key.
    """

    def __init__(self, endpoints: Endpoints, keys: KeySpace[TextT], contest: Contest) -> None:
        self._endpoints = endpoints
        self._keys: KeySpace[TextT] = keys
        self._range = contest.range
        self._candidates: dict[bytes, pb.KeyValue | Change] = {}
        self._watch: Watch[Batch] | None = None
        self._told: tuple[bytes, int] | None = None
        self._begun = False

    async def __aenter__(self) -> LeaderObserver[TextT]:
        """Begin; what happens from now on is not missed."""
        followed = await follow(self._endpoints, self._range)
        self._candidates, self._watch = followed.records, followed.watch
        return self

    async def receive(self) -> KeyValue[TextT] | None:
        """The next leader; None: nobody leads.

        Cancellation:
          No effect.

        Raises:
          EncodingError: the leader's value is no text; it counts as given.
          trio.BusyResourceError: another task is receiving.
          trio.ClosedResourceError: this, or the client, was closed.
          EtcdError: the server refused the watch.
        """
        if self._watch is None:
            raise trio.ClosedResourceError("enter it with `async with`, and do not use it afterwards")
        if self._begun and self._identity() == self._told:
            await self._follow(self._watch)
        else:
            await trio.lowlevel.checkpoint()
        self._begun = True
        leader = self._leader()
        self._told = self._identity()
        return None if leader is None else key_value(self._keys, leader)

    async def aclose(self) -> None:
        """End it, on the server as well.

        Cancellation:
          It is ended in any case.
        """
        watch, self._watch = self._watch, None
        if watch is None:
            await trio.lowlevel.checkpoint()
        else:
            await watch.aclose()

    async def _follow(self, watch: Watch[Batch]) -> None:  # noqa: ASYNC910 - every step of a watch is one
        while self._identity() == self._told:
            batch = await watch.receive()
            for event in batch.events:
                if event.kind:
                    self._candidates.pop(event.key, None)
                else:
                    self._candidates[event.key] = event

    def _leader(self) -> pb.KeyValue | Change | None:
        return min(self._candidates.values(), key=lambda kv: kv.create_revision, default=None)

    def _identity(self) -> tuple[bytes, int] | None:
        """What tells one leader, or one of its values, from the next."""
        leader = self._leader()
        return None if leader is None else (leader.key, leader.mod_revision)
