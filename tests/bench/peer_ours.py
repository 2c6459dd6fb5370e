"""Our client through its public API: ``python -m tests.bench.peer_ours ENGINE PORT [CA]``; with CA, it speaks TLS."""

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from .peer import Operations, Peer, main, serve


def start() -> None:
    import trio

    from etcetra_trio import EtcdClient, TLSConfig

    from .trio_tasks import engine, read_line, together

    name, port, *ca = sys.argv[1:]
    tls = TLSConfig(ca[0]) if ca else None

    @asynccontextmanager
    async def connect(port: int) -> AsyncGenerator[Operations[str]]:
        async with EtcdClient(f"127.0.0.1:{port}", http2=engine(name), tls=tls).connect() as client:

            async def prefix(start: str) -> int:
                return len(await client.get_prefix(start))

            yield Operations(str, client.get, client.put, prefix)

    trio.run(serve, Peer(connect, together, read_line), int(port), ["trio", "h2", "hpack"])


if __name__ == "__main__":
    main(start)
