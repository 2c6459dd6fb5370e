"""Bare grpc.aio with protobuf's own stubs, no client library.

Run as ``python -m tests.bench.peer_grpc_aio STUBS PORT``.
"""

import asyncio
import sys
from importlib import import_module
from typing import Any

from .peer import main, serve
from .stub_peer import stub_peer

UNLIMITED = [("grpc.max_receive_message_length", -1)]


def start() -> None:
    stubs, port = sys.argv[1:]
    sys.path.insert(0, stubs)
    grpc_aio: Any = import_module("grpc.aio")
    messages: Any = import_module("etcd.server.kv_pb2")
    services: Any = import_module("etcd.server.kv_pb2_grpc")

    async def run() -> None:
        async with grpc_aio.insecure_channel(f"127.0.0.1:{port}", UNLIMITED) as channel:
            await serve(stub_peer(services.KVStub(channel), messages), ["grpcio", "protobuf"])

    asyncio.run(run())


if __name__ == "__main__":
    main(start)
