"""Cancelled at every checkpoint of every method: no event is lost, and nothing is left on either side."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import trio
from client._kit import cancelled_at, tasks

from etcetra_trio.streams._endpoints import EngineName
from etcetra_trio.testing import EtcdServer, cancel_sweep
from watch._kit import ENGINES, Events, Text, connected, streams, true_progress, wait_watches, watches_of

Make = Callable[[Text, int], Events]

KINDS: dict[str, Make] = {
    "plain": lambda c, _: c.watch("sweep"),
    "past": lambda c, revision: c.watch("sweep", start_revision=revision),
    "own stream": lambda c, _: c.watch("sweep", watch_id=3),
    "resync": lambda c, _: c.watch("sweep", resync=True),
    "progress": lambda c, _: c.watch("sweep", progress_notify=True),
}


async def clean(
    server: EtcdServer, communicator: Text, before: tuple[int, int], tasks_before: set[object]
) -> None:
    await wait_watches(server, before)
    with trio.fail_after(5):
        while tasks() != tasks_before or streams(communicator):
            await trio.sleep(0.005)
    hub = communicator._endpoints.watches
    assert (hub.budget.used, hub._shared.watchers, hub._parked) == (0, {}, set())


@pytest.mark.parametrize("http2", ENGINES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bare", [False, True])
@pytest.mark.filterwarnings("ignore:.*was dropped without being closed:ResourceWarning")
async def test_opening_and_leaving(etcd_server: EtcdServer, http2: EngineName, kind: str, bare: bool) -> None:
    async with connected(etcd_server, http2=http2) as communicator:
        revision = (await communicator.put("sweep", "1")).revision
        before: tuple[int, int] = await watches_of(etcd_server)
        tasks_before: set[object] = set(tasks())

        async def enter() -> None:
            async with KINDS[kind](communicator, revision):
                await trio.lowlevel.checkpoint()

        async def begin() -> None:
            async for _ in KINDS[kind](communicator, revision):
                break

        if bare and kind != "past":
            # Nothing comes: it is cancelled in any case, at last where it waits.
            for parked in (False, True):
                for step in range(1, 12):
                    with trio.move_on_after(0.05):
                        await cancelled_at(step, begin, parked=parked)
        else:
            assert (await cancel_sweep(begin if bare else enter)).checkpoints >= 2
        await clean(etcd_server, communicator, before, tasks_before)


@pytest.mark.parametrize("http2", ENGINES)
async def test_receive_loses_nothing(etcd_server: EtcdServer, http2: EngineName) -> None:
    async with connected(etcd_server, http2=http2) as communicator:
        before: tuple[int, int] = await watches_of(etcd_server)
        await communicator.get("x")
        tasks_before: set[object] = set(tasks())
        async with communicator.watch("sweep", buffer=4) as events:
            got: list[str] = []

            async def read() -> None:
                got.append((await events.receive()).value)

            written = 0
            for waiting in (1, 0, 3, 0, 9, 0, 1):  # how many events wait already; 0: they come while it waits
                for parked in (False, True):
                    for step in range(1, 5):
                        for _ in range(waiting):
                            await communicator.put("sweep", str(written))
                            written += 1
                        async with trio.open_nursery() as nursery:
                            if not waiting:
                                nursery.start_soon(communicator.put, "sweep", str(written))
                                written += 1
                            await cancelled_at(step, read, parked=parked)
            with trio.fail_after(10):
                while len(got) < written:
                    await read()
            assert got == [str(number) for number in range(written)]
        await clean(etcd_server, communicator, before, tasks_before)


async def test_receiving_under_a_storm_of_cancels(etcd_server: EtcdServer) -> None:
    async with (
        connected(etcd_server) as communicator,
        communicator.watch_prefix("sweep", batches=True) as batches,
    ):
        got: list[int] = []
        expected: list[int] = []

        async def write() -> None:
            for _ in range(300):
                txn = await communicator.txn(lambda action: [action.put(f"sweep{n}", "") for n in range(5)])
                expected.append(txn.revision)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(write)
            while len(got) < 300:
                with trio.move_on_after(0.0003):
                    while True:
                        got.append((await batches.receive()).revision)
        assert got == expected


@pytest.mark.parametrize("method", ["progress", "wait_revision"])
async def test_progress(etcd_server: EtcdServer, method: str) -> None:
    assert true_progress(etcd_server) or method == "wait_revision" or etcd_server.version == "3.5.1"
    async with connected(etcd_server) as communicator:
        before: tuple[int, int] = await watches_of(etcd_server)
        await communicator.get("x")
        tasks_before: set[object] = set(tasks())
        async with communicator.watch("sweep") as events:
            received = 0

            async def ask() -> None:
                if method == "wait_revision":
                    await events.wait_revision((await communicator.put("sweep", "")).revision)
                elif true_progress(etcd_server):
                    await communicator.put("sweep", "")
                    await events.progress()
                else:
                    from etcetra_trio import UnsupportedByServerError

                    await communicator.put("sweep", "")
                    with pytest.raises(UnsupportedByServerError):
                        await events.progress()

            assert (await cancel_sweep(ask)).checkpoints >= 2
            last = await communicator.put("sweep", "last")
            with trio.fail_after(10):
                async for event in events:
                    received += 1
                    if event.revision == last.revision:
                        break
            assert received > 3
            assert not events._watcher.observers
        await clean(etcd_server, communicator, before, tasks_before)


async def test_closing(etcd_server: EtcdServer) -> None:
    async with connected(etcd_server) as communicator:
        before: tuple[int, int] = await watches_of(etcd_server)
        await communicator.get("x")
        tasks_before: set[object] = set(tasks())

        async def close() -> None:
            await events.aclose()

        for parked in (False, True):
            for step in range(1, 4):
                events = await communicator.watch("sweep").__aenter__()
                assert await cancelled_at(step, close, parked=parked) or step > 1
                with pytest.raises(trio.ClosedResourceError):
                    await events.receive()
                await clean(etcd_server, communicator, before, tasks_before)
