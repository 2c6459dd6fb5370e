"""A server that goes away while calls wait: everybody hears why, and the next call connects again."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable

import pytest
import trio
import trio.testing

from client._kit import FAST, impatient, live, nothing_left
from client._peer import open_peer
from etcetra_trio import (
    ConnectionFailedError,
    ConnectionLostError,
    EtcdClient,
    EtcdCommunicator,
    EtcdError,
    OutcomeUnknownError,
    StatusCode,
)
from etcetra_trio._proto._messages import etcdserverpb as pb
from etcetra_trio.streams._endpoints import EngineName
from etcetra_trio.testing import EtcdServer

Communicator = EtcdCommunicator[str]


@pytest.fixture
async def own() -> AsyncGenerator[EtcdServer]:
    async with EtcdServer(extra_args=FAST) as server:
        yield server


class Waiting:
    """Calls that wait, and how they end."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.ends: list[object] = []
        self._nursery = nursery
        self._started = 0

    def start(self, *calls: Awaitable[object]) -> None:
        for call in calls:
            self._started += 1
            self._nursery.start_soon(self._wait, call)

    async def _wait(self, call: Awaitable[object]) -> None:
        try:
            self.ends.append(await call)
        except EtcdError as error:
            self.ends.append(error)

    async def all_ended(self) -> None:
        with trio.fail_after(5):
            while len(self.ends) < self._started:
                await trio.sleep(0.001)


@pytest.mark.parametrize("engine", ["lean", "h2"])
async def test_killed_while_calls_wait(own: EtcdServer, engine: EngineName) -> None:
    client = EtcdClient(own.endpoint, http2=engine)
    with nothing_left():
        async with client.connect() as communicator, trio.open_nursery() as nursery:
            impatient(communicator)
            await communicator.put("k", "v")
            own.stop()
            reads, writes = Waiting(nursery), Waiting(nursery)
            reads.start(
                *(communicator.get("k") for _ in range(20)), communicator.txn(lambda action: action.get("k"))
            )
            writes.start(
                *(communicator.put("k", "w") for _ in range(20)),
                communicator.delete("k"),
                communicator.compact(1),
                communicator.txn(lambda action: action.put("k", "x")),
            )
            await trio.testing.wait_all_tasks_blocked(0.02)
            own.kill()
            await reads.all_ended()
            await writes.all_ended()
            endpoint = own.endpoint.removeprefix("http://")
            for error in reads.ends:
                assert type(error) is ConnectionLostError
                assert isinstance(error, trio.BrokenResourceError)
                assert (error.endpoint, error.outcome) == (endpoint, None)
                assert error.method in {"/etcdserverpb.KV/Range", "/etcdserverpb.KV/Txn"}
                assert f"the connection to {endpoint} was lost: " in str(error)
                assert "reset" in error.reason or "closed" in error.reason
            for error in writes.ends:
                assert type(error) is OutcomeUnknownError
                assert (error.code, error.outcome, error.endpoint) == (
                    StatusCode.UNAVAILABLE,
                    "unknown",
                    endpoint,
                )
                assert "outcome unknown" in str(error)
                cause = error.__cause__
                assert type(cause) is ConnectionLostError
                assert (cause.method, cause.outcome) == (error.method, "unknown")
            with pytest.raises(ConnectionFailedError) as refused:
                await communicator.put("k", "y")
            assert refused.value.outcome == "not_applied"
            await own.arestart()
            assert await communicator.get("k") is not None
            await communicator.put("k", "z")


async def test_each_error_is_an_object_of_its_own(own: EtcdServer) -> None:
    """One exception raised in many tasks would collect the tracebacks of all."""
    async with EtcdClient(own.endpoint).connect() as communicator, trio.open_nursery() as nursery:
        impatient(communicator)
        own.stop()
        waiting = Waiting(nursery)
        waiting.start(*(communicator.get("k") for _ in range(10)))
        await trio.testing.wait_all_tasks_blocked(0.02)
        own.kill()
        await waiting.all_ended()
    assert len({id(error) for error in waiting.ends}) == 10


async def test_restarted_between_calls(own: EtcdServer) -> None:
    async with EtcdClient(own.endpoint).connect() as communicator:
        await communicator.put("k", "v")
        for _ in range(2):
            await own.arestart()
            await trio.testing.wait_all_tasks_blocked(0.01)  # the end of the old connection has been read
            assert await communicator.get("k") == "v"


async def test_a_polite_end_lets_calls_finish(own: EtcdServer) -> None:
    """SIGTERM: the server says which calls it still answers. Reads and writes end one way or the other, none hangs."""
    async with EtcdClient(own.endpoint).connect() as communicator, trio.open_nursery() as nursery:
        waiting = Waiting(nursery)
        waiting.start(*(communicator.put(f"{number}", "v") for number in range(200)))
        await trio.lowlevel.checkpoint()
        own.terminate()
        await waiting.all_ended()
        done = [end for end in waiting.ends if not isinstance(end, EtcdError)]
        for end in waiting.ends:
            if isinstance(end, EtcdError):
                assert end.outcome in {"unknown", "not_applied"}
        await own.arestart()
        kept = await communicator.count("", prefix=True)
        unknown = [end for end in waiting.ends if isinstance(end, EtcdError) and end.outcome == "unknown"]
        assert len(done) <= kept <= len(done) + len(unknown)


async def test_new_calls_leave_a_connection_that_says_goodbye() -> None:
    """The old one still answers what it has; the new call does not wait for that."""
    async with open_peer() as peer, EtcdClient(peer.endpoint).connect() as communicator:
        impatient(communicator)
        old = live(communicator)
        async with trio.open_nursery() as nursery:
            waiting = Waiting(nursery)
            waiting.start(communicator.get("k"))
            await peer.wait_for("requests")
            old.engine.receive(bytes.fromhex("000008070000000000" + "7fffffff" + "00000000"))
            assert not old.engine.accepting
            peer.answer = bytes(pb.RangeResponse())
            assert await communicator.get("other") is None
            assert live(communicator) is not old
            assert len(peer.connections) == 2
            await peer.connections[0].aclose()
            await waiting.all_ended()
            assert type(waiting.ends[0]) is ConnectionLostError


async def test_a_thousand_calls_at_once_are_all_told(own: EtcdServer) -> None:
    async with EtcdClient(own.endpoint).connect() as communicator, trio.open_nursery() as nursery:
        impatient(communicator)
        own.stop()
        waiting = Waiting(nursery)
        waiting.start(*(communicator.get(f"{number}") for number in range(1000)))
        await trio.testing.wait_all_tasks_blocked(0.05)
        own.kill()
        await waiting.all_ended()
        assert {type(end) for end in waiting.ends} == {ConnectionLostError}


async def test_a_large_request_under_way(own: EtcdServer) -> None:
    """A write that has not left the socket's buffers yet is as unknown as one that has."""
    async with EtcdClient(own.endpoint).connect() as communicator, trio.open_nursery() as nursery:
        own.stop()
        waiting = Waiting(nursery)
        waiting.start(*(communicator.put(f"{number}", "x" * (1 << 20)) for number in range(8)))
        await trio.testing.wait_all_tasks_blocked(0.05)
        own.kill()
        await waiting.all_ended()
        for end in waiting.ends:
            assert isinstance(end, OutcomeUnknownError | ConnectionLostError)
            assert end.outcome in {"unknown", "not_applied"}
