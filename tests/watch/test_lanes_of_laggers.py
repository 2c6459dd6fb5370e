"""Watches that lag: on streams of their own, parked where those are all taken, raising, coalescing."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from etcetra_trio import EtcdCommunicator, WatchLaggedError
from etcetra_trio.streams._watch_lanes import OWN_LANES
from etcetra_trio.streams._watcher import TOTAL_SIZE
from watch._script import (
    Events,
    ScriptedServer,
    ScriptedStream,
    delete,
    first,
    lag,
    opened,
    put,
    revisions,
    scripted_server,
    settle,
)


async def test_a_watch_that_lags_moves_to_a_stream_of_its_own(autojump_clock: MockClock) -> None:
    async with scripted_server() as server, trio.open_nursery() as nursery:
        quick, shared = await first(server, nursery, "quick")
        slow = await opened(server, nursery, "slow", buffer=3)
        assert (await shared.create()).key == b"slow"
        shared.created(1)
        await lag(shared, 1, "slow", range(11, 16))  # more than it has room for
        assert await shared.cancel() == 1
        own = await server.stream()
        create = await own.create()
        assert (create.key, create.start_revision) == (b"slow", 14)
        own.created(0)
        confirmation = own.given_back
        await lag(own, 0, "slow", range(14, 18))
        statistics = slow.statistics()
        assert (statistics.buffered, statistics.known_revision, statistics.resumes) == (3, 13, 1)
        assert own.given_back == confirmation, "while there is no room the server must wait"
        shared.events(0, put("quick", 18))
        assert (await quick.receive()).revision == 18
        assert [(await slow.receive()).revision for _ in range(7)] == list(range(11, 18))
        assert own.given_back > confirmation
        # What it keeps is less than what it gave back plus what it has room for.
        for watch in (quick, slow):
            await watch.aclose()
        assert own.cancelled
        assert shared.cancelled


async def test_a_response_of_many_revisions_is_kept_as_far_as_there_is_room(
    autojump_clock: MockClock,
) -> None:
    """A busy server puts many revisions into one. If others have the memory, the rest is asked for again."""
    async with scripted_server() as server, trio.open_nursery() as nursery:
        slow, shared = await first(server, nursery, "slow")
        slow._hub.budget.used += TOTAL_SIZE
        shared.events(0, *(put("slow", revision) for revision in range(11, 20)))
        await settle()
        assert slow.statistics().buffered == 1
        assert shared.cancelled
        slow._hub.budget.used -= TOTAL_SIZE
        own = await server.stream()
        assert (await own.create()).start_revision == 12
        own.created(0)
        own.events(0, *(put("slow", revision) for revision in range(12, 20)))
        assert [(await slow.receive()).revision for _ in range(9)] == list(range(11, 20))


async def test_the_reader_of_an_own_stream_that_breaks(autojump_clock: MockClock) -> None:
    async with scripted_server() as server, trio.open_nursery() as nursery:
        slow, shared = await first(server, nursery, "slow", buffer=2)
        await lag(shared, 0, "slow", range(11, 13))
        assert shared.cancelled, "nobody else is on it"
        own = await server.watched(0)
        await lag(own, 0, "slow", range(13, 20))
        await trio.sleep(10)
        assert slow.statistics().stalled_for == 0.0, "it is served, it only has no room"
        server.lose()
        own = await server.stream()
        assert (await own.create()).start_revision == 13
        own.created(0)
        for revision in range(13, 20):
            own.events(0, put("slow", revision))
        assert [(await slow.receive()).revision for _ in range(9)] == list(range(11, 20))
        assert slow.statistics().resumes == 2
        await slow.aclose()


async def laggers(
    server: ScriptedServer, nursery: trio.Nursery, count: int
) -> tuple[Events, ScriptedStream, list[Events], list[ScriptedStream]]:
    """A quick watch with id 0, and slow ones k1, k2, ... with such ids: two events of each wait, there is no room."""
    quick, shared = await first(server, nursery, "quick")
    watches = []
    for number in range(1, count + 1):
        watches.append(await opened(server, nursery, f"k{number}", buffer=2))
        await shared.create()
        shared.created(number)
    await settle()
    streams = []
    for number in range(1, count + 1):
        await lag(shared, number, f"k{number}", range(11, 13))
        assert await shared.cancel() == number
        if number <= OWN_LANES:
            streams.append(own := await server.stream())
            assert (await own.create()).start_revision == 13
            own.created(0)
    return quick, shared, watches, streams


async def test_more_laggers_than_streams(autojump_clock: MockClock) -> None:
    """The others are ended on the server until their readers have read what waits; then they go on."""
    async with scripted_server() as server, trio.open_nursery() as nursery:
        quick, shared, watches, streams = await laggers(server, nursery, OWN_LANES + 2)
        assert server.no_stream()
        parked = watches[-1]
        assert (await parked.receive()).revision == 11
        await settle()
        assert shared.nothing_asked()
        assert (await parked.receive()).revision == 12
        create = await shared.create()
        assert (create.key, create.start_revision) == (f"k{OWN_LANES + 2}".encode(), 13)
        shared.created(99)
        shared.events(99, put(f"k{OWN_LANES + 2}", 13))
        assert (await parked.receive()).revision == 13
        assert parked.statistics().resumes == 1
        # The other one is closed while nobody serves it.
        await watches[-2].aclose()
        assert shared.nothing_asked()
        for watch in [quick, *watches]:
            await watch.aclose()
        assert all(stream.cancelled for stream in [shared, *streams])


async def test_a_parked_watch_ends_with_the_client(autojump_clock: MockClock) -> None:
    async with trio.open_nursery() as nursery:
        async with scripted_server() as server:
            quick, _, watches, _ = await laggers(server, nursery, OWN_LANES + 1)
        with pytest.raises(trio.ClosedResourceError):
            await quick.receive()
        for watch in watches:
            with trio.fail_after(100):
                assert [(await watch.receive()).revision for _ in range(2)] == [11, 12]
                with pytest.raises(trio.ClosedResourceError):
                    await watch.receive()
                with pytest.raises(trio.ClosedResourceError):
                    await watch.progress()


async def test_who_waits_for_a_parked_watch_ends_with_the_client(autojump_clock: MockClock) -> None:
    ended = []

    async def wait(watch: Events) -> None:
        with pytest.raises(trio.ClosedResourceError):
            await watch.wait_revision(50)
        ended.append(watch)

    with trio.fail_after(100):
        async with trio.open_nursery() as nursery, scripted_server() as server:
            quick, _, watches, _ = await laggers(server, nursery, OWN_LANES + 1)
            nursery.start_soon(wait, watches[-1])
            await settle()
    assert ended == watches[-1:]
    assert "failed" in repr(quick)


async def test_an_own_stream_is_given_to_who_needs_it_now(autojump_clock: MockClock) -> None:
    """And half a revision that came on it is not taken for the beginning of what comes on the next one."""
    async with scripted_server() as server, trio.open_nursery() as nursery:
        quick, shared, watches, streams = await laggers(server, nursery, OWN_LANES + 1)
        # The first lagger has caught up, but for half of a revision.
        assert [(await watches[0].receive()).revision for _ in range(2)] == [11, 12]
        streams[0].events(0, put("k1", 13), fragment=True)
        # The parked one goes on, and lags again.
        assert [(await watches[-1].receive()).revision for _ in range(2)] == [11, 12]
        await shared.create()
        shared.created(50)
        await lag(shared, 50, f"k{OWN_LANES + 1}", range(13, 15))
        assert await shared.cancel() == 50
        assert streams[0].cancelled
        create = await shared.create()
        assert (create.key, create.start_revision) == (b"k1", 13)
        shared.created(51)
        own = await server.stream()
        create = await own.create()
        assert (create.key, create.start_revision) == (f"k{OWN_LANES + 1}".encode(), 15)
        shared.events(51, put("k1", 13, "a"), delete("k1", 14))
        assert revisions([await watches[0].receive() for _ in range(2)]) == [13, 14]
        assert watches[0].statistics().buffered == 0
        for watch in [quick, *watches]:
            await watch.aclose()


@pytest.mark.parametrize("watch_id", [0, 7])
async def test_on_lag_raise(watch_id: int, autojump_clock: MockClock) -> None:
    async with scripted_server() as server, trio.open_nursery() as nursery:
        watch = await opened(server, nursery, "k", buffer=3, on_lag="raise", watch_id=watch_id)
        stream = await server.watched(watch_id)
        await lag(stream, watch_id, "k", range(11, 20))
        assert stream.cancelled
        assert [(await watch.receive()).revision for _ in range(3)] == [11, 12, 13]
        with pytest.raises(WatchLaggedError) as caught:
            await watch.receive()
        assert caught.value.revision == 13
        await trio.sleep(10)
        assert server.no_stream()


@pytest.mark.parametrize("watch_id", [0, 7])
async def test_on_lag_coalesce(watch_id: int, autojump_clock: MockClock) -> None:
    async with scripted_server() as server, trio.open_nursery() as nursery:
        watch: Events = server.communicator.watch_prefix("", buffer=3, on_lag="coalesce", watch_id=watch_id)
        nursery.start_soon(watch.__aenter__)
        stream = await server.watched(watch_id)
        for revision in range(11, 31):
            stream.events(watch_id, put(f"k{revision % 2}", revision))
        assert watch.statistics().buffered <= 3
        assert watch.statistics().known_revision == 30
        stream.events(watch_id, put("new", 31))
        found = []
        with trio.move_on_after(1):
            async for event in watch:
                found.append((event.key, event.revision, event.coalesced))  # noqa: PERF401 - it ends by the timeout
        assert found[-1] == ("new", 31, False)
        assert found[:-1] == [("k1", 29, True), ("k0", 30, True)]
        await watch.aclose()


async def test_a_watch_coalesces_again_after_it_had_a_stream_of_its_own(autojump_clock: MockClock) -> None:
    """Many keys at once are more than it has room for; once they are read, newest values are wanted as before."""
    async with scripted_server() as server, trio.open_nursery() as nursery:
        communicator: EtcdCommunicator[str] = server.communicator
        watch: Events = communicator.watch_prefix("", buffer=3, on_lag="coalesce")
        nursery.start_soon(watch.__aenter__)
        stream = await server.watched(0)
        for revision in range(11, 14):
            stream.events(0, put(f"k{revision}", revision))
        if stream.cancelled:
            stream = await server.watched(0)
        for revision in range(14, 17):
            stream.events(0, put(f"k{revision}", revision))
        assert [(await watch.receive()).revision for _ in range(6)] == list(range(11, 17))
        await settle()
        if not server.no_stream():
            stream = await server.watched(0)
        for revision in range(17, 40):
            stream.events(0, put("k", revision))
        event = await watch.receive()
        assert (event.revision, event.coalesced) == (39, True)
        await watch.aclose()
