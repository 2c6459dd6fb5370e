"""Bare grpclib with protobuf's own stubs, no client library.

Run as ``python -m tests.bench.peer_grpclib STUBS PORT``.
"""

import asyncio
import sys
from importlib import import_module
from typing import Any

from .peer import main, serve
from .stub_peer import stub_peer


def start() -> None:
    stubs, port = sys.argv[1:]
    sys.path.insert(0, stubs)
    grpclib: Any = import_module("grpclib.client")
    messages: Any = import_module("etcd.server.kv_pb2")
    services: Any = import_module("etcd.server.kv_grpc")

    async def run() -> None:
        async with grpclib.Channel("127.0.0.1", int(port)) as channel:
            await serve(stub_peer(services.KVStub(channel), messages), ["grpclib", "h2", "protobuf"])

    asyncio.run(run())


if __name__ == "__main__":
    main(start)
