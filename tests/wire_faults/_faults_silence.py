"""A server that says nothing, or takes its time."""

from __future__ import annotations

import trio
from engines import _frames as f

from wire_faults._blocks import HEADERS_BLOCK, OK_BLOCK, headers
from wire_faults._etcd import Due
from wire_faults._row import Do, Row, harmless, lost

#: When a silent server is left: a PING after 6 s, 3 s for an answer, a moment's grace, and the next connection.
LEFT = 9.2


def _black_hole(*, octets: int = 0) -> Do:
    """Nothing passes any more in either direction, perhaps after the first octets of an answer."""

    async def do(due: Due) -> None:
        await due.raw(headers(due.stream_id, HEADERS_BLOCK)[:octets])
        due.peer.line.silent = True

    return do


async def _within_message(due: Due) -> None:
    await due.raw(f.data(due.stream_id, due.framed)[:-1])
    due.peer.line.silent = True


async def _before_trailers(due: Due) -> None:
    await due.raw(f.data(due.stream_id, due.framed))
    due.peer.line.silent = True


async def _never(due: Due) -> None:
    """The server lives, but does not answer this."""
    await due.raw()


def _late(seconds: float) -> Do:
    async def do(due: Due) -> None:
        await trio.sleep(seconds)
        await due.answer()

    return do


def _drip(pause: float) -> Do:
    """An octet at a time."""

    async def do(due: Due) -> None:
        octets = b"" if due.begun else headers(due.stream_id, HEADERS_BLOCK)
        due.begun = True
        octets += f.data(due.stream_id, due.framed)
        if due.unary:
            octets += headers(due.stream_id, OK_BLOCK, end=True)
        for place in range(len(octets)):
            await due.raw(octets[place : place + 1])
            await trio.sleep(pause)

    return do


WORDS = "was silent for 9.1 s"
ROWS = [
    lost("silence instead of an answer", _black_hole(), words=WORDS, within=LEFT),
    lost("silence within HEADERS", _black_hole(octets=20), words=WORDS, within=LEFT),
    lost("silence after HEADERS", _black_hole(), words=WORDS, begun=True, within=LEFT),
    lost("silence within a message", _within_message, words=WORDS, begun=True, within=LEFT),
    lost("silence before trailers", _before_trailers, words=WORDS, begun=True, within=LEFT),
    Row("PINGs are answered, the call is not", _never, None, "waits", "waits", "waits", "again"),
    Row("the same after headers", _never, None, "waits", "waits", "waits", "again", begun=True),
    harmless("an answer after 2 s", _late(2), within=2.1),
    harmless("an answer after 20 s", _late(20), lease="again", within=20.1),
    harmless("an octet every 20 ms", _drip(0.02), within=4),
]
