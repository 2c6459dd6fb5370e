"""``settle=True``: the exact result, wherever in the request or the answer the connection is cut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest
import trio

import etcetra_trio.asyncio as shim
from etcetra_trio import (
    CompareKey,
    EtcdClient,
    EtcdCommunicator,
    InvalidRequestError,
    OutcomeUnknownError,
    TxnAction,
    TxnResult,
)
from etcetra_trio._proto import _codec as pb
from etcetra_trio._settle import find_guard
from etcetra_trio.testing import EtcdServer, FaultProxy

Communicator = EtcdCommunicator[str]
#: How long the answers to the read before and to the transaction are together, and more, in octets.
ANSWER = 360


@pytest.fixture
async def proxy(etcd_server: EtcdServer) -> AsyncGenerator[FaultProxy]:
    async with FaultProxy(etcd_server.endpoint) as between:
        yield between


async def set_to(
    communicator: Communicator, key: str, revision: int, value: str, **more: bool
) -> TxnResult[str]:
    """A compare-and-set."""

    def build(success: TxnAction[str], failure: TxnAction[str]) -> None:
        success.put(key, value)
        success.put(f"{key}/log/{value}", "")
        failure.get(key)

    return await communicator.txn_compare([CompareKey(key).mod == revision], build, **more)


@pytest.mark.parametrize("step", [13, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize("exists", [True, False])
async def test_cut_within_the_answer(
    etcd_server: EtcdServer, proxy: FaultProxy, step: int, exists: bool
) -> None:
    """At every octet, and so at every frame. It happens once, and is told so; without ``settle`` it is not known."""
    unknown = 0
    async with EtcdClient(etcd_server.endpoint).connect() as direct:
        for octets in range(0, ANSWER, step):
            key = f"settle/{step}/{exists}/{octets}"
            revision = (await direct.put(key, "before")).revision if exists else 0
            async with EtcdClient(proxy.endpoint).connect() as communicator:
                await communicator.get("k")
                if octets % 2:
                    await communicator._endpoints.stream_connection()
                if octets % 3 == 0:
                    proxy.cut_after(octets)
                    try:
                        await set_to(communicator, f"{key}/plain", 0, "v")
                    except OutcomeUnknownError:
                        unknown += 1
                proxy.cut_after(octets)
                with trio.fail_after(10):
                    result = await set_to(communicator, key, revision, "ours", settle=True)
                    assert result.succeeded
                    [kv] = (await direct.range(key)).kvs
                    assert (kv.value, kv.version) == ("ours", 2 if exists else 1)
                    assert result.revision == kv.mod_revision
                    assert result[0] == result[1] == result.responses[0]
                    again = await set_to(communicator, key, revision, "ours", settle=True)
                    assert (again.succeeded, [*again]) == (False, ["ours"])
    assert unknown


@pytest.mark.parametrize("exists", [True, False])
async def test_cut_within_the_request(etcd_server: EtcdServer, proxy: FaultProxy, exists: bool) -> None:
    async with EtcdClient(etcd_server.endpoint).connect() as direct:
        for octets in range(0, 260, 29):
            key = f"settle/request/{exists}/{octets}"
            revision = (await direct.put(key, "before")).revision if exists else 0
            async with EtcdClient(proxy.endpoint).connect() as communicator:
                await communicator.get("k")
                proxy.cut_after(octets, "client")
                with trio.fail_after(10):
                    result = await set_to(communicator, key, revision, "ours", settle=True)
                assert result.succeeded
                [kv] = (await direct.range(key)).kvs
                assert (kv.value, kv.version) == ("ours", 2 if exists else 1)


@pytest.mark.parametrize("exists", [True, False])
async def test_somebody_else_was_faster(etcd_server: EtcdServer, proxy: FaultProxy, exists: bool) -> None:
    """The try whose answer was lost had not been carried out, and cannot be any more."""
    async with EtcdClient(etcd_server.endpoint).connect() as direct:
        key = f"settle/faster/{exists}"
        revision = (await direct.put(key, "before")).revision if exists else 0
        async with EtcdClient(proxy.endpoint).connect() as communicator, trio.open_nursery() as nursery:
            await communicator.get("k")
            results: list[TxnResult[str]] = []

            async def settle() -> None:
                results.append(await set_to(communicator, key, revision, "ours", settle=True))

            if exists:
                proxy.black_hole("client")
                nursery.start_soon(settle)
                await trio.sleep(0.05)
                await direct.put(key, "theirs")
                proxy.cut()
                proxy.heal()
            else:
                await direct.put(key, "theirs")
                nursery.start_soon(settle)
        [result] = results
        assert (result.succeeded, [*result]) == (False, ["theirs"])


@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize("how", ["overwritten", "deleted", "both"])
async def test_done_and_undone(etcd_server: EtcdServer, proxy: FaultProxy, exists: bool, how: str) -> None:
    """Before we could look, others had written over it: that it was done is found in its history."""
    async with EtcdClient(etcd_server.endpoint).connect() as direct:
        key = f"settle/undone/{exists}/{how}"
        revision = (await direct.put(key, "before")).revision if exists else 0
        async with EtcdClient(proxy.endpoint).connect() as communicator, trio.open_nursery() as nursery:
            await communicator.get("k")
            results: list[TxnResult[str]] = []

            async def settle() -> None:
                results.append(await set_to(communicator, key, revision, "ours", settle=True))

            async with direct.watch(key) as events:
                # Its first read, where there is one, is answered; then nothing.
                nursery.start_soon(settle)
                proxy.delay(0.05)
                event = await events.receive()
                proxy.black_hole("server")
                if how != "overwritten":
                    await direct.delete(key)
                if how != "deleted" or not exists:
                    await direct.put(key, "theirs")
                proxy.cut()
                proxy.heal()
                proxy.delay(0)
        [result] = results
        assert (result.succeeded, result.revision) == (True, event.revision)


async def test_history_that_is_compacted(etcd_server: EtcdServer, proxy: FaultProxy) -> None:
    """Then it cannot be told, and that is said."""
    async with EtcdClient(etcd_server.endpoint).connect() as direct:
        revision = (await direct.put("settle/compacted", "before")).revision
        async with EtcdClient(proxy.endpoint).connect() as communicator, trio.open_nursery() as nursery:
            await communicator.get("k")

            async def settle() -> None:
                with pytest.raises(OutcomeUnknownError):
                    await set_to(communicator, "settle/compacted", revision, "ours", settle=True)

            async with direct.watch("settle/compacted") as events:
                proxy.delay(0.05)
                nursery.start_soon(settle)
                await events.receive()
                proxy.black_hole("server")
                await direct.put("settle/compacted", "theirs")
                await direct.compact((await direct.put("settle/compacted", "theirs")).revision)
                proxy.cut()
                proxy.heal()


async def test_namespaces_and_bytes(etcd_server: EtcdServer, proxy: FaultProxy) -> None:
    client = EtcdClient(proxy.endpoint, namespace=b"settle/ns/", encoding=None)
    async with client.connect() as communicator:
        await communicator.get(b"k")
        proxy.cut_after(0)
        result = await communicator.txn_compare(
            [CompareKey(b"\xff").version == 0], lambda yes, _no: yes.put(b"\xff", b"\xfe"), settle=True
        )
        assert result.succeeded
        assert await communicator.get(b"\xff") == b"\xfe"
        await communicator.delete(b"\xff")  # it is no text: other tests shall not find it


@pytest.mark.parametrize(
    ("compares", "build", "words"),
    [
        ([], lambda yes, no: yes.put("k", "v"), "mod revision"),
        ([CompareKey("k").value == "v"], lambda yes, no: yes.put("k", "v"), "mod revision"),
        ([CompareKey("k").mod > 4], lambda yes, no: yes.put("k", "v"), "mod revision"),
        ([CompareKey("k").version == 4], lambda yes, no: yes.put("k", "v"), "mod revision"),
        ([CompareKey("other").mod == 4], lambda yes, no: yes.put("k", "v"), "mod revision"),
        ([CompareKey("k", prefix=True).mod == 4], lambda yes, no: yes.put("k", "v"), "mod revision"),
        ([CompareKey("k").mod == 4], lambda yes, no: yes.delete("k"), "only put"),
        ([CompareKey("k").mod == 4], lambda yes, no: yes.put("k", "v", prev_kv=True), "only put"),
        ([CompareKey("k").mod == 4], lambda yes, no: yes.put("k", ignore_value=True), "only put"),
        ([CompareKey("k").mod == 4], lambda yes, no: (yes.put("k", "v"), no.put("l", "v")), "only read"),
        ([CompareKey("k").mod == 4], lambda yes, no: yes.txn([], lambda y, n: y.put("k", "v")), "only put"),
    ],
)
async def test_what_cannot_be_settled(
    etcd: EtcdClient[str], compares: object, build: object, words: str
) -> None:
    """It is refused before anything is sent."""
    async with etcd.connect() as communicator:
        with pytest.raises(InvalidRequestError, match=words):
            await communicator.txn_compare(compares, build, settle=True)  # type: ignore[call-overload]


def test_guards() -> None:
    put = pb.request_op(request_put=pb.put_request(b"k", b"v", 300, False, False, False))
    for compare, revision in (
        (pb.compare(0, 2, b"k", mod_revision=1 << 40), 1 << 40),
        (pb.compare(0, 2, b"k", mod_revision=0), 0),
        (pb.compare(0, 1, b"k", create_revision=0), 0),
        (pb.compare(0, 0, b"k", version=0), 0),
    ):
        guard = find_guard(pb.txn_request([compare], [put], []))
        assert (guard.key, guard.revision, guard.value, guard.lease) == (b"k", revision, b"v", 300)


async def test_asyncio_programs(etcd_server: EtcdServer, proxy: FaultProxy) -> None:
    """To find out takes a watch, which the shim's short way for calls does not have."""

    async def main() -> list[bool]:
        succeeded = []
        async with shim.EtcdClient(proxy.endpoint).connect() as communicator:
            for octets in range(0, ANSWER, 40):
                await communicator.get("k")
                trio.from_thread.run_sync(proxy.cut_after, octets)
                result = await communicator.txn_compare(
                    [CompareKey(f"settle/asyncio/{octets}").mod == 0],
                    lambda yes, _no, octets=octets: yes.put(f"settle/asyncio/{octets}", "ours"),  # type: ignore[misc]
                    settle=True,
                )
                succeeded.append(result.succeeded)
        return succeeded

    with trio.fail_after(20):
        assert all(await trio.to_thread.run_sync(lambda: asyncio.run(main())))
    async with EtcdClient(etcd_server.endpoint).connect() as direct:
        assert {kv.version for kv in (await direct.range("settle/asyncio/", prefix=True)).kvs} == {1}
