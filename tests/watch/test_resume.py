"""Breaks of every kind at random moments: every event comes exactly once, in order, in whole revisions."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from random import Random

import pytest
import trio
from client._kit import FAST

from etcetra_trio import EtcdClient, UnsupportedByServerError, Watch, WatchBatch
from etcetra_trio.streams._endpoints import EngineName
from etcetra_trio.testing import EtcdServer, FaultProxy
from watch._kit import ENGINES
from watch._log import Entry, Writer, assert_same, part, read_all, true_log

Break = Callable[[FaultProxy, EtcdServer, Random], Awaitable[None]]


@pytest.fixture
async def own() -> AsyncGenerator[EtcdServer]:
    """A server that the test may kill."""
    async with EtcdServer(extra_args=FAST) as server:
        yield server


def seed() -> int:
    """Of this run: printed, and chosen by ETCETRA_SEED to repeat one."""
    number = int(os.environ.get("ETCETRA_SEED") or int.from_bytes(os.urandom(4), "big"))
    print(f"ETCETRA_SEED={number}")
    return number


async def ask_again_and_again(watch: Watch[WatchBatch[str]]) -> None:
    """Progress moves the point where a watch goes on: it must never move it over an event."""
    with suppress(UnsupportedByServerError, trio.ClosedResourceError):
        while True:
            await watch.progress()
            await trio.sleep(0.005)


async def survive(
    server: EtcdServer,
    breaks: Callable[[FaultProxy, Random], Awaitable[None]],
    *,
    http2: EngineName,
    watches: int,
    events: int,
    least_resumes: int,
    limit: float,
) -> None:
    """Read with so many watches, while a writer writes and ``breaks`` breaks."""
    rng = Random(seed())
    groups = [f"r/{number:03}/" for number in range(watches)]
    got: list[list[Entry]] = [[] for _ in groups]
    broken = trio.Event()
    with trio.fail_after(limit):
        async with FaultProxy(server.endpoint) as proxy, trio.open_nursery() as nursery:
            client = EtcdClient(proxy.endpoint, http2=http2)
            async with client.connect() as communicator:
                opened: list[Watch[WatchBatch[str]]] = []
                async with trio.open_nursery() as entering:
                    for group in groups:
                        watch = communicator.watch_prefix(
                            group, batches=True, progress_notify=group == groups[0]
                        )
                        opened.append(watch)
                        entering.start_soon(watch.__aenter__)
                since = min(watch.statistics().known_revision for watch in opened) + 1

                async def do_breaks() -> None:
                    await breaks(proxy, rng)
                    broken.set()

                writer = Writer(server, rng, groups)
                nursery.start_soon(do_breaks)
                nursery.start_soon(ask_again_and_again, opened[0])
                nursery.start_soon(writer.run, events, lambda: not broken.is_set())
                async with trio.open_nursery() as reading:
                    for watch, into in zip(opened, got, strict=True):
                        reading.start_soon(read_all, watch, into)
                resumes = [watch.statistics().resumes for watch in opened]
                for watch in opened:
                    await watch.aclose()
    log = await true_log(server, "r/", since)
    told = sum(len(each[1]) for each in log)
    print(f"{told} events, {resumes[0]} resumes, {len(log)} revisions; {proxy.history[-3:]}")
    assert told >= events
    for group, entries in zip(groups, got, strict=True):
        assert_same(entries, part(log, group), group)
    assert min(resumes) >= least_resumes


def counts(long: bool) -> tuple[int, int]:
    """How many breaks and events."""
    if long:
        return 50, 20_000
    return 6, 1_000


GATE = [
    (1, False),
    (100, False),
    pytest.param(1, True, marks=pytest.mark.long),
    pytest.param(100, True, marks=pytest.mark.long),
]


@pytest.mark.parametrize("http2", ENGINES)
@pytest.mark.parametrize(("watches", "long"), GATE)
async def test_connections_that_break(
    etcd_server: EtcdServer, http2: EngineName, watches: int, long: bool
) -> None:
    """Resets, also in the middle of a frame, half-closed ones, black holes that are cut in the end, refusals."""
    breaks, events = counts(long)

    async def do_breaks(proxy: FaultProxy, rng: Random) -> None:
        await proxy.chaos(rng, breaks, (0.01, 0.1))

    await survive(
        etcd_server,
        do_breaks,
        http2=http2,
        watches=watches,
        events=events,
        least_resumes=breaks // 4,  # some come before the last one was got over
        limit=300 if long else 60,
    )


@pytest.mark.parametrize("http2", ENGINES)
@pytest.mark.parametrize(("watches", "long"), GATE)
async def test_cut_at_any_octet(etcd_server: EtcdServer, http2: EngineName, watches: int, long: bool) -> None:
    """The connection breaks after a number of octets, so within frames, messages and revisions in fragments."""
    breaks, events = counts(long)

    async def do_breaks(proxy: FaultProxy, rng: Random) -> None:
        for _ in range(breaks):
            await proxy.wait_connected()
            proxy.cut_after(rng.randrange(30_000), "server")
            with trio.move_on_after(0.3):
                while proxy.statistics().live:
                    await trio.sleep(0.005)
            proxy.cut()

    await survive(
        etcd_server,
        do_breaks,
        http2=http2,
        watches=watches,
        events=events,
        least_resumes=breaks // 4,
        limit=300 if long else 60,
    )


@pytest.mark.parametrize("http2", ENGINES)
@pytest.mark.parametrize(("watches", "long"), GATE)
async def test_servers_that_die(own: EtcdServer, http2: EngineName, watches: int, long: bool) -> None:
    """kill -9, SIGTERM, SIGSTOP (the connection is cut in the end), and back again."""

    async def do_breaks(proxy: FaultProxy, rng: Random) -> None:
        for number in range(15 if long else 3):
            await trio.sleep(rng.uniform(0.05, 0.3))
            match number % 3:
                case 0:
                    own.kill()
                    await own.arestart()
                case 1:
                    own.stop()
                    await trio.sleep(rng.uniform(0.05, 0.5))
                    if rng.random() < 0.5:
                        proxy.cut()
                        await trio.sleep(0.1)
                    own.cont()
                case _:
                    own.terminate()
                    await trio.sleep(rng.uniform(0, 0.1))
                    await own.arestart()

    await survive(
        own,
        do_breaks,
        http2=http2,
        watches=watches,
        events=20_000 if long else 2_000,
        least_resumes=10 if long else 2,
        limit=300 if long else 60,
    )
