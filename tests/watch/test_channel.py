"""A watch as a Trio channel: checkpoints, one reader, closing, what cannot be decoded, dropping."""

from __future__ import annotations

import gc
import sys
import warnings

import pytest
import trio
from trio.testing import assert_checkpoints, wait_all_tasks_blocked

from etcetra_trio import EncodingError, EtcdClient
from etcetra_trio.streams._endpoints import EngineName
from etcetra_trio.testing import EtcdServer
from watch._kit import ENGINES, Events, Text, connected, eventually, streams, take, wait_watches, watches_of


async def test_every_step_is_a_checkpoint(communicator: Text) -> None:
    await communicator.put("k", "0")
    revision = (await communicator.range("k")).kvs[0].mod_revision
    events = communicator.watch_prefix("", start_revision=revision)
    with assert_checkpoints():
        await events.__aenter__()
    await communicator.txn(lambda action: [action.put("k1", ""), action.put("k2", "")])
    await communicator.put("k3", "")
    await eventually(lambda: events.statistics().buffered == 4)
    for _ in range(4):  # what waits already is given after a checkpoint, too
        with assert_checkpoints():
            await events.receive()
    with assert_checkpoints():
        await events.wait_revision(revision)
    with assert_checkpoints():
        await events.aclose()
    with assert_checkpoints():
        await events.aclose()
    for method in (events.receive, events.progress):
        with assert_checkpoints(), pytest.raises(trio.ClosedResourceError):
            await method()


async def test_a_second_reader_is_told_so(communicator: Text) -> None:
    async with communicator.watch("k") as events, trio.open_nursery() as nursery:
        got = []

        async def read() -> None:
            got.append(await events.receive())

        nursery.start_soon(read)
        await wait_all_tasks_blocked()
        for _ in range(2):
            with pytest.raises(trio.BusyResourceError):
                await events.receive()
        await communicator.put("k", "1")
        await eventually(lambda: len(got) == 1)
        nursery.start_soon(read)
        await communicator.put("k", "2")
    assert [event.value for event in got] == ["1", "2"]


async def test_readers_in_turn(communicator: Text) -> None:
    """A channel may have several readers, one at a time."""
    async with communicator.watch("k") as events:
        for number in range(5):
            await communicator.put("k", str(number))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(take, events, 1)
        assert events.statistics().buffered == 0


async def test_several_tasks_may_wait_for_the_beginning(communicator: Text) -> None:
    events = communicator.watch("k")
    revision = (await communicator.put("other", "")).revision
    async with trio.open_nursery() as nursery:
        nursery.start_soon(events.receive)
        nursery.start_soon(events.wait_revision, revision)
        nursery.start_soon(events.wait_revision, revision)
        await eventually(lambda: events.statistics().known_revision >= revision)
        await communicator.put("k", "1")
    await events.aclose()


async def test_closing_ends_the_reader(communicator: Text) -> None:
    events = await communicator.watch("k").__aenter__()
    async with trio.open_nursery() as nursery:

        async def read() -> None:
            with pytest.raises(trio.ClosedResourceError):
                await events.receive()

        nursery.start_soon(read)
        await wait_all_tasks_blocked()
        await events.aclose()
    with pytest.raises(trio.ClosedResourceError):
        await events.receive()


async def test_closing_ends_who_is_still_entering(communicator: Text) -> None:
    events = communicator.watch("k")
    async with trio.open_nursery() as nursery:

        async def enter() -> None:
            with pytest.raises(trio.ClosedResourceError):
                await events.__aenter__()

        nursery.start_soon(enter)
        while not streams(communicator):
            await trio.lowlevel.checkpoint()
        await events.aclose()
    assert streams(communicator) == 0


async def test_closing_throws_away_what_waits(communicator: Text) -> None:
    async with communicator.watch("k") as events:
        await communicator.put("k", "1")
        await communicator.txn(lambda action: [action.put("k", "2"), action.put("l", "")])
        await eventually(lambda: events.statistics().buffered == 2)
    assert (events.statistics().buffered, events.statistics().buffered_size) == (0, 0)
    with pytest.raises(trio.ClosedResourceError):
        await events.receive()


