"""Passwords and tokens are shown nowhere: a canary is put in, and everything that can be seen is searched for it."""

from __future__ import annotations

import copy
import gc
import logging
import pickle
import traceback
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path

import grpc
import pytest
import trio
from _grpc_kit import Server, serve
from client._kit import listener
from hypothesis import given
from hypothesis import strategies as st

from auth._kit import scripted
from etcetra_trio import EtcdClient, EtcdCredential, EtcdToken, InvalidRequestError
from etcetra_trio._proto._messages import etcdserverpb as pb
from etcetra_trio._secret import Secret, forget_frames
from etcetra_trio.events import Event
from etcetra_trio.streams._endpoints import EngineName
from etcetra_trio.streams._protocol import check_metadata

PASSWORD = "canary-of-the-password"
TOKEN = "canary-of-the-token"
CANARY = "canary-of"
WHO = EtcdCredential("alice", PASSWORD)
BOTH = pytest.mark.parametrize("engine", ["lean", "h2"])


def shown(error: BaseException) -> str:
    """Everything that a careless program shows of an exception."""
    trace = traceback.TracebackException.from_exception(error, capture_locals=True, max_group_depth=99)
    # The tests' own frames know the canary.
    ours = [frame for frame in _frames(trace) if "/etcetra_trio/" in frame.filename]
    return "\n".join([repr(error), str(error), *(f"{frame.name}: {frame.locals}" for frame in ours)])


def _frames(trace: traceback.TracebackException) -> Iterator[traceback.FrameSummary]:
    yield from trace.stack
    for other in (trace.__cause__, trace.__context__, *(trace.exceptions or ())):
        if other is not None:
            yield from _frames(other)


def pickled(thing: object) -> bytes:
    """Nothing, where it refuses."""
    try:
        return pickle.dumps(thing)
    except (TypeError, AttributeError, pickle.PicklingError):
        return b""


async def failing(call: Callable[[], Awaitable[object]]) -> Exception:
    try:
        await call()
    except Exception as error:  # noqa: BLE001 - it is what is looked at
        return error
    pytest.fail("it did not fail")


def clean(error: BaseException) -> None:
    assert CANARY not in shown(error)
    assert CANARY.encode() not in pickled(error)


