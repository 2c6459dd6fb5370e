"""The stream that keeps leases alive finds another endpoint where one does not do its work."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from etcetra_trio import LeaseLostError
from etcetra_trio.testing import EtcdCluster, EtcdServer, FaultProxy
from lease._kit import SHORTEST, connected


async def test_an_endpoint_that_is_silent(etcd_server: EtcdServer) -> None:
    """Unanswered for a third of the TTL, a renewal is sent to another endpoint, in time."""
    async with FaultProxy(etcd_server.endpoint) as silent, FaultProxy(etcd_server.endpoint) as other:
        async with connected(silent.endpoint, other.endpoint) as communicator:
            async with communicator.lease(SHORTEST) as lease:
                await trio.sleep(SHORTEST * 0.4)  # the stream is open
                (stream,) = communicator._endpoints.leases._streams
                first, second = (
                    (silent, other) if stream.connection.endpoint in silent.endpoint else (other, silent)
                )
                first.black_hole()
                await trio.sleep(SHORTEST * 1.2)
                assert not lease.lost
                (stream,) = communicator._endpoints.leases._streams
                assert stream.connection.endpoint in second.endpoint


async def test_an_answer_that_is_late(etcd_server: EtcdServer) -> None:
    """A slow server is asked a second time, and its first answer counts."""
    async with FaultProxy(etcd_server.endpoint) as proxy, connected(proxy.endpoint) as communicator:
        async with communicator.lease(SHORTEST) as lease:
            await trio.sleep(SHORTEST * 0.4)  # the stream is open
            proxy.delay(SHORTEST / 3 * 1.2 / 2)
            await trio.sleep(SHORTEST * 1.5)
            assert not lease.lost
            proxy.heal()
            await trio.sleep(SHORTEST * 0.5)
            assert not lease.lost
            assert len(communicator._endpoints.leases._streams) == 1


async def test_a_leader_that_dies() -> None:
    async with EtcdCluster(3) as cluster:
        leader = await cluster.aleader()
        endpoints = [
            leader.endpoint,
            *(member.endpoint for member in cluster.members if member is not leader),
        ]
        async with connected(*endpoints) as communicator, communicator.lease(3) as lease:
            await trio.sleep(1.2)
            leader.kill()
            await trio.sleep(4)
            assert not lease.lost
            assert lease.id in await communicator.list_leases()


async def test_a_member_without_a_leader() -> None:
    """One of three is left: it says that it has no leader, and the lease is lost in time, with the reason."""
    async with EtcdCluster(3, heartbeat_ms=20, election_ms=200) as cluster:
        async with connected(cluster.members[0].endpoint) as communicator:
            with pytest.raises(LeaseLostError, match="could not be renewed") as caught:
                async with communicator.lease(SHORTEST) as lease:
                    cluster.members[1].kill()
                    cluster.members[2].kill()
                    try:
                        await trio.sleep(20)
                    finally:
                        assert trio.current_time() < lease.deadline + 0.5
            assert caught.value.__cause__ is not None


async def test_nothing_runs_without_a_lease(etcd_server: EtcdServer) -> None:
    async with connected(etcd_server.endpoint) as communicator:
        async with communicator.lease(SHORTEST):
            await trio.sleep(SHORTEST * 0.5)
            keeper = communicator._endpoints.leases
            (stream,) = keeper._streams
        assert stream.ended
        await trio.testing.wait_all_tasks_blocked()
        assert (keeper._streams, keeper._leases, keeper._running) == ([], {}, False)
