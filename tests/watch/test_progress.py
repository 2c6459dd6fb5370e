"""``progress()``, ``wait_revision()``, progress notices: by version, over breaks, beside other watches."""

from __future__ import annotations

import pytest
import trio

from etcetra_trio import EtcdClient, UnsupportedByServerError
from etcetra_trio.streams._endpoints import EngineName
from etcetra_trio.testing import EtcdServer, FaultProxy
from watch._kit import ENGINES, Events, Text, connected, nothing_comes, take, true_progress, version_of

NOTICES = 0.1  # seconds


async def ask(server: EtcdServer, events: Events, least: int) -> None:
    """Ask for progress; what must come depends on the server."""
    with trio.fail_after(10):
        if true_progress(server):
            assert await events.progress() >= least
            assert events.statistics().known_revision >= least
        else:
            with pytest.raises(UnsupportedByServerError, match="overtake") as caught:
                await events.progress()
            assert caught.value.since == "3.4.31 and 3.5.13"


async def test_progress(communicator: Text, etcd_server: EtcdServer) -> None:
    async with communicator.watch("k") as events:
        first = (await communicator.put("k", "")).revision
        other = (await communicator.put("other", "")).revision
        await ask(etcd_server, events, other)
        assert [event.revision for event in await take(events, 1)] == [first]
        if true_progress(etcd_server):
            statistics = events.statistics()
            assert (statistics.known_revision, statistics.lag) == (other, 0), "it has been given everything"


async def test_progress_where_nothing_ever_happened(communicator: Text, etcd_server: EtcdServer) -> None:
    revision = (await communicator.range("k")).revision
    async with communicator.watch("k") as events:
        await ask(etcd_server, events, revision)
        await ask(etcd_server, events, revision)


async def test_progress_begins_the_watch(communicator: Text, etcd_server: EtcdServer) -> None:
    events = communicator.watch("k")
    await ask(etcd_server, events, 1)
    await communicator.put("k", "")
    await take(events, 1)
    await events.aclose()


async def test_progress_with_many_tasks_and_watches(communicator: Text, etcd_server: EtcdServer) -> None:
    async with (
        communicator.watch("k") as one,
        communicator.watch("l") as two,
        communicator.watch("m", watch_id=4) as own,
    ):
        revision = (await communicator.put("k", "")).revision
        async with trio.open_nursery() as nursery:
            for events in (one, two, own, one, two):
                nursery.start_soon(ask, etcd_server, events, revision)
        assert (await take(one, 1))[0].revision == revision


async def test_progress_beside_one_that_waits_for_the_future(
    communicator: Text, etcd_server: EtcdServer
) -> None:
    """Servers say nothing while one watch of the stream is not where they are; that must cost no other its answer."""
    revision = (await communicator.put("k", "")).revision
    async with (
        communicator.watch("future", start_revision=revision + 1000),
        communicator.watch("k") as events,
    ):
        revision = (await communicator.put("k", "")).revision
        await ask(etcd_server, events, revision)


async def test_progress_beside_one_that_catches_up(communicator: Text, etcd_server: EtcdServer) -> None:
    for _ in range(20):
        revision = (await communicator.put("k", "")).revision
    late = communicator.watch("k", start_revision=revision - 10)
    async with communicator.watch("k") as events:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(late.__aenter__)
            await ask(etcd_server, events, revision)
        assert (await take(late, 1))[0].revision == revision - 10
        await late.aclose()


@pytest.mark.parametrize("http2", ENGINES)
async def test_progress_over_breaks(etcd_server: EtcdServer, http2: EngineName) -> None:
    async with FaultProxy(etcd_server.endpoint) as proxy:
        client = EtcdClient(proxy.endpoint, http2=http2)
        async with client.connect() as communicator, EtcdClient(etcd_server.endpoint).connect() as writer:
            async with communicator.watch("k") as events:
                for number in range(12):
                    revision = (await writer.put("k", "")).revision
                    async with trio.open_nursery() as nursery:
                        nursery.start_soon(ask, etcd_server, events, revision)
                        for _ in range(number % 6):
                            await trio.lowlevel.checkpoint()
                        if number < 6:
                            proxy.cut()
                        else:
                            proxy.cut_after(20 * (number % 6), "server")
                    assert (await take(events, 1))[0].revision == revision
                    proxy.heal()


