"""The store at every revision, rebuilt from its log; and what a transaction does and tells at one of them."""

from __future__ import annotations

import math
import operator
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable
from typing import Any, Final

from ._history import Answer, Compare, Event, Op, Record, Revision, Step

_SIGNS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}


NOTHING: Final = ("", 0, 0, 0)  # value, create revision, version and lease of a deletion


class Store:
    """What was there at each revision. It may grow, by one revision at a time."""

    def __init__(self, first: int = 2) -> None:
        #: The first revision of the log, and the next one to come.
        self.first: int = first
        self.next: int = first
        # For each key: the revisions that changed it, and what it was after them.
        self._revisions: dict[str, list[int]] = {}
        self._records: dict[str, list[Record | None]] = {}
        self._keys: list[str] = []

    @property
    def last(self) -> int:
        """The newest revision."""
        return self.next - 1

    def add(self, events: Iterable[Event]) -> list[str]:
        """One more revision; what is wrong with its events."""
        wrong: list[str] = []
        revision = self.next
        self.next += 1
        for event in events:
            before = self.get(event.key, revision)
            if event.deleted:
                self._set(event.key, revision, None)
                if before is None:
                    wrong.append(f"{event.key} is deleted, but was not there")
                if event[2:] != NOTHING:
                    wrong.append(f"the deletion of {event.key} has {event[2:]}")
                continue
            record = Record(
                event.key,
                event.value,
                revision if before is None else before.create,
                revision,
                1 if before is None else before.version + 1,
                event.lease,
            )
            if (event.create, event.version) != (record.create, record.version):
                wrong.append(
                    f"{event.key} has create revision {event.create} and version {event.version}, "
                    f"not {record.create} and {record.version}"
                )
            self._set(event.key, revision, record)
        return wrong

    def _set(self, key: str, revision: int, record: Record | None) -> None:
        if key not in self._revisions:
            insort(self._keys, key)
            self._revisions[key] = []
            self._records[key] = []
        self._revisions[key].append(revision)
        self._records[key].append(record)

    def get(self, key: str, revision: int) -> Record | None:
        """The key as it was after ``revision``."""
        revisions = self._revisions.get(key)
        if revisions is None:
            return None
        place = bisect_right(revisions, revision)
        return self._records[key][place - 1] if place else None

    def range(self, key: str, end: str, revision: int) -> list[Record]:
        """The records of a key, or with ``end`` those from ``key`` to before it."""
        if not end:
            record = self.get(key, revision)
            return [] if record is None else [record]
        keys = self._keys[bisect_left(self._keys, key) : bisect_left(self._keys, end)]
        return [record for name in keys if (record := self.get(name, revision)) is not None]

    def periods(self, key: str, value: str | None, since: int) -> tuple[int, float] | None:
        """The first period in which the key has ``value`` (None: is not there) and that is not over at ``since``.

        Gives its first revision and the one that ends it (infinite if none does).
        """
        revisions = self._revisions.get(key, [])
        records = self._records.get(key, [])
        place = bisect_right(revisions, since) - 1
        while place < len(revisions):
            record = records[place] if place >= 0 else None
            if (None if record is None else record.value) == value:
                start = revisions[place] if place >= 0 else self.first - 1
                return start, revisions[place + 1] if place + 1 < len(revisions) else math.inf
            place += 1
        return None

    def deletion(self, key: str, since: int) -> int | None:
        """The first revision after ``since`` at which the key is deleted."""
        revisions = self._revisions.get(key, [])
        for place in range(bisect_right(revisions, since), len(revisions)):
            if self._records[key][place] is None:
                return revisions[place]
        return None

    def holds(self, compares: Iterable[Compare], revision: int) -> bool:
        """Whether all compares hold after ``revision``."""
        return all(self._holds(compare, revision) for compare in compares)

    def _holds(self, compare: Compare, revision: int) -> bool:
        target, key, sign, operand = compare
        record = self.get(key, revision)
        if record is None:
            return target != "value" and _SIGNS[sign](0, operand)
        return _SIGNS[sign](getattr(record, target), operand)

    def run(self, op: Op, revision: int) -> tuple[bool, list[Event], list[Answer]]:
        """What ``op`` decides, does and tells if it is carried out after ``revision``."""
        succeeded = self.holds(op.compares, revision)
        events: list[Event] = []
        changed: dict[str, Record | None] = {}
        steps = op.success if succeeded else op.failure
        answers = [self._step(step, revision, events, changed) for step in steps]
        return succeeded, events, answers

    def _step(
        self, step: Step, revision: int, events: list[Event], changed: dict[str, Record | None]
    ) -> Answer:
        kind, key, end = step[:3]
        if kind == "put":
            before = changed[key] if key in changed else self.get(key, revision)
            create, version = (revision + 1, 1) if before is None else (before.create, before.version + 1)
            lease = step[3] if len(step) == 4 else 0
            changed[key] = Record(key, end, create, revision + 1, version, lease)
            events.append(Event(False, key, end, create, version, lease))
            return None
        found = self.range(key, end, revision)
        if changed:
            found = _overlaid(found, key, end, changed)
        if kind == "get":
            return found
        for record in found:
            changed[record.key] = None
            events.append(Event(True, record.key, "", 0, 0, 0))
        return len(found)


def _overlaid(found: list[Record], key: str, end: str, changed: dict[str, Record | None]) -> list[Record]:
    """What a step of a transaction finds after the steps before it."""
    by_key = {record.key: record for record in found}
    for name, record in changed.items():
        if name == key or (end and key <= name < end):
            by_key.pop(name, None)
            if record is not None:
                by_key[name] = record
    return [by_key[name] for name in sorted(by_key)]


def rebuilt(log: Iterable[Revision]) -> tuple[Store, dict[int, list[Event]], list[tuple[int, str]]]:
    """The store of a log, the log by revision, and what is wrong with it: (revision, text)."""
    wrong: list[tuple[int, str]] = []
    by_revision: dict[int, list[Event]] = {}
    store: Store | None = None
    for revision, events in log:
        if store is None:
            store = Store(revision)
        if revision != store.next:
            wrong.append((revision, f"the log has revision {revision} after {store.last}"))
            break
        wrong.extend((revision, text) for text in store.add(events))
        by_revision[revision] = events
    return store or Store(), by_revision, wrong
