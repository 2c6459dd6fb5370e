"""When tokens are fetched, and how often: a scripted server counts."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import grpc
import pytest
import trio
from _grpc_kit import ask
from client._kit import address, listener
from grpclib import GRPCError, Status

from auth._kit import ALICE, scripted
from etcetra_trio import (
    AuthenticationFailedError,
    AuthRevisionOldError,
    ConnectionFailedError,
    EtcdClient,
    EtcdCredential,
    EtcdToken,
    InvalidAuthTokenError,
    RemoteProtocolError,
)
from etcetra_trio.streams._endpoints import EngineName

BOTH = pytest.mark.parametrize("engine", ["lean", "h2"])
REVISION = (grpc.StatusCode.INVALID_ARGUMENT, "etcdserver: revision of auth store is old")
EMPTY = (grpc.StatusCode.INVALID_ARGUMENT, "etcdserver: user name is empty")
INVALID = (grpc.StatusCode.UNAUTHENTICATED, "etcdserver: invalid auth token")


@BOTH
async def test_one_token_for_everything(engine: EngineName) -> None:
    with scripted() as script, trio.fail_after(20):
        async with script.server.client(credentials=ALICE, http2=engine).connect() as communicator:
            assert script.given == ["token-0"]
            await communicator._endpoints.stream_connection()  # another connection
            async with trio.open_nursery() as nursery:
                for _ in range(100):
                    nursery.start_soon(communicator.get, "k")
        assert script.given == ["token-0"]
        assert (script.served, script.refused, script.without) == (100, 0, 0)


@BOTH
@pytest.mark.parametrize("refusal", [INVALID, REVISION, EMPTY], ids=["invalid", "old", "none"])
async def test_refused_tokens_are_renewed_once_while_calls_wait(
    engine: EngineName, refusal: tuple[grpc.StatusCode, str]
) -> None:
    with scripted() as script, trio.fail_after(30):
        script.refusal = refusal
        async with script.server.client(credentials=ALICE, http2=engine).connect() as communicator:
            script.pause = 0.1
            for round_ in range(1, 4):
                script.expire()
                async with trio.open_nursery() as nursery:
                    for number in range(50):
                        nursery.start_soon(communicator.get, "k")
                        nursery.start_soon(communicator.put, "k", "v")
                        if number % 10 == 0:  # some begin while the token is being renewed
                            await trio.sleep(0.01)
                assert len(script.given) == 1 + round_
            assert script.served == 300


async def test_a_token_that_is_being_renewed_is_a_refused_one() -> None:
    """A call was refused first; a watch that is refused as well, before there is another token, must not end."""
    with scripted() as script, trio.fail_after(20):
        async with script.server.client(credentials=ALICE).connect() as communicator:
            endpoints = communicator._endpoints
            tokens = endpoints.dialer.tokens
            assert tokens is not None
            old = tokens.current
            script.pause = 0.3
            script.expire()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(communicator.get, "k")
                while tokens.known:
                    await trio.sleep(0.001)
                assert tokens.current is old
                assert await endpoints.is_refused(old)
            assert not await endpoints.is_refused(tokens.current)


async def test_a_connection_is_closed_while_it_fetches_a_token() -> None:
    """As one is that nobody needs any more: another one is made."""
    with scripted() as script, trio.fail_after(20):
        async with script.server.client(credentials=ALICE).connect() as communicator:
            tokens = communicator._endpoints.dialer.tokens
            assert tokens is not None
            script.pause = 0.3
            script.expire()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(communicator.get, "k")
                while not tokens._fetching.locked():
                    await trio.sleep(0.001)
                await trio.sleep(0.1)
                for connection in communicator._endpoints._calls.open.values():
                    connection.close()


async def test_a_server_that_refuses_every_token() -> None:
    with scripted() as script, trio.fail_after(20):
        async with script.server.client(credentials=ALICE).connect() as communicator:
            script.accepts = False
            with pytest.raises(InvalidAuthTokenError):
                await communicator.get("k")
        assert len(script.given) == 1 + 3


async def test_a_changed_password_is_final() -> None:
    with scripted() as script, trio.fail_after(10):
        async with script.server.client(credentials=ALICE).connect() as communicator:
            script.password = "another"
            script.expire()
            for _ in range(2):
                with trio.fail_after(3), pytest.raises(AuthenticationFailedError) as read:
                    await communicator.get("k")
                assert read.value.outcome is None
                with trio.fail_after(3), pytest.raises(AuthenticationFailedError) as written:
                    await communicator.put("k", "v")
                assert written.value.outcome == "not_applied"
            with trio.fail_after(3), pytest.raises(AuthenticationFailedError):
                await communicator.watch("k").receive()
            script.password = ALICE.password
            assert await communicator.get("k") is None  # it is asked again, and again


@BOTH
async def test_a_wrong_password(engine: EngineName) -> None:
    with scripted() as script, trio.fail_after(10):
        client = script.server.client(credentials=EtcdCredential("alice", "wrong"), http2=engine)
        with pytest.raises(AuthenticationFailedError) as caught:
            async with client.connect():
                pytest.fail("it connected")
        assert "authentication failed, invalid user ID or password" in str(caught.value)
        assert str(caught.value).endswith("Check the user name and the password.")
        assert caught.value.outcome is None


async def test_a_wrong_password_where_not_everybody_answers() -> None:
    """Those that could be reached say what is wrong; where one says something else, all are listed."""
    wrong = EtcdCredential("alice", "wrong")

    async def speak_http1(stream: trio.SocketStream) -> None:
        async with stream:
            await stream.receive_some()
            await stream.send_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with scripted() as script, socket.create_server(("127.0.0.1", 0)) as reserved, trio.fail_after(10):
        endpoint = f"127.0.0.1:{script.server.port}"
        down = f"127.0.0.1:{reserved.getsockname()[1]}"
        reserved.close()
        with pytest.raises(AuthenticationFailedError) as caught:
            async with EtcdClient([down, endpoint], wrong).connect():
                pytest.fail("it connected")
        assert isinstance(caught.value.__cause__, ExceptionGroup)
        assert len(caught.value.__cause__.exceptions) == 2
        async with listener() as listening, trio.open_nursery() as nursery:
            await nursery.start(trio.serve_listeners, speak_http1, [listening])
            with pytest.raises(ConnectionFailedError) as both:
                async with EtcdClient([address(listening), endpoint], wrong).connect():
                    pytest.fail("it connected")
            nursery.cancel_scope.cancel()
        assert [type(cause) for _, cause in both.value.endpoints] == [
            RemoteProtocolError,
            AuthenticationFailedError,
        ]


async def test_a_wrong_password_at_a_name_with_several_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as localhost, when the server listens on IPv4 only."""
    with scripted() as script, trio.fail_after(10):
        port = script.server.port

        async def getaddrinfo(*_args: object, **_options: object) -> list[object]:
            await trio.lowlevel.checkpoint()
            return [(0, 0, 0, "", (host, port)) for host in ("127.0.0.2", "127.0.0.1")]

        monkeypatch.setattr(trio.socket, "getaddrinfo", getaddrinfo)
        with pytest.raises(AuthenticationFailedError):
            async with EtcdClient(f"localhost:{port}", EtcdCredential("alice", "wrong")).connect():
                pytest.fail("it connected")


