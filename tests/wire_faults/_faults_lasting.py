"""One fault after the other: what fails is tried again, and fails again, for once or for good."""

from __future__ import annotations

from engines import _frames as f

from wire_faults import _faults_connecting
from wire_faults._etcd import Due
from wire_faults._faults_resets import REFUSED, reset
from wire_faults._faults_silence import LEFT
from wire_faults._faults_statuses import status
from wire_faults._row import Do, Row, lost

#: How long a call is repeated, in seconds, and a last pause.
GIVEN_UP = 5.5


async def _close(due: Due) -> None:
    await due.close()


async def _goaway(due: Due) -> None:
    await due.raw(f.goaway(due.stream_id - 1))


async def _silence(due: Due) -> None:
    due.peer.line.silent = True


def _for_good(name: str, do: Do, cls: str, *, unseen: bool = False, within: float = GIVEN_UP) -> Row:
    """A call is given up, a watch waits, and who depends on a lease hears of its end before it ends."""
    return Row(
        f"each time: {name}",
        do,
        read=cls,
        write=f"not applied {cls}" if unseen else f"unknown {cls}",
        watch="waits",
        lease="LeaseLostError",
        unseen=unseen,
        within=within,
        for_good=True,
    )


ROWS = [
    _for_good("closed instead of an answer", _close, "ConnectionLostError"),
    _for_good("silence instead of an answer", _silence, "ConnectionLostError", within=2 * LEFT),
    _for_good("GOAWAY for an earlier stream", _goaway, "ConnectionLostError", unseen=True),
    _for_good("RST_STREAM REFUSED_STREAM", reset(REFUSED), "UnavailableError", unseen=True),
    _for_good("no leader", status(14, "etcdserver: no leader", first=True), "NoLeaderError", unseen=True),
    _for_good("unavailable", status(14, "somewhere", first=True), "UnavailableError"),
    *(
        lost(f"closed, and the next connection: {row.name}", _close, greeting=row.greeting, within=0.6)
        for row in _faults_connecting.ROWS
        if row.within < 1
    ),
]
