"""Events that are gone: the error, after what came before; with ``resync=True`` the differences instead."""

from __future__ import annotations

from random import Random

import pytest
import trio

from etcetra_trio import CompactedError, EtcdClient, WatchBatch, WatchEvent, WatchFilter
from etcetra_trio.streams._endpoints import EngineName
from etcetra_trio.testing import EtcdServer, FaultProxy
from watch._kit import DELETE, PUT, Events, Text, connected, eventually, streams, take, told


async def history(communicator: Text) -> int:
    """Changes, all compacted away but the last; the revision of that."""
    for number in range(5):
        await communicator.put("a", str(number))
    await communicator.put("b", "0")
    await communicator.delete("b")
    last = (await communicator.put("c", "0")).revision
    await communicator.compact(last)
    return last


async def test_a_start_that_is_gone(communicator: Text) -> None:
    last = await history(communicator)
    for _ in range(2):
        events = communicator.watch_prefix("", start_revision=last - 3)
        with trio.fail_after(10), pytest.raises(CompactedError) as caught:
            async for _event in events:
                pytest.fail("its start is gone")
        assert caught.value.compact_revision == last
        assert str(last) in str(caught.value) or caught.value.code.name == "OUT_OF_RANGE"
    assert streams(communicator) == 0
    async with communicator.watch_prefix("", start_revision=last) as events:
        assert told(await take(events, 1)) == [(PUT, "c", "0")]


async def test_others_go_on(communicator: Text) -> None:
    async with communicator.watch("c") as other:
        last = await history(communicator)
        with trio.fail_after(10):
            with pytest.raises(CompactedError):
                await communicator.watch("a", start_revision=1).receive()
            assert (await other.receive()).revision == last
            await communicator.put("c", "1")
            assert (await other.receive()).value == "1"
            assert other.statistics().resumes == 0


async def test_gone_while_the_connection_was(etcd_server: EtcdServer) -> None:
    """What was received before is given first."""
    async with (
        FaultProxy(etcd_server.endpoint) as proxy,
        EtcdClient(proxy.endpoint, namespace="gone/").connect() as communicator,
        EtcdClient(etcd_server.endpoint, namespace="gone/").connect() as writer,
    ):
        async with (
            communicator.watch_prefix("") as events,
            communicator.watch_prefix("", resync=True) as resynced,
        ):
            await writer.put("first", "1")
            await eventually(lambda: events.statistics().buffered == resynced.statistics().buffered == 1)
            proxy.refuse()
            proxy.cut()
            await trio.sleep(0.1)
            last = await history(writer)
            proxy.accept()
            assert told(await take(events, 1)) == [(PUT, "first", "1")]
            with trio.fail_after(10), pytest.raises(CompactedError) as caught:
                await events.receive()
            assert caught.value.compact_revision == last
            found = await take(resynced, 3)
            assert told(found) == [(PUT, "first", "1"), (PUT, "a", "4"), (PUT, "c", "0")]
            assert [event.synthetic for event in found] == [False, True, True]
            assert [event.revision for event in found[1:]] == [last - 3, last]
            await writer.put("a", "5")
            event = (await take(resynced, 1))[0]
            assert (event.value, event.version, event.synthetic) == ("5", 6, False)


async def test_resync_from_a_start_that_is_gone(communicator: Text) -> None:
    last = await history(communicator)
    async with communicator.watch_prefix("", start_revision=last - 4, resync=True) as events:
        found = await take(events, 2)
        assert told(found) == [(PUT, "a", "4"), (PUT, "c", "0")]
        assert all(event.synthetic for event in found)
        await communicator.delete("a")
        found = await take(events, 1)
        assert (told(found), found[0].synthetic) == ([(DELETE, "a", "")], False)


async def test_resync_from_the_past_and_now(communicator: Text) -> None:
    await communicator.put("a", "0")
    revision = (await communicator.put("b", "0")).revision
    async with (
        communicator.watch_prefix("", start_revision=revision, resync=True) as past,
        communicator.watch_prefix("", resync=True) as now,
        communicator.watch_prefix("", start_revision=1, resync=True) as whole,
    ):
        await communicator.put("c", "0")
        assert told(await take(past, 2)) == [(PUT, "b", "0"), (PUT, "c", "0")]
        assert told(await take(now, 1)) == [(PUT, "c", "0")]
        assert [key for _, key, _ in told(await take(whole, 3))] == ["a", "b", "c"]


async def test_resync_from_the_future(communicator: Text) -> None:
    """As without resync: it waits."""
    revision = (await communicator.put("k", "0")).revision
    async with trio.open_nursery() as nursery:
        events = communicator.watch("k", start_revision=revision + 2, resync=True)

        async def write() -> None:
            await trio.sleep(0.1)
            for number in range(1, 4):
                await communicator.put("k", str(number))

        nursery.start_soon(write)
        with trio.fail_after(10):
            async with events:
                assert [(await events.receive()).value for _ in range(2)] == ["2", "3"]


