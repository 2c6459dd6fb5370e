"""What a peer needs of Trio: many tasks at once, and reading stdin while the loop runs on."""

import sys
from typing import Literal

import trio

from .peer import Operation


async def together(tasks: int, operation: Operation) -> None:
    async with trio.open_nursery() as nursery:
        for task in range(tasks):
            nursery.start_soon(operation, task)


async def read_line() -> str:
    return await trio.to_thread.run_sync(sys.stdin.readline)


def engine(name: str) -> Literal["lean", "h2"]:
    """The HTTP/2 engine of that name."""
    return "h2" if name == "h2" else "lean"
