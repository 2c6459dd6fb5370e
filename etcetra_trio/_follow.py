"""A range as it is, and a watch of everything that happens to it afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from ._resync import Known, list_state
from ._server_errors import CompactedError
from ._watch import Watch
from ._watch_shapes import RevisionShape
from .streams._watcher import Batch, Watcher

if TYPE_CHECKING:
    from ._proto import _codec as pb
    from ._proto._changes import Change
    from .streams._endpoints import Endpoints

#: Events that may wait for whoever follows.
_BUFFER: Final = 1024


class Followed(NamedTuple):
    """What :func:`follow` began."""

    #: The records of the range.
    records: dict[bytes, pb.KeyValue | Change]
    #: The revision that they are of.
    revision: int
    #: Open. Where history is compacted away, it gives the differences.
    watch: Watch[Batch]
    watcher: Watcher


async def follow(endpoints: Endpoints, address: tuple[bytes, bytes]) -> Followed:
    """Take the snapshot and begin to watch.

    Cancellation:
      No effect.

    Raises:
      EtcdError: as every read and every watch.
    """
    while True:
        try:
            state, revision = await list_state(endpoints, *address)
            break
        except CompactedError:  # between two parts of it
            continue
    known = Known()
    known.differences(state, revision)
    hub = endpoints.watches
    watcher = Watcher(*address, start_revision=revision + 1, max_events=_BUFFER, budget=hub.budget)
    watch = Watch(hub, watcher, RevisionShape(), known=known, ready_event=None)
    await watch.__aenter__()
    return Followed({kv.key: kv for kv in state}, revision, watch, watcher)
