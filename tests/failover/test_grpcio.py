"""An independent peer: grpcio's own server speaks KV with our protos, and ends connections in its own ways."""

from __future__ import annotations

import time
from collections.abc import Iterator

import grpc
import pytest
import trio
from _grpc_kit import Handler, serve
from client._kit import live

from etcetra_trio import EtcdClient, OutcomeUnknownError, TooManyRequestsError
from etcetra_trio._proto._messages import etcdserverpb as pb
from etcetra_trio._proto._messages import mvccpb
from etcetra_trio.streams._endpoints import EngineName

ENGINES: tuple[EngineName, ...] = ("lean", "h2")
pytestmark = pytest.mark.parametrize("http2", ENGINES)


class Store:
    """As much of etcd as these tests ask for; it answers slowly if it shall."""

    def __init__(self, delay: float = 0.0) -> None:
        self.delay = delay
        self.puts: list[bytes] = []

    def handlers(self) -> dict[str, Handler]:
        return {"Range": self.range, "Put": self.put}

    def range(self, requests: Iterator[bytes], _context: grpc.ServicerContext) -> Iterator[bytes]:
        request = pb.RangeRequest.parse(next(requests))
        time.sleep(self.delay)
        kv = mvccpb.KeyValue(key=request.key, value=b"of grpcio", mod_revision=2, version=1)
        yield bytes(pb.RangeResponse(header=pb.ResponseHeader(revision=2), kvs=[kv], count=1))

    def put(self, requests: Iterator[bytes], _context: grpc.ServicerContext) -> Iterator[bytes]:
        request = pb.PutRequest.parse(next(requests))
        self.puts.append(request.key)
        time.sleep(self.delay)
        yield bytes(pb.PutResponse(header=pb.ResponseHeader(revision=3)))


async def test_calls(http2: EngineName) -> None:
    store = Store()
    with serve(**store.handlers()) as server:
        async with server.client(http2=http2).connect() as communicator:
            assert await communicator.get("k") == "of grpcio"
            assert (await communicator.put("k", "v")).revision == 3
            async with trio.open_nursery() as nursery:
                for number in range(100):
                    nursery.start_soon(communicator.put, f"{number}", "x" * 10_000)
    assert len(store.puts) == 101


async def test_connections_that_grow_old(http2: EngineName) -> None:
    """It says goodbye twice, with a PING in between, every 100 ms: nothing is lost, nothing is done twice."""
    store = Store(0.01)
    options = [("grpc.max_connection_age_ms", 100), ("grpc.max_connection_age_grace_ms", 5000)]
    with serve(*options, **store.handlers()) as server:
        async with server.client(http2=http2).connect() as communicator, trio.open_nursery() as nursery:
            first = live(communicator)

            async def work(name: str) -> None:
                for number in range(40):
                    await communicator.put(f"{name}{number}", "v")
                    assert await communicator.get("k") == "of grpcio"

            with trio.fail_after(20):
                async with trio.open_nursery() as workers:
                    for name in "abcd":
                        workers.start_soon(work, name)
            assert communicator._endpoints.live is not first  # there may be none at this moment
            nursery.cancel_scope.cancel("the test is over")
    assert sorted(store.puts) == sorted(f"{name}{number}".encode() for name in "abcd" for number in range(40))


async def test_no_more_than_three_at_once(http2: EngineName) -> None:
    store = Store(0.01)
    with serve(("grpc.max_concurrent_streams", 3), **store.handlers()) as server:
        async with server.client(http2=http2).connect() as communicator, trio.open_nursery() as nursery:
            for number in range(30):
                nursery.start_soon(communicator.put, f"{number}", "v")
    assert len(store.puts) == 30


async def test_a_server_that_stops_and_another_that_starts(http2: EngineName) -> None:
    """Those that it has are answered in its time of grace, the others by the next one."""
    store, other = Store(0.1), Store()
    with serve(**store.handlers()) as first, serve(**other.handlers()) as second:
        endpoints = [f"127.0.0.1:{first.port}", f"127.0.0.1:{second.port}"]
        async with EtcdClient(endpoints, http2=http2).connect() as communicator:
            async with trio.open_nursery() as nursery:
                for number in range(5):
                    nursery.start_soon(communicator.put, f"{number}", "v")
                while len(store.puts) < 5:
                    await trio.sleep(0.001)
                first.stop(grace=5)
                await trio.sleep(0.02)
                await communicator.put("next", "v")
                assert await communicator.get("k") == "of grpcio"
            assert live(communicator).endpoint == endpoints[1]
    assert (len(store.puts), other.puts) == (5, [b"next"])


async def test_statuses(http2: EngineName) -> None:
    """Errors of an independent gRPC, by its own codes."""
    tried = {"Range": 0, "Put": 0}

    def refuse(code: grpc.StatusCode, text: str, times: int, name: str) -> Handler:
        def handler(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
            next(requests)
            tried[name] += 1
            if tried[name] <= times:
                context.abort(code, text)
            yield b""

        return handler

    busy = "etcdserver: too many requests"
    with serve(
        Range=refuse(grpc.StatusCode.UNAVAILABLE, "etcdserver: leader changed", 3, "Range"),
        Put=refuse(grpc.StatusCode.RESOURCE_EXHAUSTED, busy, 3, "Put"),
    ) as server:
        async with server.client(http2=http2).connect() as communicator:
            assert await communicator.get("k") is None
            await communicator.put("k", "v")
            assert tried == {"Range": 4, "Put": 4}
            communicator._endpoints.patience = 0
            tried["Put"] = 0
            with pytest.raises(TooManyRequestsError) as refused:
                await communicator.put("k", "v")
            assert refused.value.outcome == "not_applied"
    with serve(Put=refuse(grpc.StatusCode.UNAVAILABLE, "somewhere", 9, "Put")) as server:
        async with server.client(http2=http2).connect() as communicator:
            tried["Put"] = 0
            with pytest.raises(OutcomeUnknownError):
                await communicator.put("k", "v")
            assert tried["Put"] == 1
