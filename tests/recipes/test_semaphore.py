"""``semaphore``: how many hold a permit, who is next, what is left when somebody gives up."""

from __future__ import annotations

import pickle

import pytest
import trio

from etcetra_trio import (
    EtcdClient,
    EtcdCommunicator,
    InvalidRequestError,
    Lock,
    LockLostError,
    LockTimeoutError,
)
from etcetra_trio._contender import GUARD_AFTER
from etcetra_trio.testing import cancel_sweep
from recipes._kit import Holders, connected, counted, no_lock_left, no_task_or_stream_left, take_away

Text = EtcdCommunicator[str]


@pytest.mark.parametrize("n", [1, 3])
async def test_at_most_n_at_a_time(etcd: EtcdClient[str], n: int) -> None:
    inside, done = 0, 0
    async with connected(etcd, count=4) as communicators, no_lock_left(communicators[0]):

        async def work(communicator: Text) -> None:
            nonlocal inside, done
            for _ in range(8):
                async with communicator.semaphore("permits", n):
                    inside += 1
                    assert inside <= n
                    await trio.sleep(0.001)
                    inside -= 1
                    done += 1

        async with trio.open_nursery() as nursery:
            for communicator in communicators * 3:
                nursery.start_soon(work, communicator)
    assert done == 96


async def test_first_come_first_served_whoever_leaves(communicator: Text) -> None:
    async with no_lock_left(communicator), trio.open_nursery() as nursery:
        holders = Holders(nursery, lambda: communicator.semaphore("permits", 3))
        await holders.start("a", "b", "c")
        await holders.inside("a", "b", "c")
        await holders.start("d", "e", "f")
        await holders.inside("a", "b", "c")
        for leaving, expected in (
            ("b", "acd"),
            ("a", "cde"),
            ("e", "cdf"),
            ("d", "cf"),
            ("f", "c"),
            ("c", ""),
        ):
            holders.leave(leaving)
            await holders.inside(*expected)
        assert holders.order == ["a", "b", "c", "d", "e", "f"]
        fences = [holders.locks[name].fence for name in "abcdef"]
        assert fences == sorted(fences)


async def test_one_that_gives_up_is_passed_over(communicator: Text) -> None:
    async with no_lock_left(communicator), trio.open_nursery() as nursery:
        holders = Holders(nursery, lambda: communicator.semaphore("permits", 2))
        await holders.start("a", "b", "c", "d")
        holders.give_up("c")
        holders.leave("b")
        await holders.inside("a", "d")
        holders.leave("a", "d")


async def test_waiting_asks_the_server_nothing(communicator: Text, monkeypatch: pytest.MonkeyPatch) -> None:
    async with trio.open_nursery() as nursery:
        holders = Holders(nursery, lambda: communicator.semaphore("permits", 2))
        await holders.start("a", "b", "c", "d")
        with counted(communicator, monkeypatch) as calls:
            await trio.sleep(0.3)
        assert not calls
        with counted(communicator, monkeypatch) as calls:
            holders.leave("a")
            await holders.inside("b", "c")
        assert calls["Txn"] == 2, "one leaves, and only the next one looks"
        holders.leave("b", "c", "d")


async def test_timeouts(communicator: Text) -> None:
    async with no_lock_left(communicator), communicator.semaphore("permits", 1):
        for timeout, words in ((0, "is held by somebody else"), (0.2, "was not acquired within 0.2 s")):
            before = trio.current_time()
            with pytest.raises(LockTimeoutError, match=f"the semaphore 'permits' {words}"):
                async with communicator.semaphore("permits", 1, timeout=timeout):
                    raise AssertionError("entered")
            assert timeout <= trio.current_time() - before < timeout + 2
            assert await communicator.count("permits/", prefix=True) == 1
        async with communicator.semaphore("permits", 2, timeout=0):
            pass


async def test_a_permit_is_a_lock(communicator: Text) -> None:
    async with communicator.semaphore("permits", 2, lease_ttl=7) as permit:
        assert isinstance(permit, Lock)
        assert permit.key == f"permits/{permit.lease.id:x}"
        assert permit.lease.ttl == 7
        [record] = (await communicator.range("permits/", prefix=True)).kvs
        assert (record.key, record.create_revision, record.lease) == (
            permit.key,
            permit.fence,
            permit.lease.id,
        )
        await permit.put("k", "v")
        assert not permit.lost
        assert repr(permit) == "<etcetra_trio.Lock of the semaphore 'permits': held>"
    assert await communicator.get("k") == "v"
    with pytest.raises(LockLostError, match="the semaphore 'permits' is lost: it was released") as caught:
        await permit.put("k", "w")
    twin = pickle.loads(pickle.dumps(caught.value))
    assert str(twin) == str(caught.value)


