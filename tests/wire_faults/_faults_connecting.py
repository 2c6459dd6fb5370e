"""What can go wrong before the first call: a connection that does not come about, or is no HTTP/2."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio
from engines import _frames as f

from wire_faults._blocks import HEADERS_BLOCK, headers
from wire_faults._etcd import Connection
from wire_faults._row import Row

Greeting = Callable[[Connection], Awaitable[None]]
#: How long an address may take to greet, in seconds, and the pause after it did not.
CONNECTING = 5.3


def says(*octets: bytes) -> Greeting:
    """These octets, and the end."""

    async def greeting(peer: Connection) -> None:
        await peer.line.receive_some()  # else a unix socket is reset when it is closed
        await peer.line.send_all(b"".join(octets))

    return greeting


def stops(*octets: bytes) -> Greeting:
    """These octets, and nothing any more."""

    async def greeting(peer: Connection) -> None:
        await peer.line.receive_some()
        await peer.line.send_all(b"".join(octets))
        await trio.sleep_forever()

    return greeting


async def _reset(peer: Connection) -> None:
    """Closed with something unread."""
    await trio.lowlevel.checkpoint()


async def _drip(peer: Connection) -> None:
    for octet in f.settings((f.MAX_STREAMS, 100)):
        await peer.line.send_all(bytes((octet,)))
        await trio.sleep(1)


def refused(name: str, greeting: Greeting, words: str, *, within: float = 0.3, **columns: object) -> Row:
    """No call has begun, so none is repeated where there never was a connection; what lasts goes on."""
    return Row(
        name,
        None,
        greeting,
        read="ConnectionFailedError",
        write="not applied ConnectionFailedError",
        words=words,
        within=within,
        unseen=True,
    ).but(**columns)


SETTINGS = f.settings()
CLOSED = "the server closed the connection"
ROWS = [
    refused("reset at once", _reset, "reset"),
    refused("closed at once", says(), CLOSED),
    refused("closed within SETTINGS", says(SETTINGS[:5]), CLOSED),
    refused("closed within a longer SETTINGS", says(f.settings((3, 100))[:-1]), CLOSED),
    refused("closed after SETTINGS", says(SETTINGS), "lost"),
    refused("nothing", stops(), "within 5 s", within=CONNECTING),
    refused("half of SETTINGS and nothing more", stops(SETTINGS[:5]), "within 5 s", within=CONNECTING),
    refused("an octet every second", _drip, "within 5 s", within=CONNECTING),
    refused("HTTP/1.1", says(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"), "HTTP/1"),
    refused("a TLS alert", says(b"\x15\x03\x01\x00\x02\x02\x46"), "TLS"),
    refused("SSH", says(b"SSH-2.0-OpenSSH_9.2\r\n"), ""),
    refused("zeros", says(bytes(100)), ""),
    refused("PING before SETTINGS", says(f.ping()), "SETTINGS"),
    refused("HEADERS before SETTINGS", says(headers(1, HEADERS_BLOCK)), "SETTINGS"),
    refused("GOAWAY before SETTINGS", says(f.goaway(0, 0, b"too busy")), ""),
    refused("GOAWAY behind SETTINGS", says(SETTINGS, f.goaway(0, 0, b"too busy")), "too busy"),
    refused("SETTINGS of five octets to begin with", says(f.frame(f.SETTINGS, 0, 0, bytes(5))), ""),
    refused("SETTINGS on a stream to begin with", says(f.frame(f.SETTINGS, 0, 1)), ""),
    refused("SETTINGS ACK first", says(f.SETTINGS_ACK), ""),
    refused("SETTINGS with ENABLE_PUSH 1", says(f.settings((f.ENABLE_PUSH, 1))), ""),
    refused("SETTINGS with INITIAL_WINDOW_SIZE 2^31", says(f.settings((f.INITIAL_WINDOW, 1 << 31))), ""),
    refused("SETTINGS with MAX_FRAME_SIZE 1", says(f.settings((f.MAX_FRAME, 1))), ""),
    refused("SETTINGS of 16,386 octets", says(f.frame(f.SETTINGS, 0, 0, bytes(16386))), ""),
]
