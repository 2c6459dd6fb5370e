"""However often watches are opened and left, and in whichever way: nothing of them is left, here or on the server."""

from __future__ import annotations

import gc
import tracemalloc
import weakref
from collections.abc import Awaitable, Callable

import pytest
import trio
from client._kit import tasks

from etcetra_trio import EtcdClient
from etcetra_trio.streams._endpoints import EngineName
from etcetra_trio.testing import EtcdServer, FaultProxy
from watch._kit import ENGINES, Text, connected, streams, wait_watches, watches_of

Cycle = Callable[[Text, int], Awaitable[None]]


async def normally(communicator: Text, number: int) -> None:
    async with communicator.watch("leak") as events:
        await communicator.put("leak", str(number))
        await events.receive()


async def unread(communicator: Text, number: int) -> None:
    revision = (await communicator.put("leak", "")).revision
    async with communicator.watch("leak", start_revision=revision):
        pass


async def with_an_id(communicator: Text, number: int) -> None:
    async with communicator.watch("leak", watch_id=number + 1):
        pass


async def cancelled(communicator: Text, number: int) -> None:
    with trio.move_on_after(0.0002 * (number % 20)):
        async for _ in communicator.watch("nothing"):
            pytest.fail("nobody wrote")


async def cancelled_inside(communicator: Text, number: int) -> None:
    with trio.move_on_after(0.0005 * (number % 20)):
        async with communicator.watch("nothing") as events:
            await events.receive()


async def broken_out_of(communicator: Text, number: int) -> None:
    ready = trio.Event()

    async def write() -> None:
        await ready.wait()
        await communicator.put("leak", str(number))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(write)
        with pytest.warns(ResourceWarning):
            async for _ in communicator.watch("leak", ready_event=ready):
                break


async def failing(communicator: Text, number: int) -> None:
    with pytest.raises(ZeroDivisionError):
        async with communicator.watch("leak"):
            raise ZeroDivisionError


async def lagging(communicator: Text, number: int) -> None:
    for _ in range(3):
        revision = (await communicator.put("leak", "")).revision
    async with communicator.watch_prefix("leak", start_revision=revision - 2, buffer=1):
        await trio.sleep(0.001 * (number % 10))


async def refused(communicator: Text, number: int) -> None:
    from etcetra_trio import RpcError

    with pytest.raises(RpcError):
        await communicator.watch_range("z", "a").receive()


async def never_begun(communicator: Text, number: int) -> None:
    communicator.watch("leak")
    await trio.lowlevel.checkpoint()


CYCLES: list[Cycle] = [
    normally,
    unread,
    with_an_id,
    cancelled,
    cancelled_inside,
    broken_out_of,
    failing,
    lagging,
    refused,
    never_begun,
]


@pytest.mark.parametrize("http2", ENGINES)
@pytest.mark.parametrize("cycle", CYCLES)
@pytest.mark.parametrize("keeper", [True, False])
@pytest.mark.parametrize("count", [200, pytest.param(1000, marks=pytest.mark.long)])
async def test_nothing_is_left(
    etcd_server: EtcdServer, http2: EngineName, cycle: Cycle, keeper: bool, count: int
) -> None:
    """``keeper``: whether another watch keeps the stream."""
    count = count // 4 if count == 200 and (http2 == "h2" or cycle in {cancelled_inside, lagging}) else count
    async with connected(etcd_server, http2=http2, limit=120) as communicator:
        for number in range(3):
            await communicator.put(f"leak{number}", "")
        await communicator.put("leak", "")
        before = await watches_of(etcd_server)
        kept = communicator.watch("keeper")
        if keeper:
            await kept.__aenter__()
        await communicator.get("x")
        tasks_before, streams_before = tasks(), streams(communicator)
        for number in range(count):
            await cycle(communicator, number)
        await wait_watches(etcd_server, (before[0] + keeper, before[1] + keeper))
        with trio.fail_after(5):
            while streams(communicator) != streams_before or tasks() != tasks_before:
                await trio.sleep(0.01)
        hub = communicator._endpoints.watches
        assert hub.budget.used == 0
        assert not hub._parked
        assert list(hub._shared.watchers) == ([kept._watcher] if keeper else [])
        assert not any(lane.watchers for lane in hub._own)
        if hub._shared.stream is not None:
            assert not hub._shared.stream._creating
            assert len(hub._shared.stream._watches) == keeper
        await kept.aclose()


@pytest.mark.parametrize("http2", ENGINES)
async def test_memory_stays(etcd_server: EtcdServer, http2: EngineName) -> None:
    async with connected(etcd_server, http2=http2) as communicator, communicator.watch("keeper"):
        for number in range(50):
            await normally(communicator, number)
        gc.collect()
        tracemalloc.start()
        try:
            for number in range(20):
                await normally(communicator, number)
            gc.collect()
            before = tracemalloc.get_traced_memory()[0]
            for number in range(150):
                await normally(communicator, number)
            gc.collect()
            grown = tracemalloc.get_traced_memory()[0] - before
        finally:
            tracemalloc.stop()
        assert grown < 150 * 500, f"{grown / 150:.0f} octets a watch"


async def test_watches_are_freed_without_the_garbage_collector(communicator: Text) -> None:
    class MarkerError(Exception):
        pass

    gc.collect()
    gc.disable()
    try:
        events = await communicator.watch("k").__aenter__()
        await communicator.put("k", "")
        await events.receive()
        await events.aclose()
        events._watcher.failure = marker = MarkerError()
        alive = weakref.ref(marker)
        del events, marker
        await trio.sleep(0.05)
        assert alive() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("http2", ENGINES)
async def test_breaks_leave_nothing(etcd_server: EtcdServer, http2: EngineName) -> None:
    before = await watches_of(etcd_server)
    async with FaultProxy(etcd_server.endpoint) as proxy:
        client = EtcdClient(proxy.endpoint, http2=http2)
        async with client.connect() as communicator:
            with trio.fail_after(30):
                watches = [await communicator.watch(f"k{number}").__aenter__() for number in range(10)]
                tasks_before = tasks()
                for _ in range(20):
                    proxy.cut()
                    await trio.sleep(0.02)
                await wait_watches(etcd_server, (before[0] + 10, before[1] + 1))
                await communicator.get("k")  # calls connect again when there is one
                await trio.sleep(0.1)
                assert len(tasks()) == len(tasks_before)
                for number, watch in enumerate(watches):
                    if number % 3 == 0:
                        proxy.cut()
                    await watch.aclose()
                await wait_watches(etcd_server, before)
                assert communicator._endpoints.watches._shared.watchers == {}
