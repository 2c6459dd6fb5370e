"""Which of several places to try first, and when: those that failed lately come last, and wait longer. Pure."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PlaceT = TypeVar("PlaceT")

#: Between two attempts at one place, in seconds: half of a bound that doubles up to the longest, and as much again at
#: random, so that clients do not come back all at once.
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 1.0
#: How long a place that failed comes after those that did not, in seconds.
QUARANTINE: Final = 10.0
#: Places that may be known before those are forgotten whose quarantine is over.
REMEMBERED: Final = 100


class Health:
    """What is known of one place. Times are the clock's that :class:`Ranking` was given."""

    __slots__ = ("failures", "next_attempt", "quarantined_until")

    def __init__(self) -> None:
        #: Attempts that failed in a row.
        self.failures: int = 0
        self.next_attempt: float = 0.0
        self.quarantined_until: float = 0.0


class Ranking(Generic[PlaceT]):
    """Orders places (endpoints, or the addresses of a name) by their health."""

    def __init__(self, clock: Callable[[], float], chance: Callable[[], float] = random.random) -> None:
        self._clock = clock
        self._chance = chance
        self._health: dict[PlaceT, Health] = {}

    def order(self, places: Iterable[PlaceT]) -> list[PlaceT]:
        """The best first: as given, but those in quarantine last.

        Of these, whom no attempt reached comes behind those that only did not do their work, and else whose
        quarantine began first has its turn first.
        """
        now = self._clock()
        return sorted(places, key=lambda place: self._badness(place, now))

    def next_attempt(self, place: PlaceT) -> float:
        """When a place that failed may be tried again; 0 for others."""
        health = self._health.get(place)
        return 0.0 if health is None else health.next_attempt

    def suspect(self, place: PlaceT) -> None:
        """It may be bad: others first, for a while."""
        now = self._clock()
        if len(self._health) > REMEMBERED:  # the addresses behind a name come and go
            self._health = {
                place: health for place, health in self._health.items() if health.quarantined_until > now
            }
        self._health.setdefault(place, Health()).quarantined_until = now + QUARANTINE

    def failed(self, place: PlaceT) -> None:
        """An attempt to connect failed."""
        self.suspect(place)
        health = self._health[place]
        bound = min(FIRST_PAUSE * 2.0**health.failures, LONGEST_PAUSE)
        health.failures = min(health.failures + 1, 16)
        health.next_attempt = self._clock() + bound * (1 + self._chance()) / 2

    def is_suspect(self, place: PlaceT) -> bool:
        """Whether others come before it at present."""
        return self._badness(place, self._clock())[0] >= 0

    def connected(self, place: PlaceT) -> None:
        """An attempt succeeded and was of use. The place may be of none by now, so a quarantine goes on."""
        health = self._health.get(place)
        if health is not None:
            health.failures = 0

    def _badness(self, place: PlaceT, now: float) -> tuple[int, float]:
        health = self._health.get(place)
        if health is None or health.quarantined_until <= now:
            return -1, 0.0
        return min(health.failures, 1), health.quarantined_until
