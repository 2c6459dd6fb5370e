"""Whether the other end still lives: HTTP/2 PINGs while RPCs wait for it, and only when nothing else was heard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import trio

if TYPE_CHECKING:
    from ._connection import Connection

#: After the time-out the reader gets this long, in seconds: if we stood still ourselves, the answer is there already.
GRACE: Final = 0.1
_PAYLOAD: Final = b"etcetra\0"


@dataclass(frozen=True, slots=True)
class Pings:
    """When to ask, in seconds.

    etcd takes no PING without an open stream, and none that comes within 5 s of another: it ends the connection after
    the third (``too_many_pings``).
    """

    #: How long nothing was heard before a PING is sent.
    interval: float = 6.0
    #: How long to wait for a sign of life then.
    timeout: float = 3.0


async def wait_silent(connection: Connection, pings: Pings) -> str:
    """Return once the other end is silent, with words for it; or once nobody needs the connection, with none.

    Cancellation:
      No effect.
    """
    engine = connection.engine
    looked = connection.heard
    while True:
        await trio.sleep_until(max(connection.heard, looked) + pings.interval)
        now = trio.current_time()
        if now < connection.heard + pings.interval:
            continue
        looked = now
        if not engine.streams:
            if connection.spare or not engine.accepting:
                return ""
            continue
        connection.ping(_PAYLOAD)
        await trio.sleep_until(looked + pings.timeout)
        if connection.heard < looked:
            await trio.sleep(GRACE)
        if connection.heard < looked and engine.streams:
            silence = trio.current_time() - connection.heard
            return f"the server was silent for {silence:.1f} s, and a PING found no answer"
