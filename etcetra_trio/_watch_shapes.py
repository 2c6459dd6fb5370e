"""How a watch gives the events of a revision: one at a time, all together, or as the streams keep them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

from ._errors import EncodingError
from ._keys import TextT
from ._watch_events import WatchBatch, WatchEvent, WatchEventType
from .streams._watcher import Batch

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from typing import Any

    from ._keys import KeySpace
    from ._proto._changes import Change

ItemT = TypeVar("ItemT")
#: So many events at a time become text: a revision may have a million, and other tasks want to run.
AT_ONCE: Final = 256
_PUT: Final = WatchEventType.PUT
_DELETE: Final = WatchEventType.DELETE
# Half the cost of calling a NamedTuple.
_new: Final[Callable[..., WatchEvent[Any]]] = tuple[object, ...].__new__


class Shape(Protocol[ItemT]):
    """How the events of a revision are given."""

    def items(self, batch: Batch, start: int) -> tuple[list[ItemT | EncodingError], int]:
        """Some items from the event ``start`` on, the first one last, and the event to go on with.

        An error stands where it is to be raised.
        """
        ...

    def one(self, change: Change) -> ItemT:
        """A revision of a single event.

        Raises:
          EncodingError: its key or value is no text.
        """
        ...


class EventShape(Generic[TextT]):
    """One event at a time."""

    __slots__ = ("_keys",)

    def __init__(self, keys: KeySpace[TextT]) -> None:
        self._keys: KeySpace[TextT] = keys

    def items(self, batch: Batch, start: int) -> tuple[list[WatchEvent[TextT] | EncodingError], int]:
        events = batch.events
        if start or len(events) > AT_ONCE:
            events = events[start : start + AT_ONCE]
        found: list[WatchEvent[TextT] | EncodingError] = []
        try:
            found += _watch_events(self._keys, events, batch.coalesced, synthetic=batch.synthetic)
        except EncodingError:
            for event in events:
                try:
                    found += _watch_events(self._keys, [event], batch.coalesced, synthetic=batch.synthetic)
                except EncodingError as error:
                    found.append(error)
        found.reverse()
        return found, start + len(events)

    def one(self, change: Change) -> WatchEvent[TextT]:
        return _watch_events(self._keys, [change], (), synthetic=False)[0]


class BatchShape(Generic[TextT]):
    """All events of a revision together."""

    __slots__ = ("_keys",)

    def __init__(self, keys: KeySpace[TextT]) -> None:
        self._keys: KeySpace[TextT] = keys

    def items(self, batch: Batch, start: int) -> tuple[list[WatchBatch[TextT] | EncodingError], int]:  # noqa: ARG002 - it is 0
        try:
            events = _watch_events(self._keys, batch.events, batch.coalesced, synthetic=batch.synthetic)
        except EncodingError as error:
            return [error], len(batch.events)
        return [WatchBatch(batch.revision, events)], len(batch.events)

    def one(self, change: Change) -> WatchBatch[TextT]:
        return WatchBatch(change.mod_revision, _watch_events(self._keys, [change], (), synthetic=False))


class RevisionShape:
    """A revision as the streams keep it."""

    __slots__ = ()

    def items(self, batch: Batch, start: int) -> tuple[list[Batch | EncodingError], int]:  # noqa: ARG002 - it is 0
        return [batch], len(batch.events)

    def one(self, change: Change) -> Batch:
        return Batch(change.mod_revision, [change], 0)


def _watch_events(
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
