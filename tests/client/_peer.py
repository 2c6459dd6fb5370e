"""A server of our own that speaks HTTP/2 and answers only when the test says so."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import h2.config
import h2.connection
import h2.events
import trio

from client._kit import address, listener


class Peer:
    """What clients sent, and a way to answer. All connections share one account."""

    def __init__(self) -> None:
        self.endpoint = ""
        self.connections: list[trio.SocketStream] = []
        #: The headers of each request, in order.
        self.requests: list[dict[bytes, bytes]] = []
        #: The bodies of the requests that ended, and the error codes of resets, by stream id.
        self.bodies: dict[int, bytes] = {}
        self.resets: dict[int, int] = {}
        #: Answer every request at once with this message.
        self.answer: bytes | None = None
        self._news = trio.Condition()

    async def wait_for(self, condition: str) -> None:
        """Wait until ``peer.<condition>`` is not empty, for 5 seconds at most."""
        with trio.fail_after(5):
            async with self._news:
                while not getattr(self, condition):
                    await self._news.wait()

    async def serve(self, stream: trio.SocketStream) -> None:
        """One connection."""
        self.connections.append(stream)
        engine = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=False, header_encoding=None)
        )
        engine.initiate_connection()
        try:
            async with stream:
                await stream.send_all(engine.data_to_send())
                async for data in stream:
                    for event in engine.receive_data(data):
                        self._take(engine, event)
                    await stream.send_all(engine.data_to_send())
                    async with self._news:
                        self._news.notify_all()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass

    def _take(self, engine: h2.connection.H2Connection, event: h2.events.Event) -> None:
        match event:
            case h2.events.RequestReceived():
                self.requests.append(dict(event.headers or ()))
            case h2.events.DataReceived():
                engine.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id)
                self.bodies[event.stream_id] = self.bodies.get(event.stream_id, b"") + event.data
            case h2.events.StreamEnded() if self.answer is not None:
                engine.send_headers(
                    event.stream_id, [(":status", "200"), ("content-type", "application/grpc")]
                )
                engine.send_data(event.stream_id, b"\0" + len(self.answer).to_bytes(4, "big") + self.answer)
                engine.send_headers(event.stream_id, [("grpc-status", "0")], end_stream=True)
            case h2.events.StreamReset():
                self.resets[event.stream_id] = int(event.error_code)


@asynccontextmanager
async def open_peer() -> AsyncGenerator[Peer]:
    """Serve for the time of a block."""
    peer = Peer()
    async with listener() as listening, trio.open_nursery() as nursery:
        peer.endpoint = address(listening)
        await nursery.start(trio.serve_listeners, peer.serve, [listening])
        yield peer
        nursery.cancel_scope.cancel("the test is over")
