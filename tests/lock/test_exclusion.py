"""Many tasks in several processes, one lock: no two bodies at a time, and no update of a counter is lost."""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import pairwise
from random import Random

import pytest
import trio
from lease._kit import SHORTEST, connected
from recipes._kit import programs

from etcetra_trio.testing import EtcdCluster, EtcdServer
from lock._worker import Order, Report

PROCESSES = 5


async def work(order: Order, limit: float) -> list[Report]:
    """What the processes say they did, within so many seconds."""
    argument = json.dumps(asdict(order))
    printed = await programs("lock._worker", [(argument,)] * PROCESSES, limit=limit)
    return [Report(**json.loads(text)) for text in printed]


def assert_apart(reports: list[Report]) -> None:
    """No body began before the one that had the lock before had ended, or had lost its lease."""
    bodies = sorted(tuple(body) for report in reports for body in report.bodies)
    fences = [fence for _, _, fence in bodies]
    assert fences == sorted(set(fences))
    for (_, end, _), (begin, _, _) in pairwise(bodies):
        assert end <= begin


@pytest.mark.parametrize("turns", [4, pytest.param(40, marks=pytest.mark.long)])
async def test_nothing_is_lost(turns: int) -> None:
    """50 tasks; without fences, since the server is well."""
    async with EtcdServer() as server:
        reports = await work(Order([server.endpoint], tasks=10, turns=turns, fenced=False), 60 + turns * 10)
        total = PROCESSES * 10 * turns
        assert sum(report.done for report in reports) == total
        assert sum(len(report.bodies) for report in reports) == total
        assert_apart(reports)
        async with connected(server.endpoint) as communicator:
            assert await communicator.get("counter") == str(total)
            assert await communicator.list_leases() == []


@pytest.mark.parametrize(
    ("fenced", "seconds"),
    [
        (True, 3.0),
        pytest.param(True, 60.0, marks=pytest.mark.long),
        pytest.param(False, 60.0, marks=pytest.mark.long),
    ],
)
async def test_members_that_fail(fenced: bool, seconds: float) -> None:
    """Members are killed, stopped and started again. Fenced updates are never lost; bodies never overlap."""
    rng = Random(7)
    with trio.fail_after(120 + 2 * seconds):
        async with EtcdCluster(3, heartbeat_ms=20, election_ms=200) as cluster:
            reports: list[Report] = []
            over = trio.Event()

            async def run() -> None:
                order = Order(
                    cluster.endpoints, tasks=10, turns=0, fenced=fenced, seconds=seconds, lease_ttl=SHORTEST
                )
                reports.extend(await work(order, 60 + 2 * seconds))
                over.set()

            async with trio.open_nursery() as nursery:
                nursery.start_soon(run)
                faults = 0
                await trio.sleep(1)
                while not over.is_set():
                    member = rng.choice(cluster.members)
                    if rng.random() < 0.5:
                        member.kill()
                        await trio.sleep(rng.uniform(0.1, 1))
                        await member.arestart()
                    else:
                        member.stop()
                        await trio.sleep(rng.uniform(0.1, 3))
                        member.cont()
                    faults += 1
                    await trio.sleep(rng.uniform(0.1, 0.5))
            await cluster.await_ready()
            done, unknown = sum(report.done for report in reports), sum(report.unknown for report in reports)
            print(f"{done} done, {unknown} unknown, {faults} faults")
            assert done > 10
            assert_apart(reports)
            async with connected(*cluster.endpoints) as communicator:
                counter = int(await communicator.get("counter") or 0)
            if fenced:
                assert done <= counter <= done + unknown
