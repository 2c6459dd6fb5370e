"""Our locks: ``python -m tests.bench.lock_ours lock PORT``; with ``with_lock``, connecting for each one."""

import sys

from .peer import main, serve_operations


def start() -> None:
    import trio

    from etcetra_trio import EtcdClient

    from .trio_tasks import read_line, together

    async def run() -> None:
        etcd = EtcdClient(f"127.0.0.1:{port}")
        async with etcd.connect() as client:

            async def lock(_index: int) -> None:
                async with client.lock("bench lock"):
                    pass

            async def with_lock(_index: int) -> None:
                async with etcd.with_lock("bench lock"):
                    pass

            operation = with_lock if name == "with_lock" else lock
            await serve_operations({"lock": operation}, together, read_line, ["trio"])

    name, port = sys.argv[1:]
    trio.run(run)


if __name__ == "__main__":
    main(start)
