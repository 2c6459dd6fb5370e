"""Connecting: who answers, who does not and why, and every kind of address."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
import trio.testing

from client._kit import address, listener, nothing_left
from etcetra_trio import (
    ConnectionFailedError,
    EtcdClient,
    EtcdCommunicator,
    HostPortPair,
    RemoteProtocolError,
)
from etcetra_trio.testing import EtcdServer

Communicator = EtcdCommunicator[str]


def closed_port() -> str:
    """Where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


async def enter(client: EtcdClient[str]) -> ConnectionFailedError:
    """Why it does not connect."""
    with nothing_left(), pytest.raises(ConnectionFailedError) as caught:
        async with client.connect():
            pytest.fail("it connected")
    return caught.value


@asynccontextmanager
async def server_that(behave: Callable[[trio.SocketStream], Awaitable[None]]) -> AsyncGenerator[str]:
    """A listening server whose every connection ``behave`` serves; where it is."""

    async def serve(stream: trio.SocketStream) -> None:
        async with stream:
            with trio.move_on_after(10):
                await behave(stream)

    async with listener() as listening, trio.open_nursery() as nursery:
        await nursery.start(trio.serve_listeners, serve, [listening])
        yield address(listening)
        nursery.cancel_scope.cancel("the test is over")


async def failure_at(endpoint: str) -> tuple[Exception, str]:
    with pytest.raises(ConnectionFailedError) as caught:
        async with EtcdClient(endpoint).connect():
            pytest.fail("it connected")
    [(name, cause)] = caught.value.endpoints
    assert name == endpoint
    return cause, str(caught.value)


async def test_refused() -> None:
    endpoint = closed_port()
    error = await enter(EtcdClient(endpoint))
    assert isinstance(error, OSError)
    assert error.outcome is None
    [(name, cause)] = error.endpoints
    assert name == endpoint
    assert isinstance(cause, OSError)
    assert endpoint in str(error)
    assert "refused" in str(error).lower(), "the reason, and not only that there was one"


async def test_a_name_that_is_not_known() -> None:
    error = await enter(EtcdClient("no-such-host.invalid:2379"))
    assert isinstance(error.endpoints[0][1], socket.gaierror)
    assert "no-such-host.invalid:2379: " in str(error)


