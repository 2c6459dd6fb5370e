"""Cancellation from both sides, as an asyncio user expects it."""

from __future__ import annotations

import asyncio
import gc
import random
from contextlib import suppress
from contextvars import ContextVar

import pytest

from etcetra_trio.asyncio import (
    EtcdClient,
    EtcdCommunicator,
    LockLostError,
    LockTimeoutError,
    Mirror,
    StmTransaction,
    Watch,
    WatchEvent,
)
from etcetra_trio.testing import EtcdServer
from shim._kit import RUNNERS, Scenario, on_trio_asyncio, run

Client = EtcdClient[str]


def raising(function: Scenario, error: type[BaseException]) -> Scenario:
    async def scenario(client: Client) -> None:
        with pytest.raises(error):
            await function(client)

    scenario.__name__ = function.__name__
    return scenario


def open_streams(communicator: EtcdCommunicator[str]) -> int:
    live = communicator._scope.endpoints.live
    assert live is not None
    return len(live.engine.streams)


async def timeout_of_a_call_that_waits(client: Client) -> None:
    async with client.connect() as communicator:
        async with communicator.watch("k") as events:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await events.receive()
            await communicator.put("k", "v")
            assert (await events.receive()).value == "v"


async def the_iterator_survives_wait_for(client: Client) -> None:
    async with client.connect() as communicator:
        ready = asyncio.Event()
        iterator = communicator.watch("k", ready_event=ready).__aiter__()
        for number in range(3):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(iterator.__anext__(), 0.2)
            assert ready.is_set()
            await communicator.put("k", str(number))
            assert (await asyncio.wait_for(iterator.__anext__(), 5)).value == str(number)
        await iterator.aclose()


async def no_event_is_lost_to_a_timeout(client: Client) -> None:
    async def write(communicator: EtcdCommunicator[str]) -> None:
        for number in range(100):
            await communicator.put("k", str(number))
            await asyncio.sleep(random.random() * 0.004)

    async with client.connect() as communicator, communicator.watch("k") as events:
        writing = asyncio.create_task(write(communicator))
        got: list[str | None] = []
        while len(got) < 100:
            with suppress(TimeoutError):
                async with asyncio.timeout(random.random() * 0.004):
                    got.append((await events.receive()).value)
        assert got == [str(number) for number in range(100)]
        await writing


async def a_cancellation_is_never_lost(client: Client) -> None:
    async with client.connect() as communicator:

        async def once() -> None:
            await communicator.get("k")

        async def through_trio() -> None:
            await communicator.keepalive_once(lease)

        lease = await communicator.grant_lease(60)
        for step in range(60):
            task = asyncio.create_task(once() if step % 2 else through_trio())
            await asyncio.sleep(random.random() * 0.002)
            asked = task.cancel()
            await asyncio.wait([task])
            assert task.cancelled() is asked
        assert open_streams(communicator) == 0
        await communicator.revoke_lease(lease)


async def cancelled_calls_leave_no_stream(client: Client) -> None:
    async with client.connect() as communicator:
        tasks = [asyncio.create_task(communicator.get(f"k{number}")) for number in range(20)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(result, asyncio.CancelledError) for result in results)
        assert open_streams(communicator) == 0
        assert await communicator.get("k") is None


async def a_task_group_cancels_what_waits(client: Client) -> None:
    async def wait(communicator: EtcdCommunicator[str]) -> None:
        async for _ in communicator.watch("k"):
            raise AssertionError

    async def fail() -> None:
        await asyncio.sleep(0.05)
        raise KeyError("mine")

    async with client.connect() as communicator:
        with pytest.raises(ExceptionGroup) as caught:
            async with asyncio.TaskGroup() as group:
                group.create_task(wait(communicator))
                group.create_task(fail())
        assert [type(error) for error in caught.value.exceptions] == [KeyError]


async def gather_and_shield(client: Client) -> None:
    async with client.connect() as communicator:
        await asyncio.gather(*(communicator.put(f"k{number}", str(number)) for number in range(50)))
        values = await asyncio.gather(*(communicator.get(f"k{number}") for number in range(50)))
        assert values == [str(number) for number in range(50)]
        inner = asyncio.ensure_future(communicator.put("k", "shielded"))
        outer = asyncio.shield(inner)
        await asyncio.sleep(0)
        outer.cancel()
        assert await inner is None
        assert await communicator.get("k") == "shielded"


