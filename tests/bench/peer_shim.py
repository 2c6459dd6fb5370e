"""Our client for asyncio, through its public API: ``python -m tests.bench.peer_shim LOOP PORT``."""

import asyncio
import sys

from . import asyncio_tasks
from .peer import Operations, Peer, main, serve


def start() -> None:
    from etcetra_trio import asyncio as shim

    async def run() -> None:
        async with shim.EtcdClient(f"127.0.0.1:{port}").connect() as client:

            async def prefix(start: str) -> int:
                return len(await client.get_prefix(start))

            operations = Operations(str, client.get, client.put, prefix)
            await serve(Peer(operations, asyncio_tasks.together, asyncio_tasks.read_line), packages)

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
