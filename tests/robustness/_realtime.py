"""Whether places in the store's order agree with the clock: what had returned comes before what was not yet called."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from heapq import heappop, heappush

from ._history import Op
from ._verdict import Violation

#: A write of revision r has the place 2r. Whatever sees the store after revision r, and before the next, has 2r + 1.
Place = int


@dataclass(slots=True)
class Item:
    """Something that happened at one moment between its call and its return.

    ``earliest`` gives the least place that it can have which is not before the given one; None if there is none.
    """

    call: float
    ret: float
    earliest: Callable[[Place], Place | None]
    what: str
    op: Op | None = None


def at(place: Place) -> Callable[[Place], Place | None]:
    """The one place that an item can have."""
    return lambda bound: place if bound <= place else None


class Order:
    """Gives every item the least place that it can have.

    That is exact: each condition is "not before", so if any order satisfies all of them, the least one does. Items of
    one odd place change nothing, so they may come in the order of their calls; each even place belongs to one item.
    """

    def __init__(self, items: Iterable[Item]) -> None:
        self.violations: list[Violation] = []
        self._returns: list[float] = []
        self._places: list[Place] = []  # the greatest so far, in the order of returns
        self._holders: list[Item] = []  # whose it is
        waiting: list[tuple[float, int, Place, Item]] = []
        for number, item in enumerate(sorted(items, key=lambda item: item.call)):
            while waiting and waiting[0][0] < item.call:
                ret, _, place, other = heappop(waiting)
                self._returned(ret, place, other)
            bound = self._places[-1] if self._places else -1
            place_ = item.earliest(bound)
            if place_ is None:
                never = item.earliest(-1) is None
                self.violations.append(_never(item) if never else _late(item, self._holders[-1], bound))
            elif item.ret < math.inf:
                heappush(waiting, (item.ret, number, place_, item))
        while waiting:
            ret, _, place, other = heappop(waiting)
            self._returned(ret, place, other)

    def _returned(self, ret: float, place: Place, item: Item) -> None:
        self._returns.append(ret)
        if not self._places or place > self._places[-1]:
            self._places.append(place)
            self._holders.append(item)
        else:
            self._places.append(self._places[-1])
            self._holders.append(self._holders[-1])

    def bound(self, call: float) -> tuple[Place, Item | None]:
        """Before which place nothing can be that was called then, and what had happened there."""
        index = bisect_left(self._returns, call)
        return (self._places[index - 1], self._holders[index - 1]) if index else (-1, None)


def _never(item: Item) -> Violation:
    ops = [] if item.op is None else [item.op]
    return Violation("answer", f"{item.what} tells what never was", ops)


def _late(item: Item, other: Item, bound: Place) -> Violation:
    """An item that can only be before something that had already returned."""
    own = item.earliest(-1)
    assert own is not None
    return Violation(
        "real time",
        f"{item.what} was called at {item.call:.4f}, after {other.what} had returned at {other.ret:.4f}; "
        f"but it belongs {_where(own)}, before the other, which is {_where(bound)}",
        [op for op in (other.op, item.op) if op is not None],
        [own // 2, bound // 2],
    )


def _where(place: Place) -> str:
    return f"after revision {place // 2}" if place % 2 else f"at revision {place // 2}"
