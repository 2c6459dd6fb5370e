"""How a watch stream can end, and what becomes of its watches: they go on, with back-off, unless that is of no use."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from etcetra_trio import (
    AuthError,
    ConnectionLostError,
    EtcdError,
    PermissionDeniedError,
    RequestTooLargeError,
    RpcError,
    StatusCode,
    UnsupportedByServerError,
)
from etcetra_trio._proto._methods import STATUS
from etcetra_trio.events import WatchFailed
from watch._script import first, opened, put, scripted_server, settle

GOES_ON = [
    ("connection", StatusCode.UNAVAILABLE, "reset by peer"),
    ("goaway", StatusCode.UNAVAILABLE, "GOAWAY"),
    ("refused", StatusCode.UNAVAILABLE, "REFUSED_STREAM"),
    ("reset", StatusCode.INTERNAL, "INTERNAL_ERROR"),
    ("reset", StatusCode.CANCELLED, "CANCEL"),
    ("reset", StatusCode.PERMISSION_DENIED, "INADEQUATE_SECURITY"),
    ("protocol", StatusCode.UNAVAILABLE, "a frame that makes no sense"),
    ("missing-status", StatusCode.UNAVAILABLE, "no trailers"),
    ("local", StatusCode.UNAVAILABLE, "never sent"),
    ("http", StatusCode.UNAVAILABLE, "503"),
    ("status", StatusCode.OK, ""),
    ("status", StatusCode.UNAVAILABLE, "etcdserver: no leader"),
    ("status", StatusCode.CANCELLED, "context canceled"),
    ("status", StatusCode.UNKNOWN, "what"),
    ("status", StatusCode.INTERNAL, "transport"),
    ("status", StatusCode.RESOURCE_EXHAUSTED, "too many requests"),
    ("status", StatusCode.DEADLINE_EXCEEDED, "context deadline exceeded"),
    ("status", StatusCode.ABORTED, "aborted"),
]
IS_OVER = [
    ("status", StatusCode.PERMISSION_DENIED, "etcdserver: permission denied", PermissionDeniedError),
    ("status", StatusCode.UNAUTHENTICATED, "etcdserver: invalid auth token", AuthError),
    ("status", StatusCode.UNIMPLEMENTED, "unknown service etcdserverpb.Watch", UnsupportedByServerError),
    ("status", StatusCode.INVALID_ARGUMENT, "etcdserver: user name is empty", AuthError),
    ("status", StatusCode.FAILED_PRECONDITION, "what", EtcdError),
    ("http", StatusCode.UNIMPLEMENTED, "404", UnsupportedByServerError),
]


@pytest.mark.parametrize("confirmed", [True, False])
@pytest.mark.parametrize(("kind", "status", "text"), GOES_ON)
async def test_it_goes_on(
    kind: str, status: StatusCode, text: str, confirmed: bool, autojump_clock: MockClock
) -> None:
    async with scripted_server() as server, trio.open_nursery() as nursery:

        async def serve() -> None:
            stream = await server.stream()
            await stream.create()
            if confirmed:
                stream.created(0)
                stream.events(0, put("k", 11), put("k", 12), fragment=True)
            await settle()
            stream.end(kind, status, text)
            stream = await server.stream()
            create = await stream.create()
            assert (create.start_revision, create.fragment) == (12 if confirmed else 0, True)
            stream.created(0, 12 if confirmed else 10)
            if not confirmed:
                stream.events(0, put("k", 11))
            stream.events(0, put("k", 12))
            assert stream.nothing_asked()

        nursery.start_soon(serve)
        async with server.communicator.watch("k") as events:
            assert [(await events.receive()).revision for _ in range(2)] == [11, 12]
            await settle()
            assert events.statistics() == (12, 12, 0, 0, int(confirmed), 0.0)


@pytest.mark.parametrize("confirmed", [True, False])
@pytest.mark.parametrize(("kind", "status", "text", "expected"), IS_OVER)
async def test_it_is_over_for_all(
    kind: str,
    status: StatusCode,
    text: str,
    expected: type[EtcdError],
    confirmed: bool,
    autojump_clock: MockClock,
) -> None:
    failed = 0

    async def read(key: str) -> None:
        nonlocal failed
        with pytest.raises(expected, match=text.removeprefix("etcdserver: ")):
            async for event in server.communicator.watch(key, start_revision=9):
                assert (event.revision, event.key) == (11, "k")
        failed += 1

    async with scripted_server() as server:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(read, "k")
            nursery.start_soon(read, "l")
            stream = await server.stream()
            ids = {(await stream.create()).key: number for number in range(2)}
            if confirmed:
                stream.created(0)
                stream.created(1)
                stream.events(ids[b"k"], put("k", 11))
            stream.end(kind, status, text)
        await trio.sleep(100)
        assert server.no_stream()
        # The next one begins anew.
        async with trio.open_nursery() as nursery:
            nursery.start_soon(server.watched)
            async with server.communicator.watch("m"):
                pass
    assert failed == 2


async def test_a_message_that_is_too_large(autojump_clock: MockClock) -> None:
    """etcd sends what came before it confirmed a watch in one piece: the next time it is in fragments."""
    async with scripted_server() as server, trio.open_nursery() as nursery:

        async def serve() -> None:
            for revision in range(11, 20):
                stream = await server.watched()
                stream.events(0, put("k", revision))
                stream.end("message", StatusCode.RESOURCE_EXHAUSTED, "a message of 151 MiB")
            stream = await server.watched()
            stream.events(0, put("k", 20))

        nursery.start_soon(serve)
        async with server.communicator.watch("k") as events:
            assert [(await events.receive()).revision for _ in range(10)] == list(range(11, 21))


async def test_a_message_that_is_too_large_each_time(autojump_clock: MockClock) -> None:
    """Then it is one that the client does not take."""
    tries = 0
    async with scripted_server() as server, trio.open_nursery() as nursery:

        async def serve() -> None:
            nonlocal tries
            while True:
                stream = await server.watched()
                tries += 1
                stream.end("message", StatusCode.RESOURCE_EXHAUSTED, "a message of 151 MiB")

        nursery.start_soon(serve)
        with pytest.raises(EtcdError, match="151 MiB"):
            async with server.communicator.watch("k") as events:
                await events.receive()
        assert 1 < tries < 20
        nursery.cancel_scope.cancel()


async def test_half_a_response_and_garbage(autojump_clock: MockClock) -> None:
    async with scripted_server() as server, trio.open_nursery() as nursery:

        async def serve() -> None:
            for garbage in (b"\xff", b"\x0a\x05\x01", b"\x5a\x02\x12\x05"):
                stream = await server.watched()
                stream.client.on_message(garbage, len(garbage))
                assert stream.cancelled
            stream = await server.watched()
            stream.events(0, put("k", 11))

        nursery.start_soon(serve)
        async with server.communicator.watch("k") as events:
            assert (await events.receive()).revision == 11
            assert events.statistics().resumes == 3


@pytest.mark.parametrize("where", [0, 1, 2])
@pytest.mark.parametrize("key", ["k", "\0"])
async def test_an_event_without_a_key(where: int, key: str, autojump_clock: MockClock) -> None:
    """No etcd sends one; what does is no etcd, and must not be able to end the program."""
    bad = put("k", 11)
    bad.kv = None
    async with scripted_server() as server, trio.open_nursery() as nursery:

        async def serve() -> None:
            stream = await server.watched()
            events = [put("k", 11), put("k", 11), put("k", 11)]
            events[where] = bad
            stream.events(0, *events)
            stream = await server.watched()
            stream.events(0, put("k", 11))

        nursery.start_soon(serve)
        async with server.communicator.watch_range(key, "\0") as events:
            event = await events.receive()
            assert (event.key, event.revision) == ("k", 11)


async def test_watches_wait_for_a_server_for_ever(autojump_clock: MockClock) -> None:
    async with scripted_server() as server, trio.open_nursery() as nursery:

        async def serve() -> None:
            server.refuses = True
            await trio.sleep(3600)
            server.refuses = False
            stream = await server.watched()
            stream.events(0, put("k", 11))
            await settle()
            server.lose()
            server.refuses = True
            await trio.sleep(3600)
            server.refuses = False
            stream = await server.stream()
            assert (await stream.create()).start_revision == 12
            stream.created(0)
            stream.events(0, put("k", 12))

        nursery.start_soon(serve)
        async with server.communicator.watch("k") as events:
            assert trio.current_time() >= 3600
            assert (await events.receive()).revision == 11
            await trio.sleep(100)
            assert events.statistics().stalled_for == pytest.approx(100, abs=1)
            assert (await events.receive()).revision == 12
            assert events.statistics() == (12, 12, 0, 0, 1, 0.0)
        assert 3600 < len(server.tries) < 4 * 3600, "a try every two seconds at most, on average every one"


async def test_back_off_has_jitter_and_grows(autojump_clock: MockClock) -> None:
    async with scripted_server() as server:
        server.refuses = True
        with trio.move_on_after(60):
            await server.communicator.watch("k").receive()
        waits = [later - earlier for earlier, later in zip(server.tries, server.tries[1:], strict=False)]
        assert max(waits[:3]) <= 0.2
        assert 1.0 < max(waits) <= 2.0
        assert len(set(waits)) == len(waits)


async def test_a_stream_that_confirms_and_breaks_again_and_again(autojump_clock: MockClock) -> None:
    """Whoever does that must not make the client (and himself) busy."""
    async with scripted_server() as server, trio.open_nursery() as nursery:

        async def serve() -> None:
            for _ in range(50):
                stream = await server.watched()
                stream.end()
            stream = await server.watched()
            stream.events(0, put("k", 11))

        nursery.start_soon(serve)
        async with server.communicator.watch("k") as events:
            assert (await events.receive()).revision == 11
            assert events.statistics().resumes == 50
        assert server.opened[-1] - server.opened[0] > 0.3


async def test_a_first_break_costs_no_time(autojump_clock: MockClock) -> None:
    async with scripted_server() as server, trio.open_nursery() as nursery:

        async def serve() -> None:
            stream = await server.watched()
            for revision in range(11, 21):
                stream.events(0, put("k", revision))
                await trio.sleep(60)
                stream.end()
                stream = await server.watched()
            stream.events(0, put("k", 21))

        nursery.start_soon(serve)
        async with server.communicator.watch("k") as events:
            assert [(await events.receive()).revision for _ in range(11)] == list(range(11, 22))
        assert server.opened[-1] - server.opened[0] < 601


async def test_the_client_closes_while_the_stream_is_down(autojump_clock: MockClock) -> None:
    async with scripted_server() as server:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(server.watched)
            events = await server.communicator.watch("k").__aenter__()
        server.lose()
        server.refuses = True
        await trio.sleep(10)
    with pytest.raises(trio.ClosedResourceError):
        await events.receive()


async def test_a_client_that_closes_at_any_moment_of_a_reconnect(autojump_clock: MockClock) -> None:
    for steps in range(30):
        async with scripted_server() as server:
            server.progress_is_true = None
            server.answers[STATUS] = ConnectionLostError("x", "lost")
            watch = server.communicator.watch("k", progress_notify=True)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(server.watched)
                await watch.__aenter__()
            server.lose()
            for _ in range(steps):
                await trio.lowlevel.checkpoint()
        with pytest.raises(trio.ClosedResourceError):
            await watch.receive()


async def test_a_revision_that_never_ends(autojump_clock: MockClock) -> None:
    """The fragments of one revision are held until the last one came, but not for ever."""
    async with scripted_server() as server, trio.open_nursery() as nursery:
        watch, stream = await first(server, nursery, "k")
        other = await opened(server, nursery, "other")
        await stream.create()
        stream.created(1)
        big = put("k", 11, "v" * 300_000)
        for _ in range(4):
            stream.events(0, big, fragment=True)
        with pytest.raises(RpcError, match="more than 1,000,000 octets") as caught:
            await watch.receive()
        assert caught.value.code is StatusCode.RESOURCE_EXHAUSTED
        assert await stream.cancel() == 0
        stream.events(0, big)
        stream.events(1, put("other", 12))
        assert (await other.receive()).value == "v"
        assert server.events[-1] == WatchFailed(1, "RpcError")


async def test_a_request_that_is_too_large(autojump_clock: MockClock) -> None:
    """Only the watch that asks so learns of it."""
    async with scripted_server() as server, trio.open_nursery() as nursery:
        watch, stream = await first(server, nursery, "k")
        with pytest.raises(RequestTooLargeError, match="max_send_size of 10,000"):
            await server.communicator.watch("k" * 10_000).receive()
        stream.events(0, put("k", 11))
        assert (await watch.receive()).revision == 11
