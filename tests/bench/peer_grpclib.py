"""Bare grpclib, no client library: ``python -m tests.bench.peer_grpclib STUBS PORT``."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

from . import asyncio_tasks
from .bare_stubs import operations
from .peer import Operations, Peer, main, serve


def start() -> None:
    stubs, port = sys.argv[1:]
    sys.path.insert(0, stubs)
    grpclib: Any = import_module("grpclib.client")
    services: Any = import_module("etcd.server.kv_grpc")

    @asynccontextmanager
    async def connect(port: int) -> AsyncGenerator[Operations[bytes]]:
        async with grpclib.Channel("127.0.0.1", port) as channel:
            yield operations(services.KVStub(channel))

    peer = Peer(connect, asyncio_tasks.together, asyncio_tasks.read_line)
    asyncio.run(serve(peer, int(port), ["grpclib", "h2", "protobuf"]))


if __name__ == "__main__":
    main(start)
