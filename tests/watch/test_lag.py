"""Readers that do not keep up: memory stays bounded, and nobody else notices."""

from __future__ import annotations

import pytest
import trio

from etcetra_trio import WatchLaggedError
from etcetra_trio.streams._endpoints import EngineName
from etcetra_trio.streams._watcher import BUFFER_SIZE, TOTAL_SIZE
from etcetra_trio.testing import EtcdServer
from watch._kit import (
    ENGINES,
    MIB,
    Events,
    Text,
    connected,
    eventually,
    memory,
    stream_connection,
    streams,
    wait_watches,
    watches_of,
)

LONG = [False, pytest.param(True, marks=pytest.mark.long)]


async def write(communicator: Text, prefix: str, revisions: int, each: int, value: str) -> None:
    for _ in range(revisions):
        await communicator.txn(
            lambda action: [action.put(f"{prefix}{number:03}", value) for number in range(each)]
        )


@pytest.mark.parametrize("http2", ENGINES)
@pytest.mark.parametrize("long", LONG)
async def test_a_sleeper_among_a_thousand(etcd_server: EtcdServer, http2: EngineName, long: bool) -> None:
    """Much passes a watch whose reader sleeps: little is kept, the others see it all at once, it gets it later."""
    revisions = (10_000 if long else 1000) // (
        4 if http2 == "h2" else 1
    )  # 1 M events, or 100,000, and fewer by h2
    seen = 0
    late = 0.0
    async with connected(etcd_server, http2=http2, limit=900 if long else 60) as communicator:
        async with connected(etcd_server, limit=900) as writer:
            before = await watches_of(etcd_server)
            idle = [communicator.watch(f"idle/{number}") for number in range(998)]
            async with trio.open_nursery() as nursery:
                for watch in idle:
                    nursery.start_soon(watch.__aenter__)
            sleeper = await communicator.watch_prefix("much/").__aenter__()
            quick = await communicator.watch_prefix("much/", batches=True).__aenter__()
            assert streams(communicator) == 1
            assert await watches_of(etcd_server) == (before[0] + 1000, before[1] + 1)

            async def read() -> None:
                nonlocal seen, late
                async for batch in quick:
                    seen += len(batch.events)
                    late = max(late, trio.current_time() - float(batch.events[-1].value))
                    if seen == revisions * 100:
                        return

            start = memory()
            most = start
            async with trio.open_nursery() as nursery:
                nursery.start_soon(read)
                for number in range(revisions):
                    await write(writer, "much/", 1, 100, str(trio.current_time()))
                    if number % 50 == 0:
                        most = max(most, memory())
            most = max(most, memory())
            print(f"grew by {(most - start) / MIB:.1f} MiB; latest {late:.3f} s")
            assert most - start < 64 * MIB
            assert late < 5
            statistics = sleeper.statistics()
            assert 1024 <= statistics.buffered < 1024 + 100
            assert streams(communicator) in {2, 3}  # on a busy machine the quick one may lag for a moment
            # It wakes, and misses nothing.
            last = 0
            for _ in range(revisions):
                batch = [await sleeper.receive() for _ in range(100)]
                assert [event.key for event in batch] == [f"much/{number:03}" for number in range(100)]
                assert {event.revision for event in batch} == {batch[0].revision}
                assert batch[0].version == batch[-1].version == (last or batch[0].version - 1) + 1
                last = batch[0].version
            for watch in [*idle, sleeper]:
                await watch.aclose()
            await quick.aclose()
            await wait_watches(etcd_server, before)


@pytest.mark.parametrize("http2", ENGINES)
@pytest.mark.parametrize("long", LONG)
async def test_many_octets(http2: EngineName, long: bool) -> None:
    """1 GiB (a part of it in the short run) in large values, with more sleepers than there are streams for laggers."""
    revisions = 1024 if long else 40
    async with (
        EtcdServer(extra_args=["--quota-backend-bytes", str(4 << 30)]) as server,
        connected(server, http2=http2, limit=900 if long else 60) as communicator,
        connected(server, limit=900) as writer,
    ):
        value = "x" * 100_000
        sleepers = [communicator.watch_prefix("big/") for _ in range(12)]
        async with trio.open_nursery() as nursery:
            for watch in sleepers:
                nursery.start_soon(watch.__aenter__)
        async with communicator.watch_prefix("big/", batches=True) as quick:
            start = memory()
            most = 0
            for number in range(revisions):
                revision = (
                    await writer.txn(lambda a: [a.put(f"big/{n}", value) for n in range(10)])
                ).revision
                with trio.fail_after(5):
                    assert (await quick.receive()).revision == revision
                    await communicator.get("big")  # nor does the connection stand still
                if number % 16 == 0:
                    most = max(most, memory() - start)
            print(f"grew by {most / MIB:.1f} MiB")
            # 12 buffers of 1 MiB, 6 windows of 4 MiB, and what is on its way.
            assert most < 64 * MIB
            assert all(watch.statistics().buffered_size <= BUFFER_SIZE + 1_100_000 for watch in sleepers)
            kept = sum(
                len(m)
                for stream in stream_connection(communicator).engine.streams.values()
                for m, _ in getattr(stream, "_kept", ())
            )
            assert kept <= 6 * stream_connection(communicator).engine.limits.stream_window
            assert stream_connection(communicator).engine.limits.stream_window < 8 * MIB
        for watch in sleepers[::4]:
            for _ in range(revisions * 10):
                event = await watch.receive()
                assert len(event.value) == len(value)
            assert event.revision == revision
        for watch in sleepers:
            await watch.aclose()
        assert communicator._endpoints.watches.budget.used == 0


