"""`communicator.channel` on a real etcd: stubs of betterproto2's and of grpclib's compilers run under Trio."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import pytest
import trio
from _grpc_kit import Modules, betterproto2_stubs, protobuf_stubs, streams_of, until
from grpclib import GRPCError, Status
from grpclib.const import Cardinality

from etcetra_trio import EtcdClient, EtcdCommunicator
from etcetra_trio.streams import stub
from etcetra_trio.testing import EtcdServer

WATCH = "/etcdserverpb.Watch/Watch"


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Modules:
    return betterproto2_stubs(tmp_path_factory.mktemp("betterproto2"))


@pytest.fixture(scope="session")
def pb(made: Modules) -> Any:
    return made["etcdserverpb"]


@pytest.fixture(scope="session")
def upb(tmp_path_factory: pytest.TempPathFactory) -> Modules:
    return protobuf_stubs(tmp_path_factory.mktemp("protobuf"))


@pytest.fixture(params=["lean", "h2"])
async def communicator(
    request: pytest.FixtureRequest, etcd_server: EtcdServer
) -> AsyncGenerator[EtcdCommunicator[str]]:
    """Over both engines; leaves no RPC behind, whatever a test did."""
    async with EtcdClient(etcd_server.endpoint, http2=request.param).connect() as communicator:
        yield communicator
        assert streams_of(communicator) == 0
        await communicator.delete_prefix("stubs/")


async def test_unary_stubs_run_unchanged(communicator: EtcdCommunicator[str], pb: Any) -> None:
    kv = pb.KvStub(communicator.channel)
    put = await kv.put(pb.PutRequest(key=b"stubs/a", value=b"one"))
    found = await kv.range(pb.RangeRequest(key=b"stubs/a"))
    assert found.header.revision == put.header.revision
    assert [(item.key, item.value) for item in found.kvs] == [(b"stubs/a", b"one")]
    assert await communicator.get("stubs/a") == "one"


async def test_many_unary_calls_at_once(communicator: EtcdCommunicator[str], pb: Any) -> None:
    kv = pb.KvStub(communicator.channel)
    found: dict[int, bytes] = {}

    async def one(number: int) -> None:
        key = b"stubs/%d" % number
        await kv.put(pb.PutRequest(key=key, value=b"%d" % number))
        found[number] = (await kv.range(pb.RangeRequest(key=key))).kvs[0].value

    async with trio.open_nursery() as nursery:
        for number in range(50):
            nursery.start_soon(one, number)
    assert found == {number: b"%d" % number for number in range(50)}


async def test_an_error_status_is_grpclibs_error(communicator: EtcdCommunicator[str], pb: Any) -> None:
    with pytest.raises(GRPCError) as caught:
        await pb.KvStub(communicator.channel).put(pb.PutRequest())
    assert caught.value.status is Status.INVALID_ARGUMENT
    assert caught.value.message == "etcdserver: key is not provided"
    with pytest.raises(GRPCError, match="requested lease not found") as caught:
        await pb.LeaseStub(communicator.channel).lease_revoke(pb.LeaseRevokeRequest(id=1))
    assert caught.value.status is Status.NOT_FOUND
    (note,) = caught.value.__notes__
    assert "/etcdserverpb.Lease/LeaseRevoke at 127.0.0.1" in note


async def test_a_method_that_the_server_lacks(communicator: EtcdCommunicator[str], pb: Any) -> None:
    request = communicator.channel.request(
        "/etcdserverpb.KV/Nothing", Cardinality.UNARY_UNARY, pb.RangeRequest, pb.RangeResponse
    )
    with pytest.raises(GRPCError) as caught:
        async with request as stream:
            await stream.send_message(pb.RangeRequest(key=b"x"))
            await stream.recv_message()
    assert caught.value.status is Status.UNIMPLEMENTED


def checked(snapshot: bytes) -> None:
    """Etcd puts the sum of the backend file behind it."""
    assert hashlib.sha256(snapshot[:-32]).digest() == snapshot[-32:]


async def test_server_streaming_stubs_run_unchanged(communicator: EtcdCommunicator[str], pb: Any) -> None:
    maintenance = pb.MaintenanceStub(communicator.channel)
    checked(b"".join([chunk.blob async for chunk in maintenance.snapshot()]))


async def test_server_streaming_through_stub(communicator: EtcdCommunicator[str], pb: Any) -> None:
    maintenance = stub(pb.MaintenanceStub, communicator.channel)
    checked(b"".join([chunk.blob async for chunk in maintenance.snapshot()]))
    async with maintenance.snapshot(pb.SnapshotRequest()) as chunks:
        checked(b"".join([chunk.blob async for chunk in chunks]))
        with pytest.raises(trio.EndOfChannel):
            await chunks.receive()
    assert (await maintenance.status(pb.StatusRequest())).db_size > 0


async def test_a_snapshot_left_early_is_reset(communicator: EtcdCommunicator[str], pb: Any) -> None:
    await communicator.put("stubs/large", "x" * 1_000_000)
    # As generated, one generator holds another, which Trio has to clean up.
    with pytest.warns(ResourceWarning, match="_unary_stream"):
        async with aclosing(pb.MaintenanceStub(communicator.channel).snapshot()) as chunks:
            await anext(chunks)
        await until(lambda: streams_of(communicator) == 0)
    async with stub(pb.MaintenanceStub, communicator.channel).snapshot() as replies:
        await replies.receive()
    assert streams_of(communicator) == 0


def watch_request(pb: Any, key: bytes) -> Any:
    return pb.WatchRequest(create_request=pb.WatchCreateRequest(key=key))


async def test_a_watch_sends_and_receives_at_once(communicator: EtcdCommunicator[str], pb: Any) -> None:
    ask, requests = trio.open_memory_channel[Any](0)
    watches = stub(pb.WatchStub, communicator.channel)
    with trio.fail_after(10):
        async with watches.watch(requests) as replies:
            for number, key in enumerate([b"stubs/1", b"stubs/2"]):
                await ask.send(watch_request(pb, key))
                created = await replies.receive()
                assert (created.created, created.watch_id) == (True, number)
            await communicator.put("stubs/2", "two")
            (event,) = (await replies.receive()).events
            assert (event.kv.key, event.kv.value) == (b"stubs/2", b"two")
            assert streams_of(communicator) == 1
        assert streams_of(communicator) == 0
        with pytest.raises(trio.WouldBlock):  # the task that took the requests has gone
            ask.send_nowait(watch_request(pb, b"stubs/3"))


async def test_a_watch_in_a_bare_loop(communicator: EtcdCommunicator[str], pb: Any) -> None:
    watches = stub(pb.WatchStub, communicator.channel)
    revision = (await communicator.put("stubs/a", "1")).revision
    create = pb.WatchCreateRequest(key=b"stubs/a", start_revision=revision)
    replies = watches.watch([pb.WatchRequest(create_request=create)])
    async for reply in replies:
        if reply.events:
            assert reply.events[0].kv.mod_revision == revision
            break
    assert streams_of(communicator) == 1
    await replies.aclose()
    assert streams_of(communicator) == 0
    with pytest.raises(trio.ClosedResourceError):
        await replies.receive()


async def test_a_lease_is_kept_alive(communicator: EtcdCommunicator[str], pb: Any) -> None:
    leases = stub(pb.LeaseStub, communicator.channel)
    lease = (await leases.lease_grant(pb.LeaseGrantRequest(ttl=60))).id
    request = pb.LeaseKeepAliveRequest(id=lease)

    async def requests() -> AsyncGenerator[Any]:
        for _ in range(3):
            yield request

    assert [reply.ttl async for reply in leases.lease_keep_alive(requests())] == [60, 60, 60]
    async with leases.lease_keep_alive([request, request]) as replies:
        assert [reply.id async for reply in replies] == [lease, lease]
    await leases.lease_revoke(pb.LeaseRevokeRequest(id=lease))


async def test_a_cancelled_call_is_reset(communicator: EtcdCommunicator[str], pb: Any) -> None:
    watches = stub(pb.WatchStub, communicator.channel)
    with trio.move_on_after(0.1) as scope:
        async with watches.watch([watch_request(pb, b"stubs/a")]) as replies:
            async for reply in replies:
                assert reply.created
    assert scope.cancelled_caught
    assert streams_of(communicator) == 0
    with trio.move_on_after(0) as scope:
        await pb.KvStub(communicator.channel).put(pb.PutRequest(key=b"stubs/never"))
    assert scope.cancelled_caught
    assert streams_of(communicator) == 0
    assert await communicator.get("stubs/never") is None


async def test_grpclibs_timeout(communicator: EtcdCommunicator[str], pb: Any) -> None:
    watches = stub(pb.WatchStub, communicator.channel)
    start = trio.current_time()
    with pytest.raises(TimeoutError, match="Deadline exceeded"):
        async with watches.watch([watch_request(pb, b"stubs/a")], timeout=0.2) as replies:
            async for reply in replies:
                assert reply.created
    assert 0.2 <= trio.current_time() - start < 0.5
    assert streams_of(communicator) == 0


async def test_protobufs_messages_and_grpclibs_own_stubs(
    communicator: EtcdCommunicator[str], upb: Modules
) -> None:
    kv, messages = upb["kv_grpc"].KVStub(communicator.channel), upb["kv_pb2"]
    await kv.Put(messages.PutRequest(key=b"stubs/p", value=b"1"))
    assert (await kv.Range(messages.RangeRequest(key=b"stubs/p"))).kvs[0].value == b"1"
    with pytest.raises(GRPCError, match="key is not provided"):
        await kv.Put(messages.PutRequest())
    watch, messages = upb["watch_grpc"].WatchStub(communicator.channel), upb["watch_pb2"]
    async with watch.Watch.open() as stream:
        await stream.send_message(messages.WatchRequest(create_request={"key": b"stubs/p"}))
        assert (await stream.recv_message()).created
        assert stream.initial_metadata is not None
        await communicator.put("stubs/p", "2")
        async for reply in stream:
            assert reply.events[0].kv.value == b"2"
            await stream.cancel()
            break
    assert streams_of(communicator) == 0


async def test_a_client_that_was_closed(etcd_server: EtcdServer, pb: Any) -> None:
    client = EtcdClient(etcd_server.endpoint)
    async with client.connect() as communicator:
        channel = communicator.channel
    with pytest.raises(trio.ClosedResourceError):
        await pb.KvStub(channel).range(pb.RangeRequest(key=b"x"))
    with pytest.raises(trio.ClosedResourceError):
        async with stub(pb.WatchStub, channel).watch([]):
            pass
    with pytest.raises(trio.ClosedResourceError):
        await stub(pb.WatchStub, channel).watch([]).receive()


@pytest.mark.parametrize("in_block", [True, False])
async def test_a_client_that_is_closed_during_a_call(
    etcd_server: EtcdServer, pb: Any, *, in_block: bool
) -> None:
    async def watch(communicator: EtcdCommunicator[str]) -> None:
        replies = stub(pb.WatchStub, communicator.channel).watch([watch_request(pb, b"stubs/a")])
        with pytest.raises(trio.ClosedResourceError):
            if in_block:
                async with replies:
                    await replies.receive()
                    await replies.receive()
            else:
                await replies.receive()
                await replies.receive()

    leave = trio.Event()
    connected: list[EtcdCommunicator[str]] = []

    async def connect() -> None:
        async with EtcdClient(etcd_server.endpoint).connect() as communicator:
            connected.append(communicator)
            await leave.wait()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(connect)
        await until(lambda: bool(connected))
        (communicator,) = connected
        nursery.start_soon(watch, communicator)
        await until(lambda: streams_of(communicator) == 1)
        await trio.sleep(0.1)
        leave.set()
