"""``rwlock``: who is inside with whom, who is next, and that Go programs are kept out and let in."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest
import trio

from etcetra_trio import (
    EtcdClient,
    EtcdCommunicator,
    InvalidRequestError,
    Lock,
    LockLostError,
    LockTimeoutError,
    RWLock,
)
from etcetra_trio._contender import GUARD_AFTER
from etcetra_trio.testing import cancel_sweep
from recipes._kit import Holders, connected, counted, no_lock_left, no_task_or_stream_left, take_away

Text = EtcdCommunicator[str]
Side = Callable[[], AbstractAsyncContextManager[Lock[str]]]


async def test_many_readers_or_one_writer(etcd: EtcdClient[str]) -> None:
    readers, writers, done = 0, 0, 0
    async with connected(etcd, count=4) as communicators, no_lock_left(communicators[0]):

        async def read(communicator: Text) -> None:
            nonlocal readers, done
            for _ in range(8):
                async with communicator.rwlock("door").read():
                    readers += 1
                    assert writers == 0
                    await trio.sleep(0.002)
                    readers -= 1
                    done += 1

        async def write(communicator: Text) -> None:
            nonlocal writers, done
            for _ in range(8):
                async with communicator.rwlock("door").write():
                    writers += 1
                    assert (readers, writers) == (0, 1)
                    await trio.sleep(0.001)
                    writers -= 1
                    done += 1

        async with trio.open_nursery() as nursery:
            for communicator in communicators:
                for _ in range(2):
                    nursery.start_soon(read, communicator)
                nursery.start_soon(write, communicator)
    assert done == 96


async def test_first_come_first_served(communicator: Text) -> None:
    door = communicator.rwlock("door")
    async with no_lock_left(communicator), trio.open_nursery() as nursery:
        readers, writers = Holders(nursery, door.read), Holders(nursery, door.write)
        await readers.start("r1", "r2")
        await readers.inside("r1", "r2")
        await writers.start("w1")
        await readers.start("r3")
        await writers.start("w2")
        await readers.start("r4", "r5")
        await readers.inside("r1", "r2")
        readers.leave("r2")
        await writers.inside()
        readers.leave("r1")
        await writers.inside("w1")
        await readers.inside()
        writers.leave("w1")
        await readers.inside("r3")
        await writers.inside()
        readers.leave("r3")
        await writers.inside("w2")
        writers.leave("w2")
        await readers.inside("r4", "r5")
        await writers.inside()
        readers.leave("r4", "r5")


async def test_a_writer_that_gives_up_lets_readers_pass(communicator: Text) -> None:
    door = communicator.rwlock("door")
    async with no_lock_left(communicator), trio.open_nursery() as nursery:
        readers, writers = Holders(nursery, door.read), Holders(nursery, door.write)
        await readers.start("r1")
        await writers.start("w1")
        await readers.start("r2")
        await readers.inside("r1")
        writers.give_up("w1")
        await readers.inside("r1", "r2")
        readers.leave("r1", "r2")


async def test_go_programs_use_the_same_layout(communicator: Text) -> None:
    """Go's readers put ``name/read/<nanoseconds>`` and wait for older keys that begin with ``name/write``.

    Its writers put ``name/write/<nanoseconds>`` and wait for all older keys that begin with ``name/``.
    """
    door = communicator.rwlock("door")
    async with trio.open_nursery() as nursery:
        readers, writers = Holders(nursery, door.read), Holders(nursery, door.write)
        await communicator.put("door/read/1764000000000000001", "")
        await readers.start("r1")
        await readers.inside("r1")
        await writers.start("w1")
        readers.leave("r1")
        await readers.inside()
        await communicator.put("door/write/1764000000000000002", "")
        await readers.start("r2")
        await trio.sleep(0.05)
        await writers.inside()
        await communicator.delete("door/read/1764000000000000001")
        await writers.inside("w1")
        writers.leave("w1")
        await trio.sleep(0.05)
        await readers.inside()
        await communicator.delete("door/write/1764000000000000002")
        await readers.inside("r2")
        [key] = await communicator.get_prefix("door/")
        assert key == f"door/read/{readers.locks['r2'].lease.id:x}"
        readers.leave("r2")
    async with door.write() as lock:
        assert lock.key == f"door/write/{lock.lease.id:x}"
        assert list(await communicator.get_prefix("door/")) == [lock.key]


@pytest.mark.parametrize("side", ["read", "write"])
async def test_timeouts(communicator: Text, side: str) -> None:
    door = communicator.rwlock("door")
    wanted: Side = lambda: getattr(door, side)(timeout=timeout)  # noqa: E731
    async with no_lock_left(communicator), door.write():
        for timeout in (0, 0.2):
            before = trio.current_time()
            with pytest.raises(LockTimeoutError):
                async with wanted():
                    raise AssertionError("entered")
            assert timeout <= trio.current_time() - before < timeout + 2
            assert await communicator.count("door/", prefix=True) == 1
    timeout = 0
    async with wanted():
        pass


@pytest.mark.parametrize("side", ["read", "write"])
@pytest.mark.parametrize("how", ["key", "lease"])
async def test_lost_while_it_is_held(communicator: Text, side: str, how: str) -> None:
    door = communicator.rwlock("door")
    async with no_lock_left(communicator), trio.open_nursery() as nursery:
        writers = Holders(nursery, door.write)
        with trio.fail_after(5), pytest.raises(LockLostError):
            async with getattr(door, side)() as lock:
                await writers.start("next")
                await writers.inside()
                await take_away(communicator, lock, how)
                await trio.sleep(4)
        await writers.inside("next")
        with pytest.raises(LockLostError):
            await lock.put("k", "v")
        writers.leave("next")


@pytest.mark.parametrize("side", ["read", "write"])
@pytest.mark.parametrize("how", ["key", "lease"])
async def test_lost_while_it_is_waited_for(communicator: Text, side: str, how: str) -> None:
    door = communicator.rwlock("door")
    async with no_lock_left(communicator), door.write() as held:

        async def lose() -> None:
            while (await communicator.range("door/", prefix=True)).count < 2:
                await trio.sleep(0.01)
            [other] = [
                kv for kv in (await communicator.range("door/", prefix=True)).kvs if kv.key != held.key
            ]
            await trio.sleep(0.05)
            await take_away(communicator, other, how)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(lose)
            with trio.fail_after(5), pytest.raises(LockLostError):
                async with getattr(door, side)():
                    raise AssertionError("entered")


@pytest.mark.parametrize("side", ["read", "write"])
@pytest.mark.parametrize("taken", [False, True])
async def test_a_sweep_of_cancels_leaves_nothing(communicator: Text, side: str, taken: bool) -> None:
    before = set(await communicator.list_leases())
    door = communicator.rwlock("door")
    async with trio.open_nursery() as nursery:
        writers = Holders(nursery, door.write)
        if taken:
            await writers.start("w")
            await trio.sleep(GUARD_AFTER + 0.1)  # by now its key is watched

        async def hold() -> None:
            with trio.move_on_after(0.1):
                async with getattr(door, side)(lease_ttl=60) as lock:
                    await lock.put("k", "v")

        async def check() -> None:
            assert await communicator.count("door/", prefix=True) == taken
            assert len(set(await communicator.list_leases()) - before) == taken

        async with no_task_or_stream_left(communicator):
            assert (await cancel_sweep(hold, check)).checkpoints >= 4
        if taken:
            writers.leave("w")


async def test_bytes_and_namespaces(communicator: Text) -> None:
    door: RWLock[str] = communicator.namespaced("sub/").rwlock(b"door")
    async with door.write() as lock:
        assert lock.key == f"door/write/{lock.lease.id:x}"
        assert list(await communicator.get_prefix("sub/door/")) == [f"sub/{lock.key}"]


async def test_bad_input(communicator: Text, monkeypatch: pytest.MonkeyPatch) -> None:
    with counted(communicator, monkeypatch) as calls:
        with pytest.raises(InvalidRequestError):
            communicator.rwlock("")
        with pytest.raises(TypeError):
            communicator.rwlock(3)  # type: ignore[arg-type]
        with pytest.raises(InvalidRequestError):
            async with communicator.rwlock("door").read(timeout=-1):
                pass
        with pytest.raises(InvalidRequestError):
            async with communicator.rwlock("door").write(lease_ttl=0):
                pass
    assert not calls
