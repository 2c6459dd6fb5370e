"""``iter_range``: every record once, in order, as of one revision; over RangeStream where the server has it."""

from __future__ import annotations

import gc
import warnings

import pytest
import trio
import trio.testing

from client._kit import cancelled_at, live, version_of
from etcetra_trio import (
    CompactedError,
    EtcdClient,
    EtcdCommunicator,
    FutureRevisionError,
    KeyValue,
    RangeIterator,
)
from etcetra_trio._proto._methods import RANGE_STREAM
from etcetra_trio.streams._endpoints import EngineName
from etcetra_trio.testing import EtcdServer

Communicator = EtcdCommunicator[str]


async def fill(communicator: Communicator, count: int, size: int = 10) -> list[str]:
    """``count`` keys with values of ``size`` letters; the keys."""
    keys = [f"{number:05}" for number in range(count)]
    for start in range(0, count, 100):
        part = keys[start : start + 100]
        await communicator.txn(lambda action, part=part: [action.put(key, "x" * size) for key in part])  # type: ignore[misc]
    return keys


async def read(records: RangeIterator[str]) -> list[str]:
    return [record.key async for record in records]


def streams_used(communicator: Communicator) -> bool:
    """Whether RangeStream was asked for on this connection."""
    return any(path == RANGE_STREAM.path for path, _ in live(communicator)._heads)


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 16, 72, 73, 5000])
async def test_every_record_in_order(communicator: Communicator, count: int) -> None:
    keys = await fill(communicator, count)
    assert await read(communicator.iter_range("", prefix=True)) == keys
    assert await read(communicator.iter_range("\0", "\0")) == keys


@pytest.mark.parametrize("engine", ["lean", "h2"])
async def test_large_records_on_both_engines(etcd_server: EtcdServer, engine: EngineName) -> None:
    client = EtcdClient(etcd_server.endpoint, namespace=f"iter/{engine}/", http2=engine)
    async with client.connect() as communicator:
        keys = await fill(communicator, 1000, 10 << 10)
        async with communicator.iter_range("", prefix=True) as records:
            found = [record async for record in records]
        assert [record.key for record in found] == keys
        assert {record.value for record in found} == {"x" * (10 << 10)}
        assert (await communicator.delete_prefix("")).deleted == 1000


async def test_range_stream_is_used_where_the_server_has_it(
    communicator: Communicator, etcd_server: EtcdServer
) -> None:
    keys = await fill(communicator, 100)
    assert await read(communicator.iter_range("", prefix=True)) == keys
    assert streams_used(communicator), "the server is asked once"
    lacking = RANGE_STREAM.path in live(communicator).unimplemented
    assert lacking is (version_of(etcd_server) < (3, 7))


