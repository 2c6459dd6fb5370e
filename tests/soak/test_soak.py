"""1,000 watches, 10,000 gets at once and readers that are too slow: memory, descriptors and tasks stay as they are."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence

import pytest
from recipes._kit import programs

from etcetra_trio.streams._endpoints import EngineName
from etcetra_trio.testing import EtcdServer
from soak._work import BURST, GETS, SLOW, WATCHES, Sample, Work

MIB = 1 << 20
GROWTH = 8  # MiB that the memory may grow by after the first third, in any number of seconds


@pytest.mark.parametrize(
    ("http2", "seconds"),
    [
        ("lean", 30.0),
        pytest.param("lean", 600.0, marks=pytest.mark.long),
        pytest.param("h2", 600.0, marks=pytest.mark.long),
    ],
)
async def test_nothing_grows(http2: EngineName, seconds: float) -> None:
    with EtcdServer() as server:  # its store is full in the end
        (printed,) = await programs(
            "soak._work", [(http2, str(seconds), server.endpoint)], limit=seconds + 120
        )
    found = json.loads(printed)
    samples = [Sample(**sample) for sample in found.pop("samples")]
    work = Work(samples, **found)
    rounds, steady = len(samples), samples[len(samples) // 3 :]
    grown = growth(steady)
    print(
        f"{http2}: {rounds} rounds in {samples[-1].seconds:.0f} s, {work.gets:,} gets, {work.events:,} events"
    )
    print(f"{work.slow_events:,} events read slowly, with {work.pauses:,} pauses")
    print(f"{steady[-1]}; memory grown by {grown / MIB:+.2f} MiB")
    assert (work.gets, work.events) == (rounds * GETS, rounds * WATCHES), (
        "nothing failed, and nothing was lost"
    )
    assert work.slow_events >= SLOW * BURST / 2
    assert work.pauses >= SLOW, "they were too slow indeed"
    assert len({sample.descriptors for sample in steady}) == 1
    assert len({sample.tasks for sample in steady}) == 1
    assert grown <= GROWTH * MIB


def growth(samples: Sequence[Sample]) -> float:
    """By how much there is more memory in use in the last third than in the first: medians, in octets."""
    third = max(1, len(samples) // 3)
    first, last = (
        statistics.median(sample.memory for sample in part) for part in (samples[:third], samples[-third:])
    )
    return last - first
