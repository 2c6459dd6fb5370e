"""The reader of a lonely watch reads the socket itself: nothing may be lost when it goes, or when others come."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
import trio

from etcetra_trio import EtcdClient, WatchEvent, WatchFilter
from etcetra_trio.streams._endpoints import EngineName
from etcetra_trio.streams._transport import LOAN, Transport
from etcetra_trio.testing import EtcdServer, FaultProxy
from watch._kit import ENGINES, Events, Text, stream_connection, take, true_progress

pytestmark = pytest.mark.parametrize("http2", ENGINES)


@asynccontextmanager
async def watching(endpoint: str, http2: EngineName) -> AsyncGenerator[tuple[Text, Events]]:
    async with EtcdClient(endpoint, http2=http2, ping_interval=60).connect() as communicator:
        async with communicator.watch_prefix("k") as events:
            yield communicator, events


def lender(events: Events) -> Transport | None:
    return events._watcher.lender


async def lent(communicator: Text, events: Events) -> Transport:
    """Read until reading is lent to the reader; the connection that lends it."""
    with trio.fail_after(5):
        while (found := lender(events)) is None:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(events.receive)
                await trio.testing.wait_all_tasks_blocked()
                await communicator.put("k", "first")
    assert found is stream_connection(communicator)
    return found


class Reader:
    """A task that waits for one event, with reading lent to it."""

    def __init__(self) -> None:
        self.got: WatchEvent[str] | None = None
        self.error: Exception | None = None
        self.scope = trio.CancelScope()
        self.done = trio.Event()

    @property
    def value(self) -> str:
        """Of the event that came."""
        assert self.got is not None
        return self.got.value

    async def run(self, events: Events) -> None:
        try:
            with self.scope:
                self.got = await events.receive()
        except trio.ClosedResourceError as error:
            self.error = error
        self.done.set()


@asynccontextmanager
async def borrowing(communicator: Text, events: Events) -> AsyncGenerator[tuple[Reader, Transport]]:
    connection = await lent(communicator, events)
    reader = Reader()
    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(reader.run, events)
            while not connection._borrowed:
                await trio.lowlevel.checkpoint()
            yield reader, connection
            await reader.done.wait()


async def test_every_event_comes_once(etcd_server: EtcdServer, http2: EngineName) -> None:
    """Alone, in transactions, and many at once; while it waits, and while it is elsewhere."""
    async with watching(etcd_server.endpoint, http2) as (communicator, events):
        expected: list[str] = []
        times_lent = 0

        async def write() -> None:
            for turn in range(60):
                for number in range(turn % 3 + 1):
                    expected.append(f"{turn} {number}")
                    await communicator.put("k", expected[-1])
                if turn % 4 == 0:
                    both = [f"k{turn} {number}" for number in range(2)]
                    expected.extend(both)
                    await communicator.txn(lambda action, both=both: [action.put(key, key) for key in both])  # type: ignore[misc]
                await trio.sleep(0.002 * (turn % 2))

        got: list[str] = []
        with trio.fail_after(20):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(write)
                while len(got) < 60 * 2 + 15 * 2:
                    got.append((await events.receive()).value)
                    times_lent += lender(events) is not None
                    if len(got) % 10 == 0:
                        await trio.sleep(0.003)
        assert got == expected
        assert times_lent > 10


async def test_who_is_cancelled_loses_nothing(etcd_server: EtcdServer, http2: EngineName) -> None:
    async with watching(etcd_server.endpoint, http2) as (communicator, events):
        async with borrowing(communicator, events) as (reader, connection):
            reader.scope.cancel()
        assert reader.got is None
        await communicator.put("k", "later")
        assert [event.value for event in await take(events, 1)] == ["later"]
        assert connection is stream_connection(communicator)


async def test_who_stays_away_gets_it_later(etcd_server: EtcdServer, http2: EngineName) -> None:
    """The reader task goes on by itself after a while, so that pings are answered and the buffer fills."""
    async with watching(etcd_server.endpoint, http2) as (communicator, events):
        await lent(communicator, events)
        await communicator.put("k", "away")
        with trio.fail_after(5):
            while lender(events) is not None or not events.statistics().buffered:
                await trio.sleep(LOAN / 10)
        assert [event.value for event in await take(events, 1)] == ["away"]


async def test_it_ends_just_when_its_time_does(etcd_server: EtcdServer, http2: EngineName) -> None:
    """The reader task is woken by the time, and not by who ends the loan: it must see that there is none any more."""
    async with watching(etcd_server.endpoint, http2) as (communicator, events):
        async with borrowing(communicator, events) as (reader, connection):
            connection._term.cancel()
            connection.end_loan()
            await communicator.put("k", "next")
        assert reader.value == "next"


async def test_closed_by_another_task(etcd_server: EtcdServer, http2: EngineName) -> None:
    async with watching(etcd_server.endpoint, http2) as (communicator, events):
        async with borrowing(communicator, events) as (reader, _):
            await events.aclose()
        assert isinstance(reader.error, trio.ClosedResourceError)


async def test_the_client_is_left(etcd_server: EtcdServer, http2: EngineName) -> None:
    reader = Reader()
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            async with EtcdClient(etcd_server.endpoint, http2=http2).connect() as communicator:
                events = communicator.watch_prefix("k")
                await events.__aenter__()
                connection = await lent(communicator, events)
                nursery.start_soon(reader.run, events)
                while not connection._borrowed:
                    await trio.lowlevel.checkpoint()
            await reader.done.wait()
    assert isinstance(reader.error, trio.ClosedResourceError)


async def test_another_watch_comes(etcd_server: EtcdServer, http2: EngineName) -> None:
    async with watching(etcd_server.endpoint, http2) as (communicator, events):
        async with borrowing(communicator, events) as (reader, connection):
            async with communicator.watch_prefix("k") as others:
                assert lender(events) is None
                await communicator.put("k", "both")
                assert [event.value for event in await take(others, 1)] == ["both"]
        assert reader.value == "both"
        assert not connection._borrowed


async def test_another_stream_comes_while_the_reader_is_away(
    etcd_server: EtcdServer, http2: EngineName
) -> None:
    async with watching(etcd_server.endpoint, http2) as (communicator, events):
        await lent(communicator, events)
        async with communicator.lease(2) as lease:  # it is kept alive over the same connection
            await trio.sleep(2)
            assert lender(events) is None
            assert not lease.lost
            await communicator.put("k", "meanwhile")
            assert [event.value for event in await take(events, 1)] == ["meanwhile"]


async def test_progress_meanwhile(etcd_server: EtcdServer, http2: EngineName) -> None:
    async with watching(etcd_server.endpoint, http2) as (communicator, events):
        async with borrowing(communicator, events) as (reader, _):
            revision = (await communicator.put("other", "1")).revision + 1
            async with trio.open_nursery() as nursery:
                nursery.start_soon(events.wait_revision, revision)
                await trio.sleep(0.2)
                await communicator.put("k", "last")
        assert reader.value == "last"


@pytest.mark.parametrize("how", ["cut", "stopped server"])
async def test_the_connection_breaks(etcd_server: EtcdServer, http2: EngineName, how: str) -> None:
    with trio.fail_after(30):
        async with EtcdServer() as server, FaultProxy(server.endpoint) as proxy:
            async with watching(proxy.endpoint, http2) as (communicator, events):
                async with borrowing(communicator, events) as (reader, connection):
                    if how == "cut":
                        proxy.cut()
                    else:
                        await server.arestart()
                    while communicator._endpoints.live_for_streams in {None, connection}:
                        await trio.sleep(0.01)
                    await communicator.put("k", "after")
                assert reader.value == "after"
                assert not connection._borrowed


async def test_the_writer_waits_when_the_reader_is_sent_away(
    etcd_server: EtcdServer, http2: EngineName
) -> None:
    """Trio tells everybody who waits for the socket; the writer must go on waiting."""
    async with FaultProxy(etcd_server.endpoint) as proxy:
        async with watching(proxy.endpoint, http2) as (communicator, events):
            async with borrowing(communicator, events) as (reader, connection):
                proxy.throttle(1)
                while connection._unsent is None:
                    connection._send(unknown_frame())
                await trio.testing.wait_all_tasks_blocked()
                assert lender(events) is connection
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(watch_something_else, communicator)
                    await trio.testing.wait_all_tasks_blocked()
                    assert not connection._borrowed
                    proxy.heal()
                await communicator.put("k", "after")
            assert reader.value == "after"
            assert connection is stream_connection(communicator)


async def watch_something_else(communicator: Text) -> None:
    async with communicator.watch("other"):
        pass


def unknown_frame() -> bytes:
    """Of a kind that every server ignores."""
    return (16_384).to_bytes(3, "big") + b"\xee" + bytes(5 + 16_384)


async def test_events_that_are_not_wanted(etcd_server: EtcdServer, http2: EngineName) -> None:
    """They come, as resync needs them, and the reader waits on: what follows must not wait for the end of the loan."""
    async with EtcdClient(etcd_server.endpoint, http2=http2).connect() as communicator:
        async with communicator.watch_prefix("k", resync=True, filters=[WatchFilter.NOPUT]) as events:
            took: list[float] = []
            with trio.fail_after(20):
                for _ in range(5):
                    async with trio.open_nursery() as nursery:
                        nursery.start_soon(events.receive)
                        for _ in range(3):
                            await communicator.put("k", "")
                            await trio.sleep(0.002)
                        await communicator.delete("k")
                        began = trio.current_time()
                    took.append(trio.current_time() - began)
            assert min(took) < LOAN / 4


async def test_progress_while_the_reader_is_away(etcd_server: EtcdServer, http2: EngineName) -> None:
    """Whoever asks something has the reader task go on: nobody else would read the answer."""
    if not true_progress(etcd_server):
        return
    async with watching(etcd_server.endpoint, http2) as (communicator, events):
        took: list[float] = []
        with trio.fail_after(20):
            await events.progress()  # the first one asks for the server's version
            for _ in range(5):
                await lent(communicator, events)
                began = trio.current_time()
                await events.progress()
                took.append(trio.current_time() - began)
        assert min(took) < LOAN / 4
