"""Status, alarms, hashes, defragmentation, leaders, downgrades: of one member and of three."""

from __future__ import annotations

from collections.abc import Generator

import pytest
import trio
from client._kit import version_of

from admin._kit import all_ends
from etcetra_trio import (
    Alarm,
    AlarmAction,
    AlarmType,
    BadLeaderTransfereeError,
    CompactedError,
    ConnectionFailedError,
    DowngradeAction,
    DowngradeError,
    EtcdClient,
    FutureRevisionError,
    InvalidRequestError,
    MemberStatus,
    NoSpaceError,
    NotLeaderError,
)
from etcetra_trio.testing import EtcdCluster, EtcdServer


@pytest.fixture(scope="module")
def cluster() -> Generator[EtcdCluster]:
    with EtcdCluster(3, heartbeat_ms=20, election_ms=200) as cluster:
        yield cluster


async def test_the_status_of_all_at_once(cluster: EtcdCluster) -> None:
    with trio.fail_after(30):
        async with EtcdClient(cluster.endpoints).connect() as communicator:
            await communicator.put("k", "v")
            async with all_ends():
                found = await communicator.maintenance.status()
            assert {member.name for member in found} == {"etcd1", "etcd2", "etcd3"}
            for member, status in found.items():
                assert isinstance(status, MemberStatus)
                assert (status.member_id, status.endpoint) == (member.id, member.client_urls[0])
                assert status.version == cluster.version
                assert status.db_size >= status.db_size_in_use > 0
                assert status.errors == ()
                assert status.raft_term > 0
            assert sum(isinstance(s, MemberStatus) and s.is_leader for s in found.values()) == 1
            down = cluster.members[2]
            down.kill()
            try:
                found = await communicator.maintenance.status()
            finally:
                down.restart()
            failure = {member.name: status for member, status in found.items()}[down.name]
            assert isinstance(failure, ConnectionFailedError)
            assert failure.endpoints[0][0] == down.endpoint.removeprefix("http://")


async def test_one_member_by_its_endpoint(cluster: EtcdCluster) -> None:
    with trio.fail_after(30):
        async with EtcdClient(cluster.endpoints[0]).connect() as communicator:
            maintenance = communicator.maintenance
            ids: set[int] = set()
            for member in cluster.members:
                for endpoint in (member.endpoint, member.unix_endpoint, f"127.0.0.1:{member.port}"):
                    async with all_ends():
                        status = await maintenance.status(endpoint=endpoint)
                    assert status.endpoint == endpoint
                    ids.add(status.member_id)
                await maintenance.defragment(endpoint=member.endpoint)
                assert await maintenance.hash(endpoint=member.endpoint) > 0
            assert len(ids) == 3


async def test_hashes_agree(cluster: EtcdCluster) -> None:
    with trio.fail_after(30):
        async with EtcdClient(cluster.endpoints).connect() as communicator:
            maintenance = communicator.maintenance
            first = (await communicator.put("k", "v")).revision
            last = (await communicator.put("k", "w")).revision
            for endpoint in cluster.endpoints:  # each has seen it now
                async with EtcdClient(endpoint).connect() as there:
                    assert await there.get("k") == "w"
            found = [await maintenance.hash_kv(last, endpoint=endpoint) for endpoint in cluster.endpoints]
            assert len({(each.hash, each.compact_revision) for each in found}) == 1
            assert {each.revision for each in found} == {last}
            assert (await maintenance.hash_kv()).hash == found[0].hash
            assert (await maintenance.hash_kv(first)).hash != found[0].hash
            with pytest.raises(FutureRevisionError):
                await maintenance.hash_kv(last + 1)
            await communicator.compact(last, physical=True)
            with pytest.raises(CompactedError):
                await maintenance.hash_kv(first)


async def test_another_leader(cluster: EtcdCluster) -> None:
    with trio.fail_after(30):
        async with EtcdClient(cluster.endpoints).connect() as communicator:
            maintenance = communicator.maintenance
            found = (await maintenance.status()).values()
            statuses = [status for status in found if isinstance(status, MemberStatus)]
            follower = next(status for status in statuses if not status.is_leader)
            with pytest.raises(NotLeaderError):
                await maintenance.move_leader(follower.member_id, endpoint=follower.endpoint)
            await maintenance.move_leader(follower.member_id)
            assert (await maintenance.status(endpoint=follower.endpoint)).is_leader
            other = next(status for status in statuses if status != follower)
            await maintenance.move_leader(other.member_id, endpoint=follower.endpoint)
            assert (await maintenance.status(endpoint=other.endpoint)).is_leader
            with pytest.raises(BadLeaderTransfereeError):
                await maintenance.move_leader((1 << 64) - 1)


