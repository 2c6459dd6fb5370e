"""The calls about leases, one by one."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from etcetra_trio import (
    InvalidRequestError,
    LeaseExistsError,
    LeaseGrant,
    LeaseNotFoundError,
    LeaseTimeToLive,
    LeaseTTLTooLargeError,
)
from etcetra_trio.testing import EtcdServer
from lease._kit import SHORTEST, Text, connected


async def test_grant_keep_ask_revoke(communicator: Text) -> None:
    granted = await communicator.grant_lease(60)
    assert granted == LeaseGrant(granted.id, 60)
    assert granted.id in await communicator.list_leases()
    await communicator.put("a", "1", lease=granted)
    await communicator.put("b", "2", lease=granted.id)

    assert await communicator.keepalive_once(granted) == 60
    assert await communicator.lease_time_to_live(granted) == LeaseTimeToLive(granted.id, 59, 60, [])
    told = await communicator.lease_time_to_live(granted.id, keys=True)
    assert sorted(told.keys) == ["a", "b"]

    await communicator.revoke_lease(granted)
    assert granted.id not in await communicator.list_leases()
    assert await communicator.get_prefix("") == {}


async def test_ids_of_ones_own(communicator: Text) -> None:
    granted = await communicator.grant_lease(30, lease_id=7_777)
    assert granted.id == 7_777
    with pytest.raises(LeaseExistsError):
        await communicator.grant_lease(30, lease_id=7_777)
    await communicator.revoke_lease(7_777)


async def test_granted_ttl_counts(communicator: Text) -> None:
    granted = await communicator.grant_lease(1)
    assert granted.ttl == SHORTEST
    assert await communicator.keepalive_once(granted) == SHORTEST
    async with communicator.lease(1) as lease:
        assert lease.ttl == SHORTEST
    await communicator.revoke_lease(granted)


async def test_no_such_lease(communicator: Text) -> None:
    for call in (communicator.revoke_lease, communicator.keepalive_once, communicator.lease_time_to_live):
        with pytest.raises(LeaseNotFoundError) as caught:
            await call(12_345)
        assert caught.value.method
    with pytest.raises(LeaseNotFoundError):
        await communicator.put("k", "v", lease=12_345)


async def test_bad_arguments(communicator: Text) -> None:
    for ttl in (0, -1):
        with pytest.raises(InvalidRequestError):
            communicator.lease(ttl)
        with pytest.raises(InvalidRequestError):
            await communicator.grant_lease(ttl)
    with pytest.raises(TypeError):
        communicator.lease(2.5)  # type: ignore[arg-type]
    with pytest.raises(LeaseTTLTooLargeError):
        await communicator.grant_lease(9_000_000_001)
    with pytest.raises(LeaseTTLTooLargeError):
        async with communicator.lease(9_000_000_001):
            raise AssertionError
    for lease in (0, -1):
        with pytest.raises(InvalidRequestError):
            await communicator.revoke_lease(lease)
        with pytest.raises(InvalidRequestError):
            await communicator.keepalive_once(lease)
        with pytest.raises(InvalidRequestError):
            await communicator.lease_time_to_live(lease)


async def test_keys_and_namespaces(etcd_server: EtcdServer) -> None:
    async with (
        connected(etcd_server.endpoint, namespace="/n/") as inside,
        connected(etcd_server.endpoint) as outside,
    ):
        async with inside.lease(30) as lease:
            await inside.put("in", "", lease=lease)
            await outside.put("out", "", lease=lease)
            assert sorted((await inside.lease_time_to_live(lease, keys=True)).keys) == ["in", "out"]
            assert sorted((await outside.lease_time_to_live(lease, keys=True)).keys) == ["/n/in", "out"]


async def test_every_call_is_a_checkpoint(communicator: Text) -> None:
    with trio.testing.assert_checkpoints():
        granted = await communicator.grant_lease(5)
    with trio.testing.assert_checkpoints():
        await communicator.keepalive_once(granted)
    with trio.testing.assert_checkpoints():
        await communicator.lease_time_to_live(granted)
    with trio.testing.assert_checkpoints():
        await communicator.list_leases()
    with trio.testing.assert_checkpoints():
        await communicator.revoke_lease(granted)
    block = communicator.lease(5)
    with trio.testing.assert_checkpoints():
        lease = await block.__aenter__()
    with trio.testing.assert_checkpoints():
        await block.__aexit__(None, None, None)
    with trio.fail_after(10), trio.testing.assert_checkpoints():
        await lease.wait_lost()
    with trio.testing.assert_checkpoints():
        await lease.wait_lost()
