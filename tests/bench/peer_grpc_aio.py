"""Bare grpc.aio with protobuf's own stubs, no client library.

Run as ``python -m tests.bench.peer_grpc_aio STUBS PORT``.
"""

import asyncio
import sys
from importlib import import_module
from typing import Any

from . import asyncio_tasks
from .peer import Operations, Peer, main, serve

UNLIMITED = [("grpc.max_receive_message_length", -1)]


def start() -> None:
    stubs, port = sys.argv[1:]
    sys.path.insert(0, stubs)
    grpc_aio: Any = import_module("grpc.aio")
    messages: Any = import_module("etcd.server.kv_pb2")
    services: Any = import_module("etcd.server.kv_pb2_grpc")

    async def run() -> None:
        async with grpc_aio.insecure_channel(f"127.0.0.1:{port}", UNLIMITED) as channel:
            kv = services.KVStub(channel)

            async def get(key: bytes) -> bytes:
                answer = await kv.Range(messages.RangeRequest(key=key))
                value: bytes = answer.kvs[0].value
                return value

            async def put(key: bytes, value: bytes) -> None:
                await kv.Put(messages.PutRequest(key=key, value=value))

            async def prefix(start: bytes) -> int:
                end = start[:-1] + bytes((start[-1] + 1,))
                answer = await kv.Range(messages.RangeRequest(key=start, range_end=end))
                return len({record.key: record.value for record in answer.kvs})

            operations = Operations(str.encode, get, put, prefix)
            await serve(
                Peer(operations, asyncio_tasks.together, asyncio_tasks.read_line), ["grpcio", "protobuf"]
            )

    asyncio.run(run())


if __name__ == "__main__":
    main(start)