async def resyncing(proxy: FaultProxy, writer: Text, events: Events, change: str) -> None:
    """Cut off, let something happen, compact."""
    proxy.refuse()
    proxy.cut()
    await trio.sleep(0.02)
    await writer.txn(lambda action: [action.put("changed", change), action.put(f"new{change}", "")])
    await writer.delete("deleted")
    last = (await writer.put("last", change)).revision
    await writer.compact(last)
    proxy.accept()


@pytest.mark.parametrize("filters", [(), (WatchFilter.NODELETE,), (WatchFilter.NOPUT,)])
async def test_differences(etcd_server: EtcdServer, filters: tuple[WatchFilter, ...]) -> None:
    namespace = f"differences{len(filters) + sum(filters)}/"
    async with (
        FaultProxy(etcd_server.endpoint) as proxy,
        EtcdClient(proxy.endpoint, namespace=namespace).connect() as communicator,
        EtcdClient(etcd_server.endpoint, namespace=namespace).connect() as writer,
    ):
        await writer.txn(lambda action: [action.put(key, "0") for key in ("changed", "deleted", "same")])
        async with communicator.watch_prefix("", resync=True, batches=True, filters=filters) as batches:
            for round_ in range(3):
                if round_:
                    revision = (await writer.put("deleted", "again")).revision
                    with trio.fail_after(10):
                        await batches.wait_revision(revision)
                    if WatchFilter.NOPUT not in filters:
                        with trio.fail_after(10):
                            batch = await batches.receive()
                        assert told(batch.events) == [(PUT, "deleted", "again")]
                await resyncing(proxy, writer, batches, str(round_))  # type: ignore[arg-type]
                expected = []
                if WatchFilter.NODELETE not in filters:
                    expected = [(DELETE, "deleted", "")]
                if WatchFilter.NOPUT not in filters:
                    expected += [
                        (PUT, "changed", str(round_)),
                        (PUT, f"new{round_}", ""),
                        (PUT, "last", str(round_)),
                    ]
                with trio.fail_after(10):
                    batch = await batches.receive()
                assert isinstance(batch, WatchBatch)
                assert told(batch.events) == expected
                assert all(event.synthetic and not event.coalesced for event in batch.events)
                assert batch.events[0].revision == batch.revision or batch.events[0].event is PUT


async def test_a_model_that_follows_over_compactions(etcd_server: EtcdServer) -> None:
    """Whatever breaks and is compacted: who applies all events has in the end what the server has."""
    rng = Random(7)
    async with (
        FaultProxy(etcd_server.endpoint) as proxy,
        EtcdClient(proxy.endpoint, namespace="model/").connect() as communicator,
        EtcdClient(etcd_server.endpoint, namespace="model/").connect() as writer,
    ):
        await writer.put("k0", "start")
        model = dict(await writer.get_prefix(""))
        seen: list[WatchEvent[str]] = []
        with trio.fail_after(60):
            async with (
                communicator.watch_prefix("", resync=True, buffer=5) as events,
                trio.open_nursery() as nursery,
            ):

                async def follow() -> None:
                    async for event in events:
                        seen.append(event)
                        if event.event is PUT:
                            model[event.key] = event.value
                        else:
                            del model[event.key]
                        if event.key == "end":
                            return

                nursery.start_soon(follow)
                for number in range(300):
                    key = f"k{rng.randrange(10)}"
                    if rng.random() < 0.3:
                        revision = (await writer.delete(key)).revision
                    else:
                        revision = (await writer.put(key, str(number))).revision
                    if rng.random() < 0.05:
                        proxy.cut()
                        if rng.random() < 0.7:
                            proxy.refuse()
                            await trio.sleep(0.01)
                    if rng.random() < 0.05:
                        await writer.compact(revision)
                    if rng.random() < 0.1:
                        proxy.accept()
                        await trio.sleep(0.05)
                proxy.accept()
                await writer.put("end", "")
        assert model == await writer.get_prefix("")
        assert any(event.synthetic for event in seen)


@pytest.mark.parametrize("http2", ["lean", "h2"])
async def test_lagging_behind_a_compaction(etcd_server: EtcdServer, http2: EngineName) -> None:
    """Who sleeps too long is told so, after everything that was received for it."""
    async with (
        connected(etcd_server, http2=http2, namespace="lag/") as communicator,
        connected(etcd_server, namespace="lag/") as writer,
    ):
        sleepers = [communicator.watch_prefix("", buffer=10) for _ in range(10)]
        for events in sleepers:
            await events.__aenter__()
        revisions = [(await writer.put("k", "x" * 10_000)).revision for _ in range(2000)]
        await writer.compact(revisions[-1])
        for events in sleepers:
            found: list[int] = []
            with trio.fail_after(20):
                try:
                    while len(found) < len(revisions):
                        found.append((await events.receive()).revision)
                except CompactedError as error:
                    assert error.compact_revision == revisions[-1]
                    with pytest.raises(CompactedError):
                        await events.receive()
            assert found == revisions[: len(found)]
            assert len(found) >= 10
            await events.aclose()
