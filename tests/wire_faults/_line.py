"""The way between a client and the server."""

from __future__ import annotations

import math
from contextlib import suppress

import trio


class Line(trio.abc.Stream):
    """The way to a client, which may go silent, or break after so many octets from or to the client."""

    def __init__(self, stream: trio.abc.Stream, reads: float = math.inf, writes: float = math.inf) -> None:
        self.stream = stream
        #: Nothing passes any more, and nobody hears of it.
        self.silent = False
        self.reads, self.writes = reads, writes
        #: What passed.
        self.received, self.sent = bytearray(), bytearray()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        data = b""
        if self.reads:
            data = bytes(await self.stream.receive_some(max_bytes))
            data = data[: int(min(len(data), self.reads))]
            self.reads -= len(data)
            self.received += data
        else:
            await trio.sleep(0.01)  # time to answer what came
            await self.aclose()
        await self._pass()
        return data

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self._pass()
        octets = bytes(data)[: int(min(len(data), self.writes))]
        await self.stream.send_all(octets)
        self.writes -= len(octets)
        self.sent += octets
        if not self.writes:
            await self.aclose()

    async def _pass(self) -> None:
        if self.silent:
            await trio.sleep_forever()

    async def wait_send_all_might_not_block(self) -> None:
        await self.stream.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):  # TLS says so even then
            await self.stream.aclose()
