"""What is measured of watches: the same events for every client, made by a process of their own."""

from dataclasses import dataclass

from .live import LivePeer
from .stats import WatchTurn
from .workloads import VALUE, Effort

WATCHES = "watches"


@dataclass(frozen=True, slots=True)
class WatchWorkload:
    """Events in transactions of so many puts: live or, with ``past``, out of the history."""

    name: str
    transaction: int
    batches: bool
    past: bool = False

    def events(self, effort: Effort) -> int:
        """For one turn; writing single puts takes longer."""
        return self.transaction * round(effort.seconds * (2000 if self.transaction == 1 else 100))


WATCH_WORKLOADS = {
    workload.name: workload
    for workload in (
        WatchWorkload("watch-1", transaction=1, batches=False),
        WatchWorkload("watch-100", transaction=100, batches=True),
        WatchWorkload("watch-100-each", transaction=100, batches=False),
        WatchWorkload("catch-up", transaction=100, batches=True, past=True),
    )
}
# etcetra makes a str of a start_revision, which its own messages refuse.
CANNOT = {"catch-up": {"etcetra": "cannot start in the past"}}


class WatchTurns:
    """One workload: asks a peer to watch, and the writer to write what it watches."""

    def __init__(self, writer: LivePeer, workload: WatchWorkload, events: int) -> None:
        self._writer = writer
        self._workload = workload
        self._events = events
        self._prefix = f"benchmark/{workload.name}/"
        self._history = 0

    async def turn(self, peer: LivePeer) -> WatchTurn:
        if self._workload.past and not self._history:
            self._history = await self._write()
        await peer.ask(
            {
                "prefix": self._prefix,
                "value": VALUE,
                "events": self._events,
                "revision": self._history,
                "batches": self._workload.batches,
            }
        )
        if not self._workload.past:
            await peer.reply()  # it watches now
            await self._write()
        return WatchTurn(**await peer.reply())

    async def _write(self) -> int:
        """Write the events, and return the first revision."""
        await self._writer.ask(
            {
                "prefix": self._prefix,
                "value": VALUE,
                "events": self._events,
                "transaction": self._workload.transaction,
            }
        )
        revision: int = (await self._writer.reply())["revision"]
        return revision
