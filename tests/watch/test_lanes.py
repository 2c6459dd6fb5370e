"""Watches that come and go on shared and own streams, with a server that can choose the moment."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from etcetra_trio._proto._methods import STATUS
from watch._script import first, opened, put, scripted_server, settle


async def test_closed_before_it_was_confirmed(autojump_clock: MockClock) -> None:
    """The server is told once it has said which id it is."""
    async with scripted_server() as server, trio.open_nursery() as nursery:
        keeper, stream = await first(server, nursery, "keeper")
        with trio.move_on_after(1):
            async with server.communicator.watch("hasty"):
                pytest.fail("it is not confirmed")
        assert (await stream.create()).key == b"hasty"
        assert stream.nothing_asked()
        stream.created(7)
        stream.events(7, put("hasty", 11))
        assert await stream.cancel() == 7
        stream.canceled(7)
        stream.events(0, put("keeper", 12))
        assert (await keeper.receive()).revision == 12
        await keeper.aclose()


async def test_the_only_one_closed_before_it_was_confirmed(autojump_clock: MockClock) -> None:
    async with scripted_server() as server:
        with trio.move_on_after(1):
            await server.communicator.watch("hasty", start_revision=1).receive()
        stream = await server.stream()
        await stream.create()
        assert stream.cancelled
        await trio.sleep(100)
        assert server.no_stream()


async def test_many_closed_and_confirmed_in_any_order(autojump_clock: MockClock) -> None:
    async with scripted_server() as server, trio.open_nursery() as nursery:
        keeper, stream = await first(server, nursery, "keeper")
        watches = [await opened(server, nursery, f"k{number}") for number in range(6)]
        for number in (1, 4):
            await watches[number].aclose()
        for number in range(6):
            assert (await stream.create()).key == f"k{number}".encode()
            stream.created(10 + number)
        assert [await stream.cancel() for _ in range(2)] == [11, 14]
        for number in (5, 0, 3, 2):
            stream.events(10 + number, put(f"k{number}", 11))
            assert (await watches[number].receive()).key == f"k{number}"
            await watches[number].aclose()
            assert await stream.cancel() == 10 + number
        await keeper.aclose()
        assert stream.cancelled


@pytest.mark.parametrize("pause", [False, True])
async def test_the_last_one_closed_and_another_opened(pause: bool, autojump_clock: MockClock) -> None:
    """The stream that is being ended must not swallow the new watch."""
    async with scripted_server() as server, trio.open_nursery() as nursery:
        for number in range(5):
            watch, stream = await first(server, nursery, f"k{number}")
            assert number == 0 or not pause or server.no_stream()
            watch._close()  # as aclose() does, without its checkpoint
            assert stream.cancelled
            if pause:
                await settle()


async def test_opened_just_when_the_stream_broke(autojump_clock: MockClock) -> None:
    async with scripted_server() as server, trio.open_nursery() as nursery:
        one, _ = await first(server, nursery, "one")
        server.lose()
        two = server.communicator.watch("two", start_revision=5)
        nursery.start_soon(two.__aenter__)
        stream = await server.stream()
        asked = [await stream.create(), await stream.create()]
        assert [(create.key, create.start_revision) for create in asked] == [(b"one", 11), (b"two", 5)]
        stream.created(0)
        stream.created(1)
        stream.events(1, put("two", 11))
        assert (await two.receive()).revision == 11
        for watch in (one, two):
            await watch.aclose()


async def test_an_id_of_ones_own_has_a_stream_of_its_own(autojump_clock: MockClock) -> None:
    async with scripted_server() as server, trio.open_nursery() as nursery:
        shared, _ = await first(server, nursery, "shared")
        own = await opened(server, nursery, "own", watch_id=7)
        stream = await server.stream()
        create = await stream.create()
        assert (create.key, create.watch_id) == (b"own", 7)
        stream.created(7)
        stream.events(7, put("own", 11))
        assert (await own.receive()).revision == 11
        await own.aclose()
        assert stream.cancelled
        await shared.aclose()


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("progress_notify", [False, True])
async def test_closed_while_the_lane_connects(
    own: bool, progress_notify: bool, autojump_clock: MockClock
) -> None:
    """Whenever that is, no stream is left that nobody needs."""
    for steps in range(12):
        async with scripted_server() as server:
            server.progress_is_true = None
            server.answers[STATUS] = lambda _: b"\x12\x053.6.1"
            watch = server.communicator.watch("k", watch_id=int(own), progress_notify=progress_notify)
            with trio.CancelScope() as scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(watch.receive)
                    for _ in range(steps):
                        await trio.lowlevel.checkpoint()
                    scope.cancel()
            await watch.aclose()
            await trio.sleep(100)
            assert server.live is None or all(stream.cancelled for stream in server.live.streams.values())
