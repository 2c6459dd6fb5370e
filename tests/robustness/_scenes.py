"""Runs of one scene, for what faults at random show too seldom; judged as every other run."""

from __future__ import annotations

import math
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from random import Random

import trio

from etcetra_trio import EtcdClient, Lease, LeaseLostError
from etcetra_trio.testing import EtcdServer, FaultProxy

from . import _recorder as do
from ._checker import check
from ._history import LeaseLife
from ._recorder import Communicator, Recorder
from ._run import END_TIMEOUT, Report, read_log
from ._traffic import LAST, Traffic, told

TTL = 4  # seconds
EVENTS = 3_001


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


async def late_answer(seed: int, etcd: Path | None) -> Report:
    """The answer to a lease's renewal comes late, and then nothing comes: its time runs since the renewal was sent."""
    recorder = Recorder(Random(seed))
    started = trio.current_time()
    async with (
        EtcdServer(etcd) as server,
        FaultProxy(server.endpoint) as proxy,
        EtcdClient(server.endpoint).connect() as observer,
        EtcdClient(proxy.endpoint).connect() as communicator,
    ):
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
    history.log, _ = await read_log(server.endpoint, 2, last)
    before = time.perf_counter()
    violations = check(history)
    spent = time.perf_counter() - before
    return Report(seed, server.version, seconds, Counter(), recorder.counts, history, violations, spent)
