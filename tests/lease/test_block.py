"""``async with communicator.lease(ttl)``: kept alive, revoked, lost in time; what leaves the block."""

from __future__ import annotations

from contextlib import suppress

import pytest
import trio

from etcetra_trio import (
    ConnectionFailedError,
    ConnectionLostError,
    EtcdClient,
    Lease,
    LeaseLostError,
    LeaseNotFoundError,
    OutcomeUnknownError,
)
from etcetra_trio.streams import _kept_lease
from etcetra_trio.testing import EtcdServer, FaultProxy
from lease._kit import SHORTEST, Text, connected, nothing_left


async def test_nothing_is_left(etcd_server: EtcdServer, communicator: Text) -> None:
    async with communicator.lease(30):  # the connections are there from here on
        pass
    async with nothing_left(etcd_server):
        async with communicator.lease(30) as lease:
            await communicator.put("here", "", lease=lease)


async def test_deadline_is_counted_from_the_sending(etcd_server: EtcdServer) -> None:
    async with FaultProxy(etcd_server.endpoint) as proxy, connected(proxy.endpoint) as communicator:
        proxy.delay(0.15)
        begin = trio.current_time()
        async with communicator.lease(10) as lease:
            # The answer took its time, and that time is gone.
            assert trio.current_time() >= begin + 0.3
            assert lease.deadline == pytest.approx(begin + 10 * (1 - _kept_lease.MARGIN), abs=0.1)


async def test_the_body_s_own_exception_leaves(communicator: Text) -> None:
    for error in (KeyError("x"), ExceptionGroup("g", [ValueError()]), KeyboardInterrupt(), SystemExit(3)):
        with pytest.raises(type(error)) as caught:
            async with communicator.lease(30) as lease:
                raise error
        assert caught.value is error
        assert error.__cause__ is None
        assert error.__context__ is None
        assert lease.id not in await communicator.list_leases()


async def test_an_outer_cancellation_leaves(communicator: Text) -> None:
    with trio.move_on_after(0.05) as scope:
        async with communicator.lease(30) as lease:
            await trio.sleep_forever()
    assert scope.cancelled_caught
    assert lease.id not in await communicator.list_leases()


async def test_revoked_by_somebody_else(communicator: Text) -> None:
    begin = trio.current_time()
    with pytest.raises(LeaseLostError, match="revoked") as caught:
        async with communicator.lease(SHORTEST) as lease:
            await communicator.revoke_lease(lease)
            await trio.sleep(20)
    assert trio.current_time() < begin + SHORTEST
    assert caught.value.name == f"{lease.id:x}"
    assert lease.lost
    await lease.wait_lost()


async def test_the_body_s_exception_is_the_cause(communicator: Text) -> None:
    error = KeyError("x")
    with pytest.raises(LeaseLostError) as caught:
        async with communicator.lease(30) as lease:
            lease._kept.lose("in this test")
            raise error
    assert caught.value.__cause__ is error
    assert caught.value.reason == "in this test"


async def test_a_loss_does_not_hide_what_is_stronger(communicator: Text) -> None:
    interrupt = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt) as caught:
        async with communicator.lease(30) as lease:
            lease._kept.lose("in this test")
            raise interrupt
    assert caught.value is interrupt
    with trio.CancelScope() as scope:
        async with communicator.lease(30) as lease:
            scope.cancel()
            lease._kept.lose("in this test")
            await trio.sleep(1)
    assert scope.cancelled_caught


async def test_a_body_that_is_over_hears_of_the_loss(communicator: Text) -> None:
    with pytest.raises(LeaseLostError):
        async with communicator.lease(30) as lease:
            lease._kept.lose("in this test")


async def test_suspended_system(communicator: Text, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the system slept counts, though Trio's clock stood still."""
    with pytest.raises(LeaseLostError):
        async with communicator.lease(30) as lease:
            before = _kept_lease.suspended()
            deadline = lease.deadline
            monkeypatch.setattr(_kept_lease, "suspended", lambda: before + 10)
            assert lease.deadline == pytest.approx(deadline - 10)
            monkeypatch.setattr(_kept_lease, "suspended", lambda: before + 31)
            assert lease.lost
            await trio.sleep(20)


async def test_a_body_ends_soon_after_a_sleep_of_the_system(
    communicator: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing wakes a program then, and its deadlines have not moved: so whoever keeps leases looks now and then."""
    before = _kept_lease.suspended()
    with pytest.raises(LeaseLostError):
        async with communicator.lease(30):
            monkeypatch.setattr(_kept_lease, "suspended", lambda: before + 100)
            start = trio.current_time()
            await trio.sleep(20)
    assert trio.current_time() - start < 3  # LOOK_AFTER, on a busy machine


async def test_deadlines_are_nearer_after_a_sleep_of_the_system(
    communicator: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _kept_lease.suspended()
    async with communicator.lease(60) as lease:
        (scope,) = lease._kept._scopes
        deadline = scope.deadline
        monkeypatch.setattr(_kept_lease, "suspended", lambda: before + 10)
        with trio.fail_after(5):
            while scope.deadline > deadline - 9:
                await trio.sleep(0.05)


async def test_not_granted() -> None:
    async with EtcdServer() as server:
        client = EtcdClient(server.endpoint)
        async with client.connect() as communicator:
            server.kill()
            communicator._endpoints.patience = 0.1  # seconds
            with (
                trio.fail_after(20),
                pytest.raises((ConnectionFailedError, ConnectionLostError, OutcomeUnknownError)),
            ):
                async with communicator.lease(5):
                    raise AssertionError


async def test_the_client_is_closed_first(etcd_server: EtcdServer) -> None:
    opened: list[Text] = []
    leases: list[Lease] = []
    begun = trio.Event()

    async def keep() -> None:
        with pytest.raises(LeaseLostError, match="block was left"):
            async with opened[0].lease(SHORTEST) as lease:
                leases.append(lease)
                begun.set()
                await trio.sleep_forever()

    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            async with EtcdClient(etcd_server.endpoint).connect() as communicator:
                opened.append(communicator)
                nursery.start_soon(keep)
                await begun.wait()
            with pytest.raises(trio.ClosedResourceError):
                async with communicator.lease(30):
                    raise AssertionError
    async with connected(etcd_server.endpoint) as again:
        with suppress(LeaseNotFoundError):  # it was given back, if there still was time for it
            await again.revoke_lease(leases[0])
