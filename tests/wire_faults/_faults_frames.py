"""Frames that HTTP/2 forbids, does not know, or leaves to chance."""

from __future__ import annotations

from engines import _frames as f

from wire_faults._blocks import HEADERS_BLOCK, OK_BLOCK, headers
from wire_faults._etcd import Due
from wire_faults._row import Do, Row, broken, harmless, sends

IDLE = 1001
UNKNOWN_KIND = 0xEE


def _first(*frames: bytes) -> Do:
    """These, and then the answer."""

    async def do(due: Due) -> None:
        await due.raw(*frames)
        await due.answer()

    return do


def _frame(kind: int, payload: bytes = b"", flags: int = 0, stream_id: int | None = None) -> Do:
    """One frame, on the call's stream if no other is said."""
    return sends(lambda due: f.frame(kind, flags, due.stream_id if stream_id is None else stream_id, payload))


async def _unknown_between(due: Due) -> None:
    await due.headers()
    await due.raw(f.frame(UNKNOWN_KIND, 0xFF, due.stream_id, b"extension"))
    await due.answer()


async def _padded(due: Due) -> None:
    flags = f.END_HEADERS | f.PADDED
    due.begun = True
    frames = [
        headers(due.stream_id, b"\x09" + HEADERS_BLOCK + bytes(9), flags=flags),
        f.data(due.stream_id, due.framed[:7], pad=255),
        f.data(due.stream_id, b"", pad=100),
        f.data(due.stream_id, due.framed[7:], pad=0),
    ]
    if due.unary:
        frames.append(headers(due.stream_id, b"\0" + OK_BLOCK, end=True, flags=flags))
    await due.raw(*frames)


async def _prioritised(due: Due) -> None:
    due.begun = True
    weight = b"\0\0\0\0\x10"
    frames = [
        f.frame(f.PRIORITY, 0, due.stream_id, weight),
        headers(due.stream_id, weight + HEADERS_BLOCK, flags=f.END_HEADERS | f.PRIORITISED),
        f.data(due.stream_id, due.framed),
    ]
    if due.unary:
        frames.append(headers(due.stream_id, OK_BLOCK, end=True))
    await due.raw(*frames)


async def _late_frames(due: Due) -> None:
    """For a stream that is over, as they come after a reset."""
    await due.answer()
    await due.raw(f.window_update(due.stream_id, 1), f.rst(due.stream_id, 0), f.rst(due.stream_id, 8))


def _too_large(kind: int) -> Do:
    return _frame(kind, bytes(16385))


def _flood(make: bytes, count: int = 1100) -> Do:
    return sends(lambda due: make * count)


def _in_block(frame: bytes) -> Do:
    """Something between a HEADERS and its CONTINUATION."""
    return sends(lambda due: headers(due.stream_id, HEADERS_BLOCK, flags=0), lambda due: frame)


def _block(octets: bytes) -> Do:
    return sends(lambda due: headers(due.stream_id, octets))


def _continuations(count: int) -> Do:
    return sends(
        lambda due: headers(due.stream_id, HEADERS_BLOCK, flags=0),
        lambda due: f.frame(f.CONTINUATION, 0, due.stream_id, b"") * count,
    )


def _undecodable(name: str, octets: bytes, **columns: object) -> Row:
    return broken(f"HPACK: {name}", _block(octets), **columns)


