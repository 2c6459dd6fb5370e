"""The client that works: a process of its own, for its memory is what is looked at.

Run as ``python -m soak._work ENGINE SECONDS ENDPOINT`` in ``tests``. It prints, as JSON, what it did and what it used.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from dataclasses import asdict, dataclass, field
from functools import partial

import trio
from client._kit import tasks
from watch._kit import memory

from etcetra_trio import EtcdClient, EtcdCommunicator
from etcetra_trio.streams._endpoints import EngineName

WATCHES = 1000
GETS = 10_000  # at once
SLOW = 20  # watches of a busy prefix, which read
PAUSE = 0.02  # seconds between two events, and have room for
ROOM = 16  # events
ROUNDS = 9  # at least, whatever else the machine does
BURST = 100  # events for each of them, in each round
Text = EtcdCommunicator[str]


@dataclass(frozen=True, slots=True)
class Sample:
    """What the process has between two rounds, when nothing is under way but the slow watches."""

    seconds: float
    memory: int
    descriptors: int
    tasks: int


@dataclass(slots=True)
class Work:
    samples: list[Sample] = field(default_factory=list)
    gets: int = 0
    events: int = 0
    slow_events: int = 0
    #: How often a slow watch left the server to itself, for its reader was behind.
    pauses: int = 0


class Soak:
    def __init__(self, communicator: Text) -> None:
        self.communicator = communicator
        self.work = Work()
        self.round = 0
        self._open = 0  # watches
        self._behind = 0  # watches that have not seen this round's event
        self._seen = trio.Event()

    async def run(self, seconds: float) -> Work:
        async with trio.open_nursery() as nursery:
            for number in range(WATCHES):
                nursery.start_soon(self._watch, f"watched/{number}")
            for _ in range(SLOW):
                nursery.start_soon(self._watch_slowly)
            while self._open < WATCHES + SLOW:
                await trio.sleep(0.01)
            began = trio.current_time()
            while (spent := trio.current_time() - began) < seconds or self.round < ROUNDS:
                await self._round()
                gc.collect()
                sample = Sample(spent, memory(), len(os.listdir("/proc/self/fd")), len(tasks()))
                self.work.samples.append(sample)
            nursery.cancel_scope.cancel("it is over")
        return self.work

    async def _round(self) -> None:
        self.round += 1
        self._behind, self._seen = WATCHES, trio.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._write)
            for number in range(GETS):
                nursery.start_soon(self._get, f"watched/{number % WATCHES}")
        await self._seen.wait()

    async def _get(self, key: str) -> None:
        assert int(await self.communicator.get(key) or "0") <= self.round
        self.work.gets += 1

    async def _write(self) -> None:
        for start in range(0, WATCHES, 100):
            keys = range(start, start + 100)
            await self.communicator.txn(
                lambda action: [action.put(f"watched/{number}", str(self.round)) for number in keys]  # noqa: B023
            )
        for number in range(BURST):
            await self.communicator.put("busy", str(self.round * BURST + number))

    async def _watch(self, key: str) -> None:
        expected = 0
        async with self.communicator.watch(key) as events:
            self._open += 1
            async for event in events:
                expected += 1
                assert event.value == str(expected)
                self.work.events += 1
                self._behind -= 1
                if not self._behind:
                    self._seen.set()

    async def _watch_slowly(self) -> None:
        expected = BURST
        async with self.communicator.watch_prefix("busy", buffer=ROOM) as events:
            self._open += 1
            try:
                async for event in events:
                    assert event.value == str(expected)
                    expected += 1
                    self.work.slow_events += 1
                    await trio.sleep(PAUSE)
            finally:
                self.work.pauses += events.statistics().resumes


async def main(engine: EngineName, seconds: str, endpoint: str) -> None:
    client = EtcdClient(endpoint, namespace=f"soak/{engine}/", http2=engine)
    async with client.connect() as communicator:
        work = await Soak(communicator).run(float(seconds))
    print(json.dumps(asdict(work)))


if __name__ == "__main__":
    trio.run(partial(main, *sys.argv[1:]))  # type: ignore[arg-type]
