"""The negative HTTP/2 cases of gRPC's list of interoperability tests, and more of the kind, by both engines."""

from __future__ import annotations

import pytest
import trio
from client._kit import address, listener, live

from etcetra_trio import (
    ConnectionFailedError,
    ConnectionLostError,
    EtcdClient,
    OutcomeUnknownError,
    RpcError,
    UnavailableError,
)
from etcetra_trio.streams._endpoints import EngineName
from failover._scripted import Peer, Request, Server, answer, serving

ENGINES: tuple[EngineName, ...] = ("lean", "h2")
REFUSED_STREAM, CANCEL = 7, 8
LAST = (1 << 31) - 1

pytestmark = pytest.mark.parametrize("http2", ENGINES)


async def test_goaway(http2: EngineName) -> None:
    """After an answer the server says goodbye: the next call goes over another connection, and the old one ends."""

    async def script(request: Request) -> None:
        await request.answer()
        if len(server.requests) == 1:
            await request.peer.goaway(1)

    async with serving(script) as server, EtcdClient(server.endpoint, http2=http2).connect() as communicator:
        await communicator.get("k")
        while not server.peers[0].ended:
            await trio.sleep(0.001)
        await communicator.put("k", "v")
    assert [request.peer.number for request in server.requests] == [0, 1]


async def test_goaway_while_calls_wait(http2: EngineName) -> None:
    """Those that the server still answers are waited for; the others, writes too, are sent again, and once only."""
    held: list[Request] = []

    async def script(request: Request) -> None:
        if request.peer.number:
            await request.answer()
            return
        held.append(request)
        if len(held) == 6:
            await request.peer.goaway(LAST)
            await request.peer.goaway(5)
            await trio.sleep(0.05)
            held.sort(key=lambda each: each.stream_id)
            for each in held[:3]:
                await each.answer()

    async with (
        serving(script) as server,
        EtcdClient(server.endpoint, http2=http2).connect() as communicator,
        trio.open_nursery() as nursery,
    ):
        for number in range(6):
            nursery.start_soon(communicator.put, f"{number}", "")
    assert len(server.requests) == 9
    again = [request.body for request in server.requests if request.peer.number == 1]
    assert sorted(again) == sorted(request.body for request in held[3:])


@pytest.mark.parametrize("code", [0, 1, 2, 5, REFUSED_STREAM, 8, 11, 13])
@pytest.mark.parametrize("when", ["after_header", "during_data", "after_data"])
async def test_rst(http2: EngineName, when: str, code: int) -> None:
    """The server resets the stream in the midst of an answer: it never counts as one."""

    async def script(request: Request) -> None:
        if request.method == "Range" and len(server.of("Range")) == 2:
            await request.answer()
            return
        await request.headers()
        if when == "during_data":
            await request.data(b"\0\0\0\0\x05half")
        elif when == "after_data":
            await request.data()
        await request.reset(code)

    async with serving(script) as server, EtcdClient(server.endpoint, http2=http2).connect() as communicator:
        with pytest.raises(OutcomeUnknownError) as caught:
            await communicator.put("k", "v")
        assert caught.value.outcome == "unknown"
        if code in {REFUSED_STREAM, CANCEL}:  # a read is simply made again
            await communicator.get("k")
        else:
            with pytest.raises(RpcError):
                await communicator.get("k")
        assert len(server.peers) == 1, "the connection lives on"
    assert len(server.of("Put")) == 1


async def test_refused(http2: EngineName) -> None:
    """A server that refuses a stream has not looked at it: writes are sent again too."""

    async def script(request: Request) -> None:
        if len(server.requests) % 3:
            await request.reset(REFUSED_STREAM)
        else:
            await request.answer()

    async with serving(script) as server, EtcdClient(server.endpoint, http2=http2).connect() as communicator:
        await communicator.put("k", "v")
        assert await communicator.get("k") is None
    assert [request.method for request in server.requests] == ["Put"] * 3 + ["Range"] * 3


