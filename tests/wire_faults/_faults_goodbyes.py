"""GOAWAY, in its decent and other forms."""

from __future__ import annotations

from engines import _frames as f

from wire_faults._etcd import Due
from wire_faults._row import Do, broken, harmless, lost, sends, unseen

EVERYTHING = (1 << 31) - 1
INTERNAL, CALM = 2, 11


async def _graceful(due: Due) -> None:
    """As etcd's own: all that comes, then those that came; the answers; the end."""
    await due.raw(f.goaway(EVERYTHING), f.ping(b"goodbye!"))
    await due.raw(f.goaway(due.stream_id))
    if due.unary:
        await due.answer()


async def _late_goodbye(due: Due) -> None:
    await due.answer()
    await due.raw(f.goaway(due.stream_id, INTERNAL, b"x" * 1000))


def _and_close(code: int, last: int | None = None, debug: bytes = b"") -> Do:
    async def do(due: Due) -> None:
        await due.close(f.goaway(due.stream_id if last is None else last, code, debug))

    return do


def _unseen(code: int) -> Do:
    async def do(due: Due) -> None:
        await due.raw(f.goaway(due.stream_id - 1, code))

    return do


def _payload(payload: bytes, stream_id: int = 0) -> Do:
    return sends(lambda due: f.frame(f.GOAWAY, 0, stream_id, payload))


ROWS = [
    harmless("GOAWAY, then the answer", _graceful, watch="again", lease="again"),
    harmless("the answer, then GOAWAY with an error", _late_goodbye, watch="again", lease="again"),
    unseen("GOAWAY NO_ERROR for an earlier stream", _unseen(0)),
    unseen("GOAWAY INTERNAL_ERROR for an earlier stream", _unseen(INTERNAL)),
    unseen("GOAWAY ENHANCE_YOUR_CALM for an earlier stream", _unseen(CALM)),
    lost("GOAWAY NO_ERROR and the end", _and_close(0), words="closed the connection"),
    lost("GOAWAY INTERNAL_ERROR and the end", _and_close(INTERNAL)),
    lost("GOAWAY ENHANCE_YOUR_CALM and the end", _and_close(CALM, None, b"too_many_pings")),
    lost("GOAWAY with an unknown code and the end", _and_close(0xFFFF_FFFF)),
    lost("GOAWAY for all streams and the end", _and_close(0, EVERYTHING)),
    lost("GOAWAY for all streams and the end, after headers", _and_close(0, EVERYTHING), begun=True),
    lost("GOAWAY with a reserved bit, and the end", _and_close(0, EVERYTHING | 1 << 31)),
    broken(
        "GOAWAY whose last stream grows",
        sends(lambda due: f.goaway(due.stream_id), lambda due: f.goaway(due.stream_id + 2)),
        words="growing",
    ),
    broken("GOAWAY on a stream", _payload(bytes(8), 1), words="GOAWAY"),
    broken("GOAWAY of four octets", _payload(bytes(4)), words="GOAWAY"),
]
