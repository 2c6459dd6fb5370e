"""python-etcd3, which is synchronous: a thread for each task. ``python -m tests.bench.peer_etcd3 PORT``."""

import sys
import threading
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

from .peer import Operation, Operations, Peer, main, serve


def finish(task: Coroutine[Any, Any, None]) -> None:
    """Run what never waits but inside of etcd3."""
    try:
        task.send(None)
    except StopIteration:
        return
    raise AssertionError("it waited")


async def together(tasks: int, operation: Operation) -> None:
    failures: list[Exception] = []

    def run(task: int) -> None:
        try:
            finish(operation(task))
        except Exception as error:  # noqa: BLE001 - for the thread that waits
            failures.append(error)

    if tasks == 1:  # as its users do
        await operation(0)
        return
    threads = [threading.Thread(target=run, args=(task,)) for task in range(tasks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


async def read_line() -> str:
    return sys.stdin.readline()


def start() -> None:
    etcd3: Any = import_module("etcd3")

    @asynccontextmanager
    async def connect(port: int) -> AsyncGenerator[Operations[bytes]]:
        with etcd3.client(host="127.0.0.1", port=port) as client:

            async def get(key: bytes) -> bytes:
                value: bytes = client.get(key)[0]
                return value

            async def put(key: bytes, value: bytes) -> None:
                client.put(key, value)

            async def prefix(start: bytes) -> int:
                return len({about.key: value for value, about in client.get_prefix(start)})

            yield Operations(str.encode, get, put, prefix)

    finish(serve(Peer(connect, together, read_line), int(sys.argv[1]), ["etcd3", "grpcio", "protobuf"]))


if __name__ == "__main__":
    main(start)
