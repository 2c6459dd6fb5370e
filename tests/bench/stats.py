"""The figures of one turn, and what is made of several of them. Pure functions."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Turn:
    """What one peer measured in one turn; times in microseconds, CPU of the client process only."""

    cpu_us: float
    ops_s: float
    p50_us: float
    p99_us: float


def percentile(values: Sequence[float], part: float) -> float:
    """The smallest value that at least ``part`` (0 to 1) of all values do not exceed."""
    return sorted(values)[max(0, math.ceil(part * len(values)) - 1)]


def median_turn(turns: Sequence[Turn]) -> Turn:
    """The median of each figure over the rounds, figure by figure."""
    rows = [asdict(turn) for turn in turns]
    return Turn(**{name: statistics.median(row[name] for row in rows) for name in rows[0]})


def cpu_ratio(turn: Turn, base: Turn) -> float:
    """How much CPU an operation costs, compared with the base."""
    return turn.cpu_us / base.cpu_us
