"""gRPC's list of interoperability tests, as far as etcd's API has something like it, against grpcio's own server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import grpc
import pytest
import trio
from _grpc_kit import connected, hang, serve, until
from failover.test_interop import ENGINES

from etcetra_trio import (
    EtcdError,
    OutcomeUnknownError,
    RemoteProtocolError,
    RpcError,
    ServerTimeoutError,
    StatusCode,
    UnknownServerError,
    UnsupportedByServerError,
)
from etcetra_trio._proto._messages.etcdserverpb import PutRequest
from etcetra_trio.streams._endpoints import EngineName
from wire_faults._grpcio import Store, refusing, sleeping, snapshot

pytestmark = pytest.mark.parametrize("http2", ENGINES)

SPECIAL = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"


def empty(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
    assert next(requests) == b""
    yield b""


async def test_empty_unary(http2: EngineName) -> None:
    """An empty message there and back."""
    with serve(AuthEnable=empty) as server:
        async with connected(server, http2) as communicator:
            await communicator.auth.enable()


@pytest.mark.parametrize(("there", "back"), [(271_828, 314_159), (8 << 20, 3)])
async def test_large_unary(http2: EngineName, there: int, back: int) -> None:
    """Messages larger than frames, and than windows."""
    store = Store()
    store.values[b"back"] = b"x" * back
    with serve(("grpc.max_receive_message_length", -1), **store.handlers()) as server:
        async with connected(server, http2) as communicator:
            await communicator.put("there", "y" * there)
            assert store.values[b"there"] == b"y" * there
            assert await communicator.get("back") == "x" * back
            assert len(await communicator.get("there") or "") == there


@pytest.mark.parametrize("sizes", [(31415, 9, 2653, 58979), (0, 1, 0), (1 << 20, 1 << 21)])
async def test_server_streaming(http2: EngineName, sizes: tuple[int, ...], tmp_path: Path) -> None:
    with serve(Snapshot=snapshot(*sizes)) as server:
        async with connected(server, http2) as communicator:
            result = await communicator.maintenance.snapshot(tmp_path / "db")
    content = b"".join(bytes((place,)) * size for place, size in enumerate(sizes))
    assert (tmp_path / "db").read_bytes() == content + sha256(content).digest()
    assert result.sha256 == sha256(content).hexdigest()


async def test_a_stream_that_breaks_off(http2: EngineName, tmp_path: Path) -> None:
    """Messages, and then a status: it is told, and no half file is left."""
    with serve(Snapshot=snapshot(10, 20, breaks_off=True)) as server:
        async with connected(server, http2) as communicator:
            with pytest.raises(RpcError, match="the disk is gone") as caught:
                await communicator.maintenance.snapshot(tmp_path / "db")
    assert caught.value.code is StatusCode.DATA_LOSS
    assert os.listdir(tmp_path) == []


async def test_an_empty_stream(http2: EngineName, tmp_path: Path) -> None:
    def handler(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        next(requests)
        yield from ()

    with serve(Snapshot=handler) as server:
        async with connected(server, http2) as communicator:
            with pytest.raises(RemoteProtocolError):
                await communicator.maintenance.snapshot(tmp_path / "db")
    assert os.listdir(tmp_path) == []


async def test_ping_pong(http2: EngineName) -> None:
    """One event for each write, of very different sizes."""
    store = Store()
    with serve(("grpc.max_receive_message_length", -1), **store.handlers()) as server:
        async with connected(server, http2) as communicator, communicator.watch("w") as events:
            for size in (27182, 8, 1828, 5_000_000):
                await communicator.put("w", "x" * size)
                assert len((await events.receive()).value) == size


async def test_a_bidirectional_stream_that_lasts(http2: EngineName) -> None:
    """A lease is renewed over one stream, for as long as it is wanted."""
    store = Store()
    with serve(**store.handlers()) as server:
        async with connected(server, http2) as communicator, communicator.lease(2):
            await until(lambda: store.renewals >= 1)


async def test_cancel_after_begin(http2: EngineName) -> None:
    """The server hears that nobody waits any more, before it said anything."""
    with serve(Watch=hang) as server:
        async with connected(server, http2) as communicator:
            with trio.move_on_after(0.05) as scope:
                async with communicator.watch("w"):
                    pass
            assert scope.cancelled_caught
            await until(lambda: server.ended == ["Watch"])


async def test_cancel_after_the_first_response(http2: EngineName) -> None:
    store = Store()
    with serve(**store.handlers()) as server:
        async with connected(server, http2) as communicator:
            async with communicator.watch("w") as events:
                store.write(b"w", b"")
                await events.receive()
            await until(lambda: server.ended == ["Watch"])


async def test_timeout_on_a_sleeping_server(http2: EngineName) -> None:
    """The caller's deadline holds, and the server knows it, and stops."""
    remaining: list[float | None] = []

    def handler(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        remaining.append(context.time_remaining())
        yield from hang(requests, context)

    with serve(Range=handler) as server:
        async with connected(server, http2) as communicator:
            with trio.move_on_after(0.3) as scope:
                await communicator.get("k")
            assert scope.cancelled_caught
            await until(lambda: server.ended == ["Range"])
    [left] = remaining
    assert left is not None
    assert 0 < left < 1


async def test_a_cancelled_write(http2: EngineName) -> None:
    """The server may have done it; it hears of the end at once."""
    store = Store()
    with serve(Put=sleeping(store, 30, store.put)) as server:
        async with connected(server, http2) as communicator:
            with trio.move_on_after(0.1):
                await communicator.put("k", "v")
            await until(lambda: server.ended == ["Put"])


async def test_custom_metadata(http2: EngineName) -> None:
    """What we send arrives; what comes beside an answer, in front and behind, does no harm."""
    store = Store()

    def handler(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        context.send_initial_metadata([("x-in-front", "1"), ("x-bin", b"\0\xff")])
        context.set_trailing_metadata([("x-behind", "y" * 4000), ("y-bin", bytes(range(256)))])
        yield from store.range(requests, context)

    with serve(Range=handler) as server:
        async with connected(server, http2) as communicator:
            assert await communicator.get("k") is None
            assert await communicator.get("k") is None
    assert all(sent["hasleader"] == "true" for sent in store.metadata)
    assert len(store.metadata) == 2


async def test_status_code_and_message(http2: EngineName) -> None:
    with serve(Range=refusing(grpc.StatusCode.UNKNOWN, "test status message")) as server:
        async with connected(server, http2) as communicator:
            with pytest.raises(UnknownServerError) as caught:
                await communicator.get("k")
    assert (caught.value.code, caught.value.message) == (StatusCode.UNKNOWN, "test status message")


async def test_special_status_message(http2: EngineName) -> None:
    with serve(Range=refusing(grpc.StatusCode.UNKNOWN, SPECIAL)) as server:
        async with connected(server, http2) as communicator:
            with pytest.raises(UnknownServerError) as caught:
                await communicator.get("k")
    assert caught.value.message == SPECIAL


async def test_every_status_of_a_write(http2: EngineName) -> None:
    """With a text that etcd does not have, no status proves that nothing was done."""
    codes = {code.name: code for code in grpc.StatusCode if code is not grpc.StatusCode.OK}

    def handler(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        context.abort(codes[PutRequest.parse(next(requests)).key.decode()], "somebody says so")
        yield b""

    with serve(Put=handler) as server:
        async with connected(server, http2) as communicator:
            for name in codes:
                with pytest.raises(OutcomeUnknownError) as caught:
                    await communicator.put(name, "v")
                assert caught.value.code.name == name
                assert caught.value.message == "somebody says so"
    assert len(server.ended) == len(codes) == 16


async def test_unimplemented_method(http2: EngineName) -> None:
    """grpcio's text is not etcd's: a write is unknown, a read says what is the matter."""
    with serve() as server:
        async with connected(server, http2) as communicator:
            with pytest.raises(OutcomeUnknownError) as caught:
                await communicator.put("k", "v")
            assert isinstance(caught.value.__cause__, UnsupportedByServerError)
            with pytest.raises(UnsupportedByServerError):
                await communicator.get("k")


async def test_unimplemented_service_of_a_stream(http2: EngineName, tmp_path: Path) -> None:
    with serve() as server:
        async with connected(server, http2) as communicator:
            with pytest.raises(UnsupportedByServerError):
                async with communicator.watch("w") as events:
                    await events.receive()
            with pytest.raises(UnsupportedByServerError):
                await communicator.maintenance.snapshot(tmp_path / "db")


async def test_a_handler_that_raises(http2: EngineName) -> None:
    """What grpcio makes of it."""

    def handler(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        raise ValueError("a bug over there")

    with serve(Range=handler) as server:
        async with connected(server, http2) as communicator:
            with pytest.raises(UnknownServerError, match="a bug over there"):
                await communicator.get("k")


async def test_a_deadline_that_the_server_says(http2: EngineName) -> None:
    with serve(Range=refusing(grpc.StatusCode.DEADLINE_EXCEEDED, "context deadline exceeded")) as server:
        async with connected(server, http2) as communicator:
            communicator._endpoints.patience = 0.2
            with pytest.raises(ServerTimeoutError):
                await communicator.get("k")


async def test_compressed_unary(http2: EngineName) -> None:
    """We never offer to take it (a bomb would be as easy to send); a server that does it all the same is found out."""
    store = Store()
    store.values[b"k"] = b"x" * 100_000
    gzip = ("grpc.default_compression_algorithm", 2)
    with serve(gzip, **store.handlers()) as server:
        async with connected(server, http2) as communicator:
            with pytest.raises(RemoteProtocolError, match="a compressed message, which was not offered"):
                await communicator.get("k")


async def test_many_at_once(http2: EngineName) -> None:
    store = Store()
    with serve(**store.handlers()) as server:
        async with connected(server, http2) as communicator:
            async with trio.open_nursery() as nursery:
                for number in range(200):
                    nursery.start_soon(communicator.put, f"{number}", "x" * (number * 100))
    assert len(store.puts) == len(set(store.puts)) == 200


async def test_watches_that_the_server_ends(http2: EngineName) -> None:
    """Decently (OK) or not, each time after one event: the watch goes on without a gap."""
    store = Store()

    def handler(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        for count, answer in enumerate(store.watch(requests, context)):
            yield answer
            if count == 1:
                if len(server.ended) % 2:
                    context.abort(grpc.StatusCode.UNAVAILABLE, "elsewhere, please")
                return

    with serve(Watch=handler) as server:
        async with connected(server, http2) as communicator, communicator.watch("w") as events:
            found = []
            for number in range(6):
                store.write(b"w", b"%d" % number)
                found.append((await events.receive()).value)
            assert len(server.ended) >= 5
    assert found == list("012345")


async def test_errors_are_told_apart(http2: EngineName) -> None:
    """In one program, one call's error is no other's."""
    store = Store()
    handlers = {**store.handlers(), "Put": refusing(grpc.StatusCode.INTERNAL, "no")}
    ends: list[object] = []
    with serve(**handlers) as server:
        async with connected(server, http2) as communicator:

            async def put(number: int) -> None:
                try:
                    await communicator.put(f"{number}", "")
                except EtcdError as error:
                    ends.append(error)

            async with trio.open_nursery() as nursery:
                for number in range(20):
                    nursery.start_soon(put, number)
                    nursery.start_soon(communicator.get, f"{number}")
    assert len({id(end) for end in ends}) == 20
    assert store.puts == []
