"""Whatever a server throws, the client stays below 200 MiB and says in bounded time what is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from functools import partial
from itertools import repeat
from typing import NamedTuple

import pytest
import trio
from client._kit import address, listener
from engines import _frames as f
from engines._kit import OK_HEADERS, OK_TRAILERS
from hpack import Encoder
from recipes._kit import programs

MIB = 1 << 20
MOST = 200 * MIB  # octets of memory
BOMB = 256 * MIB  # octets that are thrown, if the client takes so many
CHUNK = 64 << 10
#: Answers that are begun at once, and of what size each says that it is, in octets.
MANY, EACH = 100, 60 * MIB
#: The chunks of one answer that is nearly all that a connection holds.
CHUNKS = 1572


def block(fields: Sequence[tuple[bytes, bytes]]) -> bytes:
    return Encoder().encode(fields)


def header_frame(payload: bytes, flags: int = f.END_HEADERS) -> bytes:
    return f.frame(f.HEADERS, flags, 1, payload)


OPENING = header_frame(block(OK_HEADERS))
BIG = b"z" * 16_000
ANSWER = OPENING + f.data(1, f.message(b"")) + header_frame(block(OK_TRAILERS), f.END_HEADERS | f.END_STREAM)
#: One field of 3,900 octets is kept, and then named 16,000 times by one octet each.
HPACK_BOMB = b"\x40\x01x" + b"\x7f\xbd\x1d" + b"y" * 3900 + b"\xbe" * 12_000


class Bomb(NamedTuple):
    """What comes first, what comes again and again, what comes after that; the error, and a word in its text.

    Then how many octets are thrown, and at how many calls.
    """

    first: bytes
    again: bytes
    last: bytes
    error: str
    text: str
    most: int = BOMB
    calls: int = 1


FLOODED = ("RemoteProtocolError", "flood")
BOMBS: dict[str, Bomb] = {
    "an HPACK bomb": Bomb(header_frame(HPACK_BOMB), b"", b"", "RemoteProtocolError", "eader list"),
    "CONTINUATIONs": Bomb(
        header_frame(b"", 0), f.frame(f.CONTINUATION, 0, 1, BIG), b"", "RemoteProtocolError", ""
    ),
    "empty CONTINUATIONs": Bomb(
        header_frame(b"", 0), f.frame(f.CONTINUATION, 0, 1), b"", "RemoteProtocolError", ""
    ),
    "a giant header list": Bomb(
        header_frame(b"\x00\x01a\x7f\x80\x7c" + BIG[:15_000], 0),
        f.frame(f.CONTINUATION, 0, 1, b"\x00\x01a\x7f\x80\x7c" + BIG[:15_000]),
        b"",
        "RemoteProtocolError",
        "too many pieces",
    ),
    "PING": Bomb(b"", f.ping(), b"", *FLOODED),
    "SETTINGS": Bomb(b"", f.settings((f.MAX_STREAMS, 100)), b"", *FLOODED),
    "PRIORITY": Bomb(b"", f.frame(f.PRIORITY, 0, 1, bytes(4) + b"\x10"), b"", *FLOODED),
    "unknown frames": Bomb(b"", f.frame(0xFA, 0, 0, b"grease"), b"", *FLOODED),
    "empty DATA": Bomb(OPENING, f.data(1), b"", *FLOODED),
    "RST_STREAM": Bomb(b"", f.rst(1, 8), b"", "ServerCanceledError", ""),
    "1xx": Bomb(b"", header_frame(block([(b":status", b"103")])), b"", *FLOODED),
    "PUSH_PROMISE": Bomb(
        b"", f.frame(5, f.END_HEADERS, 1, bytes(3) + b"\x02"), b"", "RemoteProtocolError", ""
    ),
    "GOAWAY": Bomb(b"", f.goaway(1, 0, BIG), b"", *FLOODED),
    "WINDOW_UPDATE": Bomb(b"", f.window_update(0, 1), ANSWER, "", "", MIB),
    "a giant frame": Bomb(
        b"\xff\xff\xff\x00\x00\x00\x00\x00\x01", BIG, b"", "RemoteProtocolError", "16777215"
    ),
    "a giant length": Bomb(
        OPENING + f.data(1, b"\x00\xff\xff\xff\xff"), f.data(1, BIG), b"", "RpcError", "max_receive_size"
    ),
    "a message for ever": Bomb(
        OPENING + f.data(1, b"\x00\x03\xff\xff\xff"),
        f.data(1, BIG),
        b"",
        "RemoteProtocolError",
        "more than one",
    ),
    "a message as long as may be": Bomb(
        OPENING + f.data(1, b"\0" + (CHUNKS * 4 * len(BIG)).to_bytes(4, "big")),
        f.data(1, BIG),
        header_frame(block(OK_TRAILERS), f.END_HEADERS | f.END_STREAM),
        "RemoteProtocolError",
        "does not decode",
        CHUNKS * 4 * len(f.data(1, BIG)),
    ),
    "many long messages": Bomb(
        b"".join(
            f.frame(f.HEADERS, f.END_HEADERS, 2 * call + 1, block(OK_HEADERS))
            + f.data(2 * call + 1, b"\0" + EACH.to_bytes(4, "big"))
            for call in range(MANY)
        ),
        b"".join(f.data(2 * call + 1, BIG) for call in range(MANY)),
        f.frame(5, f.END_HEADERS, 1, bytes(3) + b"\x02"),
        "RemoteProtocolError RpcError",
        "max_receive_size",
        BOMB,
        MANY,
    ),
    "HTTP/1 for ever": Bomb(b"HTTP/1.1 200 OK\r\n", BIG, b"", "ConnectionFailedError", "HTTP/1"),
}


def thrown(bomb: Bomb) -> Iterator[bytes]:
    """In chunks."""
    yield bomb.first
    if bomb.again:
        many = bomb.again * max(1, CHUNK // len(bomb.again))
        yield from repeat(many, bomb.most // len(many))
    yield bomb.last


async def throw(stream: trio.SocketStream, bomb: Bomb) -> None:
    """Wait for the last request, answer so, and wait for the end."""
    data = b""
    request = bytes((f.HEADERS, f.END_HEADERS)) + (2 * bomb.calls - 1).to_bytes(4, "big")
    async with stream:
        try:
            if not bomb.first.startswith(b"HTTP"):
                await stream.send_all(f.settings() + f.SETTINGS_ACK)
                while request not in data:
                    data += await stream.receive_some()
            for chunk in thrown(bomb):
                await stream.send_all(chunk)
            async for _ in stream:
                pass
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass


@pytest.mark.parametrize("http2", ["lean", "h2"])
async def test_bombs(http2: str) -> None:
    async with trio.open_nursery() as nursery, AsyncExitStack() as stack:
        endpoints: list[str] = []
        for bomb in BOMBS.values():
            listening = await stack.enter_async_context(listener())
            nursery.start_soon(trio.serve_listeners, partial(throw, bomb=bomb), [listening])
            endpoints.append(f"{bomb.calls}={address(listening)}")
        (printed,) = await programs("bombs._client", [(http2, *endpoints)], limit=300)
        nursery.cancel_scope.cancel("the client has ended")
    print(printed)
    lines = printed.splitlines()
    for (name, bomb), line in zip(BOMBS.items(), lines, strict=True):
        found = json.loads(line)
        assert (name, " ".join(found["errors"])) == (name, bomb.error)
        assert bomb.text in found["text"], name
        assert found["peak"] < MOST, name
