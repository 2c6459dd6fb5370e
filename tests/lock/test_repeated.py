"""Calls whose answers are lost are sent again, and find their work done: nothing is taken or granted twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio
from lease._kit import Text, connected, nothing_left

from etcetra_trio import EtcdError, OutcomeUnknownError, StatusCode
from etcetra_trio._proto._methods import LEASE_GRANT, LEASE_REVOKE, TXN, Method
from etcetra_trio.streams._retry import after_unknown
from etcetra_trio.testing import EtcdServer


def twice(communicator: Text, method: Method, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let each call of a method reach the server twice, as if the first answer had been lost."""
    original = communicator._endpoints.call
    repeated: list[str] = []

    async def call(called: Method, message: bytes, decode: Callable[[bytes], Any], **options: Any) -> Any:
        if called.path != method.path:
            return await original(called, message, decode, **options)
        assert called.repeatable
        repeated.append(called.path)
        await original(called, message, decode, **options)
        try:
            return await original(called, message, decode, **options)
        except EtcdError as error:
            lost = OutcomeUnknownError(StatusCode.UNAVAILABLE, "lost", called.path, outcome="unknown")
            raise after_unknown(lost, error) from error

    monkeypatch.setattr(communicator._endpoints, "call", call)
    return repeated


@pytest.mark.parametrize("method", [LEASE_GRANT, TXN, LEASE_REVOKE], ids=lambda method: method.path)
async def test_twice(etcd_server: EtcdServer, monkeypatch: pytest.MonkeyPatch, method: Method) -> None:
    async with connected(etcd_server.endpoint) as communicator:
        async with communicator.watch("warm up"):  # so that all connections are there
            pass
        async with nothing_left(etcd_server):
            repeated = twice(communicator, method, monkeypatch)
            async with communicator.lock("name", lease_ttl=7) as lock:
                assert lock.lease.ttl == 7
                record = (await communicator.range(lock.key)).kvs[0]
                assert record.create_revision == lock.fence
                async with trio.open_nursery() as nursery:

                    async def wait() -> None:
                        async with communicator.lock("name") as second:
                            assert second.fence > lock.fence

                    nursery.start_soon(wait)
                    while len(await communicator.keys_prefix("name/")) < 2:
                        await trio.sleep(0.01)
                    nursery.cancel_scope.cancel()
        assert len(repeated) >= 2


async def test_one_s_own_id_twice(etcd_server: EtcdServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then nobody knows whose lease it is."""
    async with connected(etcd_server.endpoint) as communicator:
        twice(communicator, LEASE_GRANT, monkeypatch)
        with pytest.raises(OutcomeUnknownError):
            await communicator.grant_lease(30, lease_id=4_711)
        await communicator.revoke_lease(4_711)
        granted = await communicator.grant_lease(30)
        assert granted.ttl == 30
        await communicator.revoke_lease(granted)
