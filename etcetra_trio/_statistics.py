"""How a client's connections are doing, as ``communicator.statistics()`` tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import trio

if TYPE_CHECKING:
    from .events import Purpose
    from .streams._endpoints import Endpoints
    from .streams._slot import Slot

__all__ = ["ClientStatistics", "ConnectionStatistics"]


class ConnectionStatistics(NamedTuple):
    """One open connection.

    Attributes:
      endpoint: The endpoint at the other end.
      address: The address that its name stood for.
      purpose: Whether calls go over it, or streams that last: of watches and of lease renewals.
      in_use: Whether new ones go over it; others end when what is on them has ended.
      started: The calls and streams that were begun on it.
      open: Those that are under way.
      waiting: Those that wait because the server allows no more at once.
      silent_for: For how many seconds nothing came from the server.
    """

    endpoint: str
    address: str
    purpose: Purpose
    in_use: bool
    started: int
    open: int
    waiting: int
    silent_for: float


class ClientStatistics(NamedTuple):
    """The connections of one ``connect()`` block.

    Attributes:
      connections: Those that are open.
      endpoints: Where to connect, the best first at present; with ``sync_interval`` as the cluster says.
      opened: How many connections were opened so far.
      failed: How many attempts to connect failed, each address by itself.
      lost: How many connections ended without our doing.
      repeated: How many times a call was sent again.
    """

    connections: tuple[ConnectionStatistics, ...]
    endpoints: tuple[str, ...]
    opened: int
    failed: int
    lost: int
    repeated: int


def client_statistics(endpoints: Endpoints) -> ClientStatistics:
    """What is known of the connections now."""
    calls, streams = endpoints.slots
    dialer = endpoints.dialer
    return ClientStatistics(
        connections=(*_connections(calls), *_connections(streams)),
        endpoints=tuple(map(str, dialer.ranking.order(dialer.endpoints))),
        opened=dialer.opened,
        failed=dialer.failed,
        lost=dialer.lost,
        repeated=endpoints.repeated,
    )


def _connections(slot: Slot) -> list[ConnectionStatistics]:
    now = trio.current_time()
    return [
        ConnectionStatistics(
            endpoint=connection.endpoint,
            address=target.path or target.address,
            purpose=slot.purpose,
            in_use=connection is slot.live,
            started=connection.engine.started,
            open=len(connection.engine.streams),
            waiting=connection.engine.waiting_streams,
            silent_for=now - connection.heard,
        )
        for target, connection in slot.open.items()
    ]
