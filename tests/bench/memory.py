"""What clients keep in memory: how much a process grows (Linux counts that) for each of many of the same.

A process of its own for each figure. Connections have got one key each; calls wait for a server that hears nothing,
each in a task (or thread) of its own, which counts too.
"""

import statistics
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

import trio

from etcetra_trio.testing import FaultProxy

from .live import PeerFailedError, PeerMissingError, live_peer
from .report import table
from .run import Start

MEMORY = "memory"
CONNECTIONS, CALLS = 50, 1000
#: Until all calls wait, in seconds.
SETTLE = 1.0


@dataclass(slots=True)
class Memory:
    """KiB of each, process by process."""

    connection: list[float] = field(default_factory=list[float])
    call: list[float] = field(default_factory=list[float])


async def memory(
    starts: Mapping[str, Start], port: int, processes: int
) -> tuple[dict[str, Memory], dict[str, str]]:
    """The figures, and why some clients have none."""
    found: dict[str, Memory] = {}
    absent: dict[str, str] = {}
    for client, start in starts.items():
        mine = Memory()
        try:
            for _ in range(processes):
                mine.connection.append(await _connections(start))
                mine.call.append(await _calls(start, port))
            found[client] = mine
        except (PeerFailedError, PeerMissingError) as error:
            absent[client] = str(error).splitlines()[-1][:80]
    return found, absent


async def _connections(start: Start) -> float:
    async with live_peer(*start.command, python=start.python) as live:
        await live.ask({"hold": "connections", "count": CONNECTIONS})
        kib: float = (await live.reply())["kib"]
        return kib


async def _calls(start: Start, port: int) -> float:
    async with FaultProxy(f"127.0.0.1:{port}") as proxy:
        there = int(proxy.endpoint.rpartition(":")[2])
        async with live_peer(*start.command, python=start.python) as live:
            await live.ask({"hold": "calls", "count": CALLS, "port": there})
            await live.reply()
            proxy.black_hole()
            await live.ask({})
            await trio.sleep(SETTLE)
            await live.ask({})
            kib: float = (await live.reply())["kib"]
            return kib


def memory_table(found: Mapping[str, Memory], absent: Mapping[str, str]) -> str:
    """A row for each client."""
    rows = [
        [client, *(f"{statistics.median(values):.1f}" for values in asdict(one).values())]
        for client, one in found.items()
    ]
    rows += [[client, reason, ""] for client, reason in absent.items()]
    return table(("KiB of memory for each", "connection", "waiting call"), rows)