async def context_variables_go_along(client: Client) -> None:
    variable: ContextVar[str] = ContextVar("variable")
    seen: list[str] = []

    async def function(transaction: StmTransaction[str]) -> None:
        seen.append(variable.get())
        await transaction.get("k")

    def look(_view: Mirror[str]) -> bool:
        seen.append(variable.get())
        return True

    async with client.connect() as communicator, communicator.mirror("") as view:
        for value in ("first", "second"):
            variable.set(value)
            await communicator.stm(function)
            await view.wait_for(look)
    assert seen == ["first", "first", "second", "second"]


async def a_cancelled_stm_cancels_its_function(client: Client) -> None:
    ended: list[str] = []

    async def function(transaction: StmTransaction[str]) -> None:
        try:
            await transaction.get("k")
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(0.01)
            ended.append("cleaned up")
            raise

    async with client.connect() as communicator:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await communicator.stm(function)
    assert ended == ["cleaned up"]


async def a_waiter_for_a_lock_leaves_nothing(client: Client) -> None:
    async with client.connect() as communicator:
        before = set(await communicator.list_leases())
        async with communicator.lock("lock"):
            task = asyncio.create_task(client.with_lock("lock").__aenter__())
            while await communicator.count("lock/", prefix=True) < 2:
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await communicator.count("lock/", prefix=True) == 1
            with pytest.raises(TimeoutError) as caught:
                async with communicator.lock("lock", 0.1):
                    raise AssertionError
            assert isinstance(caught.value, LockTimeoutError)
            assert await communicator.count("lock/", prefix=True) == 1
        assert not set(await communicator.list_leases()) - before


async def a_cancelled_body_releases_its_lock(client: Client) -> None:
    async with client.connect() as communicator:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2), client.with_lock("lock"):
                await asyncio.sleep(60)
        assert await communicator.count("lock/", prefix=True) == 0
        with pytest.raises(KeyError) as caught:
            async with client.with_lock("lock"):
                raise error
        assert caught.value is error
        assert caught.value.__cause__ is None
        assert await communicator.count("lock/", prefix=True) == 0


error = KeyError("mine")


async def lose(client: Client, held: EtcdCommunicator[str]) -> None:
    async with client.connect() as communicator:
        assert held.held_lock is not None
        await communicator.delete(held.held_lock.key)


async def a_lost_lock_cancels_the_body(client: Client) -> None:
    task = asyncio.current_task()
    assert task is not None
    with pytest.raises(LockLostError) as caught:
        async with client.with_lock("lock") as held:
            await lose(client, held)
            await asyncio.sleep(60)
    assert caught.value.__cause__ is None
    assert task.cancelling() == 0
    await asyncio.sleep(0)  # no cancellation is left over


async def a_lost_lock_in_a_task_group(client: Client) -> None:
    async def work() -> None:
        async with client.with_lock("lock") as held:
            await lose(client, held)
            await asyncio.sleep(60)

    with pytest.raises(ExceptionGroup) as caught:
        async with asyncio.TaskGroup() as group:
            group.create_task(work())
            group.create_task(asyncio.sleep(60))
    [inner] = caught.value.exceptions
    assert isinstance(inner, LockLostError)


async def a_lost_lock_beside_the_bodys_own_error(client: Client) -> None:
    with pytest.raises(LockLostError) as caught:
        async with client.with_lock("lock") as held:
            await lose(client, held)
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                raise error from None
    assert caught.value.__cause__ is error


async def a_body_that_swallows_the_cancellation(client: Client) -> None:
    task = asyncio.current_task()
    assert task is not None
    with pytest.raises(LockLostError):
        async with client.with_lock("lock") as held:
            await lose(client, held)
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(60)
    assert task.cancelling() == 0


async def a_loss_that_the_body_does_not_notice(client: Client) -> None:
    task = asyncio.current_task()
    assert task is not None
    for _ in range(5):
        with pytest.raises(LockLostError):
            async with client.with_lock("lock") as held:
                await lose(client, held)
                assert held.held_lock is not None
                for _ in range(1000):
                    if held.held_lock.lost:
                        break
                    with suppress(asyncio.CancelledError):
                        await asyncio.sleep(0.001)
        assert task.cancelling() == 0
        await asyncio.sleep(0)


