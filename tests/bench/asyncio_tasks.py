"""What a peer needs of asyncio: many tasks at once, and reading stdin while the loop runs on."""

import asyncio
import sys

from .peer import Operation


async def together(tasks: int, operation: Operation) -> None:
    async with asyncio.TaskGroup() as group:
        for task in range(tasks):
            group.create_task(operation(task))


async def read_line() -> str:
    return await asyncio.to_thread(sys.stdin.readline)
