"""Our client through its public API, under Trio: ``python -m tests.bench.peer_ours ENGINE PORT``."""

import sys
from typing import Literal

from .peer import Operation, Peer, main, serve


def start() -> None:
    import trio

    from etcetra_trio import EtcdClient

    async def together(tasks: int, operation: Operation) -> None:
        async with trio.open_nursery() as nursery:
            for task in range(tasks):
                nursery.start_soon(operation, task)

    async def read_line() -> str:
        return await trio.to_thread.run_sync(sys.stdin.readline)

    async def run() -> None:
        async with EtcdClient(f"127.0.0.1:{port}", http2=engine).connect() as client:
            peer = Peer(text=str, get=client.get, put=client.put, together=together, read_line=read_line)
            await serve(peer, ["trio", "h2", "hpack"])

    engine: Literal["lean", "h2"] = "h2" if sys.argv[1] == "h2" else "lean"
    port = sys.argv[2]
    trio.run(run)


if __name__ == "__main__":
    main(start)
