"""Transactions and queues while connections break all the time: what is promised then is the most that can be."""

from __future__ import annotations

import itertools
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from random import Random

import trio

from etcetra_trio import EtcdClient, EtcdCommunicator, EtcdError, OutcomeUnknownError, StmTransaction
from etcetra_trio.testing import EtcdServer, FaultProxy

Text = EtcdCommunicator[str]
Transaction = StmTransaction[str]


@asynccontextmanager
async def shaken(server: EtcdServer, namespace: str) -> AsyncGenerator[Text]:
    """A client whose connections break, each after some octets."""
    with trio.fail_after(60):
        async with (
            FaultProxy(server.endpoint) as proxy,
            EtcdClient(proxy.endpoint, namespace=namespace).connect() as communicator,
            trio.open_nursery() as nursery,
        ):

            async def shake() -> None:
                rng = Random(4)
                while True:
                    connections = proxy.statistics().connections
                    proxy.cut_after(rng.randrange(2000), rng.choice(("client", "server")))
                    while proxy.statistics().connections == connections:
                        await trio.sleep(0.002)

            nursery.start_soon(shake)
            yield communicator
            nursery.cancel_scope.cancel()


async def repeated(function: Callable[[], Awaitable[object]]) -> int:
    """Do it until it succeeds; how often it was left open whether it had happened."""
    unknown = 0
    while True:
        try:
            await function()
        except OutcomeUnknownError:
            unknown += 1
        except EtcdError as error:
            assert error.outcome in {None, "not_applied"}
            await trio.sleep(0.002)
        else:
            return unknown


async def test_a_transaction_that_looks_whether_it_was_done_can_be_repeated(
    etcd_server: EtcdServer, communicator: Text
) -> None:
    namespace = communicator._keys.namespace.decode()
    unknown = done = 0

    async def work(shaky: Text, worker: int) -> None:
        nonlocal unknown, done
        for index in itertools.count():
            if done >= 100 and unknown:
                return
            done += 1

            async def count(transaction: Transaction, key: str = f"done/{worker}/{index}") -> None:
                if await transaction.get(key) is None:
                    transaction.put("counter", str(int(await transaction.get("counter") or "0") + 1))
                    transaction.put(key, "")

            unknown += await repeated(lambda: shaky.stm(count))

    async with shaken(etcd_server, namespace) as shaky, trio.open_nursery() as nursery:
        for worker in range(4):
            nursery.start_soon(work, shaky, worker)
    assert await communicator.get("counter") == str(done)
    assert await communicator.count("done/", prefix=True) == done


async def test_a_queue_loses_only_what_it_says_may_be_lost(
    etcd_server: EtcdServer, communicator: Text
) -> None:
    namespace = communicator._keys.namespace.decode()
    got: list[str] = []
    perhaps_lost = 0

    async def put(shaky: Text) -> None:
        for index in itertools.count():
            if index >= 100 and perhaps_lost:
                return
            try:
                await shaky.queue("jobs").put(str(index))
            except EtcdError:
                await communicator.queue("jobs").put(str(index))  # so it may be there twice

    async def get(shaky: Text) -> None:
        nonlocal perhaps_lost
        while True:
            try:
                got.append(await shaky.queue("jobs").get())
            except OutcomeUnknownError:
                perhaps_lost += 1
            except EtcdError:
                await trio.sleep(0.002)

    async with communicator.watch_prefix("jobs/", prev_kv=True) as events:
        async with shaken(etcd_server, namespace) as shaky, trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(get, shaky)
            await put(shaky)
            while await communicator.count("jobs/", prefix=True):
                await trio.sleep(0.01)
            nursery.cancel_scope.cancel()
        await communicator.put("jobs/end", "")
        was_put, was_taken = [], []
        async for event in events:
            if event.key == "jobs/end":
                break
            if event.prev_value is None:
                was_put.append(event.value)
            else:
                was_taken.append(event.prev_value)
    assert was_taken == was_put, "first in, first out, and each one once"
    assert len(was_taken) - perhaps_lost <= len(got) <= len(was_taken)
    for item in set(got):
        assert got.count(item) <= was_taken.count(item)
