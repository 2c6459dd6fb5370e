"""Locks and elections exclude those of etcdctl, which is Go's client, in both directions."""

from __future__ import annotations

from contextlib import AsyncExitStack

import pytest
import trio
from lease._kit import Text, connected

from etcetra_trio import LockLostError, LockTimeoutError
from etcetra_trio.testing import EtcdServer
from lock._etcdctl import etcdctl


async def contenders(communicator: Text, name: str, count: int) -> None:
    """Wait until so many stand in line."""
    with trio.fail_after(20):
        while len(await communicator.keys_prefix(f"{name}/")) != count:
            await trio.sleep(0.01)


async def test_it_waits_for_our_lock(etcd_server: EtcdServer) -> None:
    async with connected(etcd_server.endpoint) as communicator, AsyncExitStack() as stack:
        async with communicator.lock("ctl") as lock:
            other = await stack.enter_async_context(etcdctl(etcd_server, "lock", "ctl"))
            await contenders(communicator, "ctl", 2)
            await other.silent(0.3)
            assert not lock.lost
        key = await other.line()
        assert await communicator.keys_prefix("ctl/") == [key]
        await other.end()
        await contenders(communicator, "ctl", 0)


async def test_we_wait_for_its_lock(etcd_server: EtcdServer) -> None:
    async with connected(etcd_server.endpoint) as communicator:
        async with etcdctl(etcd_server, "lock", "ctl") as other:
            await other.line()
            for timeout in (0, 0.2):
                with pytest.raises(LockTimeoutError):
                    async with communicator.lock("ctl", timeout=timeout):
                        raise AssertionError
            async with trio.open_nursery() as nursery:

                async def end() -> None:
                    await contenders(communicator, "ctl", 2)
                    await other.end()
                    ended.append(trio.current_time())

                ended: list[float] = []
                nursery.start_soon(end)
                async with communicator.lock("ctl", timeout=20) as lock:
                    assert await communicator.keys_prefix("ctl/") == [lock.key]


async def test_it_stands_between_two_of_ours(etcd_server: EtcdServer) -> None:
    """Everyone waits for the one before, whoever that is."""
    order: list[str] = []
    async with connected(etcd_server.endpoint) as communicator, AsyncExitStack() as stack:

        async def last() -> None:
            async with communicator.lock("ctl"):
                order.append("last")

        async with trio.open_nursery() as nursery:
            async with communicator.lock("ctl"):
                other = await stack.enter_async_context(etcdctl(etcd_server, "lock", "ctl"))
                await contenders(communicator, "ctl", 2)
                nursery.start_soon(last)
                await contenders(communicator, "ctl", 3)
                order.append("first")
            await other.line()
            order.append("etcdctl")
            await trio.sleep(0.2)
            await other.end()
    assert order == ["first", "etcdctl", "last"]


async def test_it_dies(etcd_server: EtcdServer) -> None:
    """Its lease ends, and we have the lock."""
    async with connected(etcd_server.endpoint) as communicator:
        async with etcdctl(etcd_server, "lock", "--ttl", "2", "ctl") as other:
            await other.line()
            other.process.kill()
            begin = trio.current_time()
            async with communicator.lock("ctl", timeout=20):
                assert trio.current_time() - begin < 5


async def test_it_breaks_in(etcd_server: EtcdServer) -> None:
    """An operator who deletes the key of the lock: the body ends, and the next one has it."""
    async with connected(etcd_server.endpoint) as communicator:
        with pytest.raises(LockLostError):
            async with communicator.lock("ctl"):
                async with etcdctl(etcd_server, "del", "--prefix", "ctl/"):
                    begin = trio.current_time()
                    await trio.sleep(20)
        assert trio.current_time() - begin < 3


async def test_elections(etcd_server: EtcdServer) -> None:
    async with connected(etcd_server.endpoint) as communicator, AsyncExitStack() as stack:
        listener = await stack.enter_async_context(etcdctl(etcd_server, "elect", "--listen", "vote"))
        leaders = await stack.enter_async_context(communicator.observe("vote"))
        assert await leaders.receive() is None
        async with communicator.campaign("vote", "we") as leadership:
            # It writes the leader's key and value.
            assert [await listener.line(), await listener.line()] == [leadership.key, "we"]
            await leadership.proclaim("still we")
            assert [await listener.line(), await listener.line()] == [leadership.key, "still we"]
            other = await stack.enter_async_context(etcdctl(etcd_server, "elect", "vote", "it"))
            await contenders(communicator, "vote", 2)
            await other.silent(0.3)
        key = await other.line()
        assert await other.line() == "it"
        leader = await communicator.leader("vote")
        assert leader is not None
        assert (leader.key, leader.value) == (key, "it")
        async with trio.open_nursery() as nursery:

            async def end() -> None:
                await contenders(communicator, "vote", 2)
                await other.end()

            nursery.start_soon(end)
            async with communicator.campaign("vote", "we again"):
                leader = await communicator.leader("vote")
                assert leader is not None
                assert leader.value == "we again"
        seen = [await leaders.receive() for _ in range(5)]
        assert [one and one.value for one in seen] == ["we", "still we", "it", "we again", None]