@pytest.mark.parametrize("http2", ENGINES)
async def test_the_clients_end_is_the_end_of_its_watches(etcd_server: EtcdServer, http2: EngineName) -> None:
    waiting: list[str] = []

    async def read(events: Events, first: str) -> None:
        with pytest.raises(trio.ClosedResourceError):
            async for event in events:
                waiting.append(event.value)
                assert event.value == first

    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            async with connected(etcd_server, http2=http2, namespace="the-end/") as communicator:
                early = await communicator.watch("k").__aenter__()
                late = await communicator.watch("k").__aenter__()
                await communicator.put("k", "1")
                await eventually(lambda: early.statistics().buffered + late.statistics().buffered == 2)
                nursery.start_soon(read, early, "1")
                await eventually(lambda: waiting == ["1"])
                await wait_all_tasks_blocked(0.01)
            nursery.start_soon(read, late, "1")  # what waited is given first
        assert waiting == ["1", "1"]
        for events in (early, late):
            with pytest.raises(trio.ClosedResourceError):
                await events.progress()
            await events.aclose()


async def test_one_that_never_began_is_over_with_the_client(etcd_server: EtcdServer) -> None:
    async with connected(etcd_server) as communicator:
        unborn = communicator.watch("k")
    with trio.fail_after(20):
        for method in (unborn.receive, unborn.receive, unborn.progress, unborn.__aenter__, unborn.receive):
            with pytest.raises(trio.ClosedResourceError):
                await method()


async def test_what_is_no_text_counts_as_given(communicator: Text) -> None:
    async with (
        communicator.watch_prefix("") as events,
        communicator.watch_prefix("", batches=True) as batches,
    ):
        raw = communicator.put
        await raw("a", b"\xff")
        await raw(b"b\xff", "v")
        revision = (await raw("c", "fine")).revision
        with pytest.raises(EncodingError, match="'a'"):
            await events.receive()
        with pytest.raises(EncodingError, match="key"):
            await events.receive()
        assert (await events.receive()).value == "fine"
        assert events.statistics().delivered_revision == revision
        for _ in range(2):
            with pytest.raises(EncodingError):
                await batches.receive()
        assert (await batches.receive()).revision == revision


@pytest.mark.parametrize("http2", ENGINES)
async def test_dropping_a_bare_watch(etcd_server: EtcdServer, http2: EngineName) -> None:
    async with connected(etcd_server, http2=http2) as communicator:
        before = await watches_of(etcd_server)
        revision = (await communicator.put("dropped", "1")).revision
        with pytest.warns(ResourceWarning, match="async with"):
            async for _ in communicator.watch("dropped", start_revision=revision):
                assert await watches_of(etcd_server) == (before[0] + 1, before[1] + 1)
                break
        await wait_watches(etcd_server, before)
        # On a shared stream as well.
        async with communicator.watch("keeper"):
            with pytest.warns(ResourceWarning):
                async for _ in communicator.watch("dropped", start_revision=revision):
                    break
            await wait_watches(etcd_server, (before[0] + 1, before[1] + 1))


async def test_dropping_where_warnings_are_errors(
    etcd_server: EtcdServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python cannot raise it, but the rest of what a dropped watch does must happen nevertheless."""
    told: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: told.append(unraisable.exc_value))
    async with connected(etcd_server) as communicator:
        before = await watches_of(etcd_server)
        revision = (await communicator.put("dropped", "1")).revision
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            async for _ in communicator.watch("dropped", start_revision=revision):
                break
        assert [type(warning) for warning in told] == [ResourceWarning]
        await wait_watches(etcd_server, before)


async def test_no_warning_where_the_reader_was_cancelled(etcd_server: EtcdServer) -> None:
    async with connected(etcd_server) as communicator:
        before = await watches_of(etcd_server)
        with trio.move_on_after(0.05):
            async for _ in communicator.watch("k"):
                pytest.fail("nobody wrote")
        gc.collect()
        await wait_watches(etcd_server, before)


async def test_no_warning_where_the_body_was_cancelled(communicator: Text, etcd_server: EtcdServer) -> None:
    before = await watches_of(etcd_server)
    with trio.move_on_after(0.2) as scope:
        async for _ in communicator.watch("k", start_revision=(await communicator.put("k", "1")).revision):
            await trio.sleep_forever()
    assert scope.cancelled_caught
    gc.collect()
    await wait_watches(etcd_server, before)


async def test_no_warning_where_the_client_was_left(etcd_server: EtcdServer) -> None:
    async with connected(etcd_server) as communicator:
        events = communicator.watch("k", start_revision=1 << 60)
        with trio.move_on_after(0.05):
            await events.receive()
    del events
    gc.collect()


async def test_no_warning_where_the_run_is_over(etcd_server: EtcdServer) -> None:
    """Nobody can tell the server then; it hears of it from the connection."""
    kept: list[object] = []

    async def main() -> None:
        async with EtcdClient(etcd_server.endpoint).connect() as communicator:
            events = communicator.watch("k")
            with trio.move_on_after(0.05):
                await events.receive()
            kept.append(events)

    await trio.to_thread.run_sync(trio.run, main)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kept.clear()
        gc.collect()
