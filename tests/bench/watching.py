"""A peer process that watches: it says when its watch has begun, and what the events cost once it has them all."""

import gc
import importlib.metadata
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field

from .peer import answer, cpu_seconds
from .stats import WatchTurn


@dataclass(slots=True)
class Watching:
    """What to watch. The client counts the events that have the right value, so others leave it waiting."""

    prefix: str
    value: str
    events: int
    revision: int
    """The first one wanted, for a watch of the past; 0 for a watch of what comes."""
    batches: bool
    """The cheapest way that the client has, in place of one event at a time."""
    _cpu: float = field(init=False)
    _wall: float = field(init=False)

    def begun(self) -> None:
        """The server watches. Live, only what the events cost is counted; else opening the watch is, too."""
        if not self.revision:
            self.count()
            answer({"begun": True})

    def count(self) -> None:
        """Count from here."""
        gc.collect()
        self._cpu, self._wall = cpu_seconds(), time.perf_counter()

    def done(self) -> None:
        """All events were seen."""
        cpu, wall = cpu_seconds() - self._cpu, time.perf_counter() - self._wall
        answer(asdict(WatchTurn(cpu_us=cpu / self.events * 1e6, events_s=self.events / wall)))


async def serve(
    watch: Callable[[Watching], Awaitable[None]],
    read_line: Callable[[], Awaitable[str]],
    packages: Sequence[str],
) -> None:
    """Say that the peer is ready, then watch what is asked until stdin ends."""
    answer({"versions": {name: importlib.metadata.version(name) for name in packages}})
    while line := await read_line():
        watching = Watching(**json.loads(line))
        watching.count()
        await watch(watching)