async def test_every_endpoint_with_its_own_cause() -> None:
    async def speak_http1(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        await stream.send_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    async with server_that(speak_http1) as http1:
        endpoints = [closed_port(), "no-such-host.invalid:2379", http1, "unix:///no/such/socket"]
        with pytest.raises(ConnectionFailedError) as caught:
            async with EtcdClient(",".join(endpoints)).connect():
                pytest.fail("it connected")
    error = caught.value
    assert [name for name, _ in error.endpoints] == endpoints
    assert [type(cause) for _, cause in error.endpoints][1:] == [
        socket.gaierror,
        RemoteProtocolError,
        FileNotFoundError,
    ]
    assert isinstance(error.__cause__, ExceptionGroup)
    assert error.__cause__.exceptions == tuple(cause for _, cause in error.endpoints)
    for endpoint in endpoints:
        assert f"{endpoint}: " in str(error)
    assert "the server speaks HTTP/1: 'HTTP/1.1 400 Bad Request'" in str(error)


@pytest.mark.parametrize(
    ("greeting", "words"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "the server speaks HTTP/1"),
        (b"\x15\x03\x01\x00\x02\x02\x50", "the server expects TLS"),
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", "does not speak"),
        (b"", "the server closed the connection"),
    ],
)
async def test_servers_that_are_no_etcd(greeting: bytes, words: str) -> None:
    async def greet(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        await stream.send_all(greeting)

    async with server_that(greet) as endpoint:
        cause, text = await failure_at(endpoint)
    assert isinstance(cause, RemoteProtocolError)
    assert words in text


async def test_a_server_that_never_speaks(etcd_server: EtcdServer) -> None:
    """The one test that waits for the real 5 seconds; several tasks wait together, and not one after the other."""

    async def be_silent(_stream: trio.SocketStream) -> None:
        await trio.sleep_forever()

    errors: list[ConnectionFailedError] = []

    async def call(communicator: Communicator) -> None:
        with pytest.raises(ConnectionFailedError) as caught:
            await communicator.put("k", "v")
        errors.append(caught.value)

    async with server_that(be_silent) as silent:
        started = trio.current_time()
        async with EtcdClient(silent).connect(wait=False) as communicator, trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(call, communicator)
            async with EtcdClient([silent, etcd_server.endpoint]).connect() as second:
                assert await second.get("k") is None
        assert 4.9 < trio.current_time() - started < 8
    for error in errors:
        assert isinstance(error.endpoints[0][1], TimeoutError)
        assert "no answer within 5 s" in str(error)
        assert error.outcome == "not_applied"


async def test_the_first_that_answers_serves(etcd_server: EtcdServer) -> None:
    client = EtcdClient([closed_port(), "no-such-host.invalid", etcd_server.endpoint, closed_port()])
    with nothing_left():
        async with client.connect() as communicator:
            assert await communicator.count("no such key") == 0


async def test_without_waiting() -> None:
    """Entering succeeds at once; each call says what is wrong, and a write that it did not happen."""
    client = EtcdClient(closed_port())
    with nothing_left():
        async with client.connect(wait=False) as communicator:
            with pytest.raises(ConnectionFailedError) as read:
                await communicator.get("k")
            assert read.value.outcome is None
            for write in (
                lambda: communicator.put("k", "v"),
                lambda: communicator.delete("k"),
                lambda: communicator.txn(lambda action: action.put("k", "v")),
            ):
                with pytest.raises(ConnectionFailedError) as caught:
                    await write()
                assert caught.value.outcome == "not_applied"


async def test_without_waiting_for_a_server_that_comes_later() -> None:
    """As a service does that starts before its etcd."""
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    client = EtcdClient(HostPortPair("127.0.0.1", port))
    async with client.connect(wait=False) as communicator:
        with pytest.raises(ConnectionFailedError):
            await communicator.get("k")
        async with EtcdServer(extra_args=[f"--listen-client-urls=http://127.0.0.1:{port},unix://etcd:0"]):
            assert await communicator.get("k") is None


async def test_entering_is_a_checkpoint(etcd: EtcdClient[str]) -> None:
    for wait in (True, False):
        with trio.testing.assert_checkpoints():
            block = etcd.connect(wait=wait)
            await block.__aenter__()
        await block.__aexit__(None, None, None)


async def test_every_kind_of_address(etcd_server: EtcdServer) -> None:
    port = etcd_server.port
    endpoints: list[HostPortPair | str | list[HostPortPair | str]] = [
        HostPortPair("127.0.0.1", port),
        f"127.0.0.1:{port}",
        f"http://127.0.0.1:{port}",
        f"http://localhost:{port}/",
        f"localhost:{port}",
        etcd_server.unix_endpoint,
        etcd_server.unix_endpoint.replace("unix://", "unix:"),
        [f"127.0.0.1:{port}", HostPortPair("127.0.0.1", port)],
    ]
    for endpoint in endpoints:
        with nothing_left():
            async with EtcdClient(endpoint).connect() as communicator:
                assert await communicator.get("no such key") is None


async def test_ipv6() -> None:
    async with EtcdServer(listen="::1") as server:
        for endpoint in (server.endpoint, f"[::1]:{server.port}", HostPortPair("::1", server.port)):
            with nothing_left():
                async with EtcdClient(endpoint).connect() as communicator:
                    await communicator.put("k", "v")


async def test_a_unix_socket_where_something_else_lives() -> None:
    with tempfile.TemporaryDirectory(prefix="e-") as folder:
        path = Path(folder) / "file"
        path.write_text("no socket")
        error = await enter(EtcdClient(f"unix://{path}"))
    assert isinstance(error.endpoints[0][1], OSError)
    assert str(path) in str(error)


@pytest.mark.parametrize("host", ["a" * 64 + ".example:1", "a..b:1"])
async def test_names_that_no_resolver_takes(host: str) -> None:
    """They are refused early, or are endpoints that do not answer; never an error of some codec."""
    with pytest.raises((ConnectionFailedError, ValueError)) as caught:
        async with EtcdClient(host).connect():
            pytest.fail("it connected")
    assert not isinstance(caught.value, UnicodeError)
