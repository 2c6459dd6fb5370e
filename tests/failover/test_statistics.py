"""``communicator.statistics()``: what it counts, while things break."""

from __future__ import annotations

import socket

import trio

from etcetra_trio import EtcdClient
from failover._scripted import Request, serving


async def test_what_is_told() -> None:
    release = trio.Event()

    async def script(request: Request) -> None:
        if request.body[-1:] == b"!":
            await release.wait()
        await request.answer()

    with socket.create_server(("127.0.0.1", 0)) as taken:
        closed = f"127.0.0.1:{taken.getsockname()[1]}"
    async with (
        serving(script, max_streams=2) as server,
        EtcdClient([closed, server.endpoint]).connect() as communicator,
    ):
        await communicator.get("k")
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(communicator.get, "wait!")
            while len(server.requests) < 3:
                await trio.sleep(0.001)
            await communicator._endpoints.stream_connection()
            told = communicator.statistics()
            release.set()
        calls, streams = told.connections
        assert (calls.endpoint, calls.address, calls.purpose) == (server.endpoint, "127.0.0.1", "calls")
        assert (calls.in_use, calls.started, calls.open, calls.waiting) == (True, 3, 2, 1)
        assert 0 <= calls.silent_for < 5
        assert (streams.purpose, streams.in_use, streams.started) == ("streams", True, 0)
        assert told.endpoints == (server.endpoint, closed), "the best first"
        assert (told.opened, told.failed, told.lost, told.repeated) == (2, 1, 0, 0)
        for peer in server.peers:
            await peer.stream.aclose()
        while communicator.statistics().connections:
            await trio.sleep(0.001)
        await communicator.get("k")
        told = communicator.statistics()
        assert (told.opened, told.failed, told.lost, told.repeated) == (3, 1, 2, 0)
        await server.peers[-1].goaway(0)
        while communicator.statistics().connections:
            await trio.sleep(0.001)
        assert communicator.statistics().lost == 3


async def test_repeated() -> None:
    async def script(request: Request) -> None:
        if len(server.requests) < 4:
            await request.status(14, "etcdserver: leader changed", first=True)
        else:
            await request.answer()

    async with serving(script) as server, EtcdClient(server.endpoint).connect() as communicator:
        await communicator.get("k")
        assert communicator.statistics().repeated == 3