async def test_a_token_of_somebody_else(tmp_path: Path) -> None:
    with scripted() as script, trio.fail_after(20):
        script.valid = "given"
        async with script.server.client(credentials=EtcdToken("given")).connect() as communicator:
            assert await communicator.get("k") is None
            script.expire()
            with pytest.raises(InvalidAuthTokenError, match="Make a client with a new EtcdToken"):
                await communicator.get("k")
            assert script.refused == 1
        path = tmp_path / "token"
        path.write_text("first\n")
        script.valid = "first"
        async with script.server.client(credentials=EtcdToken(path)).connect() as communicator:
            assert await communicator.get("k") is None
            script.valid = "second"
            with pytest.raises(InvalidAuthTokenError):
                await communicator.get("k")
            new = tmp_path / "new"
            new.write_text("second\n")
            os.replace(new, path)
            assert await communicator.get("k") is None
            path.unlink()
            assert await communicator.get("k") is None
            script.expire()
            communicator._endpoints.patience = 0.2
            with pytest.raises(ConnectionFailedError, match="No such file"):
                await communicator.get("k")
        assert script.given == []


async def test_old_tokens_without_credentials_are_tried_again() -> None:
    """A certificate may say who the user is; then nothing is to be renewed, and another try is all there is."""
    with scripted() as script, trio.fail_after(20):
        script.refusal = REVISION
        async with script.server.client().connect() as communicator:
            with pytest.raises(AuthRevisionOldError):
                await communicator.get("k")
        assert 2 <= script.without <= 5


