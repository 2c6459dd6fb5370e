"""What takes seconds, because leases do: all of it at the same time."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import trio
from lease._kit import SHORTEST, connected

from etcetra_trio import EtcdClient, LockLostError, LockTimeoutError, WatchEventType
from etcetra_trio.testing import EtcdServer, FaultProxy

TESTS = Path(__file__).parent.parent


async def test_all_at_once(etcd_server: EtcdServer) -> None:
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            for scenario in (
                before_the_server_ends_it,
                while_it_waits,
                clean_up,
                stopped_process,
                ttl_cancels,
                ttl_is_longer_than_the_lease,
            ):
                nursery.start_soon(scenario, etcd_server)
            for fault in ("stopped", "killed", "black hole"):
                nursery.start_soon(no_server, fault)


async def no_server(fault: str) -> None:
    """The body is cancelled before the server can have ended the lease."""
    async with EtcdServer() as server, FaultProxy(server.endpoint) as proxy:
        async with connected(proxy.endpoint) as communicator:
            with pytest.raises(LockLostError, match="could not be renewed"):
                async with communicator.lock("name", lease_ttl=SHORTEST) as lock:
                    await trio.sleep(0.8)  # renewed once
                    {"stopped": server.stop, "killed": server.kill, "black hole": proxy.black_hole}[fault]()
                    broken = trio.current_time()
                    try:
                        await trio.sleep_forever()
                    finally:
                        ended = trio.current_time()
                        assert lock.lost
                        with trio.move_on_after(1, shield=True), pytest.raises(LockLostError):
                            await lock.put("late", "")
            # Nothing can be waited for: the lease is over.
            assert trio.current_time() - ended < 0.5
        assert broken < ended < broken + SHORTEST
        server.cont()


async def before_the_server_ends_it(server: EtcdServer) -> None:
    """What the body knows, and what the server does, by the same clock."""
    deleted: list[float] = []
    watching = trio.Event()

    async def watch() -> None:
        async with connected(server.endpoint) as other, other.watch_prefix("before/") as events:
            watching.set()
            async for event in events:
                if event.event is WatchEventType.DELETE:
                    deleted.append(trio.current_time())
                    break

    async with FaultProxy(server.endpoint) as proxy, trio.open_nursery() as nursery:
        nursery.start_soon(watch)
        await watching.wait()
        async with connected(proxy.endpoint) as communicator:
            with pytest.raises(LockLostError):
                async with communicator.lock("before", lease_ttl=SHORTEST):
                    proxy.black_hole()
                    try:
                        await trio.sleep_forever()
                    finally:
                        ended = trio.current_time()
    assert ended <= deleted[0]


async def while_it_waits(server: EtcdServer) -> None:
    """A waiter whose lease cannot be renewed waits no longer than that lives."""
    async with FaultProxy(server.endpoint) as proxy, connected(server.endpoint) as other:
        async with connected(proxy.endpoint) as communicator, other.lock("waits"):
            begin = trio.current_time()
            async with trio.open_nursery() as nursery:

                async def wait() -> None:
                    with pytest.raises(LockLostError, match="could not be renewed"):
                        async with communicator.lock("waits", lease_ttl=SHORTEST):
                            raise AssertionError

                nursery.start_soon(wait)
                while len(await other.keys_prefix("waits/")) < 2:
                    await trio.sleep(0.01)
                proxy.black_hole()
            assert trio.current_time() - begin < SHORTEST + 0.5


async def clean_up(server: EtcdServer) -> None:
    """It keeps its bound, and what it could not do is undone when the lease is over."""
    async with FaultProxy(server.endpoint) as proxy, connected(server.endpoint) as other:
        async with EtcdClient(proxy.endpoint).connect() as communicator:
            leases: list[int] = []
            async with communicator.lock("bound", lease_ttl=SHORTEST) as lock:
                leases.append(lock.lease.id)
                proxy.black_hole()
                begin = trio.current_time()
                with pytest.raises(LockTimeoutError):
                    async with communicator.lock("bound", lease_ttl=SHORTEST, timeout=0.2):
                        raise AssertionError
                assert 0.2 <= trio.current_time() - begin < 1.7
                begin = trio.current_time()
            assert trio.current_time() - begin < 1.5
        with trio.fail_after(SHORTEST + 2):
            while await other.keys_prefix("bound/") or {*leases} & {*await other.list_leases()}:
                await trio.sleep(0.05)


async def stopped_process(server: EtcdServer) -> None:
    """SIGSTOP for longer than the TTL: another one has the lock meanwhile, and the stopped one does no harm later."""
    process = await trio.lowlevel.open_process(
        [sys.executable, "-W", "error", "-m", "lock._stopped", server.endpoint],
        stdout=subprocess.PIPE,
        cwd=TESTS,
        env={"PYTHONPATH": str(TESTS.parent)},
    )
    assert process.stdout is not None
    try:
        async with connected(server.endpoint) as communicator:
            assert await process.stdout.receive_some() == b"held\n"
            process.send_signal(signal.SIGSTOP)
            begin = trio.current_time()
            async with communicator.lock("stopped") as lock:
                await trio.sleep_until(begin + 4.1)
                process.send_signal(signal.SIGCONT)
                told = b"".join([data async for data in process.stdout]).decode().splitlines()
                await lock.put("who", "the next one")
            last = told.pop()
            assert told == ["not written"] * 3
            assert last in {f"LockLostError, {passed} checkpoints after it" for passed in (0, 1)}
            assert (await communicator.range("who")).kvs[0].version == 1
            await communicator.delete("who")
    finally:
        process.kill()
        with trio.move_on_after(5, shield=True):
            await process.wait()


async def ttl_cancels(server: EtcdServer) -> None:
    """Shorter than the server's shortest, and longer."""
    for ttl in (0.5, 2.5):
        begin = trio.current_time()
        with pytest.raises(LockLostError, match=f"its ttl of {ttl:g} s is over"):
            async with EtcdClient(server.endpoint).with_lock("limited", ttl=ttl) as communicator:
                await trio.sleep_forever()
        assert ttl * 0.9 <= trio.current_time() - begin < ttl + 1
        assert communicator.held_lock is not None
        assert communicator.held_lock.lost
        async with connected(server.endpoint) as other:
            assert await other.keys_prefix("limited/") == []
            assert communicator.held_lock.lease.id not in await other.list_leases()


async def ttl_is_longer_than_the_lease(server: EtcdServer) -> None:
    """It is renewed until then."""
    async with connected(server.endpoint) as communicator:
        begin = trio.current_time()
        with pytest.raises(LockLostError):
            async with communicator.lock("longer", ttl=4, lease_ttl=SHORTEST) as lock:
                await trio.sleep(2.6)
                assert (await communicator.lease_time_to_live(lock.lease)).granted_ttl == SHORTEST
                await trio.sleep(20)
        assert 3.5 < trio.current_time() - begin < 5
