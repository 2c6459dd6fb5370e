"""The process that makes the events, so that watching is all that the watching processes do.

Run as ``python -m tests.bench.writer PORT [CA]``; with CA, it speaks TLS.
"""

import json
import sys
from dataclasses import dataclass
from functools import partial

import trio

from etcetra_trio import EtcdClient, EtcdCommunicator, TLSConfig, TxnAction

from .peer import answer, main
from .trio_tasks import read_line
from .workloads import KEYS

AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Writing:
    """Keys with the prefix are put, ``transaction`` of them in each; ``transaction`` divides all numbers."""

    prefix: str
    value: str
    events: int
    transaction: int
    keys: int = KEYS


def put(action: TxnAction[str], writing: Writing, first: int) -> None:
    """The puts of one transaction: its keys differ, as they must."""
    for index in range(first, first + writing.transaction):
        action.put(f"{writing.prefix}{index % writing.keys:08d}", writing.value)


async def write(client: EtcdCommunicator[str], writing: Writing) -> int:
    """Write all of it, and return a revision that is no later than the first event's."""
    begin = (await client.put("benchmark/begin", "")).revision + 1
    starts = iter(range(0, writing.events, writing.transaction))

    async def some() -> None:
        for first in starts:
            await client.txn(partial(put, writing=writing, first=first))

    async with trio.open_nursery() as nursery:
        for _ in range(AT_ONCE):
            nursery.start_soon(some)
    return begin


def start() -> None:
    async def run() -> None:
        async with EtcdClient(f"127.0.0.1:{port}", tls=TLSConfig(ca[0]) if ca else None).connect() as client:
            answer({"versions": {}})
            while line := await read_line():
                answer({"revision": await write(client, Writing(**json.loads(line)))})

    port, *ca = sys.argv[1:]
    trio.run(run)


if __name__ == "__main__":
    main(start)
