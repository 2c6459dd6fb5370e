"""``barrier``: who waits, and for how long."""

from __future__ import annotations

import pytest
import trio
import trio.testing
from client._kit import FAST

from etcetra_trio import Barrier, EtcdClient, EtcdCommunicator, InvalidRequestError
from etcetra_trio.testing import EtcdServer, FaultProxy, cancel_sweep
from recipes._kit import connected, counted, no_task_or_stream_left

Text = EtcdCommunicator[str]


async def test_holds_up_whoever_waits(etcd: EtcdClient[str]) -> None:
    waiting, passed = 0, 0
    async with connected(etcd, count=4) as communicators:
        barrier = communicators[0].barrier("gate")
        await barrier.wait()
        await barrier.hold()

        async def wait(communicator: Text) -> None:
            nonlocal waiting, passed
            waiting += 1
            await communicator.barrier("gate").wait()
            passed += 1

        async with trio.open_nursery() as nursery:
            for communicator in communicators * 5:
                nursery.start_soon(wait, communicator)
            await trio.sleep(0.1)
            assert (waiting, passed) == (20, 0)
            await barrier.release()
        assert passed == 20
        await barrier.wait()


async def test_holding_and_releasing_may_be_repeated(communicator: Text) -> None:
    barrier = communicator.barrier("gate")
    await barrier.hold()
    [before] = (await communicator.range("gate")).kvs
    await barrier.hold()
    assert (await communicator.range("gate")).kvs == [before], "it is not written again"
    assert (before.value, before.lease) == ("", 0), "as Go has it"
    for _ in range(2):
        await barrier.release()
    assert await communicator.get("gate") is None


async def test_only_the_key_of_the_name_counts(communicator: Text) -> None:
    await communicator.put("gate2", "")
    await communicator.put("gate/1", "")
    await communicator.barrier("gate").wait()


async def test_waiting_asks_the_server_nothing(communicator: Text, monkeypatch: pytest.MonkeyPatch) -> None:
    barrier = communicator.barrier("gate")
    await barrier.hold()
    with counted(communicator, monkeypatch) as calls, trio.move_on_after(0.3):
        await barrier.wait()
    assert calls == {"Range": 2}


async def test_open_for_a_moment_is_enough(etcd: EtcdClient[str]) -> None:
    """However the opening falls between the looks and the watch of those who wait."""
    async with connected(etcd, count=2) as (one, other):
        barrier = one.barrier("gate")
        for turn in range(60):
            await barrier.hold()
            async with trio.open_nursery() as nursery:
                for _ in range(3):
                    nursery.start_soon(other.barrier("gate").wait)
                await trio.sleep(turn * 0.0001)
                await barrier.release()
                if turn % 2:
                    # Whoever has looked by now passes; who looks only later must wait for the next opening.
                    await barrier.hold()
                    await trio.sleep(0.01)
                    await barrier.release()


async def test_one_that_has_begun_to_wait_passes_when_it_is_closed_again(etcd: EtcdClient[str]) -> None:
    async with connected(etcd, count=2) as (one, other):
        barrier = one.barrier("gate")
        await barrier.hold()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(other.barrier("gate").wait)
            await trio.sleep(0.1)
            await one.txn(lambda action: action.delete("gate"))
            await barrier.hold()
        assert await one.get("gate") == "", "it is closed, and nobody waits"


async def test_opened_closed_and_compacted_while_no_server_is_there() -> None:
    async with EtcdServer(extra_args=FAST) as server, FaultProxy(server.endpoint) as proxy:
        with trio.fail_after(30):
            async with EtcdClient(proxy.endpoint).connect() as communicator, trio.open_nursery() as nursery:
                await communicator.barrier("gate").hold()
                nursery.start_soon(communicator.barrier("gate").wait)
                await trio.sleep(0.1)
                proxy.refuse()
                proxy.cut()
                async with EtcdClient(server.endpoint).connect() as other:
                    await other.barrier("gate").release()
                    await other.barrier("gate").hold()
                    await other.compact((await other.put("k", "v")).revision)
                proxy.heal()


async def test_each_is_a_checkpoint(communicator: Text) -> None:
    barrier = communicator.barrier("gate")
    for call in (barrier.hold, barrier.hold, barrier.release, barrier.release, barrier.wait):
        with trio.testing.assert_checkpoints():
            await call()


async def test_a_sweep_of_cancels_leaves_nothing(communicator: Text) -> None:
    barrier = communicator.barrier("gate")

    async def wait() -> None:
        async with trio.open_nursery() as nursery:

            async def open_it() -> None:
                await trio.sleep(0.01)
                await barrier.release()

            nursery.start_soon(open_it)
            await barrier.wait()

    async def again() -> None:
        await barrier.hold()

    await again()
    async with no_task_or_stream_left(communicator):
        assert (await cancel_sweep(wait, again)).checkpoints >= 4
    await barrier.release()


async def test_names(communicator: Text, monkeypatch: pytest.MonkeyPatch) -> None:
    with counted(communicator, monkeypatch) as calls:
        with pytest.raises(InvalidRequestError):
            communicator.barrier("")
        with pytest.raises(TypeError):
            communicator.barrier(3)  # type: ignore[arg-type]
    assert not calls
    barrier: Barrier = communicator.namespaced("sub/").barrier(b"\xff")
    await barrier.hold()
    assert await communicator.get(b"sub/\xff", encoding=None) == b""
    await barrier.release()
