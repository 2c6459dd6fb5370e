"""``timeout``: how long to try, and that nothing is left of what was tried."""

from __future__ import annotations

import pytest
import trio
from lease._kit import Text, nothing_left

from etcetra_trio import ConnectionFailedError, EtcdClient, LockTimeoutError
from etcetra_trio.testing import EtcdServer, FaultProxy


async def test_not_acquired_in_time(etcd: EtcdClient[str], etcd_server: EtcdServer) -> None:
    async with etcd.with_lock("name"):
        await trio.sleep(0.4)  # its key is watched, so there is nothing left for it to begin
        async with nothing_left(etcd_server):
            begin = trio.current_time()
            with pytest.raises(LockTimeoutError, match=r"'name' was not acquired within 0\.3 s") as caught:
                async with etcd.with_lock("name", timeout=0.3):
                    raise AssertionError
            assert 0.3 <= trio.current_time() - begin < 1.3
    assert isinstance(caught.value, TimeoutError)
    assert isinstance(caught.value, trio.TooSlowError)
    assert (caught.value.name, caught.value.timeout) == ("name", 0.3)


async def test_acquired_in_time_and_held_for_longer(etcd: EtcdClient[str]) -> None:
    """It bounds the acquiring, not the block."""
    async with etcd.with_lock("name", timeout=1) as communicator:
        await trio.sleep(1.1)
        assert communicator.held_lock is not None
        await communicator.held_lock.put("k", "v")


async def test_once(communicator: Text, etcd_server: EtcdServer) -> None:
    async with communicator.lock("name", timeout=0):
        async with nothing_left(etcd_server):
            with pytest.raises(LockTimeoutError, match="held by somebody else"):
                async with communicator.lock("name", timeout=0):
                    raise AssertionError
    async with communicator.lock("name", timeout=0):
        pass


async def test_connecting_counts(etcd_server: EtcdServer) -> None:
    async with FaultProxy(etcd_server.endpoint) as proxy:
        proxy.black_hole()
        begin = trio.current_time()
        with pytest.raises(LockTimeoutError):
            async with EtcdClient(proxy.endpoint).with_lock("name", timeout=0.3):
                raise AssertionError
        assert 0.3 <= trio.current_time() - begin < 1.8


async def test_no_server() -> None:
    async with EtcdServer() as server:
        server.kill()
        for timeout in (0, 5, None):
            with trio.fail_after(5), pytest.raises(ConnectionFailedError):
                async with EtcdClient(server.endpoint).with_lock("name", timeout=timeout):
                    raise AssertionError


async def test_the_users_own_timeout(communicator: Text, etcd_server: EtcdServer) -> None:
    async with communicator.lock("name"):
        await trio.sleep(0.4)
        async with nothing_left(etcd_server):
            with pytest.raises(trio.TooSlowError) as caught, trio.fail_after(0.1):
                async with communicator.lock("name"):
                    raise AssertionError
    assert type(caught.value) is trio.TooSlowError
