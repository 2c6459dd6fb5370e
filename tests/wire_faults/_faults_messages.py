"""Messages that are not what gRPC and protobuf promise."""

from __future__ import annotations

from engines import _frames as f

from etcetra_trio.streams._deframe import UNFINISHED
from wire_faults._blocks import OK_BLOCK, block, headers
from wire_faults._etcd import Due
from wire_faults._row import Do, broken, failed, harmless


def _body(octets: bytes) -> Do:
    """These octets for a body, and status OK."""

    async def do(due: Due) -> None:
        await due.data(octets)
        await due.request.status()

    return do


def _unary(*parts: slice) -> Do:
    """Parts of the answer, each a frame of its own."""

    async def do(due: Due) -> None:
        await due.headers()
        await due.raw(*(f.data(due.stream_id, due.framed[part]) for part in parts))
        if due.unary:
            await due.request.status()

    return do


async def _compressed(due: Due) -> None:
    await due.data(b"\1" + due.framed[1:])
    await due.request.status()


async def _gzip(due: Due) -> None:
    gzip = block((":status", "200"), ("content-type", "application/grpc"), ("grpc-encoding", "gzip"))
    last = headers(due.stream_id, OK_BLOCK, end=True)
    await due.raw(headers(due.stream_id, gzip), f.data(due.stream_id, b"\1" + due.framed[1:]), last)


async def _truncated(due: Due) -> None:
    await due.data(due.framed[:-1])
    await due.request.status()


async def _two(due: Due) -> None:
    await due.data(due.framed * 2)
    await due.request.status()


async def _no_trailers(due: Due) -> None:
    await due.data(end=True)


async def _empty_end(due: Due) -> None:
    await due.data()
    await due.raw(f.data(due.stream_id, b"", end=True))


async def _empty_frames(due: Due) -> None:
    await due.headers()
    await due.raw(f.data(due.stream_id) * 20)
    await due.answer()


async def _before_headers(due: Due) -> None:
    await due.raw(f.data(due.stream_id, due.framed))


def _prefix(length: int) -> Do:
    """The promise of a long message, and its beginning."""

    async def do(due: Due) -> None:
        await due.data(b"\0" + length.to_bytes(4, "big") + b"the beginning")
        await due.data(b"and more")

    return do


ROWS = [
    broken("a compressed message", _compressed, words="compressed"),
    broken("a compressed message, which the headers say", _gzip, words="compressed"),
    broken("compression flag 255", _body(b"\xff\0\0\0\0"), words="compressed"),
    broken("a message that is too short for its prefix", _truncated, words="in the middle of a message"),
    broken("three octets of a prefix", _body(b"\0\0\0"), words="in the middle of a message"),
    broken("status OK and DATA without an octet", _body(b""), words="message"),
    broken("octets that are no protobuf", _body(f.message(b"\xff\xff\xff"))),
    broken("protobuf that ends within a field", _body(f.message(b"\x0a\x7f\x08"))),
    failed("a message of 4 GiB", _prefix(0xFFFF_FFFF), "RpcError", words="octets is larger than 96 MiB"),
    failed(
        "a message of one octet more than all may be",
        _prefix(UNFINISHED + 1),
        "RpcError",
        words="is larger than 96 MiB, which a client takes unless max_receive_size says more: ask for less at once",
    ),
    broken("two messages for one call", _two, watch="again", lease="again", words="more than one message"),
    failed("END_STREAM with the message, no trailers", _no_trailers, "UnavailableError").but(read="again"),
    failed("END_STREAM with an empty DATA, no trailers", _empty_end, "UnavailableError").but(read="again"),
    harmless(
        "every octet of the message in a frame of its own", _unary(*(slice(n, n + 1) for n in range(200)))
    ),
    harmless("prefix and message in two frames", _unary(slice(5), slice(5, None))),
    harmless("empty DATA before the message", _empty_frames),
    broken("DATA before HEADERS", _before_headers),
]
