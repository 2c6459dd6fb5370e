"""How long clients felt each kind of fault."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from ._history import History

AFTER = 5.0  # seconds after a fault that a pause of the writes still may be its


@dataclass(slots=True)
class Times:
    """Of one kind, in seconds, one number for each time."""

    #: The longest time between two writes that succeeded, whosesoever.
    pauses: list[float] = field(default_factory=list)
    #: From when it was healed until each client had an answer.
    recoveries: list[float] = field(default_factory=list)


def times(history: History) -> dict[str, Times]:
    """Of all kinds."""
    writes: list[float] = []
    answers: dict[str, list[float]] = {}
    for op in history.ops:
        if op.verdict != "ok":
            continue
        if op.writes:
            writes.append(op.ret)
        if not op.serializable:
            answers.setdefault(op.client.partition("/")[0], []).append(op.ret)
    clients = [sorted(rets) for name, rets in answers.items() if name.startswith("client")]
    writes.sort()
    found: dict[str, Times] = {}
    for name, begin, end in history.faults:
        of_kind = found.setdefault(name, Times())
        of_kind.pauses.append(
            _longest(writes[bisect_left(writes, begin) - 1 : bisect_left(writes, end + AFTER)])
        )
        firsts = [rets[place] for rets in clients if (place := bisect_left(rets, end)) < len(rets)]
        of_kind.recoveries.append(max(firsts, default=end) - end)
    return found


def _longest(moments: list[float]) -> float:
    return max((later - earlier for earlier, later in pairwise(moments)), default=0.0)


def shown(seconds: Iterable[float]) -> str:
    """The median and the longest."""
    known = list(seconds)
    return f"{median(known):.2f} s, {max(known):.2f} s"
