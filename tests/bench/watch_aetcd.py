"""The watches of aetcd, with asyncio: ``python -m tests.bench.watch_aetcd PORT``."""

import asyncio
import sys
from importlib import import_module
from typing import Any

from . import asyncio_tasks
from .peer import main
from .watching import Watching, serve


def start() -> None:
    port = int(sys.argv[1])
    aetcd: Any = import_module("aetcd")

    async def run() -> None:
        async with aetcd.Client("127.0.0.1", port) as client:

            async def watch(watching: Watching) -> None:
                left, value = watching.events, watching.value.encode()
                events = await client.watch_prefix(
                    watching.prefix.encode(), start_revision=watching.revision or None
                )
                watching.begun()
                async for event in events:
                    left -= event.kv.value == value
                    if not left:
                        break
                watching.done()
                await events.cancel()

            await serve(watch, asyncio_tasks.read_line, ["aetcd", "grpcio"])

    asyncio.run(run())


if __name__ == "__main__":
    main(start)
