"""What progress answers do and do not prove, by a scripted server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio
from trio.testing import MockClock

from etcetra_trio import ConnectionLostError, UnsupportedByServerError
from etcetra_trio._proto._methods import RANGE, STATUS
from watch._script import ScriptedServer, ScriptedStream, put, scripted_server, settle


def status(version: str) -> bytes:
    """A StatusResponse with nothing but the version."""
    return b"\x12" + bytes([len(version)]) + version.encode()


async def asked(stream: ScriptedStream) -> None:
    assert (await stream.request()).progress_request is not None


@pytest.mark.parametrize(
    ("version", "believed"),
    [
        ("3.3.27", False),
        ("3.4.30", False),
        ("3.4.31", True),
        ("3.4.35-rc.1", True),
        ("3.5.1", False),
        ("3.5.12", False),
        ("3.5.13", True),
        ("3.5.30", True),
        ("3.6.0", True),
        ("3.6.0-rc.3", True),
        ("3.10.0", True),
        ("4.0.0", True),
    ],
)
async def test_by_version(version: str, believed: bool, autojump_clock: MockClock) -> None:
    async with scripted_server() as server, trio.open_nursery() as nursery:
        server.progress_is_true = None
        server.answers[STATUS] = lambda _: status(version)

        async def serve() -> None:
            stream = await server.watched(0, 10)
            stream.progress(15)
            await settle()
            if believed:
                await asked(stream)
                stream.progress(20)

        nursery.start_soon(serve)
        async with server.communicator.watch("k") as events:
            assert events.statistics().known_revision == 10
            if believed:
                assert await events.progress() == 20
            else:
                for _ in range(2):
                    with pytest.raises(UnsupportedByServerError, match="overtake"):
                        await events.progress()
                assert events.statistics().known_revision == 10


@pytest.mark.parametrize("trusted", [True, False])
async def test_where_it_goes_on(trusted: bool, autojump_clock: MockClock) -> None:
    async with scripted_server() as server, trio.open_nursery() as nursery:
        server.progress_is_true = trusted

        async def serve() -> None:
            stream = await server.watched(3, 10)
            stream.progress(15)
            stream.progress(17, watch_id=3)
            stream.progress(16)
            stream.progress(99, watch_id=4)
            server.lose()
            stream = await server.stream()
            assert (await stream.create()).start_revision == (18 if trusted else 11)
            stream.created(0, 30)
            stream.events(0, put("k", 20))

        nursery.start_soon(serve)
        async with server.communicator.watch("k") as events:
            assert (await events.receive()).revision == 20


async def answered_late(server: ScriptedServer, revision: int) -> None:
    stream = await server.watched(0, revision)
    with trio.move_on_after(5):
        await asked(stream)
        stream.progress(revision)
    await trio.sleep_forever()


async def progress(server: ScriptedServer, serve: Callable[[], Awaitable[None]]) -> int:
    """What a watch is told while the server does this."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve)
        async with server.communicator.watch("k") as events:
            with trio.fail_after(60):
                revision = await events.progress()
        nursery.cancel_scope.cancel()
    return revision


async def test_a_break_between_question_and_answer(autojump_clock: MockClock) -> None:
    async with scripted_server() as server:

        async def serve() -> None:
            stream = await server.watched(0, 10)
            await asked(stream)
            server.lose()
            await answered_late(server, 20)

        assert await progress(server, serve) == 20


async def test_asked_before_the_watch_is_there_again(autojump_clock: MockClock) -> None:
    """A stream that does not know the watch yet gives it no answer."""
    async with scripted_server() as server, trio.open_nursery() as nursery:
        asking = trio.Event()

        async def serve() -> None:
            await server.watched(0, 10)
            await settle()
            server.lose()
            stream = await server.stream()
            await stream.create()
            asking.set()
            await settle()
            if not stream.nothing_asked():
                await asked(stream)
                stream.progress(20)  # it overtakes the confirmation
            stream.created(0, 20)
            with trio.move_on_after(5):
                await asked(stream)
                stream.progress(21)
            await trio.sleep_forever()

        nursery.start_soon(serve)
        async with server.communicator.watch("k") as events:
            await asking.wait()
            with trio.fail_after(60):
                assert await events.progress() == 21
        nursery.cancel_scope.cancel()


async def test_a_passing_failure_says_nothing_about_the_version(autojump_clock: MockClock) -> None:
    async with scripted_server() as server:
        server.progress_is_true = None
        server.answers[STATUS] = ConnectionLostError("scripted", "reset by peer")

        async def serve() -> None:
            await server.watched(0, 10)
            await settle()
            server.lose()
            server.answers[STATUS] = lambda _: status("3.6.1")
            await answered_late(server, 20)

        assert await progress(server, serve) == 20


async def test_a_question_that_the_server_leaves_unanswered(autojump_clock: MockClock) -> None:
    """Servers do so while a watch of the stream is not synchronised."""
    async with scripted_server() as server:
        server.answers[RANGE] = lambda _: (
            b"\n\x02\x18\x14"
        )  # the store is at revision 20, so something may still come

        async def serve() -> None:
            stream = await server.watched(0, 10)
            for _ in range(3):
                await asked(stream)
            stream.progress(20)
            await trio.sleep_forever()

        assert await progress(server, serve) == 20


async def test_an_answer_comes_to_all_that_ask(autojump_clock: MockClock) -> None:
    async with scripted_server() as server, trio.open_nursery() as nursery:

        async def serve() -> None:
            stream = await server.watched(0, 10)
            await asked(stream)
            stream.events(0, put("k", 11), put("k", 12), fragment=True)
            stream.progress(12)  # no etcd does this within a response; it proves nothing of 12
            stream.events(0, put("k", 12))
            stream.progress(12)
            await trio.sleep_forever()

        nursery.start_soon(serve)
        async with server.communicator.watch("k") as events:
            with trio.fail_after(60):
                async with trio.open_nursery() as asking:
                    asking.start_soon(events.wait_revision, 12)
                    asking.start_soon(events.wait_revision, 11)
                assert events.statistics().buffered == 3
        nursery.cancel_scope.cancel()
