"""A connection that breaks before it carried its first call is lost like any other: calls go on over another one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio
from client._kit import address, listener
from engines._frames import goaway, settings

from etcetra_trio import CompareKey, EtcdClient, EtcdCommunicator
from etcetra_trio.streams._endpoints import EngineName
from etcetra_trio.testing import EtcdServer, FaultProxy

Text = EtcdCommunicator[str]


async def lock(communicator: Text) -> None:
    async with communicator.lock("young", ttl=5):
        pass


CALLS: dict[str, Callable[[Text], Awaitable[object]]] = {
    "get": lambda c: c.get("k"),
    "put": lambda c: c.put("k", "v"),
    "txn": lambda c: c.txn_compare([CompareKey("k").version == 0], lambda success, _: success.get("k")),
    "lock": lock,
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("http2", ["lean", "h2"])
@pytest.mark.parametrize("others", [0, 1])
async def test_cut_before_the_first_call(
    etcd_server: EtcdServer, http2: EngineName, others: int, call: Callable[[Text], Awaitable[object]]
) -> None:
    async with FaultProxy(etcd_server.endpoint) as proxy:
        endpoints = [proxy.endpoint] + [etcd_server.endpoint] * others
        for wait in (0, 0.1):
            async with EtcdClient(endpoints, http2=http2).connect() as communicator:
                await trio.sleep(wait)
                proxy.cut()
                with trio.fail_after(10):
                    await call(communicator)


async def test_killed_before_the_first_call() -> None:
    """The reader may see the end before the call, or the call before the reader."""
    with trio.fail_after(60):
        async with EtcdServer() as other:
            for round_ in range(4):
                async with EtcdServer() as server:
                    client = EtcdClient([server.endpoint, other.endpoint])
                    async with client.connect() as communicator:
                        server.kill()
                        await trio.sleep(0.05 * (round_ % 2))
                        assert await communicator.get("nothing") is None


@pytest.mark.parametrize("seen", [True, False])
async def test_a_read_waits_for_the_only_server(seen: bool) -> None:
    with trio.fail_after(60):
        async with EtcdServer() as server, EtcdClient(server.endpoint).connect() as communicator:
            server.kill()
            await trio.sleep(0.05 * seen)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(communicator.get, "k")
                await trio.sleep(0.3)
                await server.arestart()


async def test_there_is_another_endpoint_though_nobody_connected_before(etcd_server: EtcdServer) -> None:
    """The first call connects, and its connection breaks as soon as it greeted."""
    async with FaultProxy(etcd_server.endpoint) as proxy:
        proxy.cut_after(60, "server")
        client = EtcdClient([proxy.endpoint, etcd_server.endpoint])
        async with client.connect(wait=False) as communicator:
            with trio.fail_after(10):
                assert await communicator.get("nothing") is None


@pytest.mark.parametrize("goodbye", [b"", goaway(0)], ids=["", "goodbye"])
async def test_another_endpoint_where_the_first_one_greets_and_ends(
    etcd_server: EtcdServer, goodbye: bytes
) -> None:
    """A proxy that is about to stop says GOAWAY to all who come."""

    async def rude(stream: trio.SocketStream) -> None:
        async with stream:
            await stream.receive_some()
            await stream.send_all(settings() + goodbye)

    async with listener() as listening, trio.open_nursery() as nursery:
        await nursery.start(trio.serve_listeners, rude, [listening])
        with trio.fail_after(10):
            async with EtcdClient([address(listening), etcd_server.endpoint]).connect() as communicator:
                await communicator.put("k", "v")
                async with communicator.watch("k") as events:
                    await communicator.delete("k")
                    await events.receive()
        nursery.cancel_scope.cancel("the test is over")
