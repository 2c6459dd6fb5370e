"""What type checkers say about the shim: mypy checks this file, and it runs."""

from __future__ import annotations

import asyncio
from typing import assert_type

from etcetra_trio.asyncio import (
    EtcdClient,
    EtcdCommunicator,
    EtcdTransactionAction,
    Lock,
    RangeIterator,
    TxnResult,
    WatchEvent,
)
from etcetra_trio.testing import EtcdServer


async def texts(client: EtcdClient[str]) -> str:
    async with client.connect() as communicator, client.with_lock("types") as locked:
        assert_type(communicator, EtcdCommunicator[str])
        assert_type(locked.held_lock, Lock[str] | None)
        assert_type(await communicator.put("types", "v", prev_kv=True), str | None)
        assert_type(await communicator.get("types"), str | None)
        assert_type(await communicator.get(b"types", encoding=bytes), bytes | None)
        assert_type(await communicator.get_prefix("types"), dict[str, str])
        assert_type(await communicator.keys_prefix("types", encoding="ascii"), list[str])
        assert_type(await communicator.txn(lambda action: action.get("types")), TxnResult[str])
        assert_type(communicator.iter_range("types"), RangeIterator[str])
        async with communicator.watch("types") as events:
            await communicator.put("types", "w")
            assert_type(await events.receive(), WatchEvent[str])
        assert_type(EtcdCommunicator(communicator.channel), EtcdCommunicator[str])
        assert_type(await communicator.delete_prefix("types", prev_kv=True), list[str] | None)
        return "a body that returns"  # so nobody thinks that a block swallows exceptions


async def octets(client: EtcdClient[bytes]) -> bytes | None:
    async with client.connect() as communicator:
        assert_type(await communicator.get(b"types"), bytes | None)
        assert_type(await communicator.get_prefix(b"types"), dict[bytes, bytes])
        return await communicator.get(b"types")


def test_types(etcd_server: EtcdServer) -> None:
    text, raw = EtcdClient(etcd_server.endpoint), EtcdClient(etcd_server.endpoint, encoding=None)
    assert_type(text, EtcdClient[str])
    assert_type(raw, EtcdClient[bytes])
    assert_type(EtcdTransactionAction("ascii"), EtcdTransactionAction[str])
    assert asyncio.run(texts(text)) == "a body that returns"
    assert asyncio.run(octets(raw)) is None
