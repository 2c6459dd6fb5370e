"""Our watches through the public API: ``python -m tests.bench.watch_ours ENGINE PORT``."""

import sys

from .peer import main
from .watching import Watching, serve


def start() -> None:
    import trio

    from etcetra_trio import EtcdClient

    from .trio_tasks import engine, read_line

    async def run() -> None:
        async with EtcdClient(f"127.0.0.1:{port}", http2=engine(name)).connect() as client:

            async def watch(watching: Watching) -> None:
                left, value = watching.events, watching.value
                prefix, revision = watching.prefix, watching.revision
                if watching.batches:
                    async with client.watch_prefix(prefix, start_revision=revision, batches=True) as batches:
                        watching.begun()
                        async for batch in batches:
                            for event in batch.events:
                                left -= event.value == value
                            if not left:
                                break
                        watching.done()
                else:
                    async with client.watch_prefix(prefix, start_revision=revision) as events:
                        watching.begun()
                        async for event in events:
                            left -= event.value == value
                            if not left:
                                break
                        watching.done()

            await serve(watch, read_line, ["trio", "h2", "hpack"])

    name, port = sys.argv[1:]
    trio.run(run)


if __name__ == "__main__":
    main(start)