@BOTH
async def test_a_session_with_failures(engine: EngineName, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    events: list[Event] = []
    with scripted() as script, trio.fail_after(30):
        script.password = PASSWORD
        script.text = TOKEN + "-{}"
        client = script.server.client(credentials=WHO, http2=engine, on_event=events.append)
        async with client.connect() as communicator:
            await communicator.get("k")
            script.expire()
            await communicator.get("k")
            assert len(script.given) == 2
            endpoints = communicator._endpoints
            tokens = endpoints._dialer.tokens
            things: list[object] = [
                client,
                communicator,
                communicator.auth,
                endpoints,
                endpoints._dialer,
                tokens,
            ]
            assert tokens is not None
            things += [endpoints.live, endpoints._calls, tokens.current, communicator.statistics(), WHO]
            script.accepts = False
            clean(await failing(lambda: communicator.get("k")))
            clean(await failing(lambda: communicator.put("k", "v")))
            script.accepts = True
            script.password = "another"
            script.expire()
            clean(await failing(lambda: communicator.get("k")))
            clean(await failing(lambda: communicator.watch("k").receive()))
            clean(await failing(lambda: communicator.auth.authenticate("alice", PASSWORD)))
            for thing in things:
                assert CANARY not in repr(thing) + str(thing)
                assert CANARY.encode() not in pickled(thing)
        clean(await failing(lambda: communicator.get("k")))
    assert len(events) > 20
    assert CANARY not in repr(events)
    assert len(caplog.records) >= len(events)
    assert CANARY not in caplog.text
    assert not [record for record in caplog.records if CANARY in str(record.__dict__)]


@BOTH
async def test_connections_that_break_while_a_secret_is_under_way(
    engine: EngineName, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    def garbage(_requests: Iterator[bytes], _context: grpc.ServicerContext) -> Iterator[bytes]:
        yield b"\x12\x7f" + TOKEN.encode()  # cut off

    def bad(_requests: Iterator[bytes], _context: grpc.ServicerContext) -> Iterator[bytes]:
        yield bytes(pb.AuthenticateResponse(token=f"{TOKEN}\r\nname: value"))

    def refuse(_requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        context.abort(grpc.StatusCode.UNAVAILABLE, "etcdserver: no leader")
        yield b""

    async def ask(server: Server) -> None:
        async with server.client(http2=engine).connect() as communicator:
            auth = communicator.auth
            communicator._endpoints.patience = 0.1
            clean(await failing(lambda: auth.authenticate("alice", PASSWORD)))
            clean(await failing(lambda: auth.user_add("alice", PASSWORD)))
            clean(await failing(lambda: auth.user_add("alice", "p", hashed_password=PASSWORD)))
            clean(await failing(lambda: auth.user_change_password("alice", PASSWORD)))

    for handler in (garbage, bad, refuse):
        with serve(Authenticate=handler, UserAdd=handler) as server, trio.fail_after(20):
            client = server.client(credentials=WHO, http2=engine)
            clean(await failing(partial(_enter, client)))
            if handler is not bad:  # whoever asks for a token is given what the server says
                await ask(server)

    async def hang_up(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        await stream.aclose()

    async with listener() as listening, trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, hang_up, [listening])
        port = listening.socket.getsockname()[1]
        clean(await failing(lambda: _enter(EtcdClient(f"127.0.0.1:{port}", WHO, http2=engine))))
        nursery.cancel_scope.cancel()
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\nand more")
    clean(await failing(lambda: _enter(EtcdClient("127.0.0.1:1", EtcdToken(path), http2=engine))))
    with scripted() as script:
        clean(await failing(lambda: _enter(script.server.client(credentials=EtcdToken(path), http2=engine))))
    assert CANARY not in caplog.text


async def _enter(client: EtcdClient[str]) -> None:
    async with client.connect():
        pass


async def test_cancelled_with_a_secret_under_way() -> None:
    with scripted() as script, trio.fail_after(20):
        script.pause = 0.5
        caught: list[BaseException] = []
        async with script.server.client().connect() as communicator:

            async def ask(call: Callable[[], Awaitable[object]]) -> None:
                try:
                    await call()
                except BaseException as error:
                    caught.append(error)
                    raise

            with trio.move_on_after(0.1):
                await ask(lambda: communicator.auth.authenticate("alice", PASSWORD))
            script.password = PASSWORD
            with trio.move_on_after(0.1):
                await ask(lambda: _enter(script.server.client(credentials=WHO)))
        assert [type(error) for error in caught] == [trio.Cancelled] * 2
        for error in caught:
            clean(error)


@pytest.mark.parametrize(
    "make",
    [
        lambda: EtcdCredential("alice", PASSWORD + "\ud800"),
        lambda: EtcdCredential("alice", PASSWORD.encode()),  # type: ignore[arg-type]
        lambda: EtcdCredential("", PASSWORD),
        lambda: EtcdToken(TOKEN + "\n"),
        lambda: EtcdToken(TOKEN.encode()),  # type: ignore[arg-type]
        lambda: EtcdClient("10.0.0.1", WHO),
        lambda: EtcdClient("127.0.0.1", EtcdToken(TOKEN), http2="h3"),  # type: ignore[call-overload]
        lambda: EtcdClient("127.0.0.1", TOKEN),  # type: ignore[call-overload]
        lambda: EtcdClient(f"http://alice:{PASSWORD}@127.0.0.1"),
        lambda: pickle.dumps(WHO),
        lambda: pickle.dumps(EtcdToken(TOKEN)),
        lambda: copy.deepcopy(WHO),
        lambda: pickle.dumps(Secret(PASSWORD)),
        lambda: copy.copy(Secret(PASSWORD)),
        lambda: Secret(PASSWORD + "\n").field("token"),
    ],
)
def test_what_is_refused(make: Callable[[], object]) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        make()
    assert CANARY not in repr(caught.value) + str(caught.value)


async def test_bad_arguments_of_calls_with_passwords() -> None:
    with scripted() as script, trio.fail_after(10):
        async with script.server.client().connect() as communicator:
            auth = communicator.auth
            for call in (
                lambda: auth.user_add("", PASSWORD),
                lambda: auth.user_add("u", PASSWORD, no_password=True),
                lambda: auth.user_add("u", PASSWORD + "\ud800"),
                lambda: auth.user_add("u", PASSWORD.encode()),  # type: ignore[arg-type]
                lambda: auth.user_add(PASSWORD.encode(), PASSWORD),  # type: ignore[arg-type]
                lambda: auth.authenticate("", PASSWORD),
                lambda: auth.authenticate("u", PASSWORD + "\ud800"),
                lambda: auth.user_change_password("", PASSWORD),
                lambda: auth.user_change_password("u", hashed_password=PASSWORD + "\ud800"),
            ):
                error = await failing(call)
                assert isinstance(error, TypeError | InvalidRequestError)
                if "PASSWORD.encode(), " not in repr(call):
                    assert CANARY not in repr(error) + str(error)


async def test_nothing_keeps_a_password_but_who_was_given_it() -> None:
    """No message with a password stays in memory once it was sent."""
    with scripted() as script, trio.fail_after(10):
        script.password = PASSWORD
        async with script.server.client(credentials=WHO).connect() as communicator:
            await communicator.get("k")
            gc.collect()
            keepers = [
                thing
                for thing in gc.get_objects()
                if isinstance(thing, dict | list | tuple)
                and any(isinstance(part, bytes) and PASSWORD.encode() in part for part in _parts(thing))
            ]
            assert len(keepers) <= 1  # this test's own


def _parts(thing: dict[object, object] | list[object] | tuple[object, ...]) -> Iterator[object]:
    return iter(thing.values() if isinstance(thing, dict) else thing)


async def test_this_test_would_see_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("etcetra_trio._admin.forget_frames", lambda _error: None)
    with scripted() as script, trio.fail_after(10):
        async with script.server.client().connect() as communicator:
            error = await failing(lambda: communicator.auth.authenticate("alice", PASSWORD))
            assert CANARY in shown(error)


def test_frames_are_forgotten_all_along_the_chain() -> None:
    def fail(secret: str) -> None:
        try:
            raise ExceptionGroup("group", [ValueError(len(secret))])
        except ExceptionGroup as group:
            raise KeyError("k") from group

    with pytest.raises(KeyError) as caught:
        fail(PASSWORD)
    assert "secret" in "".join(
        traceback.TracebackException.from_exception(caught.value, capture_locals=True).format()
    )
    forget_frames(caught.value)
    assert caught.value.__traceback__ is None
    assert caught.value.__cause__ is not None
    assert caught.value.__cause__.__traceback__ is None


@given(st.text())
def test_only_printable_ascii_becomes_a_header(text: str) -> None:
    fine = text.isascii() and text.isprintable() and text != "" and text == text.strip()
    try:
        value = Secret(text).field("token")
    except InvalidRequestError:
        assert not fine
    else:
        assert fine
        assert check_metadata([("token", text)]) == ((b"token", value),)


@given(st.characters(), st.sampled_from([0, 1, 2]))
def test_every_character_is_let_through_or_refused(character: str, place: int) -> None:
    text = "ab"[:place] + character + "ab"[place:]
    fine = "!" <= character <= "~" or (character == " " and place == 1)
    try:
        EtcdToken(text)
    except InvalidRequestError:
        assert not fine
    else:
        assert fine