async def test_progress_when_the_first_connection_is_cut(etcd_server: EtcdServer) -> None:
    """The server's version is asked for only then: that this fails says nothing about the version."""
    for octets in range(0, 200, 20):
        async with (
            FaultProxy(etcd_server.endpoint) as proxy,
            EtcdClient(proxy.endpoint).connect() as communicator,
        ):
            async with communicator.watch("k") as events:
                revision = events.statistics().known_revision
                proxy.cut_after(octets, "server")
                with trio.fail_after(10):
                    try:
                        assert await events.progress() >= revision
                    except UnsupportedByServerError as error:
                        assert not true_progress(etcd_server), error


async def test_wait_revision(communicator: Text, etcd_server: EtcdServer) -> None:
    async with communicator.watch("k") as events:
        with trio.fail_after(10):
            for _ in range(3):
                revision = (await communicator.put("k", "")).revision
                await events.wait_revision(revision)
                assert events.statistics().known_revision >= revision
                await events.wait_revision(revision - 1)
            await events.wait_revision(0)
            if true_progress(etcd_server):  # without an event
                revision = (await communicator.put("other", "")).revision
                await events.wait_revision(revision)
        with trio.move_on_after(0.2) as scope:
            await events.wait_revision(revision + 5)
        assert scope.cancelled_caught
        await take(events, 3)


async def test_wait_revision_over_a_break(etcd_server: EtcdServer) -> None:
    async with (
        FaultProxy(etcd_server.endpoint) as proxy,
        EtcdClient(proxy.endpoint).connect() as communicator,
    ):
        async with EtcdClient(etcd_server.endpoint).connect() as writer, communicator.watch("k") as events:
            with trio.fail_after(20):
                for _ in range(10):
                    proxy.cut()
                    revision = (await writer.put("k", "")).revision
                    await events.wait_revision(revision)


async def test_wait_revision_when_closed(communicator: Text) -> None:
    events = await communicator.watch("k").__aenter__()
    async with trio.open_nursery() as nursery:

        async def wait() -> None:
            with pytest.raises(trio.ClosedResourceError):
                await events.wait_revision(1 << 60)

        nursery.start_soon(wait)
        nursery.start_soon(wait)
        await trio.testing.wait_all_tasks_blocked(0.02)
        await events.aclose()


async def test_an_idle_watch_goes_on_after_a_compaction(etcd_server: EtcdServer) -> None:
    """What nobody told it of was nothing: where progress is known, compaction of what it does not need is no loss."""
    if not true_progress(etcd_server):
        return await idle_on_old_servers(etcd_server)
    async with (
        FaultProxy(etcd_server.endpoint) as proxy,
        EtcdClient(proxy.endpoint).connect() as communicator,
    ):
        async with EtcdClient(etcd_server.endpoint).connect() as writer, communicator.watch("idle") as events:
            for _ in range(10):
                revision = (await writer.put("busy", "")).revision
            await ask(etcd_server, events, revision)
            await writer.compact(revision)
            proxy.cut()
            await trio.sleep(0.3)
            await writer.put("idle", "v")
            assert (await take(events, 1))[0].value == "v"
            return None


async def idle_on_old_servers(etcd_server: EtcdServer) -> None:
    """There it can only say that it does not know."""
    from etcetra_trio import CompactedError

    async with (
        FaultProxy(etcd_server.endpoint) as proxy,
        EtcdClient(proxy.endpoint).connect() as communicator,
    ):
        async with EtcdClient(etcd_server.endpoint).connect() as writer, communicator.watch("idle") as events:
            for _ in range(10):
                revision = (await writer.put("busy", "")).revision
            await writer.compact(revision)
            proxy.cut()
            with trio.fail_after(10), pytest.raises(CompactedError) as caught:
                await events.receive()
            assert caught.value.compact_revision == revision


async def test_progress_notices() -> None:
    """With them a watch that sees nothing is still up to date; old servers' notices may overtake events: not used."""
    async with EtcdServer() as probe:
        name = "experimental-watch-progress-notify-interval"
        if version_of(probe) >= (3, 6):
            name = name.removeprefix("experimental-")
    async with EtcdServer(extra_args=[f"--{name}={NOTICES}s"]) as server, connected(server) as communicator:
        async with communicator.watch("k", progress_notify=True) as told, communicator.watch("k") as untold:
            before = told.statistics().known_revision
            revision = (await communicator.put("other", "")).revision
            await nothing_comes(told, 10 * NOTICES)
            assert told.statistics().known_revision == (revision if true_progress(server) else before)
            assert untold.statistics().known_revision == before
