"""Cancelled at every checkpoint of acquiring, holding, releasing: nothing is left, whether or not a server answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
import trio
import trio.testing
from client._kit import cancelled_at, tasks
from lease._kit import SHORTEST, Text, broken_at, connected

from etcetra_trio import EtcdClient, LeaseLostError
from etcetra_trio.testing import EtcdServer, FaultProxy, cancel_sweep

Use = Callable[[Text], Awaitable[None]]


async def lock(communicator: Text) -> None:
    async with communicator.lock("lock-sweep", lease_ttl=SHORTEST) as held:
        await held.put("lock-sweep-it", "", lease=held.lease)
        await held.delete("lock-sweep-it")


async def limited_lock(communicator: Text) -> None:
    async with communicator.lock("lock-sweep", timeout=20, ttl=SHORTEST):
        await trio.lowlevel.checkpoint()


async def campaign(communicator: Text) -> None:
    async with communicator.campaign("lock-sweep", "me", lease_ttl=SHORTEST) as leadership:
        await leadership.proclaim("still me")


async def lease(communicator: Text) -> None:
    async with communicator.lease(SHORTEST) as held:
        await communicator.put("lock-sweep-it", "", lease=held)


USES = [lock, limited_lock, campaign, lease]


class Remains:
    """What is left more than at first."""

    def __init__(self, observer: Text) -> None:
        self.observer = observer
        self.tasks = tasks()
        self.leases: set[int] = set()

    async def begin(self) -> None:
        self.leases = set(await self.observer.list_leases())
        self.tasks = tasks()

    async def check(self) -> None:
        # The client's task that keeps leases alive was told to end, and may need another step for that.
        for _ in range(3):
            await trio.lowlevel.checkpoint()
        found = tasks() - self.tasks
        assert (found, await self.observer.keys_prefix("lock-sweep")) == (set(), [])
        assert set(await self.observer.list_leases()) <= self.leases


@pytest.mark.parametrize("use", USES)
async def test_alone(etcd_server: EtcdServer, use: Use) -> None:
    async with connected(etcd_server.endpoint) as communicator, connected(etcd_server.endpoint) as observer:
        remains = Remains(observer)
        await remains.begin()
        report = await cancel_sweep(lambda: use(communicator), remains.check)
        assert report.cancelled > 3


async def test_with_the_connecting(etcd: EtcdClient[str], etcd_server: EtcdServer) -> None:
    async def use() -> None:
        async with etcd.with_lock("lock-sweep", timeout=30):
            await trio.lowlevel.checkpoint()

    async with connected(etcd_server.endpoint) as observer:
        remains = Remains(observer)
        await remains.begin()
        assert (await cancel_sweep(use, remains.check)).cancelled > 6


async def test_waiting(etcd_server: EtcdServer) -> None:
    """Another one holds it, for long enough that all that can be waited for is waited for."""
    async with connected(etcd_server.endpoint) as communicator, connected(etcd_server.endpoint) as observer:
        async with communicator.lease(SHORTEST), communicator.watch("x"):
            await trio.sleep(0.1)  # all connections are there
        remains = Remains(observer)
        await remains.begin()
        for parked in (False, True):
            for step in range(1, 16):
                async with trio.open_nursery() as nursery:
                    over = trio.Event()

                    async def wait(step: int, parked: bool, over: trio.Event) -> None:
                        await cancelled_at(step, lambda: lock(communicator), parked=parked)
                        over.set()

                    async with observer.lock("lock-sweep"):
                        nursery.start_soon(wait, step, parked, over)
                        with trio.move_on_after(0.08):
                            await over.wait()
                await trio.testing.wait_all_tasks_blocked()
                assert await observer.keys_prefix("lock-sweep") == []
                assert set(await observer.list_leases()) <= remains.leases


async def test_without_an_answer(etcd_server: EtcdServer) -> None:
    """The network is gone in the moment of the cancellation: leaving keeps its bound, and time does the rest."""
    took: dict[tuple[str, int, bool, bool], float] = {}

    async def one(use: Use, step: int, parked: bool, waits: bool) -> None:
        # Below a namespace of its own nobody else has the lock.
        namespace = "" if waits else f"{use.__name__}/{step}/{parked}/"
        async with FaultProxy(etcd_server.endpoint) as proxy:
            async with EtcdClient(proxy.endpoint, namespace=namespace).connect() as communicator:
                seconds = None
                with suppress(LeaseLostError):  # so many leases at once are a load of their own
                    seconds = await broken_at(
                        step, lambda: use(communicator), proxy.black_hole, parked=parked
                    )
                if seconds is not None:
                    took[use.__name__, step, parked, waits] = seconds
        # Some wait for the holder, and come to no further checkpoint.
        nursery.cancel_scope.deadline = trio.current_time() + 1.5

    async with connected(etcd_server.endpoint) as observer:
        leases_before = set(await observer.list_leases())
        async with observer.lock("lock-sweep") as held:
            async with trio.open_nursery() as nursery:
                nursery.cancel_scope.deadline = trio.current_time() + 20
                for waits in (False, True):
                    for use in [lock] if waits else [lock, limited_lock, lease]:
                        for step in range(1, 11):
                            for parked in (False, True):
                                nursery.start_soon(one, use, step, parked, waits)
            assert len(took) > 30
            assert max(took.values()) < 2.5, took  # 1 s, and what a busy machine adds
            await trio.sleep(SHORTEST + 2)
            assert [key for key in await observer.keys_prefix("") if "lock-sweep" in key] == [held.key]
            assert set(await observer.list_leases()) - leases_before == {held.lease.id}