async def test_it_is_the_lock_of_its_name(communicator: Text) -> None:
    async with communicator.lock("permits"):
        with pytest.raises(LockTimeoutError):
            async with communicator.semaphore("permits", 1, timeout=0):
                pass
    async with communicator.semaphore("permits", 1):
        with pytest.raises(LockTimeoutError):
            async with communicator.lock("permits", timeout=0):
                pass


@pytest.mark.parametrize("how", ["key", "lease"])
async def test_lost_while_it_is_held(communicator: Text, how: str) -> None:
    async with no_lock_left(communicator), trio.open_nursery() as nursery:
        holders = Holders(nursery, lambda: communicator.semaphore("permits", 1))
        with trio.fail_after(5), pytest.raises(LockLostError, match="the semaphore 'permits' is lost"):
            async with communicator.semaphore("permits", 1) as permit:
                await holders.start("next")
                await holders.inside()
                await take_away(communicator, permit, how)
                await trio.sleep(4)
        await holders.inside("next")
        holders.leave("next")


@pytest.mark.parametrize("how", ["key", "lease"])
async def test_lost_while_it_is_waited_for(communicator: Text, how: str) -> None:
    async with (
        no_lock_left(communicator),
        communicator.semaphore("permits", 2),
        communicator.semaphore("permits", 2),
    ):

        async def lose() -> None:
            while (await communicator.range("permits/", prefix=True)).count < 3:
                await trio.sleep(0.01)
            *_, youngest = sorted(
                (await communicator.range("permits/", prefix=True)).kvs, key=lambda kv: kv.create_revision
            )
            await trio.sleep(0.05)
            await take_away(communicator, youngest, how)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(lose)
            with trio.fail_after(5), pytest.raises(LockLostError, match="the semaphore 'permits' is lost"):
                async with communicator.semaphore("permits", 2):
                    raise AssertionError("entered")


async def test_history_is_compacted_while_it_is_waited_for(communicator: Text) -> None:
    async with trio.open_nursery() as nursery:
        holders = Holders(nursery, lambda: communicator.semaphore("permits", 1))
        await holders.start("a", "b")
        await communicator.compact((await communicator.put("k", "v")).revision)
        holders.leave("a")
        await holders.inside("b")
        holders.leave("b")


class OurError(Exception):
    pass


async def test_the_bodys_exception_leaves_as_it_is(communicator: Text) -> None:
    error = OurError()
    async with no_lock_left(communicator):
        with pytest.raises(OurError) as caught:
            async with communicator.semaphore("permits", 2):
                raise error
    assert caught.value is error


@pytest.mark.parametrize("taken", [0, 2])
async def test_a_sweep_of_cancels_leaves_nothing(communicator: Text, taken: int) -> None:
    before = set(await communicator.list_leases())
    async with trio.open_nursery() as nursery:
        holders = Holders(nursery, lambda: communicator.semaphore("permits", 2))
        await holders.start(*"ab"[:taken])
        await trio.sleep(GUARD_AFTER + 0.1)  # by now their keys are watched

        async def hold() -> None:
            with trio.move_on_after(0.1):
                async with communicator.semaphore("permits", 2, lease_ttl=60) as permit:
                    await permit.put("k", "v")

        async def check() -> None:
            assert await communicator.count("permits/", prefix=True) == taken
            assert len(set(await communicator.list_leases()) - before) == taken

        async with no_task_or_stream_left(communicator):
            assert (await cancel_sweep(hold, check)).checkpoints >= 4
        holders.leave(*"ab"[:taken])


async def test_bad_input(communicator: Text, monkeypatch: pytest.MonkeyPatch) -> None:
    with counted(communicator, monkeypatch) as calls:
        for name, n in (("", 1), ("permits", 0), ("permits", -1)):
            with pytest.raises(InvalidRequestError):
                communicator.semaphore(name, n)
        for bad in ("3", 2.0, True, None):
            with pytest.raises(TypeError):
                communicator.semaphore("permits", bad)  # type: ignore[arg-type]
        with pytest.raises(InvalidRequestError):
            communicator.semaphore("permits", 1, timeout=-1)
        with pytest.raises(InvalidRequestError):
            communicator.semaphore("permits", 1, lease_ttl=0)
    assert not calls
