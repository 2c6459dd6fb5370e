"""The clients of others, under asyncio, each in an environment of its own.

Run as ``python -m tests.bench.peer_asyncio CLIENT PORT``.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib import import_module
from typing import Any

from . import asyncio_tasks
from .peer import Operations, Peer, main, serve

Connect = Callable[[int], AbstractAsyncContextManager[Operations[Any]]]


@asynccontextmanager
async def etcetra(port: int) -> AsyncGenerator[Operations[str]]:
    """Its reads are serializable, so its server has less to do."""
    module: Any = import_module("etcetra")
    async with module.EtcdClient(module.HostPortPair("127.0.0.1", port)).connect() as client:

        async def prefix(start: str) -> int:
            return len(await client.get_prefix(start))

        yield Operations(str, client.get, client.put, prefix)


@asynccontextmanager
async def aetcd(port: int) -> AsyncGenerator[Operations[bytes]]:
    """It gives records."""
    module: Any = import_module("aetcd")
    async with module.Client("127.0.0.1", port) as client:

        async def get(key: bytes) -> bytes:
            value: bytes = (await client.get(key)).value
            return value

        async def prefix(start: bytes) -> int:
            return len({record.key: record.value for record in await client.get_prefix(start)})

        yield Operations(str.encode, get, client.put, prefix)


@asynccontextmanager
async def etcd3aio(port: int) -> AsyncGenerator[Operations[bytes]]:
    """It gives etcd's messages."""
    module: Any = import_module("etcd3aio")
    client = module.Etcd3Client([f"127.0.0.1:{port}"])
    await client.connect()

    async def get(key: bytes) -> bytes:
        value: bytes = (await client.kv.get(key)).kvs[0].value
        return value

    async def prefix(start: bytes) -> int:
        answer = await client.kv.get(start, range_end=module.prefix_range_end(start))
        return len({record.key: record.value for record in answer.kvs})

    try:
        yield Operations(str.encode, get, client.kv.put, prefix)
    finally:
        await client.close()


@asynccontextmanager
async def etcd_client_py(port: int) -> AsyncGenerator[Operations[bytes]]:
    """Rust inside; what it gives are lists of numbers or bytes."""
    module: Any = import_module("etcd_client")
    async with module.Client([f"http://127.0.0.1:{port}"]).connect() as client:

        async def get(key: bytes) -> bytes:
            return bytes(await client.get(key))

        async def prefix(start: bytes) -> int:
            return len({bytes(key): bytes(value) for key, value in await client.get_prefix(start)})

        yield Operations(str.encode, get, client.put, prefix)


CLIENTS: dict[str, tuple[Connect, list[str]]] = {
    "etcetra": (etcetra, ["etcetra", "grpcio"]),
    "aetcd": (aetcd, ["aetcd", "grpcio"]),
    "etcd3aio": (etcd3aio, ["etcd3aio", "grpcio"]),
    "etcd-client-py": (etcd_client_py, ["etcd-client-py"]),
}


def start() -> None:
    name, port = sys.argv[1:]
    connect, packages = CLIENTS[name]
    peer = Peer(connect, asyncio_tasks.together, asyncio_tasks.read_line)
    asyncio.run(serve(peer, int(port), packages))


if __name__ == "__main__":
    main(start)
