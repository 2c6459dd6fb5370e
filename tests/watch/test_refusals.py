"""A watch that the server refuses or ends: which error, where it is raised, and what the others notice (nothing)."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from etcetra_trio import (
    CompactedError,
    EtcdError,
    InvalidAuthTokenError,
    NotAuthenticatedError,
    PermissionDeniedError,
)
from watch._script import put, scripted_server

WRAPPED = "rpc error: code = {} desc = etcdserver: {}"
DENIED = WRAPPED.format("PermissionDenied", "permission denied")


@pytest.mark.parametrize(
    ("reason", "expected", "message"),
    [
        (DENIED, PermissionDeniedError, "permission denied"),
        (
            WRAPPED.format("InvalidArgument", "user name is empty"),
            NotAuthenticatedError,
            "user name is empty",
        ),
        (
            WRAPPED.format("Unauthenticated", "invalid auth token"),
            InvalidAuthTokenError,
            "invalid auth token",
        ),
        ("etcdserver: permission denied", PermissionDeniedError, "permission denied"),
        ("mvcc: watcher range is empty", EtcdError, "watcher range is empty"),
        ("", EtcdError, "without a reason"),
    ],
)
@pytest.mark.parametrize("watch_id", [-1, 0, 7])
async def test_a_refused_watch_raises_at_entry(
    reason: str, expected: type[EtcdError], message: str, watch_id: int, autojump_clock: MockClock
) -> None:
    """Whatever id the refusal has: 3.5.1 says 0, which may be that of another watch."""
    async with scripted_server() as server, trio.open_nursery() as nursery:

        async def serve() -> None:
            stream = await server.watched(0)
            assert (await stream.create()).key == b"bad"
            stream.created(watch_id, canceled=True, cancel_reason=reason)
            stream.events(0, put("good", 11))
            assert stream.nothing_asked()

        nursery.start_soon(serve)
        async with server.communicator.watch("good") as good:
            bad = server.communicator.watch("bad")
            with pytest.raises(expected, match=message):
                await bad.__aenter__()
            assert (await good.receive()).revision == 11
            assert good.statistics().resumes == 0
            with pytest.raises(trio.ClosedResourceError):
                await bad.receive()


async def test_a_bare_watch_raises_at_its_first_step(autojump_clock: MockClock) -> None:
    async with scripted_server() as server, trio.open_nursery() as nursery:

        async def serve() -> None:
            stream = await server.stream()
            await stream.create()
            stream.created(-1, canceled=True, cancel_reason=DENIED)

        nursery.start_soon(serve)
        bad = server.communicator.watch("bad")
        for _ in range(3):  # and again, if asked again
            with pytest.raises(PermissionDeniedError):
                await bad.receive()


async def test_the_last_watch_refused_ends_the_stream(autojump_clock: MockClock) -> None:
    async with scripted_server() as server, trio.open_nursery() as nursery:

        async def serve() -> None:
            stream = await server.stream()
            await stream.create()
            stream.created(-1, canceled=True, cancel_reason=DENIED)
            assert stream.cancelled

        nursery.start_soon(serve)
        with pytest.raises(PermissionDeniedError):
            await server.communicator.watch("bad").receive()
        await trio.sleep(100)
        assert server.no_stream()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"compact_revision": 20}, CompactedError),
        ({"cancel_reason": DENIED}, PermissionDeniedError),
        ({"cancel_reason": "mvcc: something new"}, EtcdError),
        ({}, EtcdError),
    ],
)
async def test_what_came_before_is_given_first(
    fields: dict[str, object], expected: type[EtcdError], autojump_clock: MockClock
) -> None:
    async with scripted_server() as server, trio.open_nursery() as nursery:

        async def serve() -> None:
            stream = await server.watched(3)
            stream.events(3, put("k", 11), put("k", 12))
            stream.canceled(3, **fields)

        nursery.start_soon(serve)
        async with server.communicator.watch("k") as events:
            assert [(await events.receive()).revision for _ in range(2)] == [11, 12]
            for _ in range(2):
                with pytest.raises(expected):
                    await events.receive()
            with pytest.raises(expected):
                await events.progress()
            with pytest.raises(expected):
                await events.wait_revision(100)


async def test_compaction_says_from_where_on_there_is_something(autojump_clock: MockClock) -> None:
    async with scripted_server() as server, trio.open_nursery() as nursery:

        async def serve() -> None:
            stream = await server.stream()
            assert (await stream.create()).start_revision == 3
            stream.created(0, 100)
            stream.canceled(0, compact_revision=50)

        nursery.start_soon(serve)
        with pytest.raises(CompactedError) as caught:
            async for _ in server.communicator.watch("k", start_revision=3):
                pytest.fail("it was compacted")
        assert caught.value.compact_revision == 50


async def test_half_a_revision_before_the_end_is_not_given(autojump_clock: MockClock) -> None:
    async with scripted_server() as server, trio.open_nursery() as nursery:

        async def serve() -> None:
            stream = await server.watched(0)
            stream.events(0, put("k1", 11), put("k2", 12), fragment=True)
            stream.canceled(0, compact_revision=20)

        nursery.start_soon(serve)
        async with server.communicator.watch_prefix("k") as events:
            assert (await events.receive()).revision == 11
            with pytest.raises(CompactedError):
                await events.receive()


async def test_an_answer_nobody_waits_for_is_no_harm(autojump_clock: MockClock) -> None:
    async with scripted_server() as server, trio.open_nursery() as nursery:

        async def serve() -> None:
            stream = await server.watched(0)
            stream.created(9)
            stream.created(-1, canceled=True, cancel_reason=DENIED)
            stream.canceled(5)
            stream.canceled(-1)
            stream.events(5, put("k", 11))
            stream.progress(15, watch_id=8)
            stream.events(0, put("k", 12))

        nursery.start_soon(serve)
        async with server.communicator.watch("k") as events:
            assert (await events.receive()).revision == 12


async def test_a_reason_that_asks_for_another_try(autojump_clock: MockClock) -> None:
    async with scripted_server() as server, trio.open_nursery() as nursery:

        async def serve() -> None:
            stream = await server.watched(0)
            stream.events(0, put("k", 11))
            stream.canceled(0, cancel_reason=WRAPPED.format("Unavailable", "no leader"))
            stream = await server.stream()
            assert (await stream.create()).start_revision == 12
            stream.created(4)
            stream.events(4, put("k", 12))

        nursery.start_soon(serve)
        async with server.communicator.watch("k") as events:
            assert [(await events.receive()).revision for _ in range(2)] == [11, 12]
            assert events.statistics().resumes == 1


@pytest.mark.parametrize("confirmed", [True, False])
async def test_such_tries_are_not_made_in_a_rush(confirmed: bool, autojump_clock: MockClock) -> None:
    """A member that knows no leader says so at once, each time it is asked."""
    async with scripted_server() as server, trio.open_nursery() as nursery:

        async def serve() -> None:
            for _ in range(30):
                stream = await server.stream()
                await stream.create()
                reason = WRAPPED.format("Unavailable", "no leader")
                if confirmed:
                    stream.created(0)
                    stream.canceled(0, cancel_reason=reason)
                else:
                    stream.created(-1, canceled=True, cancel_reason=reason)
            stream = await server.watched()
            stream.events(0, put("k", 11))

        nursery.start_soon(serve)
        async with server.communicator.watch("k", start_revision=1) as events:
            assert (await events.receive()).revision == 11
        assert server.opened[-1] - server.opened[0] > 0.3
