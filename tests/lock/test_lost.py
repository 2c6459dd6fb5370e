"""A lock that is lost: the body ends before anybody else can have it, and ``LockLostError`` leaves the block."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio
import trio.testing
from lease._kit import Text, connected, nothing_left

from etcetra_trio import EtcdClient, Lock, LockLostError, _acquire, _contender
from etcetra_trio._lease import keep_lease
from etcetra_trio.streams._endpoints import Endpoints
from etcetra_trio.streams._kept_lease import KeptLease
from etcetra_trio.testing import EtcdServer

Spoil = Callable[[Text, Lock[str]], Awaitable[object]]

BY_HAND: dict[str, Spoil] = {
    "lease revoked": lambda other, lock: other.revoke_lease(lock.lease),
    "key deleted": lambda other, lock: other.delete(lock.key),
    "key deleted and put again": lambda other, lock: _put_again(other, lock),
    "all deleted": lambda other, _: other.delete_prefix("name"),
}


async def _put_again(other: Text, lock: Lock[str]) -> None:
    await other.delete(lock.key)
    await other.put(lock.key, "", lease=lock.lease)


@pytest.mark.parametrize("how", BY_HAND)
@pytest.mark.parametrize("later", [0.0, 0.4])
async def test_by_hand(
    etcd_server: EtcdServer, communicator: Text, etcd: EtcdClient[str], how: str, later: float
) -> None:
    async with nothing_left(etcd_server):
        with trio.fail_after(20), pytest.raises(LockLostError) as caught:
            async with etcd.with_lock("name") as locked:
                lock = locked.held_lock
                assert lock is not None
                await trio.sleep(later)
                begin = trio.current_time()
                await BY_HAND[how](communicator, lock)
                try:
                    await trio.sleep_forever()
                finally:
                    assert trio.current_time() - begin < 1
                    assert lock.lost
                    with trio.move_on_after(1, shield=True), pytest.raises(LockLostError):
                        await lock.put("late", "")
    assert (caught.value.name, caught.value.reason) == ("name", "its key was deleted")
    assert await communicator.get("late") is None


@pytest.mark.parametrize("how", BY_HAND)
async def test_a_fenced_call_finds_out(communicator: Text, how: str) -> None:
    """Before any event tells; its error is the one that leaves."""
    errors: list[LockLostError] = []
    with pytest.raises(LockLostError) as caught:
        async with communicator.lock("name") as lock:
            await BY_HAND[how](communicator, lock)
            try:
                await lock.put("k", "late")
            except LockLostError as error:
                errors.append(error)
                raise
    assert [caught.value] == errors
    assert lock.lost
    assert await communicator.get("k") is None


async def test_a_clock_that_jumps(etcd_server: EtcdServer, mock_clock: trio.testing.MockClock) -> None:
    mock_clock.rate = 1
    async with connected(etcd_server.endpoint, limit=1e6) as communicator:
        async with communicator.lock("jump", lease_ttl=30) as lock:
            mock_clock.jump(29)
            assert not lock.lost
            await trio.sleep(0.1)
            assert lock.lease.deadline > trio.current_time() + 28  # renewed at once
        for number, jump in enumerate((29.5, 31, 1e5)):
            with pytest.raises(LockLostError):
                async with communicator.lock(f"jump {number}", lease_ttl=30) as lock:
                    mock_clock.jump(jump)
                    assert lock.lost
                    await trio.sleep(0.1)
                    raise AssertionError


async def test_the_body_finishes_at_most_its_checkpoint(
    etcd_server: EtcdServer, mock_clock: trio.testing.MockClock
) -> None:
    """After a stall of the whole loop, which a jump of the clock is to it, fenced calls do not even send."""
    mock_clock.rate = 1
    async with connected(etcd_server.endpoint, limit=1e6) as communicator:
        passed = 0
        with pytest.raises(LockLostError):
            async with communicator.lock("stall", lease_ttl=10) as lock:
                await trio.lowlevel.checkpoint()
                mock_clock.jump(11)
                with pytest.raises(LockLostError):
                    await lock.put("late", "")
                while True:
                    await trio.lowlevel.checkpoint()
                    passed += 1
        assert passed <= 1
        assert await communicator.get("late") is None


async def test_a_key_that_is_somebody_else_s_now(communicator: Text) -> None:
    """Releasing does not free what another one put there since."""
    async with communicator.lock("name", on_lost="flag") as lock:
        await communicator.delete(lock.key)
        await communicator.put(lock.key, "of somebody else")
    assert await communicator.get(lock.key) == "of somebody else"


async def test_before_its_key_is_watched(communicator: Text, monkeypatch: pytest.MonkeyPatch) -> None:
    """One whose turn it is looks for its own key first."""
    monkeypatch.setattr(_contender, "GUARD_AFTER", 1000)
    async with trio.open_nursery() as nursery:
        async with communicator.lock("name") as lock:

            async def wait() -> None:
                with pytest.raises(LockLostError, match="its key was deleted"):
                    async with communicator.lock("name"):
                        raise AssertionError

            nursery.start_soon(wait)
            while len(keys := await communicator.keys_prefix("name/")) < 2:
                await trio.sleep(0.01)
            await trio.sleep(0.05)
            for key in set(keys) - {lock.key}:
                await communicator.delete(key)


@pytest.mark.parametrize("ttl", [None, 5])
async def test_revoked_at_once(
    communicator: Text, monkeypatch: pytest.MonkeyPatch, ttl: float | None
) -> None:
    """Before its key is there; with ``ttl``, after that."""
    limit = _acquire._limit

    async def keep_and_revoke(endpoints: Endpoints, seconds: int) -> KeptLease:
        kept = await keep_lease(endpoints, seconds)
        await communicator.revoke_lease(kept.id)
        return kept

    async def revoke_and_limit(endpoints: Endpoints, kept: KeptLease, seconds: float) -> None:
        await communicator.revoke_lease(kept.id)
        await limit(endpoints, kept, seconds)

    if ttl is None:
        monkeypatch.setattr(_acquire, "keep_lease", keep_and_revoke)
    else:
        monkeypatch.setattr(_acquire, "_limit", revoke_and_limit)
    with pytest.raises(LockLostError, match="revoked"):
        async with communicator.lock("name", ttl=ttl):
            raise AssertionError


async def test_flag_only(communicator: Text) -> None:
    async with communicator.lock("name", on_lost="flag") as lock:
        await communicator.delete(lock.key)
        with trio.fail_after(5):
            await lock.wait_lost()
        assert lock.lost
        await trio.sleep(0.01)
        with pytest.raises(LockLostError):
            await lock.delete("x")
    assert lock.lost
    assert lock.lease.id not in await communicator.list_leases()


async def test_a_body_that_does_not_listen(communicator: Text) -> None:
    with pytest.raises(LockLostError):
        async with communicator.lock("name") as lock:
            await communicator.delete(lock.key)
            with trio.CancelScope(shield=True):
                await lock.wait_lost()


async def test_the_body_s_exception_is_the_cause(communicator: Text) -> None:
    for error in (KeyError("x"), ExceptionGroup("g", [ValueError()])):
        with pytest.raises(LockLostError) as caught:
            async with communicator.lock("name") as lock:
                await communicator.delete(lock.key)
                try:
                    await trio.sleep_forever()
                finally:
                    raise error
        assert caught.value.__cause__ is error


async def test_a_nursery_in_the_body(communicator: Text) -> None:
    with pytest.raises(LockLostError) as caught:
        async with communicator.lock("name") as lock:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(trio.sleep_forever)
                nursery.start_soon(communicator.delete, lock.key)
    assert caught.value.__cause__ is None


async def test_the_inner_of_two(communicator: Text) -> None:
    """The outer one is released."""
    with pytest.raises(LockLostError, match="inner"):
        async with communicator.lock("outer") as outer, communicator.lock("inner") as inner:
            await communicator.delete(inner.key)
            await trio.sleep_forever()
    assert not outer.lost
    assert await communicator.get_prefix("outer/") == {}


async def test_while_it_waits(etcd_server: EtcdServer, communicator: Text) -> None:
    """A waiter that loses its lease or its key stops waiting at once."""
    async with communicator.lock("name") as lock:
        await trio.sleep(0.4)  # its key is watched
        for spoil in (communicator.revoke_lease, None):
            async with nothing_left(etcd_server):
                async with trio.open_nursery() as nursery:
                    begin = trio.current_time()

                    async def wait() -> None:
                        with pytest.raises(LockLostError, match="its key was deleted"):
                            async with communicator.lock("name"):
                                raise AssertionError

                    nursery.start_soon(wait)
                    while len(kvs := (await communicator.range("name/", prefix=True)).kvs) < 2:
                        await trio.sleep(0.01)
                    (waiter,) = (kv for kv in kvs if kv.key != lock.key)
                    if spoil is None:
                        await communicator.delete(waiter.key)
                    else:
                        await spoil(waiter.lease)
                assert trio.current_time() - begin < 2
        assert not lock.lost


class TestTtl:
    """``ttl``: a limit for how long it is held."""

    async def test_releases_whatever_the_body_does(self, etcd: EtcdClient[str], communicator: Text) -> None:
        with pytest.raises(LockLostError):
            async with etcd.with_lock("name", ttl=0.3):
                with trio.CancelScope(shield=True):
                    begin = trio.current_time()
                    async with communicator.lock("name"):
                        assert trio.current_time() - begin < 1.5

    async def test_flag_only(self, etcd: EtcdClient[str], communicator: Text) -> None:
        async with etcd.with_lock("name", ttl=0.3, on_lost="flag") as first:
            assert first.held_lock is not None
            begin = trio.current_time()
            async with communicator.lock("name") as second:
                assert 0.2 < trio.current_time() - begin < 1.5
                assert first.held_lock.lost
                assert second.fence > first.held_lock.fence

    async def test_left_before(self, communicator: Text) -> None:
        async with communicator.lock("name", ttl=30) as lock:
            assert lock.lease.ttl == 10
        async with communicator.lock("name", ttl=3.2) as lock:
            assert lock.lease.ttl == 4
        assert not lock.lost
