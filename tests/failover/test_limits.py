"""``call_timeout`` and ``max_send_size``: the client's own limits of a call, and what is said where they are hit."""

from __future__ import annotations

import asyncio
import socket

import pytest
import trio
from client._kit import live
from client._peer import open_peer

import etcetra_trio.asyncio as shim
from etcetra_trio import (
    CallTimeoutError,
    EtcdClient,
    InvalidRequestError,
    OutcomeUnknownError,
    RequestTooLargeError,
    RpcError,
    StatusCode,
)
from etcetra_trio._addresses import parse_endpoints
from etcetra_trio.streams._endpoints import EngineName
from etcetra_trio.testing import EtcdServer
from failover._scripted import Request, serving

LIMIT = 0.2


async def silence(request: Request) -> None:
    if request.body[-1:] != b"!":
        await trio.sleep_forever()
    await request.answer()


async def test_reads_and_writes() -> None:
    async with serving(silence) as server:
        async with EtcdClient(server.endpoint, call_timeout=LIMIT).connect() as communicator:
            began = trio.current_time()
            with pytest.raises(CallTimeoutError) as read:
                await communicator.get("k")
            assert LIMIT <= trio.current_time() - began < LIMIT + 1
            assert isinstance(read.value, trio.TooSlowError)
            assert (read.value.limit, read.value.outcome) == (LIMIT, None)
            assert str(read.value) == "no answer within the client's call_timeout of 0.2 s (KV.Range)"
            with pytest.raises(OutcomeUnknownError) as write:
                await communicator.put("k", "v")
            assert (write.value.code, write.value.outcome) == (StatusCode.DEADLINE_EXCEEDED, "unknown")
            assert write.value.endpoint == server.endpoint
            assert isinstance(write.value.__cause__, CallTimeoutError)
            assert await communicator.get("soon!") is None
            assert len(server.peers) == 1


async def test_the_server_is_told() -> None:
    async with open_peer() as peer, EtcdClient(peer.endpoint, call_timeout=3).connect() as communicator:
        with trio.move_on_after(0.05):
            await communicator.get("k")
        await peer.wait_for("resets")
    told = peer.requests[0][b"grpc-timeout"]
    assert told.endswith(b"m")
    assert 500 <= int(told[:-1]) <= 550, "of both limits the earlier one, and half a second"


async def test_the_users_own_scope_goes_first() -> None:
    async with serving(silence) as server:
        async with EtcdClient(server.endpoint, call_timeout=5).connect() as communicator:
            with pytest.raises(trio.TooSlowError) as caught:
                with trio.fail_after(0.05):
                    await communicator.put("k", "v")
            assert type(caught.value) is trio.TooSlowError


async def test_without_a_connection() -> None:
    """A write that was never sent did not happen."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"127.0.0.1:{silent.getsockname()[1]}"
        async with EtcdClient(endpoint, call_timeout=LIMIT).connect(wait=False) as communicator:
            with pytest.raises(CallTimeoutError) as write:
                await communicator.put("k", "v")
            assert write.value.outcome == "not_applied"
            with pytest.raises(CallTimeoutError) as read:
                await communicator.get("k")
            assert read.value.outcome is None


async def test_repeating_counts() -> None:
    async def busy(request: Request) -> None:
        await request.status(14, "etcdserver: leader changed", first=True)

    async with serving(busy) as server:
        async with EtcdClient(server.endpoint, call_timeout=LIMIT).connect() as communicator:
            with pytest.raises(CallTimeoutError):
                await communicator.get("k")
            assert len(server.requests) > 2


async def test_a_connection_that_was_lost_lately() -> None:
    """A limit takes nothing from the rule that calls are repeated until a member is back."""
    async with serving() as server:
        async with EtcdClient(server.endpoint, call_timeout=5).connect() as communicator:
            await communicator.get("k")
            dialer = communicator._endpoints.dialer
            endpoints, dialer.endpoints = dialer.endpoints, parse_endpoints("127.0.0.1:1")
            await server.peers[0].goaway(0)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(communicator.get, "k")
                while not communicator.statistics().failed:
                    await trio.sleep(0.01)
                dialer.endpoints = endpoints


@pytest.mark.parametrize("engine", ["lean", "h2"])
async def test_requests_that_are_too_large(engine: EngineName) -> None:
    async with serving() as server:
        client = EtcdClient(server.endpoint, max_send_size=200, http2=engine)
        async with client.connect() as communicator:
            await communicator.put("k", "v" * 190)
            with pytest.raises(
                RequestTooLargeError, match=r"203 octets is larger .* max_send_size of 200"
            ) as caught:
                await communicator.put("k", "v" * 197)
            assert isinstance(caught.value, InvalidRequestError)
            assert caught.value.outcome == "not_applied"
            assert str(caught.value).endswith(". Write less at once, or raise the client's max_send_size.")
            with pytest.raises(RequestTooLargeError):
                await communicator.get("k" * 1000)
            assert len(server.requests) == 1, "they were not sent, nor once more"
            call = live(communicator).stream("/etcdserverpb.KV/Range")
            await call.send(b"x" * 201)
            assert await call.receive() is None
            assert call.end is not None
            assert call.end.status == StatusCode.RESOURCE_EXHAUSTED
            await communicator.get("k")


@pytest.mark.parametrize("engine", ["lean", "h2"])
async def test_answers_that_are_too_large(engine: EngineName, etcd_server: EtcdServer) -> None:
    client = EtcdClient(etcd_server.endpoint, max_receive_size=1000, http2=engine)
    async with client.connect() as communicator:
        await communicator.put("limits/large", "v" * 2000)
        with pytest.raises(
            RpcError, match="than the client's max_receive_size of 1,000: ask for less at once"
        ):
            await communicator.get("limits/large")


async def test_requests_of_asyncio_programs_that_are_too_large(etcd_server: EtcdServer) -> None:
    async def main() -> None:
        async with shim.EtcdClient(etcd_server.endpoint, max_send_size=200).connect() as communicator:
            with pytest.raises(RequestTooLargeError):
                await communicator.put("asyncio/too large", "v" * 1000)
            assert await communicator.get("asyncio/too large") is None

    await trio.to_thread.run_sync(asyncio.run, main())
