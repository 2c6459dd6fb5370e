"""Locks: a holder has the oldest key of the queue, and knows when it has not any more before anybody else has.

A lock that somebody took away by deleting its key is an exception: its holder can only be told afterwards. What it
writes with the lock's own methods meanwhile must not be applied, which is what the guards are for.

That fences grow from holder to holder follows: a key is the oldest one only when all older ones are gone.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from ._realtime import Item, at

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._checker import Case


class Turn(NamedTuple):
    """One key of a queue: when it came, when it was the oldest one, when it went."""

    create: int
    owned_from: int
    deleted: float
    key: str


class Queue:
    """The keys of one lock over time."""

    def __init__(self, case: Case, prefix: str) -> None:
        lives: dict[str, tuple[int, float]] = {}
        entries: list[tuple[int, float, str]] = []
        for revision, events in case.log.items():
            for event in events:
                if not event.key.startswith(prefix):
                    continue
                if event.deleted:
                    create, _ = lives.pop(event.key, (0, 0))
                    entries.append((create, revision, event.key))
                else:
                    lives.setdefault(event.key, (revision, math.inf))
        entries += [(create, math.inf, key) for key, (create, _) in lives.items()]
        self.by_fence: dict[int, Turn] = {}
        self._owners: list[Turn] = []
        latest = 0.0
        for create, deleted, key in sorted(entries):
            start = max(create, latest)
            turn = Turn(create, int(start) if start < math.inf else 0, deleted, key)
            latest = max(latest, deleted)
            self.by_fence[create] = turn
            if start < deleted:
                self._owners.append(turn)
        self._starts = [turn.owned_from for turn in self._owners]

    def owner(self, revision: int) -> Turn | None:
        """Whose turn it is after a revision."""
        place = bisect_right(self._starts, revision) - 1
        turn = self._owners[place] if place >= 0 else None
        return turn if turn is not None and revision < turn.deleted else None


def check_guards(case: Case) -> None:
    """A write with a lock is only applied while its holder has it."""
    queues: dict[str, Queue] = {}
    for revision, op in case.owner.items():
        if op.guard is None:
            continue
        prefix, fence = op.guard
        if prefix not in queues:
            queues[prefix] = Queue(case, prefix)
        turn = queues[prefix].owner(revision - 1)
        if turn is None or turn.create != fence:
            owner = "nobody" if turn is None else f"the holder with fence {turn.create}"
            case.wrong(
                "guard", f"applied at revision {revision}, when {owner} had the lock", [op], [revision]
            )


def check_holds(case: Case) -> list[Item]:
    """What each holder claims of its key; and, for the order, that it began and ended when it says."""
    items: list[Item] = []
    queues: dict[str, Queue] = {}
    taken = {
        step[1]
        for op in case.history.ops
        if op.verdict != "not_applied"
        for step in op.success
        if step[0] == "delete"
    }
    for hold in case.history.holds:
        if hold.prefix not in queues:
            queues[hold.prefix] = Queue(case, hold.prefix)
        turn = queues[hold.prefix].by_fence.get(hold.fence)
        if turn is None or turn.key != hold.key:
            case.wrong(
                "lock",
                f"{hold.client} has no key {hold.key} of revision {hold.fence}",
                revisions=[hold.fence],
            )
            continue
        name = f"{hold.client}'s lock {hold.prefix} (fence {hold.fence})"
        items.append(Item(hold.call, hold.ret, _within(turn), f"{name}, acquired,"))
        if turn.deleted < math.inf and hold.key not in taken:
            told = case.history.ended(hold.told)
            items.append(Item(told, math.inf, at(2 * int(turn.deleted)), f"{name}, lost ({hold.reason}),"))
    return items


def _within(turn: Turn) -> Callable[[int], int | None]:
    def earliest(bound: int) -> int | None:
        place = max(bound, 2 * turn.owned_from + 1)
        return place if turn.owned_from and place < 2 * turn.deleted else None

    return earliest
