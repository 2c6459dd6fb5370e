"""Our client through its public API: ``python -m tests.bench.peer_ours ENGINE PORT [CA]``; with CA, it speaks TLS."""

import sys

from .peer import Operations, Peer, main, serve


def start() -> None:
    import trio

    from etcetra_trio import EtcdClient, TLSConfig

    from .trio_tasks import engine, read_line, together

    async def run() -> None:
        tls = TLSConfig(ca[0]) if ca else None
        async with EtcdClient(f"127.0.0.1:{port}", http2=engine(name), tls=tls).connect() as client:

            async def prefix(start: str) -> int:
                return len(await client.get_prefix(start))

            operations = Operations(str, client.get, client.put, prefix)
            await serve(Peer(operations, together, read_line), ["trio", "h2", "hpack"])

    name, port, *ca = sys.argv[1:]
    trio.run(run)


if __name__ == "__main__":
    main(start)
