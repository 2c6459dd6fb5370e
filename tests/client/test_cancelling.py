"""Cancelling calls: the server hears of it, nothing is kept, deadlines travel, every async method is a checkpoint."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio
import trio.testing

from client._kit import cancelled_at, live, nothing_left
from client._peer import open_peer
from etcetra_trio import EtcdClient, EtcdCommunicator
from etcetra_trio._proto._messages import etcdserverpb as pb
from etcetra_trio.streams._endpoints import EngineName
from etcetra_trio.testing import EtcdServer, cancel_sweep

Communicator = EtcdCommunicator[str]
RESET_CANCEL = 8  # RFC 9113, 7


@pytest.fixture(params=["lean", "h2"])
def engine(request: pytest.FixtureRequest) -> EngineName:
    name: EngineName = request.param
    return name


async def test_a_cancelled_call_resets_its_stream_and_frees_everything(engine: EngineName) -> None:
    async with open_peer() as peer:
        client = EtcdClient(peer.endpoint, http2=engine)
        async with client.connect() as communicator:
            with trio.CancelScope() as scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(communicator.get, "k")
                    nursery.start_soon(communicator.put, "k", "v")
                    await peer.wait_for("requests")
                    while len(peer.requests) < 2:
                        await trio.sleep(0.001)
                    assert len(live(communicator).engine.streams) == 2
                    scope.cancel("the test")
            assert live(communicator).engine.streams == {}, "at once, not when the server has heard of it"
            await peer.wait_for("resets")
            while len(peer.resets) < 2:
                await trio.sleep(0.001)
            assert set(peer.resets.values()) == {RESET_CANCEL}
            peer.answer = bytes(pb.RangeResponse())
            assert await communicator.get("k") is None, "the connection goes on"
            assert len(peer.connections) == 1


async def test_deadlines_travel(engine: EngineName) -> None:
    async with open_peer() as peer:
        peer.answer = bytes(pb.RangeResponse())
        client = EtcdClient(peer.endpoint, http2=engine)
        async with client.connect() as communicator:
            await communicator.get("k")
            with trio.fail_after(10):
                await communicator.get("k")
            with trio.fail_after(3600), trio.move_on_after(2), trio.fail_after(60):
                await communicator.get("k")
            with trio.move_on_after(1), trio.CancelScope(shield=True):
                await communicator.get("k")
            with trio.fail_after(10_000_000):
                await communicator.get("k")
    found = [request.get(b"grpc-timeout") for request in peer.requests]
    assert found[0] is None, "no deadline, no header"
    assert milliseconds(found[1]) == pytest.approx(10_500, abs=400)
    assert milliseconds(found[2]) == pytest.approx(2_500, abs=400), "the nearest one counts"
    assert found[3] is None, "shielded from it"
    assert milliseconds(found[4]) == pytest.approx(10_000_000_500, rel=0.01)


def milliseconds(value: bytes | None) -> int:
    assert value is not None
    assert len(value) <= 9
    return int(value[:-1]) * {b"m": 1, b"S": 1000, b"M": 60_000, b"H": 3_600_000}[value[-1:]]


async def test_what_a_request_looks_like(engine: EngineName) -> None:
    async with open_peer() as peer:
        peer.answer = bytes(pb.RangeResponse())
        async with EtcdClient(peer.endpoint, http2=engine).connect() as communicator:
            await communicator.get("k")
            await communicator.get("k", serializable=True)
    first, second = peer.requests
    assert first[b":method"] == b"POST"
    assert first[b":path"] == b"/etcdserverpb.KV/Range"
    assert first[b":scheme"] == b"http"
    assert first[b":authority"] == peer.endpoint.encode()
    assert first[b"te"] == b"trailers"
    assert first[b"content-type"] == b"application/grpc"
    assert first[b"hasleader"] == b"true"
    assert b"hasleader" not in second, "a serializable read needs no leader"
    assert peer.bodies[1] == b"\0\0\0\0\3" + bytes(pb.RangeRequest(key=b"k"))


async def test_our_own_time_out_is_trios(etcd: EtcdClient[str], etcd_server: EtcdServer) -> None:
    async with etcd.connect() as communicator:
        await communicator.put("k", "v")
        etcd_server.stop()
        try:
            for call in (lambda: communicator.get("k"), lambda: communicator.put("k", "w")):
                with pytest.raises(trio.TooSlowError):
                    with trio.fail_after(0.05):
                        await call()
            assert live(communicator).engine.streams == {}
        finally:
            etcd_server.cont()
        assert await communicator.get("k") in {"v", "w"}


CALLS: dict[str, Callable[[Communicator], Awaitable[object]]] = {
    "get": lambda c: c.get("k"),
    "get with options": lambda c: c.get("k", serializable=True),
    "get_prefix": lambda c: c.get_prefix("k"),
    "get_range": lambda c: c.get_range("k", "l"),
    "keys_prefix": lambda c: c.keys_prefix("k"),
    "keys_range": lambda c: c.keys_range("k", "l"),
    "range": lambda c: c.range("k"),
    "count": lambda c: c.count("k"),
    "put": lambda c: c.put("k", "v"),
    "put with options": lambda c: c.put("k", "v", prev_kv=True),
    "delete": lambda c: c.delete("no such key"),
    "delete_prefix": lambda c: c.delete_prefix("no such key"),
    "delete_range": lambda c: c.delete_range("x", "y"),
    "txn": lambda c: c.txn(lambda action: action.put("k", "v")),
    "txn_compare": lambda c: c.txn_compare([], lambda success, _failure: success.get("k")),
    "iter_range": lambda c: c.iter_range("k").receive(),
}


@pytest.mark.parametrize("name", CALLS)
async def test_every_call_is_a_checkpoint(communicator: Communicator, name: str) -> None:
    await communicator.put("k", "v")
    with trio.testing.assert_checkpoints():
        await CALLS[name](communicator)


async def test_compact_is_a_checkpoint(communicator: Communicator) -> None:
    revision = (await communicator.put("k", "v")).revision
    with trio.testing.assert_checkpoints():
        await communicator.compact(revision)


@pytest.mark.parametrize("name", CALLS)
async def test_cancelled_at_every_checkpoint(communicator: Communicator, name: str) -> None:
    await communicator.put("k", "v")

    async def nothing_is_open() -> None:
        while name == "txn_compare" and live(communicator).engine.streams:
            await trio.sleep(0.001)  # it only reads, so it is not reset: see test_cancelled_reads.py
        assert live(communicator).engine.streams == {}

    report = await cancel_sweep(lambda: CALLS[name](communicator), nothing_is_open)
    assert report.cancelled
    assert await communicator.get("k") == "v"


async def test_a_cancelled_call_sends_nothing(communicator: Communicator) -> None:
    with trio.CancelScope() as scope:
        scope.cancel("before")
        await communicator.put("k", "v")
    assert scope.cancelled_caught
    assert await communicator.get("k") is None


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_connecting_cancelled_at_every_checkpoint(etcd_server: EtcdServer, host: str) -> None:
    client = EtcdClient(f"{host}:{etcd_server.port}")

    async def connect() -> None:
        with nothing_left():
            async with client.connect() as communicator:
                await communicator.get("k")

    report = await cancel_sweep(connect)
    assert report.cancelled >= 5


async def test_a_first_call_cancelled_while_it_connects(etcd_server: EtcdServer) -> None:
    """The next call is not hindered by the one that gave up."""
    for step in range(1, 12):
        with nothing_left():
            async with EtcdClient(etcd_server.endpoint).connect(wait=False) as communicator:
                await cancelled_at(step, lambda: communicator.get("k"), parked=True)
                assert await communicator.get("no such key") is None


async def test_waiting_behind_one_that_connects(etcd_server: EtcdServer) -> None:
    """Whoever connects may be cancelled; those who waited for it connect themselves."""
    found: list[object] = []

    async def get(communicator: Communicator) -> None:
        found.append(await communicator.get("no such key"))

    async with EtcdClient(f"localhost:{etcd_server.port}").connect(wait=False) as communicator:
        with trio.fail_after(5):
            async with trio.open_nursery() as nursery:
                with trio.CancelScope() as scope:
                    async with trio.open_nursery() as first:
                        first.start_soon(communicator.get, "k")
                        await trio.lowlevel.checkpoint()
                        for _ in range(3):
                            nursery.start_soon(get, communicator)
                        await trio.lowlevel.checkpoint()
                        scope.cancel("the first gives up")
    assert found == [None] * 3


async def test_many_calls_cancelled_at_once(communicator: Communicator) -> None:
    """A storm of resets, and the connection lives."""
    for _ in range(5):
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                for number in range(300):
                    nursery.start_soon(communicator.get, f"{number}")
                await trio.lowlevel.checkpoint()
                await trio.lowlevel.checkpoint()
                scope.cancel("all of them")
        assert live(communicator).engine.streams == {}
    connection = live(communicator)
    assert await communicator.get("k") is None
    assert live(communicator) is connection
