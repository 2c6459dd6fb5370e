"""A bare stream of grpc.aio with protobuf's own stubs: ``python -m tests.bench.watch_grpc_aio STUBS PORT``."""

import asyncio
import sys
from importlib import import_module
from typing import Any

from . import asyncio_tasks
from .peer import main
from .watching import Watching, serve


def start() -> None:
    stubs, port = sys.argv[1:]
    sys.path.insert(0, stubs)
    grpc_aio: Any = import_module("grpc.aio")
    messages: Any = import_module("etcd.server.watch_pb2")
    services: Any = import_module("etcd.server.watch_pb2_grpc")

    async def run() -> None:
        async with grpc_aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = services.WatchStub(channel)

            async def watch(watching: Watching) -> None:
                left, value, prefix = watching.events, watching.value.encode(), watching.prefix.encode()
                create = messages.WatchCreateRequest(
                    key=prefix,
                    range_end=prefix[:-1] + bytes([prefix[-1] + 1]),
                    start_revision=watching.revision,
                )
                stream = stub.Watch()
                await stream.write(messages.WatchRequest(create_request=create))
                await stream.read()  # the answer to the request
                watching.begun()
                while left:
                    for event in (await stream.read()).events:
                        left -= event.kv.value == value
                watching.done()
                stream.cancel()

            await serve(watch, asyncio_tasks.read_line, ["grpcio", "protobuf"])

    asyncio.run(run())


if __name__ == "__main__":
    main(start)
