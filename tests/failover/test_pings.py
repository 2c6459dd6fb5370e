"""PINGs against a real etcd: it takes few, and says so."""

from __future__ import annotations

import trio

from etcetra_trio import EtcdClient
from etcetra_trio.testing import EtcdServer


async def test_too_many_pings(etcd_server: EtcdServer) -> None:
    """etcd ends the connection after the fourth that comes too soon: they become rarer, and the watch goes on."""
    client = EtcdClient(etcd_server.endpoint, ping_interval=0.25, ping_timeout=0.25)
    with trio.fail_after(20):
        async with client.connect() as communicator, communicator.watch("pinged") as events:
            dialer = communicator._endpoints._dialer
            while max(dialer._calm.values(), default=1) < 4:
                await trio.sleep(0.02)
            await communicator.put("pinged", "v")
            assert (await events.receive()).value == "v"
            connection = await communicator._endpoints.stream_connection()
            assert connection._pings.interval == 1.0
            assert connection._pings.timeout == 0.25


async def test_no_pings_without_a_stream(etcd_server: EtcdServer) -> None:
    """An idle connection is left alone, and is there when it is needed."""
    client = EtcdClient(etcd_server.endpoint, ping_interval=0.1, ping_timeout=0.1)
    async with client.connect() as communicator:
        await communicator.get("k")
        connection = communicator._endpoints.live
        assert connection is not None
        acks: list[bytes] = []
        connection.engine.on_ping_ack = acks.append
        await trio.sleep(1)
        assert acks == []
        await communicator.get("k")
        assert communicator._endpoints.live is connection


async def test_pings_that_are_answered(etcd_server: EtcdServer) -> None:
    """As often as etcd may be asked, for as long as a call waits; nothing is broken by it."""
    async with EtcdClient(etcd_server.endpoint, ping_interval=0.3).connect() as communicator:
        connection = await communicator._endpoints.stream_connection()
        acks: list[bytes] = []
        connection.engine.on_ping_ack = acks.append
        async with communicator.watch("k"):
            while not acks:
                await trio.sleep(0.02)
            assert connection.failure is None
