"""What a watch gives: events, and all events of a revision together. Pure."""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import TYPE_CHECKING, Final, Generic, NamedTuple

from ._keys import TextT

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from typing import Any

    from ._keys import KeySpace
    from ._proto._changes import Change


class WatchEventType(Enum):
    """What happened to a key."""

    PUT = 0
    DELETE = 1


_PUT: Final = WatchEventType.PUT
_DELETE: Final = WatchEventType.DELETE


class WatchFilter(IntEnum):
    """Events that the server leaves out."""

    NOPUT = 0
    NODELETE = 1


class WatchEvent(NamedTuple, Generic[TextT]):
    """One change of one key."""

    key: TextT
    #: The new value; empty for a DELETE.
    value: TextT
    #: With ``prev_kv=True``: the value before; None if there was no key, or its history is compacted.
    prev_value: TextT | None
    event: WatchEventType
    #: The revision of the store that the change made.
    revision: int
    #: The revision at which the key came into being; 0 for a DELETE.
    create_revision: int
    #: How often the key was written since it came into being; 0 for a DELETE.
    version: int
    #: The id of the lease that the key is attached to; 0 for none.
    lease: int
    #: With ``on_lag="coalesce"``: older events of the key were left out.
    coalesced: bool = False
    #: With ``resync=True``: no event of the server, but a difference found after its history was compacted.
    synthetic: bool = False


class WatchBatch(NamedTuple, Generic[TextT]):
    """All events of one revision; with ``resync=True`` also all differences found at once."""

    revision: int
    events: list[WatchEvent[TextT]]


# Half the cost of calling a NamedTuple.
_new: Final[Callable[..., WatchEvent[Any]]] = tuple[object, ...].__new__


def watch_events(
    keys: KeySpace[TextT], changes: Sequence[Change], coalesced: Collection[bytes], *, synthetic: bool
) -> list[WatchEvent[TextT]]:
    """Events of the server as the user knows them.

    Raises:
      EncodingError: a key or value is no text.
    """
    codec, size = keys.codec, len(keys.namespace)
    if codec is not None:
        try:
            return [
                _new(
                    WatchEvent,
                    (
                        (key[size:] if size else key).decode(codec),
                        value.decode(codec),
                        None if previous is None else previous.decode(codec),
                        _DELETE if kind else _PUT,
                        mod_revision,
                        create_revision,
                        version,
                        lease,
                        key in coalesced,
                        synthetic,
                    ),
                )
                for key, value, previous, kind, mod_revision, create_revision, version, lease in changes
            ]
        except UnicodeError:
            pass  # whose it is, the slow way says
    text_key, text_value = keys.text_key, keys.text_value
    return [
        _new(
            WatchEvent,
            (
                text_key(key),
                text_value(value, key),
                None if previous is None else text_value(previous, key),
                _DELETE if kind else _PUT,
                mod_revision,
                create_revision,
                version,
                lease,
                key in coalesced,
                synthetic,
            ),
        )
        for key, value, previous, kind, mod_revision, create_revision, version, lease in changes
    ]
