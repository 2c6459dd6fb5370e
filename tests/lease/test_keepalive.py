"""The stream that keeps leases alive finds another endpoint where one does not do its work."""

from __future__ import annotations

import trio
import trio.testing

from etcetra_trio.testing import EtcdServer, FaultProxy
from lease._kit import SHORTEST, connected


async def test_a_stream_that_is_not_open_yet(etcd_server: EtcdServer) -> None:
    """The last lease is given back while its first renewal waits for a connection."""
    async with FaultProxy(etcd_server.endpoint) as proxy, connected(proxy.endpoint) as communicator:
        async with communicator.lease(SHORTEST):
            proxy.drop_new()
            await trio.sleep(SHORTEST * 0.4)
            assert communicator._endpoints.leases._running
        await trio.testing.wait_all_tasks_blocked()
        assert not communicator._endpoints.leases._running


async def test_nothing_runs_without_a_lease(etcd_server: EtcdServer) -> None:
    async with connected(etcd_server.endpoint) as communicator:
        async with communicator.lease(SHORTEST):
            await trio.sleep(SHORTEST * 0.5)
            keeper = communicator._endpoints.leases
            (stream,) = keeper._streams
        assert stream.ended
        await trio.testing.wait_all_tasks_blocked()
        assert (keeper._streams, keeper._leases, keeper._running) == ([], {}, False)
