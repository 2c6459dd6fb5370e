"""What a call costs, in Python's own instructions: the same on every machine, so growth is growth of our code.

``python -m tests.bench.instructions PORT`` prints the counts as JSON. Only instructions of our own package count, and
the least of several turns: now and then an answer comes in two pieces, or brings a window update.
"""

import json
import math
import sys
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import trio

import etcetra_trio
from etcetra_trio import EtcdClient, EtcdCommunicator

from .checks import Check
from .peer import answer, main
from .report import figure, table

PACKAGE = str(Path(etcetra_trio.__file__).parent)
INSTRUCTIONS = "instructions"
TURNS = 30
TOGETHER = 100
LIMIT = 60
#: So much may be added before it must be thought over.
GROWTH = 1.15
#: What was measured when this was last looked at, for each operation, by the minor version of Python.
#: Other versions have other instructions, and are not judged.
MEASURED: dict[int, dict[str, float]] = {
    11: {
        "get": 1379,
        "put": 1510,
        "get, 100 at once": 924,
        "get_prefix, a record of 1,000": 22.6,
        "watch, an event of 1,000": 236,
    }
}


class Counter:
    """Counts the instructions of our package."""

    def __init__(self) -> None:
        self.count = 0

    def trace(self, frame: FrameType, event: str, _argument: object) -> Any:
        """As ``sys.settrace`` wants it."""
        if event == "opcode":
            self.count += 1
        elif frame.f_code.co_filename.startswith(PACKAGE):
            frame.f_trace_opcodes = True
            frame.f_trace_lines = False
        else:
            return None
        return self.trace

    async def least(self, operation: Callable[[], Awaitable[object]], calls: int) -> float:
        """For each of so many calls that an operation makes."""
        counts: list[int] = []
        for _ in range(TURNS):
            await trio.sleep(0.03)  # the server's probe of the last call is answered by then
            before = self.count
            sys.settrace(self.trace)
            try:
                await operation()
            finally:
                sys.settrace(None)
            counts.append(self.count - before)
        return min(counts) / calls


async def measure(client: EtcdCommunicator[str]) -> dict[str, float]:
    """The counts of every operation."""
    counter = Counter()
    begin = (await client.put("k", "v" * 100)).revision + 1
    for first in range(0, 1000, 100):
        await client.txn(partial(_store, first=first))

    async def catch_up() -> None:
        async with client.watch_prefix("many/", start_revision=begin) as events:
            for _ in range(1000):
                await events.receive()

    async def together() -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(TOGETHER):
                nursery.start_soon(client.get, "k")

    return {
        "get": await counter.least(lambda: client.get("k"), 1),
        "put": await counter.least(lambda: client.put("k", "v" * 100), 1),
        f"get, {TOGETHER} at once": await counter.least(together, TOGETHER),
        "get_prefix, a record of 1,000": await counter.least(lambda: client.get_prefix("many/"), 1000),
        "watch, an event of 1,000": await counter.least(catch_up, 1000),
    }


async def count(port: int) -> dict[str, float]:
    """The counts, from a process of its own."""
    command = [sys.executable, "-m", f"{__package__}.instructions", str(port)]
    with trio.fail_after(LIMIT):
        done = await trio.run_process(command, capture_stdout=True)
    counts: dict[str, float] = json.loads(done.stdout)
    return counts


def instruction_table(counts: Mapping[str, float]) -> str:
    """What they are, and what they were."""
    rows = [[name, figure(value), figure(before(name))] for name, value in counts.items()]
    return table(("operation", "instructions of ours", "when last looked at"), rows)


def before(operation: str) -> float:
    """What the operation took when this was last looked at; nan if this Python was never asked."""
    return MEASURED.get(sys.version_info.minor, {}).get(operation, math.nan)


def instruction_checks(counts: Mapping[str, float]) -> list[Check]:
    """None has grown."""
    return [
        Check(f"{name}: instructions, to those when last looked at", GROWTH, value / before(name))
        for name, value in counts.items()
        if not math.isnan(before(name))
    ]


def start() -> None:
    async def run() -> None:
        async with EtcdClient(f"127.0.0.1:{sys.argv[1]}").connect() as client:
            answer(dict(await measure(client)))

    trio.run(run)


def _store(action: etcetra_trio.TxnAction[str], first: int) -> None:
    for number in range(first, first + 100):
        action.put(f"many/{number:028d}", "v" * 100)


if __name__ == "__main__":
    main(start)
