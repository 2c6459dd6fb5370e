"""Each file of tests finds the server as empty as a new one, whichever files came before it."""

from __future__ import annotations

import pytest
import trio

from etcetra_trio import EtcdClient
from etcetra_trio.testing import EtcdServer


@pytest.fixture(scope="module")
def etcd_server(etcd_server: EtcdServer) -> EtcdServer:
    async def empty() -> None:
        with trio.fail_after(30):
            async with EtcdClient(etcd_server.endpoint).connect() as communicator:
                await communicator.delete_prefix("")

    trio.run(empty)
    return etcd_server
