"""How a watch gives the events of a revision: one at a time, all together, or as the streams keep them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from ._keys import TextT
from ._watch_events import WatchBatch, WatchEvent, watch_event

if TYPE_CHECKING:
    from ._keys import KeySpace
    from .streams._watcher import Batch

ItemT_co = TypeVar("ItemT_co", covariant=True)


class Shape(Protocol[ItemT_co]):
    """How the events of a revision are given."""

    def count(self, batch: Batch) -> int:
        """In how many items."""
        ...

    def item(self, batch: Batch, index: int) -> ItemT_co:
        """One of them."""
        ...


class EventShape(Generic[TextT]):
    """One event at a time."""

    __slots__ = ("_keys",)

    def __init__(self, keys: KeySpace[TextT]) -> None:
        self._keys: KeySpace[TextT] = keys

    def count(self, batch: Batch) -> int:
        return len(batch.events)

    def item(self, batch: Batch, index: int) -> WatchEvent[TextT]:
        return watch_event(self._keys, batch.events[index], batch.coalesced, synthetic=batch.synthetic)


class BatchShape(Generic[TextT]):
    """All events of a revision together."""

    __slots__ = ("_keys",)

    def __init__(self, keys: KeySpace[TextT]) -> None:
        self._keys: KeySpace[TextT] = keys

    def count(self, batch: Batch) -> int:  # noqa: ARG002 - as the protocol has it
        return 1

    def item(self, batch: Batch, index: int) -> WatchBatch[TextT]:  # noqa: ARG002 - there is only one
        keys, coalesced, synthetic = self._keys, batch.coalesced, batch.synthetic
        events = [watch_event(keys, event, coalesced, synthetic=synthetic) for event in batch.events]
        return WatchBatch(batch.revision, events)


class RevisionShape:
    """A revision as the streams keep it."""

    __slots__ = ()

    def count(self, batch: Batch) -> int:  # noqa: ARG002 - as the protocol has it
        return 1

    def item(self, batch: Batch, index: int) -> Batch:  # noqa: ARG002 - there is only one
        return batch