async def test_hundreds_of_sleepers(etcd_server: EtcdServer) -> None:
    """Their buffers together are bounded, too."""
    async with connected(etcd_server) as communicator, connected(etcd_server) as writer:
        watches = [communicator.watch_prefix("all/") for _ in range(500)]
        async with trio.open_nursery() as nursery:
            for watch in watches:
                nursery.start_soon(watch.__aenter__)
        start = memory()
        async with communicator.watch_prefix("all/", batches=True) as quick:
            for _ in range(12):
                await write(writer, "all/", 1, 100, "v")
                with trio.fail_after(10):
                    await quick.receive()
            grown = memory() - start
            used = communicator._endpoints.watches.budget.used
            print(f"grew by {grown / MIB:.1f} MiB; {used / MIB:.1f} MiB of events wait")
            assert used < TOTAL_SIZE + 500 * 50_000, "a watch may hold one revision more"
            assert grown < 128 * MIB
        for watch in watches[::200]:
            with trio.fail_after(20):
                found = [await watch.receive() for _ in range(1200)]
            assert [event.version - found[0].version for event in found[::100]] == list(range(12))
        for watch in watches:
            await watch.aclose()
        assert communicator._endpoints.watches.budget.used == 0


async def test_raise(communicator: Text) -> None:
    async with (
        communicator.watch_prefix("", on_lag="raise", buffer=10) as events,
        communicator.watch_prefix("") as other,
    ):
        revisions = [(await communicator.put(f"k{number}", "")).revision for number in range(15)]
        found = []
        with pytest.raises(WatchLaggedError) as caught:
            async for event in events:
                found.append(event.revision)
                await trio.sleep(0.1 if len(found) == 1 else 0)
        assert found == revisions[: len(found)]
        assert 10 <= len(found) < 15
        assert caught.value.revision == found[-1]
        async with communicator.watch_prefix("", start_revision=caught.value.revision + 1) as again:
            with trio.fail_after(10):
                rest: list[int] = []
                while len(rest) < 15 - len(found):
                    rest.append((await again.receive()).revision)
        assert found + rest == revisions
        with trio.fail_after(10):
            assert [(await other.receive()).revision for _ in range(15)] == revisions


async def test_coalesce(communicator: Text) -> None:
    async with communicator.watch_prefix("", on_lag="coalesce", buffer=50) as events:
        for number in range(200):
            last = await communicator.put(f"k{number % 7}", str(number))
        await communicator.delete("k3")
        end = await communicator.put("end", "")
        await eventually(lambda: events.statistics().known_revision == end.revision)
        found = []
        async for event in events:
            found.append(event)
            if event.key == "end":
                break
        assert [event.revision for event in found] == sorted({event.revision for event in found})
        assert len(found) < 70
        newest = {event.key: event for event in found}
        assert {key: event.value for key, event in newest.items() if key not in {"k3", "end"}} == {
            f"k{number % 7}": str(number) for number in range(193, 200) if number % 7 != 3
        }
        assert newest["k3"].event.name == "DELETE"
        assert any(event.coalesced for event in found)
        assert not newest["end"].coalesced
        assert last.revision in {event.revision for event in found}


@pytest.mark.parametrize("http2", ENGINES)
async def test_sleepers_wake_in_turn(etcd_server: EtcdServer, http2: EngineName) -> None:
    """More laggers than streams for them, waking again and again, at different times: each gets everything in order."""
    async with connected(etcd_server, http2=http2) as communicator, connected(etcd_server) as writer:
        count, total = 10, 600
        done = 0

        async def read(events: Events, pause: float) -> None:
            nonlocal done
            last = 0
            for number in range(total):
                if number % 100 == 0:
                    await trio.sleep(pause)
                event = await events.receive()
                assert event.revision > last
                assert event.value == str(number)
                last = event.revision
            done += 1

        watches = [communicator.watch("w", buffer=20) for _ in range(count)]
        async with trio.open_nursery() as nursery:
            for watch in watches:
                nursery.start_soon(watch.__aenter__)
        async with trio.open_nursery() as nursery:
            for number, watch in enumerate(watches):
                nursery.start_soon(read, watch, 0.2 + 0.01 * number)
            for number in range(total):
                await writer.put("w", str(number))
        assert done == count
        assert all(watch.statistics().resumes for watch in watches)
        for watch in watches:
            await watch.aclose()
        assert streams(communicator) == 0
