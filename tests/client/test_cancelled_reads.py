"""Transactions that only read: etcd 3.5.0 to 3.5.6 crash when one is cancelled, so the server never hears of it."""

from __future__ import annotations

from functools import partial

import pytest
import trio

from client._kit import live
from client._peer import open_peer
from etcetra_trio import EtcdClient, TxnAction
from etcetra_trio.streams._endpoints import EngineName
from etcetra_trio.testing import EtcdServer


@pytest.fixture(params=["lean", "h2"])
def engine(request: pytest.FixtureRequest) -> EngineName:
    name: EngineName = request.param
    return name


def fill(page: int, action: TxnAction[str]) -> None:
    for number in range(100):
        action.put(f"k/{page:02}/{number:03}", "v" * 200)


@pytest.mark.parametrize("close", [False, True])
async def test_the_server_lives(engine: EngineName, *, close: bool) -> None:
    """Large ones, cancelled while the server reads; with ``close`` the connection goes at the same time."""
    async with EtcdServer() as server:
        client = EtcdClient(server.endpoint, http2=engine)
        async with client.connect() as communicator:
            for page in range(40):
                await communicator.txn(partial(fill, page))
            for attempt in range(20):
                with trio.move_on_after(0.001 + 0.001 * attempt):
                    if close:
                        async with client.connect() as other:
                            await other.txn(lambda action: [action.get_prefix("k/") for _ in range(3)])
                    else:
                        await communicator.txn(lambda action: [action.get_prefix("k/") for _ in range(3)])
                assert await communicator.count("k/01/001") == 1


async def test_what_is_cancelled_is_not_reset(engine: EngineName) -> None:
    async with open_peer() as peer:
        async with EtcdClient(peer.endpoint, http2=engine).connect() as communicator:
            with trio.move_on_after(3600) as scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(communicator.txn, lambda action: action.get("k"))
                    await peer.wait_for("requests")
                    nursery.start_soon(communicator.txn, lambda action: action.put("k", "v"))
                    while len(peer.requests) < 2:
                        await trio.sleep(0.001)
                    scope.cancel("the test")
            read, write = peer.requests
            assert b"grpc-timeout" not in read, "its end would be a cancel too"
            assert b"grpc-timeout" in write
            await peer.wait_for("resets")
            assert len(live(communicator).engine.streams) == 1
            before = trio.current_time()
        assert 0.9 < trio.current_time() - before < 3, "this server never answers"
        assert len(peer.resets) == 1


async def test_leaving_waits_no_longer_than_for_the_answer(
    engine: EngineName, etcd_server: EtcdServer
) -> None:
    async with EtcdClient(etcd_server.endpoint, http2=engine).connect() as communicator:
        etcd_server.stop()
        try:
            with trio.move_on_after(0.05):
                await communicator.txn(lambda action: action.get("k"))
        finally:
            etcd_server.cont()
        connection = live(communicator)
        assert connection.engine.streams
        before = trio.current_time()
    assert trio.current_time() - before < 0.5
    assert not connection.engine.streams
