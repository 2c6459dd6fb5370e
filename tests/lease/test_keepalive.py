"""The stream that keeps leases alive finds another endpoint where one does not do its work."""

from __future__ import annotations

import trio
import trio.testing

from etcetra_trio.testing import EtcdServer
from lease._kit import SHORTEST, connected


async def test_nothing_runs_without_a_lease(etcd_server: EtcdServer) -> None:
    async with connected(etcd_server.endpoint) as communicator:
        async with communicator.lease(SHORTEST):
            await trio.sleep(SHORTEST * 0.5)
            keeper = communicator._endpoints.leases
            (stream,) = keeper._streams
        assert stream.ended
        await trio.testing.wait_all_tasks_blocked()
        assert (keeper._streams, keeper._leases, keeper._running) == ([], {}, False)
