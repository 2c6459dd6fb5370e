"""Our client through its public API, under Trio: ``python -m tests.bench.peer_ours ENGINE PORT``."""

import sys

from .peer import Operations, Peer, main, serve


def start() -> None:
    import trio

    from etcetra_trio import EtcdClient

    from .trio_tasks import engine, read_line, together

    async def run() -> None:
        async with EtcdClient(f"127.0.0.1:{port}", http2=engine(name)).connect() as client:

            async def prefix(start: str) -> int:
                return len(await client.get_prefix(start))

            operations = Operations(str, client.get, client.put, prefix)
            await serve(Peer(operations, together, read_line), ["trio", "h2", "hpack"])

    name, port = sys.argv[1:]
    trio.run(run)


if __name__ == "__main__":
    main(start)