async def test_a_server_without_range_stream_is_asked_once(
    communicator: Communicator, etcd_server: EtcdServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = await fill(communicator, 100)
    connection, asked = live(communicator), 0
    stream = connection.stream

    def counted(*args, **kwargs):  # type: ignore[no-untyped-def]
        nonlocal asked
        asked += 1
        return stream(*args, **kwargs)

    monkeypatch.setattr(connection, "stream", counted)
    for _ in range(3):
        assert await read(communicator.iter_range("", prefix=True)) == keys
    assert asked == (1 if version_of(etcd_server) < (3, 7) else 3)


async def test_what_fits_into_a_page_needs_no_stream(communicator: Communicator) -> None:
    await fill(communicator, 8)
    assert len(await read(communicator.iter_range("", prefix=True))) == 8
    assert not streams_used(communicator)


async def test_records_are_full_ones(communicator: Communicator) -> None:
    create = (await communicator.put("k", "1")).revision
    await communicator.put("k", "2")
    record = KeyValue("k", "2", create, create + 1, 2, 0)
    assert [found async for found in communicator.iter_range("k")] == [record]
    assert [found async for found in communicator.iter_range("k", keys_only=True)] == [
        record._replace(value="")
    ]


async def test_options(communicator: Communicator) -> None:
    keys = await fill(communicator, 200)
    last = (await communicator.put("00100", "again")).revision
    assert await read(communicator.iter_range("00050", "00150")) == keys[50:150]
    assert await read(communicator.iter_range("001", prefix=True)) == keys[100:]
    assert await read(communicator.iter_range("\0", "\0", serializable=True)) == keys
    assert await read(communicator.iter_range("", prefix=True, min_mod_revision=last)) == ["00100"]
    assert await read(communicator.iter_range("", prefix=True, max_mod_revision=last - 2)) == keys[:100]
    assert await read(communicator.iter_range("", prefix=True, min_create_revision=last - 1)) == keys[100:]
    assert await read(communicator.iter_range("", prefix=True, max_create_revision=last - 2)) == keys[:100]
    old = [found async for found in communicator.iter_range("00100", "00102", revision=last - 1)]
    assert [found.value for found in old] == ["x" * 10] * 2
    with pytest.raises(FutureRevisionError):
        await communicator.iter_range("k", revision=last + 1000).receive()


async def test_all_as_of_one_revision(communicator: Communicator) -> None:
    keys = await fill(communicator, 1000)
    revision = (await communicator.put(keys[0], "x" * 10)).revision
    async with communicator.iter_range("", prefix=True) as records, trio.open_nursery() as nursery:
        seen = [await records.receive()]

        async def write() -> None:
            for number in range(300):
                await communicator.put(keys[999 - number], "changed")
                await communicator.put(f"{keys[999 - number]}.new", "added")
                await communicator.delete(keys[600 - number])

        nursery.start_soon(write)
        async for record in records:
            seen.append(record)
            if len(seen) % 10 == 0:
                await trio.sleep(0.001)
    assert [record.key for record in seen] == keys
    assert {record.value for record in seen} == {"x" * 10}
    assert records.revision == revision


async def test_compaction_in_the_middle(communicator: Communicator) -> None:
    keys = await fill(communicator, 1000, 10 << 10)
    seen: list[str] = []
    async with communicator.iter_range("", prefix=True) as records:
        with pytest.raises(CompactedError):
            async for record in records:
                seen.append(record.key)
                if len(seen) == 20:
                    await communicator.compact((await communicator.put("k", "v")).revision)
    assert 20 <= len(seen) < 1000
    assert seen == keys[: len(seen)], "what had come by then is not lost"


@pytest.mark.parametrize("parked", [True, False])
async def test_cancellation_at_every_checkpoint_loses_nothing(
    communicator: Communicator, parked: bool
) -> None:
    keys = await fill(communicator, 300, 1000)
    seen: list[str] = []
    cancelled = 0
    async with communicator.iter_range("", prefix=True) as records:

        async def take() -> None:
            seen.append((await records.receive()).key)

        while len(seen) < 300:
            for step in range(1, 9):
                before = len(seen)
                if not await cancelled_at(step, take, parked=parked):
                    break
                cancelled += 1
                assert len(seen) == before
        with pytest.raises(trio.EndOfChannel):
            await records.receive()
    assert seen == keys
    assert cancelled > 300, "each receive is a checkpoint at least"


async def test_every_receive_is_a_checkpoint(communicator: Communicator) -> None:
    await fill(communicator, 3)
    records = communicator.iter_range("", prefix=True)
    for _ in range(3):
        with trio.testing.assert_checkpoints():
            await records.receive()
    for _ in range(2):
        with trio.testing.assert_checkpoints(), pytest.raises(trio.EndOfChannel):
            await records.receive()
    with trio.testing.assert_checkpoints():
        await records.aclose()
    with trio.testing.assert_checkpoints():
        assert await read(communicator.iter_range("nothing")) == []


async def test_one_reader_at_a_time(communicator: Communicator) -> None:
    await fill(communicator, 3)
    records = communicator.iter_range("", prefix=True)
    outcomes: list[type] = []

    async def receive() -> None:
        try:
            outcomes.append(type(await records.receive()))
        except trio.BusyResourceError:
            outcomes.append(trio.BusyResourceError)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(receive)
        nursery.start_soon(receive)
    assert outcomes == [trio.BusyResourceError, KeyValue]
    assert len(await read(records)) == 2


async def test_closed(communicator: Communicator) -> None:
    await fill(communicator, 200)
    async with communicator.iter_range("", prefix=True) as records:
        for _ in range(20):
            await records.receive()
    assert live(communicator).engine.streams == {}
    for _ in range(2):
        with pytest.raises(trio.ClosedResourceError):
            await records.receive()
        await records.aclose()


async def test_closed_by_another_task(communicator: Communicator) -> None:
    await fill(communicator, 200)
    for received in (0, 8, 20, 199):
        records = communicator.iter_range("", prefix=True)
        for _ in range(received):
            await records.receive()
        async with trio.open_nursery() as nursery:

            async def wait(records: RangeIterator[str] = records) -> None:
                with pytest.raises(trio.ClosedResourceError):
                    await read(records)

            nursery.start_soon(wait)
            await trio.lowlevel.checkpoint()
            await records.aclose()


async def test_dropping_it_in_the_middle(communicator: Communicator, etcd_server: EtcdServer) -> None:
    await fill(communicator, 1000, 10 << 10)
    records = communicator.iter_range("", prefix=True)
    for _ in range(20):
        await records.receive()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        del records
        gc.collect()
    await trio.testing.wait_all_tasks_blocked()
    assert live(communicator).engine.streams == {}
    if version_of(etcd_server) >= (3, 7):  # a stream was under way there
        [warning] = caught
        assert warning.category is ResourceWarning
        assert "use `async with`" in str(warning.message)
    else:
        assert caught == []


async def test_after_the_connection(etcd: EtcdClient[str]) -> None:
    async with etcd.connect() as communicator:
        await fill(communicator, 1000, 10 << 10)
        records = communicator.iter_range("", prefix=True)
        for _ in range(20):
            await records.receive()
    with pytest.raises(trio.ClosedResourceError):
        await read(records)
    await records.aclose()


async def test_over_a_lost_connection_it_goes_on(communicator: Communicator) -> None:
    keys = await fill(communicator, 1000, 10 << 10)
    seen: list[str] = []
    async with communicator.iter_range("", prefix=True) as records:
        async for record in records:
            seen.append(record.key)
            if len(seen) == 100:
                live(communicator)._shut_down()
                await trio.sleep(0.05)
    assert seen == keys
