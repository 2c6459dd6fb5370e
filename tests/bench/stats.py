"""The figures of one turn, and what is made of several of them. Pure functions."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TypeVar


@dataclass(frozen=True, slots=True)
class Turn:
    """What one peer measured in one turn; times in microseconds, CPU of the client process only."""

    cpu_us: float
    ops_s: float
    p50_us: float
    p99_us: float


@dataclass(frozen=True, slots=True)
class WatchTurn:
    """What one peer measured while it watched; CPU as above, for each event."""

    cpu_us: float
    events_s: float


TurnT = TypeVar("TurnT", Turn, WatchTurn)


def percentile(values: Sequence[float], part: float) -> float:
    """The smallest value that at least ``part`` (0 to 1) of all values do not exceed."""
    return sorted(values)[max(0, math.ceil(part * len(values)) - 1)]


def median_turn(turns: Sequence[TurnT]) -> TurnT:
    """The median of each figure over the rounds, figure by figure."""
    rows = [asdict(turn) for turn in turns]
    return type(turns[0])(**{name: statistics.median(row[name] for row in rows) for name in rows[0]})


def cpu_ratio(turn: TurnT, base: TurnT) -> float:
    """How much CPU an operation or an event costs, compared with the base."""
    return turn.cpu_us / base.cpu_us
