"""What takes seconds, because leases do: all of it at the same time."""

from __future__ import annotations

import pytest
import trio
from client._kit import FAST

from etcetra_trio import (
    ConnectionFailedError,
    ConnectionLostError,
    EtcdClient,
    EtcdCredential,
    LeaseLostError,
    WatchEventType,
)
from etcetra_trio.testing import EtcdCluster, EtcdServer, FaultProxy
from lease._kit import SHORTEST, Text, connected


async def test_all_at_once(etcd_server: EtcdServer) -> None:
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            for scenario in (
                kept_alive_and_revoked,
                no_server_for_too_long,
                a_grant_that_takes_long,
                a_server_that_forgets_tokens,
                why_it_could_not_be_renewed,
                server_is_away_for_a_moment,
                an_endpoint_that_is_silent,
                an_answer_that_is_late,
                a_member_without_a_leader,
            ):
                nursery.start_soon(scenario, etcd_server)


async def kept_alive_and_revoked(server: EtcdServer) -> None:
    """Many leases on one stream, for much longer than their TTL."""
    leases: set[int] = set()
    enough = trio.Event()

    async def keep(communicator: Text, begun: trio.Event) -> None:
        begin = trio.current_time()
        async with communicator.lease(SHORTEST) as lease:
            assert begin < lease.deadline <= trio.current_time() + SHORTEST
            leases.add(lease.id)
            await communicator.put(f"{lease.id}", "here", lease=lease)
            begun.set()
            await enough.wait()
            assert trio.current_time() < lease.deadline
            assert not lease.lost
            assert await communicator.get(f"{lease.id}") == "here"
        assert await communicator.get(f"{lease.id}") is None

    async with connected(server.endpoint, namespace="kept/") as communicator:
        async with trio.open_nursery() as nursery:
            for _ in range(50):
                begun = trio.Event()
                nursery.start_soon(keep, communicator, begun)
                await begun.wait()
            await trio.sleep(SHORTEST * 1.5)
            assert len(communicator._endpoints.leases._streams) == 1
            assert leases <= set(await communicator.list_leases())
            enough.set()
        assert not leases & set(await communicator.list_leases())


async def no_server_for_too_long(server: EtcdServer) -> None:
    """The body ends before the server ends the lease."""
    deleted: list[float] = []
    watching = trio.Event()

    async def watch() -> None:
        async with connected(server.endpoint) as other, other.watch("too long", prev_kv=True) as events:
            watching.set()
            async for event in events:
                if event.event is WatchEventType.DELETE:
                    deleted.append(trio.current_time())
                    break

    async with FaultProxy(server.endpoint) as proxy, trio.open_nursery() as nursery:
        nursery.start_soon(watch)
        await watching.wait()
        async with connected(proxy.endpoint) as communicator:
            with pytest.raises(LeaseLostError, match="could not be renewed in time"):
                async with communicator.lease(SHORTEST) as lease:
                    await communicator.put("too long", "", lease=lease)
                    proxy.black_hole()
                    try:
                        await trio.sleep(20)
                    finally:
                        ended = trio.current_time()
                        assert lease.lost
            # The lease is over: there is nothing to wait for.
            assert trio.current_time() - ended < 0.5
    assert ended <= deleted[0]


async def a_grant_that_takes_long(server: EtcdServer) -> None:
    """It is renewed before anybody counts on it."""
    async with FaultProxy(server.endpoint) as proxy, connected(proxy.endpoint) as communicator:
        await communicator.get("x")
        proxy.delay(SHORTEST / 4)
        begin = trio.current_time()
        async with communicator.lease(1) as lease:
            proxy.heal()
            assert trio.current_time() - begin >= SHORTEST
            assert lease.deadline > trio.current_time()


async def a_server_that_forgets_tokens(_: EtcdServer) -> None:
    """Leases live on, on a connection that has to fetch another one."""
    async with EtcdServer(extra_args=["--bcrypt-cost=4", *FAST]) as server:
        async with connected(server.endpoint) as communicator:
            await communicator.auth.user_add("root", "root")
            await communicator.auth.role_add("root")
            await communicator.auth.user_grant_role("root", "root")
            await communicator.auth.enable()
        with trio.fail_after(30):
            root = EtcdClient(server.endpoint, EtcdCredential("root", "root"))
            async with root.connect() as communicator, communicator.lock("mine", lease_ttl=3) as lock:
                await trio.sleep(1.1)
                server.kill()
                await server.arestart()
                await trio.sleep(2.5)
                assert not lock.lost
                await lock.put("k", "v")


async def why_it_could_not_be_renewed(_: EtcdServer) -> None:
    async with EtcdServer() as server, connected(server.endpoint) as communicator:
        with pytest.raises(LeaseLostError) as caught:
            async with communicator.lease(SHORTEST):
                await trio.sleep(SHORTEST * 0.4)  # the stream is open
                server.kill()
                await trio.sleep(20)
        assert isinstance(caught.value.__cause__, (ConnectionFailedError, ConnectionLostError))


async def server_is_away_for_a_moment(_: EtcdServer) -> None:
    async with EtcdServer(extra_args=["--heartbeat-interval=20", "--election-timeout=200"]) as server:
        async with connected(server.endpoint) as communicator, communicator.lease(3) as lease:
            await trio.sleep(1.1)
            server.kill()
            await server.arestart()
            await trio.sleep(3)
            assert not lease.lost
            assert lease.id in await communicator.list_leases()


async def an_endpoint_that_is_silent(server: EtcdServer) -> None:
    """Unanswered for a third of the TTL, a renewal is sent to another endpoint, in time."""
    async with FaultProxy(server.endpoint) as silent, FaultProxy(server.endpoint) as other:
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


async def an_answer_that_is_late(server: EtcdServer) -> None:
    """A slow server is asked a second time, and its first answer counts."""
    async with FaultProxy(server.endpoint) as proxy, connected(proxy.endpoint) as communicator:
        async with communicator.lease(SHORTEST) as lease:
            await trio.sleep(SHORTEST * 0.4)  # the stream is open
            proxy.delay(SHORTEST / 3 * 1.2 / 2)
            await trio.sleep(SHORTEST * 1.5)
            assert not lease.lost
            proxy.heal()
            await trio.sleep(SHORTEST * 0.5)
            assert not lease.lost
            assert len(communicator._endpoints.leases._streams) == 1


async def a_member_without_a_leader(_: EtcdServer) -> None:
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


@pytest.mark.long
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
