"""The connection ends, at every place of an answer, in every way that TCP has."""

from __future__ import annotations

import socket
import struct

import trio
from engines import _frames as f

from wire_faults._blocks import HEADERS_BLOCK, OK_BLOCK, headers
from wire_faults._etcd import Due
from wire_faults._row import Do, harmless, lost


def _close(octets: bytes = b"") -> Do:
    async def do(due: Due) -> None:
        await due.close(octets)

    return do


def _within_headers(count: int) -> Do:
    async def do(due: Due) -> None:
        await due.close(headers(due.stream_id, HEADERS_BLOCK)[:count])

    return do


def _within_data(count: int) -> Do:
    """Octets of the frame; negative: all but so many."""

    async def do(due: Due) -> None:
        await due.close(f.data(due.stream_id, due.framed)[:count])

    return do


async def _before_trailers(due: Due) -> None:
    await due.close(f.data(due.stream_id, due.framed))


async def _within_trailers(due: Due) -> None:
    trailers = headers(due.stream_id, OK_BLOCK, end=True)
    await due.close(f.data(due.stream_id, due.framed), trailers[:-1])


async def _answer_and_close(due: Due) -> None:
    await due.answer()
    await due.peer.stream.aclose()


async def _reset(due: Due) -> None:
    """As a kernel does it for a process that was killed with something unread."""
    stream = due.peer.line.stream
    assert isinstance(stream, trio.SocketStream)
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    await due.close()


async def _half_close(due: Due) -> None:
    """The server's direction ends; it would still listen."""
    stream = due.peer.line.stream
    assert isinstance(stream, trio.SocketStream)
    await stream.send_eof()
    await trio.sleep(100)


async def _close_in_a_while(due: Due) -> None:
    await trio.sleep(2)
    await due.close()


CLOSED = "the server closed the connection"
ROWS = [
    lost("closed instead of an answer", _close(), words=CLOSED),
    lost("closed after 2 s without an answer", _close_in_a_while, words=CLOSED, within=2.3),
    lost("closed within a frame's header, before headers", _within_headers(4), words=CLOSED),
    lost("closed behind a frame's header", _within_headers(9), words=CLOSED),
    lost("closed within HEADERS", _within_headers(-1), words=CLOSED),
    lost("closed after HEADERS", _close(), begun=True, words=CLOSED),
    lost("closed within the header of DATA", _within_data(8), begun=True, words=CLOSED),
    lost("closed within a message's prefix", _within_data(12), begun=True, words=CLOSED),
    lost("closed behind a message's prefix", _within_data(14), begun=True, words=CLOSED),
    lost("closed an octet before the end of a message", _within_data(-1), begun=True, words=CLOSED),
    lost("closed before trailers", _before_trailers, begun=True, words=CLOSED),
    lost("closed within trailers", _within_trailers, begun=True, words=CLOSED),
    harmless("closed after the answer", _answer_and_close, watch="again", lease="again"),
    lost("half-closed instead of an answer", _half_close, words=CLOSED),
    lost("half-closed after HEADERS", _half_close, begun=True, words=CLOSED),
    lost("reset instead of an answer", _reset, tcp=True, words="reset"),
    lost("reset after HEADERS", _reset, begun=True, tcp=True, words="reset"),
]