async def test_downgrades(cluster: EtcdCluster) -> None:
    with trio.fail_after(30):
        async with EtcdClient(cluster.endpoints).connect() as communicator:
            major, minor = version_of(cluster.members[0])
            older = f"{major}.{minor - 1}"
            if minor >= 5:
                downgrade = communicator.maintenance.downgrade
                assert (await downgrade(DowngradeAction.VALIDATE, older)).startswith(f"{major}.{minor}")
                for version in ("3.1", "no version"):
                    with pytest.raises(DowngradeError):
                        await downgrade(DowngradeAction.VALIDATE, version)
                if minor == 5:  # newer ones take it for done
                    with pytest.raises(DowngradeError):
                        await downgrade(DowngradeAction.CANCEL)
                with pytest.raises(InvalidRequestError):
                    await downgrade(DowngradeAction.ENABLE)


async def test_an_alarm_and_room_again() -> None:
    with trio.fail_after(60):
        async with (
            EtcdServer(extra_args=["--quota-backend-bytes", str(16 << 20)]) as server,
            EtcdClient(server.endpoint).connect() as communicator,
        ):
            maintenance = communicator.maintenance
            assert await maintenance.alarm() == ()
            with pytest.raises(NoSpaceError):
                for _ in range(100):
                    await communicator.put("k", "x" * 1_000_000)
            status = await maintenance.status(endpoint=server.endpoint)
            alarm = Alarm(status.member_id, AlarmType.NOSPACE)
            assert await maintenance.alarm() == (alarm,)
            assert await maintenance.alarm(member_id=alarm.member_id, type=AlarmType.NOSPACE) == (alarm,)
            assert any("NOSPACE" in error for error in status.errors)
            revision = (await communicator.delete("k")).revision
            await communicator.compact(revision, physical=True)
            await maintenance.defragment()
            assert (await maintenance.status(endpoint=server.endpoint)).db_size < status.db_size / 4
            lifted = await maintenance.alarm(
                AlarmAction.DEACTIVATE, member_id=alarm.member_id, type=AlarmType.NOSPACE
            )
            assert lifted == (alarm,)
            await communicator.put("k", "v")
            assert await maintenance.alarm(AlarmAction.ACTIVATE, type=AlarmType.CORRUPT) != ()
            assert {each.type for each in await maintenance.alarm()} == {AlarmType.CORRUPT}


async def test_endpoints_that_are_none(etcd_server: EtcdServer) -> None:
    async with EtcdClient(etcd_server.endpoint).connect() as communicator:
        maintenance = communicator.maintenance
        for endpoint in ("", "http://", "ftp://localhost", "a,b", "https://localhost"):
            with pytest.raises(InvalidRequestError):
                await maintenance.status(endpoint=endpoint)
        with pytest.raises(ConnectionFailedError):
            await maintenance.status(endpoint="127.0.0.1:1")
        with pytest.raises(TypeError):
            await maintenance.hash_kv("1")  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="7 is not a valid AlarmType"):
            await maintenance.alarm(type=7)  # type: ignore[arg-type]


async def test_leaving_while_all_are_asked(cluster: EtcdCluster) -> None:
    """The block ends under a task that asks: it hears that the client is closed, and no group leaves."""
    with trio.fail_after(30):
        async with trio.open_nursery() as nursery:
            for member in cluster.members:
                member.stop()
            try:
                async with EtcdClient(cluster.endpoints).connect(wait=False) as communicator:

                    async def ask() -> None:
                        with pytest.raises((trio.ClosedResourceError, ConnectionFailedError)):
                            await communicator.maintenance.status()

                    nursery.start_soon(ask)
                    await trio.sleep(0.1)
            finally:
                for member in cluster.members:
                    member.cont()
    await cluster.await_ready()


async def test_what_is_cancelled_leaves_nothing(cluster: EtcdCluster) -> None:
    with trio.fail_after(30):
        async with EtcdClient(cluster.endpoints[0]).connect() as communicator:
            cluster.members[2].stop()
            try:
                async with all_ends():
                    with trio.move_on_after(0.3) as scope:
                        await communicator.maintenance.status()
            finally:
                cluster.members[2].cont()
            assert scope.cancelled_caught
    await cluster.await_ready()