async def test_ping(http2: EngineName) -> None:
    """Every PING of the server is answered, before and within calls."""

    async def script(request: Request) -> None:
        request.peer.engine.ping(b"%08d" % request.stream_id)
        await request.headers()
        request.peer.engine.ping(b"%08d" % (request.stream_id + 1))
        await request.data()
        await request.status()

    async with serving(script) as server, EtcdClient(server.endpoint, http2=http2).connect() as communicator:
        for _ in range(10):
            await communicator.get("k")
        [peer] = server.peers
        while len(peer.acks) < 20:
            await trio.sleep(0.001)
    assert peer.acks == [b"%08d" % number for number in range(1, 21)]


@pytest.mark.parametrize("most", [1, 3])
async def test_max_streams(http2: EngineName, most: int) -> None:
    """No more calls at once than the server allows; the others wait in order, one that gives up hinders none."""
    now = highest = 0
    order: list[int] = []

    async def script(request: Request) -> None:
        nonlocal now, highest
        now += 1
        highest = max(highest, now)
        await trio.sleep(0.002)
        now -= 1
        await request.answer()

    async with (
        serving(script, max_streams=most) as server,
        EtcdClient(server.endpoint, http2=http2).connect() as communicator,
    ):
        await communicator.get("k")

        async def get(number: int) -> None:
            await communicator.get(f"{number:03}")
            order.append(number)

        async with trio.open_nursery() as nursery:
            for number in range(60):
                nursery.start_soon(get, number)
                await trio.lowlevel.checkpoint()
                if number == 30:
                    with trio.move_on_after(0):
                        await communicator.get("given up")
                    with trio.move_on_after(0.001) as scope:
                        await communicator.put("given up", "")
                    assert scope.cancelled_caught
        assert live(communicator).engine.waiting_streams == 0
    assert highest == most
    places = [order.index(number) for number in range(60)]
    assert all(abs(place - number) < most for number, place in enumerate(places)), order
    assert len(server.peers) == 1


async def test_trailers_only(http2: EngineName) -> None:
    """A server that is unavailable for a while: reads wait for it, writes do not know."""

    async def script(request: Request) -> None:
        if len(server.requests) in {2, 3, 5}:
            await request.status(14, "transport is closing", first=True)
        else:
            await request.answer()

    async with serving(script) as server, EtcdClient(server.endpoint, http2=http2).connect() as communicator:
        await communicator.get("k")
        await communicator.get("k")
        with pytest.raises(OutcomeUnknownError) as caught:
            await communicator.put("k", "v")
        assert isinstance(caught.value.__cause__, UnavailableError)
        assert caught.value.__cause__.message == "transport is closing"


async def test_a_server_that_only_ever_greets(http2: EngineName) -> None:
    """Connections that break at the first call: a read gives up after a while, and does not turn in circles."""

    async def script(request: Request) -> None:
        await request.peer.stream.aclose()

    async with serving(script) as server, EtcdClient(server.endpoint, http2=http2).connect() as communicator:
        communicator._endpoints.patience = 0.5
        with pytest.raises(ConnectionLostError):
            await communicator.get("k")
        assert 2 <= len(server.requests) < 20
        with pytest.raises(OutcomeUnknownError):
            await communicator.put("k", "v")
    assert len(server.of("Put")) == 1


@pytest.mark.parametrize("goodbye", [True, False])
async def test_a_server_that_greets_and_ends(http2: EngineName, goodbye: bool) -> None:
    """It is tried no more often than one that refuses, and the reason is told."""

    class Rude(Server):
        async def serve(self, stream: trio.abc.Stream) -> None:
            peer = Peer(self, stream, len(self.peers))
            self.peers.append(peer)
            peer.engine.initiate_connection()
            if goodbye:
                await peer.goaway(0, 0, b"full")
            else:
                await peer.flush()
            await stream.aclose()

    async with listener() as listening, trio.open_nursery() as nursery:
        server = Rude(answer, None)
        await nursery.start(trio.serve_listeners, server.serve, [listening])
        with trio.fail_after(10):
            async with EtcdClient(address(listening), http2=http2).connect(wait=False) as communicator:
                began = trio.current_time()
                for _ in range(3):
                    with pytest.raises(ConnectionFailedError) as caught:
                        await communicator.put("k", "v")
                    assert caught.value.outcome == "not_applied"
                    [(_, cause)] = caught.value.endpoints
                    assert ("full" in str(cause)) == goodbye, cause
                assert len(server.peers) <= 5 * (trio.current_time() - began) + 3
        nursery.cancel_scope.cancel("the test is over")
