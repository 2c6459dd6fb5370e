"""A lock that is held: what it is, what it keeps out, what it writes; who comes next."""

from __future__ import annotations

import pytest
import trio
import trio.testing
from lease._kit import Text, connected, nothing_left

from etcetra_trio import CompareKey, EtcdClient, InvalidRequestError, Lock, LockLostError, TxnAction
from etcetra_trio.testing import EtcdServer


async def test_held(communicator: Text) -> None:
    async with communicator.lock("name", lease_ttl=7) as lock:
        assert isinstance(lock, Lock)
        assert lock.key == f"name/{lock.lease.id:x}"
        assert not lock.lost
        assert lock.lease.ttl == 7
        record = (await communicator.range(lock.key)).kvs[0]
        assert (record.create_revision, record.lease, record.value) == (lock.fence, lock.lease.id, "")
        assert "held" in repr(lock)
    assert await communicator.get_prefix("name/") == {}
    assert not lock.lost
    assert "released" in repr(lock)
    with trio.fail_after(5):
        await lock.wait_lost()


async def test_with_lock(etcd: EtcdClient[str], etcd_server: EtcdServer) -> None:
    async with nothing_left(etcd_server):
        async with etcd.with_lock("name") as communicator:
            lock = communicator.held_lock
            assert lock is not None
            assert await communicator.get(lock.key) == ""
            assert communicator.namespaced("x").held_lock is None
            async with communicator.lock("another") as second:
                assert second.fence > lock.fence
                assert communicator.held_lock is lock


async def test_bytes_and_namespaces(etcd_server: EtcdServer) -> None:
    client = EtcdClient(etcd_server.endpoint, encoding=None, namespace=b"/n/")
    async with client.with_lock(b"name") as communicator:
        lock = communicator.held_lock
        assert lock is not None
        assert lock.key == b"name/%x" % lock.lease.id
        await lock.put(b"k", b"v")
        async with connected(etcd_server.endpoint) as outside:
            assert await outside.get_prefix("/n/") == {"/n/k": "v", f"/n/name/{lock.lease.id:x}": ""}
        await lock.delete(b"k")


async def test_utf_16(etcd_server: EtcdServer) -> None:
    """What a codec puts before every text stands before the lock's keys once."""
    async with EtcdClient(etcd_server.endpoint, encoding="utf-16").connect() as communicator:
        async with communicator.lock("näme") as lock:
            assert lock.key == f"näme/{lock.lease.id:x}"
            with pytest.raises(TimeoutError):
                async with communicator.lock("näme", timeout=0):
                    raise AssertionError
            await lock.put("k", "v")
            await lock.delete("k")


async def test_waiters_come_in_turn(communicator: Text) -> None:
    """Each waits for the one before it; who gives up is passed over."""
    order: list[int] = []
    inside = 0

    async def one(number: int) -> None:
        nonlocal inside
        with trio.move_on_after(0.05 if number % 3 == 1 else 60):
            async with communicator.lock("turn"):
                inside += 1
                assert inside == 1
                order.append(number)
                await trio.sleep(0.001)
                inside -= 1

    async with trio.open_nursery() as nursery:
        async with communicator.lock("turn"):
            for number in range(12):
                nursery.start_soon(one, number)
                while len(await communicator.keys_prefix("turn/")) < number + 2 - number // 3 - (
                    number % 3 > 1
                ):
                    await trio.sleep(0.001)
                if number % 3 == 1:
                    while len(await communicator.keys_prefix("turn/")) > number + 1 - number // 3:
                        await trio.sleep(0.001)
    assert order == [number for number in range(12) if number % 3 != 1]


async def test_fenced_writes(communicator: Text) -> None:
    async with communicator.lock("fence") as lock:
        put = await lock.put("k", "1")
        assert (await communicator.range("k")).kvs[0].mod_revision == put.revision
        assert (await lock.put("k", "2", prev_kv=True)).prev_value == "1"
        assert (await lock.delete("k", prev_kv=True)).prev[0].value == "2"

        def build(action: TxnAction[str]) -> object:
            return (action.put("a", "1"), action.get("a"), action.put("b", "2", lease=lock.lease))

        result = await lock.txn(build)
        assert result.succeeded
        assert result[1] == "1"
        assert await lock.txn(lambda action: action.get("a")) == ["1"]
        await communicator.txn_compare([lock.is_owner()], lambda yes, _no: yes.put("c", "3"))
        assert await communicator.get("c") == "3"
        with pytest.raises(TypeError):
            assert lock.is_owner()
        nested = await lock.txn(
            lambda action: action.txn(
                [CompareKey("a").value == "x"], lambda yes, no: (yes.get("a"), no.get("b"))
            )
        )
        assert nested == [["2"]]
    assert await communicator.get("b") is None  # it went with the lease
    for write in (
        lambda: lock.put("k", "late"),
        lambda: lock.delete("a"),
        lambda: lock.txn(lambda action: action.put("k", "late")),
    ):
        with pytest.raises(LockLostError, match="released"):
            await write()
    assert await communicator.get("k") is None
    assert await communicator.get("a") == "1"


async def test_the_fence_grows(communicator: Text) -> None:
    fences = []
    for _ in range(3):
        async with communicator.lock("fence") as lock:
            fences.append(lock.fence)
    assert fences == sorted(set(fences))


async def test_bad_arguments(communicator: Text, etcd: EtcdClient[str]) -> None:
    for arguments in (
        {"timeout": -1},
        {"timeout": float("nan")},
        {"ttl": 0},
        {"ttl": float("inf")},
        {"lease_ttl": 0},
        {"on_lost": "ignore"},
    ):
        with pytest.raises(InvalidRequestError):
            communicator.lock("name", **arguments)
        with pytest.raises(InvalidRequestError):
            async with etcd.with_lock("name", **arguments):
                raise AssertionError
    with pytest.raises(InvalidRequestError):
        communicator.lock("")
    with pytest.raises(TypeError):
        communicator.lock(7)  # type: ignore[arg-type]


async def test_every_call_is_a_checkpoint(communicator: Text) -> None:
    block = communicator.lock("name")
    with trio.testing.assert_checkpoints():
        lock = await block.__aenter__()
    with trio.testing.assert_checkpoints():
        await lock.put("k", "v")
    with trio.testing.assert_checkpoints():
        await lock.delete("k")
    with trio.testing.assert_checkpoints():
        await lock.txn(lambda action: action.get("k"))
    with trio.testing.assert_checkpoints():
        await block.__aexit__(None, None, None)
