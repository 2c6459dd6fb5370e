"""What can happen while ``resync=True`` reads the keys, by a scripted server."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import trio
from trio.testing import MockClock

from etcetra_trio import CompactedError, ConnectionFailedError, ConnectionLostError, NoLeaderError, StatusCode
from etcetra_trio._proto._messages import etcdserverpb as pb
from etcetra_trio._proto._messages import mvccpb
from etcetra_trio._proto._methods import RANGE
from watch._script import ScriptedServer, put, resynced, scripted_server, settle


def state(revision: int, **keys: int) -> Callable[[bytes], bytes]:
    """The answer to a read: the revision of the store, and that of each key."""
    kvs = [
        mvccpb.KeyValue(key=key.encode(), value=b"v", mod_revision=mod, create_revision=mod, version=1)
        for key, mod in keys.items()
    ]
    answer = bytes(pb.RangeResponse(header=pb.ResponseHeader(revision=revision), kvs=kvs, count=len(kvs)))
    return lambda _: answer


FAILURES: list[Exception] = [
    ConnectionFailedError([("scripted", ConnectionRefusedError())]),
    ConnectionLostError("scripted", "reset by peer"),
    NoLeaderError(StatusCode.UNAVAILABLE, "etcdserver: no leader"),
]


def heal_after(server: ScriptedServer, failure: Exception, answer: Callable[[bytes], bytes]) -> None:
    """A read fails twice, and then gives this."""
    tries = 0

    def fail(message: bytes) -> bytes:
        nonlocal tries
        tries += 1
        if tries <= 2:
            raise failure
        return answer(message)

    server.answers[RANGE] = fail


@pytest.mark.parametrize("failure", FAILURES)
async def test_no_server_at_entry(failure: Exception, autojump_clock: MockClock) -> None:
    async with scripted_server() as server, trio.open_nursery() as nursery:
        heal_after(server, failure, state(10, k=5))

        async def serve() -> None:
            stream = await server.stream()
            assert (await stream.create()).start_revision == 11
            stream.created(0, 10)
            stream.events(0, put("k", 11))

        nursery.start_soon(serve)
        async with server.communicator.watch("k", resync=True) as events:
            assert (await events.receive()).revision == 11


@pytest.mark.parametrize("failure", [*FAILURES, CompactedError(StatusCode.OUT_OF_RANGE, "compacted")])
async def test_no_server_when_history_is_gone(failure: Exception, autojump_clock: MockClock) -> None:
    """Also where what is read is compacted while it is read, in parts."""
    async with scripted_server() as server, trio.open_nursery() as nursery:
        server.answers[RANGE] = state(10, k=5)

        async def serve() -> None:
            stream = await server.watched(0, 10)
            heal_after(server, failure, state(40, k=35))
            await resynced(server, stream)

        nursery.start_soon(serve)
        async with server.communicator.watch("k", resync=True) as events:
            found = [await events.receive() for _ in range(2)]
            assert [(event.revision, event.synthetic) for event in found] == [(35, True), (41, False)]


@pytest.mark.parametrize("begun", [False, True])
async def test_closed_while_it_reads(begun: bool, autojump_clock: MockClock) -> None:
    """It must not begin anew on the server."""
    async with scripted_server() as server, trio.open_nursery() as nursery:
        server.answers[RANGE] = state(10, k=5)
        watch = server.communicator.watch("k", resync=True)

        async def read() -> None:
            with pytest.raises(trio.ClosedResourceError):
                async with watch:
                    await watch.receive()

        def close(message: bytes) -> bytes:
            watch._close()
            return state(40)(message)

        if begun:
            nursery.start_soon(read)
            stream = await server.watched(0, 10)
            await settle()
            server.answers[RANGE] = close
            stream.canceled(0, compact_revision=30)
        else:
            server.answers[RANGE] = close
            nursery.start_soon(read)
        await trio.sleep(100)
        assert server.no_stream()
        assert server.watches._shared.watchers == {}


async def test_the_client_ends_while_it_reads(autojump_clock: MockClock) -> None:
    async with trio.open_nursery() as nursery, scripted_server() as server:
        server.answers[RANGE] = state(10, k=5)
        watch = server.communicator.watch("k", resync=True)
        nursery.start_soon(watch.__aenter__)
        stream = await server.watched(0, 10)
        await settle()

        def close(message: bytes) -> bytes:
            server.service.close()
            return state(40)(message)

        server.answers[RANGE] = close
        stream.canceled(0, compact_revision=30)
        with trio.fail_after(60):
            for _ in range(3):
                with pytest.raises(trio.ClosedResourceError):
                    await watch.receive()


async def test_statistics_with_differences_that_wait(autojump_clock: MockClock) -> None:
    async with scripted_server() as server, trio.open_nursery() as nursery:
        server.answers[RANGE] = state(10, k=5)

        async def serve() -> None:
            stream = await server.stream()
            await stream.create()
            server.answers[RANGE] = state(40, k=35)
            stream.created(-1, 40)
            stream.canceled(-1, compact_revision=30)

        nursery.start_soon(serve)
        async with server.communicator.watch("k", start_revision=3, resync=True) as events:
            await settle()
            assert events.statistics().delivered_revision < 35
            assert (await events.receive()).synthetic
            assert events.statistics().delivered_revision == 40
