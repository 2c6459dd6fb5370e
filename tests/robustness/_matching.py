"""Which of several possible causes each deletion has: a matching in a small bipartite graph."""

from __future__ import annotations

from collections.abc import Sequence


def match(possible: Sequence[Sequence[int]]) -> list[int | None]:
    """Give each place one of its possible causes, each cause at most once, and as many places as can be a cause.

    Args:
      possible: For each place its causes, by number, those to be tried first first.

    Returns:
      The cause of each place.
    """
    cause_of: list[int | None] = [None] * len(possible)
    place_of: dict[int, int] = {}
    for place in range(len(possible)):
        _augment(place, possible, cause_of, place_of)
    return cause_of


def _augment(
    start: int, possible: Sequence[Sequence[int]], cause_of: list[int | None], place_of: dict[int, int]
) -> None:
    """Find a path of changes at whose end a cause is free, breadth first, and change along it."""
    reached_from: dict[int, int] = {}  # cause: the place that wants it
    queue = [start]
    for place in queue:
        for cause in possible[place]:
            if cause in reached_from:
                continue
            reached_from[cause] = place
            if cause in place_of:
                queue.append(place_of[cause])
                continue
            free: int | None = cause
            while free is not None:
                wants = reached_from[free]
                free_before = cause_of[wants]
                cause_of[wants] = free
                place_of[free] = wants
                free = free_before if wants != start else None
            return
