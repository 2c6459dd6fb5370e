"""Every fault of the table, for a read, a write, a watch and a lease, over both engines."""

from __future__ import annotations

from itertools import chain

import pytest

from etcetra_trio.streams._endpoints import EngineName
from wire_faults._operations import OPERATIONS, strike
from wire_faults._row import Row
from wire_faults._table import TABLE

ROWS = list(chain.from_iterable(TABLE.values()))
ENGINES: tuple[EngineName, ...] = ("lean", "h2")


@pytest.mark.parametrize(
    "row", [pytest.param(row, marks=[pytest.mark.long] * row.long, id=row.name) for row in ROWS]
)
def test_fault(row: Row) -> None:
    for http2 in ENGINES:
        for method in OPERATIONS:
            seen = strike(row, method, http2)
            case = f"{method} over {http2}: {seen}"
            assert seen.result == row.column(method), case
            assert row.words in seen.text or "Error" not in seen.result, case
            assert seen.seconds <= row.within, case


def test_each_fault_is_there_once() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert len([row for row in ROWS if not row.long]) >= 60
