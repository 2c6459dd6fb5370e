"""The locks of etcetra, with asyncio: ``python -m tests.bench.lock_etcetra PORT``."""

import asyncio
import sys
from importlib import import_module
from typing import Any

from . import asyncio_tasks
from .peer import main, serve_operations


def start() -> None:
    port = int(sys.argv[1])
    etcetra: Any = import_module("etcetra")

    async def run() -> None:
        etcd = etcetra.EtcdClient(etcetra.HostPortPair("127.0.0.1", port))

        async def lock(_index: int) -> None:
            async with etcd.with_lock("bench lock"):
                pass

        await serve_operations(
            {"lock": lock}, asyncio_tasks.together, asyncio_tasks.read_line, ["etcetra", "grpcio"]
        )

    asyncio.run(run())


if __name__ == "__main__":
    main(start)