@pytest.mark.parametrize("text", ["with\nline", "ümlaut", " blank", "", "a" * 9 + "\0"])
async def test_tokens_that_no_header_can_carry(text: str) -> None:
    with scripted() as script, trio.fail_after(10):
        script.text = text
        with pytest.raises(ConnectionFailedError) as caught:
            async with script.server.client(credentials=ALICE).connect():
                pytest.fail("it connected")
        ((_, cause),) = caught.value.endpoints
        assert isinstance(cause, RemoteProtocolError)
        assert "the token is none" in str(cause)
        assert script.served == script.refused == script.without == 0


async def test_a_server_that_never_gives_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("etcetra_trio.streams._dialer.CONNECT_TIMEOUT", 0.5)
    with scripted() as script, trio.fail_after(20):
        script.pause = 1.0
        with pytest.raises(ConnectionFailedError, match=r"within 0\.5 s"):
            async with script.server.client(credentials=ALICE).connect():
                pytest.fail("it connected")


async def test_cancelled_while_it_is_fetched() -> None:
    with scripted() as script, trio.fail_after(20):
        script.pause = 0.3
        with trio.move_on_after(0.1) as scope:
            async with script.server.client(credentials=ALICE).connect():
                pytest.fail("it connected")
        assert scope.cancelled_caught
        async with script.server.client(credentials=ALICE).connect() as communicator:
            assert await communicator.get("k") is None


def test_nobody_listens_on_the_way() -> None:
    for place in ("10.0.0.1", "etcd.example", "http://[2001:db8::1]:2379", "127.0.0.1,10.0.0.1", "0.0.0.0"):
        for credentials in (ALICE, EtcdToken("t")):
            with pytest.raises(
                ValueError, match="is not encrypted, and credentials would be readable on the way"
            ):
                EtcdClient(place, credentials)
            EtcdClient(place, credentials, allow_plaintext_credentials=True)
    for place in (
        "127.0.0.1",
        "127.9.9.9",
        "[::1]",
        "localhost",
        "LOCALHOST.",
        "unix:///path",
        "https://etcd.example",
    ):
        EtcdClient(place, ALICE)
    EtcdClient("etcd.example", ALICE, secure=True)
    EtcdClient("10.0.0.1")  # there is nothing to read


async def test_nobody_listens_on_the_way_to_a_member_either() -> None:
    with scripted() as script, trio.fail_after(10):
        async with script.server.client(credentials=ALICE).connect() as communicator:
            with pytest.raises(
                ConnectionFailedError, match="is not encrypted, and credentials would be readable"
            ):
                await communicator.maintenance.status(endpoint="192.0.2.1:2379")


@BOTH
async def test_stubs_have_another_token_the_next_time(engine: EngineName) -> None:
    """Repeating is their callers'."""
    with scripted() as script, trio.fail_after(10):
        async with script.server.client(credentials=ALICE, http2=engine).connect() as communicator:
            for round_ in range(1, 3):
                script.expire()
                with pytest.raises(GRPCError) as caught:
                    await ask(communicator.channel, "Range")
                assert caught.value.status is Status.UNAUTHENTICATED
                await ask(communicator.channel, "Range")
                assert len(script.given) == 1 + round_