async def an_outer_cancellation_stays_one(client: Client) -> None:
    entered = asyncio.Event()

    async def work() -> None:
        async with client.with_lock("lock") as held:
            entered.set()
            try:
                await asyncio.sleep(60)
            finally:
                await lose(client, held)

    task = asyncio.create_task(work())
    await entered.wait()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


async def flagged_locks_only_say_so(client: Client) -> None:
    async with client.with_lock("lock", on_lost="flag") as held:
        lock = held.held_lock
        assert lock is not None
        states = [lock.lost]
        await lose(client, held)
        await lock.wait_lost()
        assert [*states, lock.lost] == [False, True]
        with pytest.raises(LockLostError):
            await lock.put("k", "v")


async def by_hand_from_different_tasks(client: Client) -> None:
    manager = client.with_lock("lock")
    communicator = await asyncio.create_task(manager.__aenter__())
    await communicator.put("k", "v")
    watch: Watch[WatchEvent[str]] = communicator.watch("k")
    await asyncio.create_task(watch.__aenter__())
    await communicator.put("k", "w")
    assert (await asyncio.create_task(watch.receive())).value == "w"
    await asyncio.create_task(watch.__aexit__(None, None, None))
    assert await communicator.count("lock/", prefix=True) == 1
    await asyncio.create_task(manager.__aexit__(None, None, None))
    async with client.connect() as other:
        assert await other.count("lock/", prefix=True) == 0


async def iterating(client: Client) -> None:
    async with client.connect() as communicator:
        await communicator.delete_prefix("k")
        start = (await communicator.range("k")).revision + 1
        for number in range(30):
            await communicator.put(f"k{number:02}", str(number))
        found = [record.value async for record in communicator.iter_range("k", prefix=True)]
        assert found == [str(number) for number in range(30)]
        async with communicator.watch_prefix("k", start_revision=start, batches=True) as batches:
            async for batch in batches:
                assert batch.events[0].value == "0"
                break


async def a_bare_loop_that_is_left_ends_quietly(client: Client) -> None:
    async with client.connect() as communicator:
        ready = asyncio.Event()
        task = asyncio.create_task(first_value(communicator, ready))
        await ready.wait()
        await communicator.put("k", "v")
        assert await task == "v"
        gc.collect()
        for _ in range(100):
            if not watches(communicator):
                break
            await asyncio.sleep(0.01)
        assert watches(communicator) == 0


async def first_value(communicator: EtcdCommunicator[str], ready: asyncio.Event) -> str | None:
    async for event in communicator.watch("k", ready):
        return event.value
    raise AssertionError


def watches(communicator: EtcdCommunicator[str]) -> int:
    """That are open on the client."""
    return len(communicator._scope.channels)


SCENARIOS: list[Scenario] = [
    a_bare_loop_that_is_left_ends_quietly,
    timeout_of_a_call_that_waits,
    the_iterator_survives_wait_for,
    no_event_is_lost_to_a_timeout,
    a_cancellation_is_never_lost,
    cancelled_calls_leave_no_stream,
    a_task_group_cancels_what_waits,
    gather_and_shield,
    context_variables_go_along,
    a_cancelled_stm_cancels_its_function,
    a_waiter_for_a_lock_leaves_nothing,
    a_cancelled_body_releases_its_lock,
    a_lost_lock_cancels_the_body,
    a_lost_lock_in_a_task_group,
    a_lost_lock_beside_the_bodys_own_error,
    a_body_that_swallows_the_cancellation,
    a_loss_that_the_body_does_not_notice,
    an_outer_cancellation_stays_one,
    flagged_locks_only_say_so,
    by_hand_from_different_tasks,
    iterating,
]


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_scenario(scenario: Scenario, runner: str, etcd_server: EtcdServer) -> None:
    run(runner, scenario, etcd_server.endpoint)


def test_on_trio_asyncio(etcd_server: EtcdServer) -> None:
    on_trio_asyncio(__name__, etcd_server.endpoint)
