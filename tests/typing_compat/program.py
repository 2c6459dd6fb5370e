"""A small program of a user who has trio-typing installed: it must run, and mypy must find its types exact."""

from typing import assert_type

import trio
import trio_typing

from etcetra_trio import CompareKey, EtcdClient, HostPortPair
from etcetra_trio.testing import EtcdServer


async def serve(etcd: EtcdClient[str], task_status: trio_typing.TaskStatus[str]) -> None:
    async with etcd.connect() as communicator:
        await communicator.put("key", "value")
        value = await communicator.get("key")
        assert_type(value, str | None)
        if value is None:
            raise LookupError
        task_status.started(value)
        result = await communicator.txn_compare(
            [CompareKey("key").value == value], lambda success, failure: success.get_prefix("ke")
        )
        print(result, result.succeeded)


async def main() -> None:
    with EtcdServer() as server:
        etcd = EtcdClient(HostPortPair(server.host, server.port))
        async with trio.open_nursery() as nursery:
            print(await nursery.start(serve, etcd))


trio.run(main)
