"""What a watch gives: events, and all events of a revision together. Pure."""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import Generic, NamedTuple

from ._keys import TextT


class WatchEventType(Enum):
    """What happened to a key."""

    PUT = 0
    DELETE = 1


class WatchFilter(IntEnum):
    """Events that the server leaves out."""

    NOPUT = 0
    NODELETE = 1


class WatchEvent(NamedTuple, Generic[TextT]):
    """One change of one key."""

    #: The key, without the client's namespace.
    key: TextT
    #: The new value; the empty text (or bytes) for a DELETE.
    value: TextT
    #: With ``prev_kv=True``: the value before; None if there was no key, or its history is compacted.
    prev_value: TextT | None
    #: Whether it was written or deleted.
    event: WatchEventType
    #: The revision of the store that the change made, which it shares with all changes of its transaction. Where to go
    #: on after a restart is another one: :attr:`WatchStatistics.delivered_revision`.
    revision: int
    #: The revision at which the key came into being; 0 for a DELETE.
    create_revision: int
    #: How often the key was written since it came into being; 0 for a DELETE.
    version: int
    #: The id of the lease that the key is attached to; 0 for none.
    lease: int
    #: With ``on_lag="coalesce"``: older events of the key were left out.
    coalesced: bool = False
    #: With ``resync=True``: no event of the server, but a difference found after its history was compacted. Then
    #: ``revision`` is that of the key's last write, or for a DELETE that of the comparison: deletions come first, so
    #: the revisions are in no order.
    synthetic: bool = False


class WatchBatch(NamedTuple, Generic[TextT]):
    """All events of one revision; with ``resync=True`` also all differences found at once."""

    #: Everything up to this revision is in this batch or was in those before.
    revision: int
    #: The events, in the order in which the server made them.
    events: list[WatchEvent[TextT]]
