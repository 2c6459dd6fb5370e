"""Watches that go on on another member, which may be behind; and very many that go on at once."""

from __future__ import annotations

from functools import partial
from random import Random

import pytest
import trio

from etcetra_trio import EtcdClient, EtcdError, TxnAction
from etcetra_trio.streams._endpoints import EngineName
from etcetra_trio.testing import EtcdCluster, EtcdServer, FaultProxy
from watch._kit import ENGINES, take, wait_watches, watches_of
from watch._log import LAST, Entry, assert_same, read_all, true_log
from watch.test_resume import seed


@pytest.mark.parametrize("rounds", [3, pytest.param(20, marks=pytest.mark.long)])
async def test_members_that_die_and_lag(rounds: int) -> None:
    """Members are killed, or stand still and come back behind the others; what was written is there all the time."""
    rng = Random(seed())
    got: list[list[Entry]] = [[], []]
    with trio.fail_after(60 + 10 * rounds):
        async with EtcdCluster(3, heartbeat_ms=20, election_ms=200) as cluster:
            async with EtcdClient(cluster.endpoints).connect() as communicator:
                since = (await communicator.range("x")).revision + 1
                watches = [communicator.watch_prefix("m/", batches=True) for _ in got]
                stopped = trio.Event()

                async def write(number: int = 0) -> None:
                    while not stopped.is_set():
                        number += 1
                        await write_one(f"m/{number % 10}", str(number))
                        await trio.sleep(0.001)
                    await write_one(f"m/{LAST}", "")

                async def write_one(key: str, value: str) -> None:
                    while True:
                        try:
                            # Through the same connection, and through another when that is gone.
                            with trio.fail_after(2):
                                await communicator.put(key, value)
                        except (EtcdError, trio.TooSlowError):
                            await trio.sleep(0.02)
                        else:
                            return

                async def breaks() -> None:
                    for _ in range(rounds):
                        await trio.sleep(rng.uniform(0.05, 0.3))
                        member = rng.choice(cluster.members)
                        if rng.random() < 0.6:
                            member.kill()
                            await trio.sleep(rng.uniform(0, 0.5))
                            await member.arestart()
                        else:
                            member.stop()
                            await trio.sleep(rng.uniform(0, 0.5))
                            member.cont()
                        await cluster.await_ready()
                    stopped.set()

                async with trio.open_nursery() as nursery:
                    for watch, into in zip(watches, got, strict=True):
                        await watch.__aenter__()
                        nursery.start_soon(read_all, watch, into)
                    nursery.start_soon(write)
                    nursery.start_soon(breaks)
                for watch in watches:
                    await watch.aclose()
            log = await true_log(cluster.members[0], "m/", since)
    assert len(log) > 10
    for entries in got:
        assert_same(entries, log, "a watch")


def put_all(numbers: range, value: str, action: TxnAction[str]) -> None:
    for number in numbers:
        action.put(str(number), value)


@pytest.mark.parametrize("http2", ENGINES)
async def test_a_thousand_go_on_at_once(etcd_server: EtcdServer, http2: EngineName) -> None:
    before = await watches_of(etcd_server)
    count = 1000
    with trio.fail_after(60):
        async with (
            FaultProxy(etcd_server.endpoint) as proxy,
            EtcdClient(proxy.endpoint, namespace="thousand/", http2=http2).connect() as communicator,
            EtcdClient(etcd_server.endpoint, namespace="thousand/").connect() as writer,
        ):
            watches = [communicator.watch(f"{number}") for number in range(count)]
            async with trio.open_nursery() as nursery:
                for watch in watches:
                    nursery.start_soon(watch.__aenter__)
            for round_ in range(3):
                proxy.cut()
                for start in range(0, count, 100):
                    await writer.txn(partial(put_all, range(start, start + 100), str(round_)))
                for watch in watches:
                    [event] = await take(watch, 1)
                    assert event.value == str(round_)
                assert all(watch.statistics().resumes == round_ + 1 for watch in watches)
            await wait_watches(etcd_server, (before[0] + count, before[1] + 1))
            for watch in watches:
                await watch.aclose()
            await wait_watches(etcd_server, before)
