"""Bare grpc.aio, no client library: ``python -m tests.bench.peer_grpc_aio STUBS PORT``."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

from . import asyncio_tasks
from .bare_stubs import operations
from .peer import Operations, Peer, main, serve

UNLIMITED = [("grpc.max_receive_message_length", -1)]


def start() -> None:
    stubs, port = sys.argv[1:]
    sys.path.insert(0, stubs)
    grpc_aio: Any = import_module("grpc.aio")
    services: Any = import_module("etcd.server.kv_pb2_grpc")

    @asynccontextmanager
    async def connect(port: int) -> AsyncGenerator[Operations[bytes]]:
        async with grpc_aio.insecure_channel(f"127.0.0.1:{port}", UNLIMITED) as channel:
            yield operations(services.KVStub(channel))

    peer = Peer(connect, asyncio_tasks.together, asyncio_tasks.read_line)
    asyncio.run(serve(peer, int(port), ["grpcio", "protobuf"]))


if __name__ == "__main__":
    main(start)
