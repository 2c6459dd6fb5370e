"""Namespaces: put before every key that goes out, removed from every one that comes back; nothing gets past them."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator

import pytest

from etcetra_trio import CompareKey, EncodingError, EtcdClient, EtcdCommunicator, TxnAction
from etcetra_trio.testing import EtcdServer

Communicator = EtcdCommunicator[str]
Bytes = EtcdCommunicator[bytes]


@pytest.fixture
async def whole(etcd_server: EtcdServer) -> AsyncGenerator[Bytes]:
    """The store without any namespace: what the server itself sees."""
    async with EtcdClient(etcd_server.endpoint, encoding=None).connect() as communicator:
        yield communicator


@pytest.fixture
def name() -> str:
    return f"/namespaces/{uuid.uuid4().hex}"


async def fill(whole: Bytes, name: str) -> None:
    """Two keys in ``name + "/"``, and one just before and one just after it."""
    for key in (f"{name}.", f"{name}/1", f"{name}/2", f"{name}0"):
        await whole.put(key.encode(), b"v")


async def keys(whole: Bytes, name: str) -> list[str]:
    return [key.decode().removeprefix(name) for key in await whole.keys_prefix(name.encode())]


async def test_what_goes_out_and_what_comes_back(etcd_server: EtcdServer, whole: Bytes, name: str) -> None:
    async with EtcdClient(etcd_server.endpoint, namespace=f"{name}/").connect() as inside:
        await inside.put("k", "v")
        assert await keys(whole, name) == ["/k"]
        assert await inside.get("k") == "v"
        assert await inside.get_prefix("k") == {"k": "v"}
        assert await inside.keys_range("a", "z") == ["k"]
        assert [kv.key async for kv in inside.iter_range("a", "z")] == ["k"]
        assert (await inside.range("k")).kvs[0].key == "k"
        assert await inside.txn_compare(
            [CompareKey("k").version == 1, CompareKey("", prefix=True).version == 1],
            lambda success, _failure: success.get_prefix(""),
        ) == [{"k": "v"}]
        assert (await inside.delete("k", prev_kv=True)).prev[0].key == "k"
    assert await keys(whole, name) == []


async def test_nothing_outside_is_seen(etcd_server: EtcdServer, whole: Bytes, name: str) -> None:
    await fill(whole, name)
    async with EtcdClient(etcd_server.endpoint, namespace=f"{name}/").connect() as inside:
        both = ["1", "2"]
        assert await inside.keys_prefix("") == both
        assert await inside.keys_range("\0", "\0") == both
        assert await inside.keys_range("1", "\0") == both
        assert await inside.keys_range("\0", "2") == ["1"]
        assert await inside.get_range("\0", "\0") == dict.fromkeys(both, "v")
        assert await inside.count("\0", "\0") == await inside.count("", prefix=True) == 2
        assert (await inside.range("\0", "\0")).count == 2
        assert [kv.key async for kv in inside.iter_range("\0", "\0")] == both
        assert [kv.key async for kv in inside.iter_range("", prefix=True)] == both
        assert await inside.txn(lambda action: action.get_range("\0", "\0")) == [dict.fromkeys(both, "v")]
        # Both outside keys have version 2 now: a compare that reached them would fail.
        await whole.put(f"{name}.".encode(), b"w")
        await whole.put(f"{name}0".encode(), b"w")
        compares = [
            CompareKey("\0", range_end="\0").version == 1,
            CompareKey("", prefix=True).version == 1,
        ]
        assert (await inside.txn_compare(compares, lambda success, _failure: success.get("1"))).succeeded


@pytest.mark.parametrize("way", ["prefix", "range", "range from", "txn prefix", "txn range"])
async def test_nothing_outside_is_deleted(etcd_server: EtcdServer, whole: Bytes, name: str, way: str) -> None:
    await fill(whole, name)
    async with EtcdClient(etcd_server.endpoint, namespace=f"{name}/").connect() as inside:
        match way:
            case "prefix":
                assert (await inside.delete_prefix("")).deleted == 2
            case "range":
                assert (await inside.delete_range("\0", "\0")).deleted == 2
            case "range from":
                assert (await inside.delete_range("1", "\0")).deleted == 2
            case "txn prefix":
                await inside.txn(lambda action: action.delete_prefix(""))
            case _:
                await inside.txn(lambda action: action.delete_range("\0", "\0"))
    assert await keys(whole, name) == [".", "0"]


async def test_nested_namespaces(etcd_server: EtcdServer, whole: Bytes, name: str) -> None:
    async with EtcdClient(etcd_server.endpoint, namespace=f"{name}/").connect() as outer:
        inner = outer.namespaced("a/").namespaced(b"b/")
        await inner.put("k", "deep")
        await outer.put("k", "shallow")
        assert await keys(whole, name) == ["/a/b/k", "/k"]
        assert await inner.get_prefix("") == {"k": "deep"}
        assert await outer.get_prefix("") == {"a/b/k": "deep", "k": "shallow"}
        assert (await inner.delete_prefix("")).deleted == 1
        assert await outer.get_prefix("") == {"k": "shallow"}
        assert await outer.namespaced("").get("k") == "shallow", "an empty namespace changes nothing"


async def test_the_same_client_and_its_namespaces_share_one_connection(communicator: Communicator) -> None:
    inner = communicator.namespaced("a/")
    await inner.put("k", "v")
    assert await communicator.get("a/k") == "v"
    assert inner._endpoints is communicator._endpoints


async def test_nested_transactions_are_inside_too(communicator: Communicator) -> None:
    inner = communicator.namespaced("a/")

    def nested(success: TxnAction[str], _failure: TxnAction[str]) -> None:
        success.put("deep", "v")

    await inner.txn(lambda action: action.txn([CompareKey("deep").version == 0], nested))
    assert await communicator.keys_prefix("") == ["a/deep"]


@pytest.mark.parametrize("ending", [b"\xff", b"\xff\xff"])
async def test_a_namespace_that_ends_in_the_last_byte(
    etcd_server: EtcdServer, whole: Bytes, ending: bytes
) -> None:
    """It has no simple end: of ``b"a\\xff"`` that is ``b"b"``."""
    namespace = uuid.uuid4().hex.encode() + ending
    await whole.put(namespace[: -len(ending)] + b"\xfe", b"before")
    async with EtcdClient(etcd_server.endpoint, encoding=None, namespace=namespace).connect() as inside:
        await inside.put(b"\xff", b"v")
        assert await inside.get_prefix(b"\xff") == await inside.get_prefix(b"") == {b"\xff": b"v"}
        assert await inside.keys_range(b"\0", b"\0") == [b"\xff"]
        assert (await inside.delete_prefix(b"")).deleted == 1
    assert (await whole.delete_prefix(namespace[: -len(ending)])).deleted == 1


async def test_a_namespace_of_last_bytes_alone_has_the_end_of_all_keys(
    etcd_server: EtcdServer, whole: Bytes
) -> None:
    await whole.put(b"\xfe\xff", b"before")
    async with EtcdClient(etcd_server.endpoint, encoding=None, namespace=b"\xff").connect() as inside:
        await inside.put(b"k", b"v")
        assert await inside.keys_prefix(b"") == await inside.keys_range(b"\0", b"\0") == [b"k"]
        assert (await inside.delete_prefix(b"")).deleted == 1
    assert (await whole.delete(b"\xfe\xff")).deleted == 1


async def test_errors_name_the_key_without_the_namespace(communicator: Communicator) -> None:
    inner = communicator.namespaced("a/")
    await inner.put("k", b"\xff")
    with pytest.raises(EncodingError) as caught:
        await inner.get("k")
    assert caught.value.key == "k"
    await inner.put(b"\xff", "v")
    with pytest.raises(EncodingError) as caught:
        await inner.keys_prefix("")
    assert caught.value.key == b"\xff"


async def test_an_empty_key_stays_refused_inside(communicator: Communicator) -> None:
    """With the namespace before it, the server would take it."""
    inner = communicator.namespaced("a/")
    for call in (lambda: inner.get(""), lambda: inner.put("", "v"), lambda: inner.delete("")):
        with pytest.raises(ValueError, match="the key is empty"):
            await call()
    assert await communicator.count("", prefix=True) == 0
