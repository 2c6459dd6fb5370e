"""The watches of etcetra, with asyncio: ``python -m tests.bench.watch_etcetra PORT``."""

import asyncio
import sys
from importlib import import_module
from typing import Any

from . import asyncio_tasks
from .peer import main
from .watching import Watching, serve


def start() -> None:
    port = int(sys.argv[1])
    etcetra: Any = import_module("etcetra")

    async def run() -> None:
        async with etcetra.EtcdClient(etcetra.HostPortPair("127.0.0.1", port)).connect() as client:

            async def watch(watching: Watching) -> None:
                left, value = watching.events, watching.value
                ready = asyncio.Event()
                events = client.watch_prefix(watching.prefix, ready_event=ready)

                async def begin() -> None:
                    await ready.wait()
                    # It is set when the request is written: the server may not watch yet.
                    await asyncio.sleep(0.1)
                    watching.begun()

                begins = asyncio.create_task(begin())
                async for event in events:
                    left -= event.value == value
                    if not left:
                        break
                watching.done()
                await begins
                await events.aclose()

            await serve(watch, asyncio_tasks.read_line, ["etcetra", "grpcio"])

    asyncio.run(run())


if __name__ == "__main__":
    main(start)
