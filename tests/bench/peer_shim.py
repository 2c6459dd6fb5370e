"""Our client for asyncio, through its public API: ``python -m tests.bench.peer_shim LOOP PORT``."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from . import asyncio_tasks
from .peer import Operations, Peer, main, serve


def start() -> None:
    from etcetra_trio import asyncio as shim

    @asynccontextmanager
    async def connect(port: int) -> AsyncGenerator[Operations[str]]:
        async with shim.EtcdClient(f"127.0.0.1:{port}").connect() as client:

            async def prefix(start: str) -> int:
                return len(await client.get_prefix(start))

            yield Operations(str, client.get, client.put, prefix)

    async def run() -> None:
        peer = Peer(connect, asyncio_tasks.together, asyncio_tasks.read_line)
        await serve(peer, int(port), packages)

    name, port = sys.argv[1:]
    packages = ["trio"]
    if name == "trio-asyncio":
        packages.append("trio-asyncio")
        shim.run(run)
    elif name == "uvloop":
        import uvloop

        packages.append("uvloop")
        uvloop.run(run())
    else:
        asyncio.run(run())


if __name__ == "__main__":
    main(start)
