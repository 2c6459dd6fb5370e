"""Runs of one scene, for what faults at random show too seldom; judged as every other run."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from random import Random
from typing import TypeAlias

import trio

from etcetra_trio import EtcdClient, Lease, LeaseLostError, Lock
from etcetra_trio.testing import EtcdServer, FaultProxy

from . import _recorder as do
from ._checker import judge
from ._history import LeaseLife
from ._recorder import Communicator, Recorder
from ._run import END_TIMEOUT, Report
from ._traffic import LAST, Traffic, told
from ._works import ask

TTL = 4  # seconds
HARM = 2.0  # seconds
CATCH_UP = 20.0  # seconds that a watch has for what it missed
EVENTS = 3_001
ENDED = ("k/", "m/")  # all keys that the operations use


Scene: TypeAlias = Callable[[int, Path | None], Awaitable[Report]]


async def catch_up(seed: int, etcd: Path | None) -> Report:
    """A watch begins so far back that the server sends it more at once than fits a response."""
    recorder = Recorder(Random(seed))
    started = trio.current_time()
    async with EtcdServer(etcd) as server, EtcdClient(server.endpoint).connect() as communicator:
        traffic = Traffic(recorder, "client0", communicator, recorder.rng)
        for _ in range(30):
            await traffic.write_many("k/", 100, 1500)
        last = (await do.put(recorder, "end", communicator, "k/" + LAST)).revision
        with trio.fail_after(END_TIMEOUT):
            await traffic.watch("k/", 2)
        return await _judge(recorder, server, seed, last, trio.current_time() - started)


async def cuts(seed: int, etcd: Path | None) -> Report:
    """Answers do not come, and then connections are cut, all the time."""

    async def harm(proxy: FaultProxy, rng: Random) -> None:
        while True:
            await trio.sleep(rng.uniform(0.02, 0.2))
            proxy.black_hole("server")
            await trio.sleep(0.02)
            proxy.cut()
            proxy.heal()

    return await _harmed(seed, etcd, harm)


async def slowness(seed: int, etcd: Path | None) -> Report:
    """Everything takes its time."""

    async def harm(proxy: FaultProxy, _: Random) -> None:
        proxy.delay(0.05, 0.02)
        await trio.sleep_forever()

    return await _harmed(seed, etcd, harm)


@asynccontextmanager
async def _two_ways(
    etcd: Path | None,
) -> AsyncGenerator[tuple[EtcdServer, FaultProxy, Communicator, Communicator]]:
    """One member, a proxy before it, and a client on each way: straight to the member, and through the proxy."""
    async with (
        EtcdServer(etcd) as server,
        FaultProxy(server.endpoint) as proxy,
        EtcdClient(server.endpoint).connect() as near,
        EtcdClient(proxy.endpoint).connect() as far,
    ):
        yield server, proxy, near, far


async def _harmed(
    seed: int, etcd: Path | None, harm: Callable[[FaultProxy, Random], Awaitable[None]]
) -> Report:
    """One member, a client on a way where harm is done, and another one that has a way of its own."""
    recorder = Recorder(Random(seed))
    started = trio.current_time()
    async with _two_ways(etcd) as (server, proxy, near, far):
        traffics = [Traffic(recorder, f"client{n}", to, recorder.rng) for n, to in enumerate((near, far))]
        async with trio.open_nursery() as watching:
            for prefix in ENDED:
                watching.start_soon(lambda p=prefix: traffics[1].watch(p, 2, bookmarks=True))  # type: ignore[misc]
            async with trio.open_nursery() as working:
                for traffic in traffics:
                    for number in range(3):
                        working.start_soon(traffic.operations, number)
                with trio.move_on_after(HARM):
                    await harm(proxy, recorder.rng)
                proxy.heal()
                for traffic in traffics:
                    traffic.done = True
            last = 0
            for prefix in ENDED:
                last = (await do.put(recorder, "end", near, prefix + LAST)).revision
            watching.cancel_scope.deadline = trio.current_time() + CATCH_UP
        return await _judge(recorder, server, seed, last, trio.current_time() - started)


async def theft(seed: int, etcd: Path | None) -> Report:
    """A lock is taken away, and its holder writes before it hears of that."""
    recorder = Recorder(Random(seed))
    recorder.history.foreign = ["lock/"]
    started = trio.current_time()
    async with _two_ways(etcd) as (server, proxy, near, far):

        async def write(lock: Lock[str]) -> None:
            with suppress(LeaseLostError):
                await do.put(recorder, "client0", lock, "g")

        with suppress(LeaseLostError):
            async with far.lock("lock", on_lost="flag") as lock, trio.open_nursery() as nursery:
                await write(lock)
                proxy.black_hole("server")
                await do.delete(recorder, "client1", near, lock.key)
                nursery.start_soon(write, lock)
                await trio.sleep(0.3)
                proxy.heal()
        last = (await do.put(recorder, "end", near, "end")).revision
        return await _judge(recorder, server, seed, last, trio.current_time() - started)


async def late_answer(seed: int, etcd: Path | None) -> Report:
    """The answer to a lease's renewal comes late, and then nothing comes: its time runs since the renewal was sent."""
    recorder = Recorder(Random(seed))
    started = trio.current_time()
    async with _two_ways(etcd) as (server, proxy, observer, communicator):
        async with trio.open_nursery() as nursery:
            over = trio.Event()
            nursery.start_soon(_observe, recorder, observer, over)
            with suppress(LeaseLostError):
                async with communicator.lease(TTL) as lease:
                    life = LeaseLife("client0", lease.id, math.inf)
                    recorder.history.leases.append(life)
                    try:
                        await do.put(recorder, "client0", communicator, "l/0", lease=lease)
                        await _renewed(lease)  # the connection for it is there then
                        proxy.black_hole("server")
                        # Until its next renewal is sent, and almost until it would be sought elsewhere.
                        await trio.sleep(2 * TTL / 3 - 0.2)
                        proxy.heal()
                        await _renewed(lease)
                        proxy.black_hole()
                        await trio.sleep_forever()
                    finally:
                        life.told = told(lease)
                        life.reason = repr(lease)
            proxy.heal()
            with trio.fail_after(END_TIMEOUT):
                await over.wait()
        last = (await do.put(recorder, "end", observer, "end")).revision
        return await _judge(recorder, server, seed, last, trio.current_time() - started)


async def _renewed(lease: Lease) -> None:
    deadline = lease.deadline
    while lease.deadline < deadline + 0.1:  # it is computed from two clocks, and trembles
        await trio.sleep(0.01)


async def _observe(recorder: Recorder, communicator: Communicator, over: trio.Event) -> None:
    """Look at the key of the lease until it was there and is gone."""
    seen = False
    while not over.is_set():
        found = await do.read(recorder, "client1", communicator, "l/0")
        if found is not None and found.kvs:
            seen = True
        elif seen:
            over.set()
        await trio.sleep(0.02)


async def _judge(recorder: Recorder, server: EtcdServer, seed: int, last: int, seconds: float) -> Report:
    history = recorder.history
    history.log, _ = await ask(server.endpoint, 2, last)
    before = time.perf_counter()
    violations, excused = judge(history)
    spent = time.perf_counter() - before
    return Report(
        seed,
        server.version,
        seconds,
        Counter(),
        recorder.counts,
        history,
        violations,
        excused,
        spent,
        "1 member",
    )
