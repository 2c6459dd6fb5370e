"""A server built on h2 that does to each request what the test says."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import h2.config
import h2.connection
import h2.events
import h2.settings
import trio
from client._kit import address, listener
from engines import _frames as f

ANSWER = b"\0\0\0\0\0"  # an empty message: a RangeResponse or PutResponse without anything in it
HEADERS = [(":status", "200"), ("content-type", "application/grpc")]


class Request:
    """One RPC that the client has sent in full (or begun, where it streams), and what to do with it."""

    def __init__(self, peer: Peer, stream_id: int, path: str, body: bytes) -> None:
        self.peer = peer
        self.stream_id = stream_id
        self.method = path.rpartition("/")[2]
        self.body = body
        self._news = trio.Event()

    def take(self, octets: bytes) -> None:
        self.body += octets
        self._news.set()

    async def message(self) -> bytes:
        """The next message of an RPC that streams."""
        while len(self.body) < 5 or len(self.body) < 5 + int.from_bytes(self.body[1:5], "big"):
            self._news = trio.Event()
            await self._news.wait()
        stop = 5 + int.from_bytes(self.body[1:5], "big")
        message, self.body = self.body[5:stop], self.body[stop:]
        return message

    async def headers(self) -> None:
        self.peer.engine.send_headers(self.stream_id, HEADERS)
        await self.peer.flush()

    async def data(self, octets: bytes = ANSWER) -> None:
        self.peer.engine.send_data(self.stream_id, octets)
        await self.peer.flush()

    async def status(self, code: int = 0, message: str = "", *, first: bool = False) -> None:
        """Trailers; ``first``: and nothing before them."""
        fields = [("grpc-status", str(code)), ("grpc-message", message)]
        self.peer.engine.send_headers(
            self.stream_id, [*HEADERS, *fields] if first else fields, end_stream=True
        )
        await self.peer.flush()

    async def answer(self) -> None:
        await self.headers()
        await self.data()
        await self.status()

    async def reset(self, code: int) -> None:
        self.peer.engine.reset_stream(self.stream_id, code)
        await self.peer.flush()


class Peer:
    """One connection as the server has it."""

    def __init__(self, server: Server, stream: trio.abc.Stream, number: int) -> None:
        self.number = number
        self.server = server
        self.stream = stream
        self.engine = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=False, header_encoding=None)
        )
        if server.max_streams is not None:
            self.engine.local_settings = h2.settings.Settings(
                client=False,
                initial_values={h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: server.max_streams},
            )
        #: PINGs that came, by Trio's clock, and answers to ours.
        self.pings: list[float] = []
        self.acks: list[bytes] = []
        self.ended = False
        self._requests: dict[int, Request] = {}
        self._lock = trio.Lock()

    async def flush(self) -> None:
        async with self._lock:
            data = self.engine.data_to_send()
            if data:
                await self.stream.send_all(data)

    async def raw(self, data: bytes) -> None:
        """Octets that h2 knows nothing of: it would close after a GOAWAY."""
        await self.flush()
        async with self._lock:
            await self.stream.send_all(data)

    async def goaway(self, last: int, code: int = 0, debug: bytes = b"") -> None:
        await self.raw(f.goaway(last, code, debug))

    async def serve(self, nursery: trio.Nursery) -> None:
        self.engine.initiate_connection()
        await self.flush()
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            while data := await self.stream.receive_some():
                for event in self.engine.receive_data(data):
                    self._take(event, nursery)
                await self.flush()
        self.ended = True

    def _take(self, event: h2.events.Event, nursery: trio.Nursery) -> None:
        match event:
            case h2.events.RequestReceived():
                path = dict(event.headers or ())[b":path"].decode()
                request = Request(self, event.stream_id, path, b"")
                self._requests[event.stream_id] = request
                if request.method in self.server.streaming:
                    self._start(request, nursery)
            case h2.events.DataReceived():
                self.engine.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id)
                self._requests[event.stream_id].take(event.data)
            case h2.events.StreamEnded():
                request = self._requests[event.stream_id]
                if request.method not in self.server.streaming:
                    self._start(request, nursery)
            case h2.events.PingReceived():
                self.pings.append(trio.current_time())
            case h2.events.PingAckReceived():
                self.acks.append(bytes(event.ping_data))

    def _start(self, request: Request, nursery: trio.Nursery) -> None:
        self.server.requests.append(request)
        nursery.start_soon(self._answer, request)

    async def _answer(self, request: Request) -> None:
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            await self.server.script(request)


class Server:
    """All connections, and the script."""

    #: Methods whose script begins before the request is complete.
    streaming: frozenset[str] = frozenset()

    def __init__(self, script: Callable[[Request], Awaitable[None]], max_streams: int | None) -> None:
        self.script = script
        self.max_streams = max_streams
        self.endpoint = ""
        self.peers: list[Peer] = []
        self.requests: list[Request] = []

    def of(self, method: str) -> list[Request]:
        return [request for request in self.requests if request.method == method]

    async def serve(self, stream: trio.abc.Stream) -> None:
        peer = Peer(self, stream, len(self.peers))
        self.peers.append(peer)
        async with stream, trio.open_nursery() as nursery:
            await peer.serve(nursery)
            nursery.cancel_scope.cancel("the connection is over")


async def answer(request: Request) -> None:
    await request.answer()


@asynccontextmanager
async def serving(
    script: Callable[[Request], Awaitable[None]] = answer, *, max_streams: int | None = None
) -> AsyncGenerator[Server]:
    """A server for the time of a block."""
    server = Server(script, max_streams)
    async with listener() as listening, trio.open_nursery() as nursery:
        server.endpoint = address(listening)
        await nursery.start(trio.serve_listeners, server.serve, [listening])
        with trio.fail_after(15):
            await trio.lowlevel.checkpoint()
            yield server
        nursery.cancel_scope.cancel("the test is over")
