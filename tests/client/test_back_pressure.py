"""Memory stays bounded, whatever the server has to tell: by pages, and by HTTP/2's windows."""

from __future__ import annotations

import tracemalloc
from collections.abc import AsyncGenerator

import pytest
import trio

from client._kit import live
from etcetra_trio import EtcdClient, EtcdCommunicator
from etcetra_trio._proto._messages import etcdserverpb as pb
from etcetra_trio._proto._methods import SNAPSHOT
from etcetra_trio.testing import EtcdServer

MIB = 1 << 20
Bytes = EtcdCommunicator[bytes]


@pytest.fixture(params=["lean", "h2"])
async def own(request: pytest.FixtureRequest) -> AsyncGenerator[Bytes]:
    """A server of its own, for these tests fill it."""
    async with (
        EtcdServer() as server,
        EtcdClient(server.endpoint, encoding=None, http2=request.param).connect() as communicator,
    ):
        yield communicator


async def fill(communicator: Bytes, prefix: str, count: int, size: int) -> None:
    at_once = min(100, MIB // size)
    for start in range(0, count, at_once):
        numbers = range(start, min(count, start + at_once))
        await communicator.txn(
            lambda action, numbers=numbers: [  # type: ignore[misc]
                action.put(f"{prefix}{number:05}".encode(), bytes(size)) for number in numbers
            ]
        )


async def peak_of_reading(communicator: Bytes) -> tuple[int, int]:
    """How many octets of values were read, and the most memory that was in use meanwhile."""
    total = 0
    tracemalloc.start()
    try:
        async with communicator.iter_range(b"", prefix=True) as records:
            async for record in records:
                total += len(record.value)
        return total, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("own", ["lean"], indirect=True)
async def test_reading_a_large_range_takes_little_memory(own: Bytes) -> None:
    await fill(own, "k", 5000, 10 << 10)
    total, peak = await peak_of_reading(own)
    assert total == 5000 * (10 << 10)
    assert peak < 8 * MIB, f"{peak / MIB:.1f} MiB"


@pytest.mark.parametrize("own", ["lean"], indirect=True)
async def test_records_that_grow(own: Bytes) -> None:
    """After thousands of small records a page is for thousands; of 1 MiB each they must not all come at once."""
    await fill(own, "a", 3000, 100)
    await fill(own, "b", 20, MIB)
    total, peak = await peak_of_reading(own)
    assert total == 3000 * 100 + 20 * MIB
    assert peak < 16 * MIB, f"{peak / MIB:.1f} MiB"


async def test_a_slow_reader_of_a_stream_makes_the_server_wait(own: Bytes) -> None:
    await fill(own, "k", 1000, 10 << 10)
    connection = live(own)
    call = connection.stream(SNAPSHOT.path, message=bytes(pb.SnapshotRequest()), end=True)
    await call.wait_headers()
    await trio.sleep(0.3)
    held = sum(len(message) for message, _ in call._messages)
    assert 1 * MIB < held <= connection.engine.limits.stream_window, f"{held / MIB:.1f} MiB of 10"
    total = 0
    while (data := await call.receive()) is not None:
        total += len(data)
    assert call.end is not None
    assert (call.end.status, total > 10 * MIB) == (0, True)


async def test_a_stream_that_waits_leaves_the_others_alone(own: Bytes) -> None:
    await fill(own, "k", 1000, 10 << 10)
    call = live(own).stream(SNAPSHOT.path, message=bytes(pb.SnapshotRequest()), end=True)
    await call.wait_headers()
    with trio.fail_after(5):
        for _ in range(3):
            assert len(await own.get_prefix(b"k0")) == 1000
            assert await own.count(b"k", prefix=True) == 1000
    call.cancel()
    assert await own.get(b"k00001") == bytes(10 << 10)
    assert live(own).engine.streams == {}
