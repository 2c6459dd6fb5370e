"""Permits and locks of five processes while the members of a cluster are killed, stopped and restarted."""

from __future__ import annotations

from random import Random

import pytest
import trio

from etcetra_trio.testing import EtcdCluster
from recipes._kit import programs

Interval = tuple[float, float]


def overlapping(intervals: list[Interval], others: list[Interval]) -> list[tuple[Interval, Interval]]:
    return [(one, other) for one in intervals for other in others if one[0] < other[1] and other[0] < one[1]]


def most_at_a_time(intervals: list[Interval]) -> int:
    changes = sorted([(begin, 1) for begin, _ in intervals] + [(end, -1) for _, end in intervals])
    inside = most = 0
    for _, change in changes:
        inside += change
        most = max(most, inside)
    return most


@pytest.mark.long
async def test_nobody_is_inside_who_should_not_be() -> None:
    async with EtcdCluster(3, heartbeat_ms=20, election_ms=200) as cluster, trio.open_nursery() as nursery:
        printed: list[str] = []

        async def collect() -> None:
            endpoints = ",".join(cluster.endpoints)
            arguments = [("hold", endpoints, "members/", str(number)) for number in range(5)]
            printed.extend(await programs("recipes._program", arguments))

        async def disturb() -> None:
            rng = Random(5)
            while not printed:
                member = rng.choice(cluster.members)
                if rng.random() < 0.5:
                    member.kill()
                    await trio.sleep(rng.uniform(0.2, 1))
                    await member.arestart()
                else:
                    member.stop()
                    await trio.sleep(rng.uniform(0.2, 3))
                    member.cont()
                await trio.sleep(rng.uniform(0.2, 1))

        nursery.start_soon(disturb)
        await collect()
    held: dict[str, list[Interval]] = {"permit": [], "read": [], "write": []}
    for line in "".join(printed).splitlines():
        kind, begin, end = line.split()
        held[kind].append((float(begin), float(end)))
    assert all(held.values()), "or this test shows nothing"
    assert most_at_a_time(held["permit"]) <= 3
    assert most_at_a_time(held["write"]) == 1
    assert overlapping(held["write"], held["read"]) == []