#: 4,000 octets, once into the table and 30 times out of it: 124 kB of headers in 4 kB.
BOMB = HEADERS_BLOCK + b"\x40\x01x\x7f\x91\x1e" + b"y" * 4000 + b"\xbe" * 30
ROWS = [
    harmless("a frame of an unknown kind", _first(f.frame(UNKNOWN_KIND, 0xFF, 0, b"extension"))),
    harmless("a frame of an unknown kind on the stream", _unknown_between),
    harmless(
        "ALTSVC, ORIGIN and PRIORITY_UPDATE",
        _first(*(f.frame(kind, 0, 0, bytes(4)) for kind in (10, 12, 16))),
    ),
    harmless("padding", _padded),
    harmless("priorities", _prioritised),
    harmless("PING, and the answer", _first(f.ping(b"etcd----"))),
    harmless("an answer to a PING that was never sent", _first(f.ping(b"whatever", ack=True))),
    harmless("late frames for a call that was answered", _late_frames, watch="again", lease="again"),
    broken("PING of seven octets", _frame(f.PING, bytes(7), stream_id=0)),
    broken("PING on a stream", _frame(f.PING, bytes(8))),
    broken("PUSH_PROMISE", _frame(f.PUSH_PROMISE, b"\0\0\0\2" + HEADERS_BLOCK, f.END_HEADERS)),
    broken("HEADERS on an even stream", _frame(f.HEADERS, HEADERS_BLOCK, f.END_HEADERS, 2)),
    broken("HEADERS on stream 0", _frame(f.HEADERS, HEADERS_BLOCK, f.END_HEADERS, 0)),
    broken(
        "HEADERS on a stream that was never opened", _frame(f.HEADERS, HEADERS_BLOCK, f.END_HEADERS, IDLE)
    ),
    broken("DATA on an even stream", _frame(f.DATA, b"x", stream_id=2)),
    broken("DATA on stream 0", _frame(f.DATA, b"x", stream_id=0)),
    broken("DATA on a stream that was never opened", _frame(f.DATA, b"x", stream_id=IDLE)),
    broken("RST_STREAM on stream 0", _frame(f.RST_STREAM, bytes(4), stream_id=0)),
    broken("RST_STREAM on a stream that was never opened", _frame(f.RST_STREAM, bytes(4), stream_id=IDLE)),
    broken("RST_STREAM of three octets", _frame(f.RST_STREAM, bytes(3))),
    broken("PRIORITY of four octets", _frame(f.PRIORITY, bytes(4))),
    broken("padding longer than its DATA", _frame(f.DATA, b"\x05abc", f.PADDED), begun=True),
    broken(
        "padding longer than its HEADERS",
        _frame(f.HEADERS, b"\xff" + HEADERS_BLOCK, f.PADDED | f.END_HEADERS),
    ),
    broken("a padded DATA without an octet", _frame(f.DATA, b"", f.PADDED), begun=True),
    broken("DATA of 16,385 octets", _too_large(f.DATA), begun=True),
    broken("HEADERS of 16,385 octets", _too_large(f.HEADERS)),
    broken("an unknown frame of 16,385 octets", _too_large(UNKNOWN_KIND)),
    broken("CONTINUATION without HEADERS", _frame(f.CONTINUATION, HEADERS_BLOCK, f.END_HEADERS)),
    broken("PING within a header block", _in_block(f.ping())),
    broken("an unknown frame within a header block", _in_block(f.frame(UNKNOWN_KIND))),
    broken("CONTINUATION of another stream", _in_block(f.frame(f.CONTINUATION, f.END_HEADERS, IDLE, b""))),
    broken("70 CONTINUATIONs", _continuations(70)),
    broken("a flood of PINGs", _flood(f.ping())),
    broken("a flood of SETTINGS", _flood(f.settings())),
    broken("a flood of empty DATA", sends(lambda due: f.data(due.stream_id) * 1100), begun=True),
    _undecodable("an index beyond the table", b"\xff\x80\x01"),
    _undecodable("a block that ends within a field", HEADERS_BLOCK[:-1]),
    _undecodable("a table larger than ours", b"\x3f\xe1\xff\x03" + HEADERS_BLOCK),
    _undecodable("a number without end", b"\x7f" + b"\xff" * 20),
    _undecodable("Huffman code that is none", b"\0\x01x\x84\xff\xff\xff\xff"),
    _undecodable("a list of 124 kB in a block of 4 kB", BOMB),
]
