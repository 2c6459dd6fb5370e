"""The pump by itself: a socket pair with OpenSSL at the other end, or something that is no TLS at all."""

from __future__ import annotations

import random
import socket
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import trio
from trio.lowlevel import wait_readable, wait_writable

from etcetra_trio import TLSError
from etcetra_trio._tls import TLSContexts
from etcetra_trio.streams._tls_wire import TLSWire, start_tls
from tls._kit import Authority

SMALL = 4096


def server_context(authority: Authority, *protocols: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("wire", "etcd"))
    if protocols:
        context.set_alpn_protocols(protocols)
    return context


def pair(buffer: int = 1 << 18) -> tuple[socket.socket, trio.SocketStream]:
    """Ours, and the server's."""
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    ours.setblocking(False)
    return ours, trio.SocketStream(trio.socket.from_stdlib_socket(theirs))


@asynccontextmanager
async def connected(
    authority: Authority, buffer: int = 1 << 18
) -> AsyncGenerator[tuple[TLSWire, trio.SSLStream[trio.SocketStream]]]:
    ours, theirs = pair(buffer)
    server = trio.SSLStream(theirs, server_context(authority, "h2"), server_side=True)
    found: list[TLSWire] = []

    async def connect() -> None:
        found.append(await start_tls(ours, TLSContexts(authority.config()).context(), "etcd"))

    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(connect)
            nursery.start_soon(server.do_handshake)
        (wire,) = found
        try:
            yield wire, server
        finally:
            wire.close()
            await trio.aclose_forcefully(server)


async def receive(wire: TLSWire, size: int = 65536) -> bytes:
    while True:
        await wait_readable(wire)
        try:
            return wire.recv(size)
        except BlockingIOError:
            pass


async def send(wire: TLSWire, data: bytes) -> int:
    """As a connection does it; how often the wire would have waited."""
    left, waits = memoryview(data), 0
    while left:
        with suppress(BlockingIOError):
            left = left[wire.send(left) :]
        if left:
            waits += 1
            await wait_writable(wire)
    return waits


@pytest.mark.parametrize("size", [1, 16384, 16385, 65536, 65537, 1_000_000])
async def test_octets_arrive_as_they_were_sent(authority: Authority, size: int) -> None:
    data = random.Random(size).randbytes(size)
    waits = 0

    async def write() -> None:
        nonlocal waits
        waits = await send(wire, data)

    async with connected(authority, SMALL) as (wire, server):
        for _ in range(2):
            received = bytearray()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(write)
                while len(received) < size:
                    received += await server.receive_some(random.Random(len(received)).randint(1, 20000))
            assert received == data
            assert size < 1_000_000 or waits > 10  # else this tests nothing
            received = bytearray()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(server.send_all, data)
                while len(received) < size:
                    received += await receive(wire)
            assert received == data


async def test_nothing_is_left_behind_in_openssl(authority: Authority) -> None:
    """Whoever waits for the socket after a short read would wait for ever."""
    async with connected(authority) as (wire, server):
        for piece in (b"a" * 100, b"b" * 16384, b"c"):
            await server.send_all(piece)
        received = b""
        while len(received) < 16485:
            received += await receive(wire)
        with pytest.raises(BlockingIOError):
            wire.recv(65536)


async def test_the_servers_good_bye_is_the_end(authority: Authority) -> None:
    """Even where it keeps the socket open, and with what it said before."""
    async with connected(authority) as (wire, server):
        await server.send_all(b"last words")
        closing = server._ssl_object
        with pytest.raises(ssl.SSLWantReadError):
            closing.unwrap()
        await server.transport_stream.send_all(server._outgoing.read())
        assert await receive(wire) == b"last words"
        assert await receive(wire) == b""


async def test_the_end_without_a_good_bye(authority: Authority) -> None:
    async with connected(authority) as (wire, server):
        await trio.aclose_forcefully(server)
        assert await receive(wire) == b""


async def test_octets_that_were_tampered_with(authority: Authority) -> None:
    async with connected(authority) as (wire, server):
        await server.send_all(b"good")
        await server.transport_stream.send_all(b"\x17\x03\x03\x00\x20" + b"x" * 32)
        assert await receive(wire) == b"good"
        for _ in range(2):
            with pytest.raises(TLSError, match="TLS failed: decryption failed or bad record mac"):
                await receive(wire)


@pytest.mark.parametrize("protocols", [(), ("http/1.1",)])
async def test_a_server_without_http_2(authority: Authority, protocols: tuple[str, ...]) -> None:
    ours, theirs = pair()
    server = trio.SSLStream(theirs, server_context(authority, *protocols), server_side=True)

    async def serve() -> None:
        with suppress(trio.BrokenResourceError):
            await server.do_handshake()

    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(serve)
            with pytest.raises(TLSError, match=r"did not agree to speak|does not speak"):
                await start_tls(ours, TLSContexts(authority.config()).context(), "etcd")
    assert ours.fileno() == -1
    await trio.aclose_forcefully(server)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "the server speaks HTTP/1 without TLS"),
        (b"\x00\x00\x06\x04\x00\x00\x00\x00\x00", "the server does not speak TLS"),
        (b"SSH-2.0", "the server does not speak TLS"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "no version of TLS in common"),
        (b"\x15\x03\x01\x00\x02\x02\x78", "the server does not speak HTTP/2"),
        (b"\x15\x03\x01\x00\x02\x02\x5a", "the server ended TLS: user cancelled|TLS failed"),
        (b"\x16\x03\x03\x00\x01\x00", "TLS failed|the server closed"),
        (b"", "the server closed the connection during the TLS handshake"),
        (b"\x16\x03", "the server closed the connection during the TLS handshake"),
    ],
)
async def test_handshakes_that_fail(authority: Authority, answer: bytes, words: str) -> None:
    ours, theirs = pair()
    with trio.fail_after(10):
        await theirs.send_all(answer)
        await theirs.send_eof()
        with pytest.raises(TLSError, match=words):
            await start_tls(ours, TLSContexts(authority.config()).context(), "etcd")
    assert ours.fileno() == -1
    await theirs.aclose()


async def test_a_reset_in_the_handshake(authority: Authority) -> None:
    ours, theirs = pair()
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:

            async def reset() -> None:
                await trio.testing.wait_all_tasks_blocked()
                await theirs.aclose()  # with the client's hello unread

            nursery.start_soon(reset)
            with pytest.raises(TLSError, match="the server closed the connection during the TLS handshake"):
                await start_tls(ours, TLSContexts(authority.config()).context(), "etcd")
    assert ours.fileno() == -1


async def test_a_cancelled_handshake_leaves_no_socket(authority: Authority) -> None:
    ours, theirs = pair()
    with trio.move_on_after(0.05) as scope:
        await start_tls(ours, TLSContexts(authority.config()).context(), "etcd")
    assert scope.cancelled_caught
    assert ours.fileno() == -1
    await theirs.aclose()


async def test_a_name_that_cannot_be_one(tmp_path: Path, authority: Authority) -> None:
    ours, theirs = pair()
    with pytest.raises(ValueError, match="server_hostname"):
        await start_tls(ours, TLSContexts(authority.config()).context(), "")
    assert ours.fileno() == -1
    await theirs.aclose()
