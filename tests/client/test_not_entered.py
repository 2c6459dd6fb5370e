"""Programs that forget ``async with``, or run the client of the one library in the other."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

import pytest
import trio

import etcetra_trio.asyncio
from etcetra_trio import EtcdClient, EtcdCommunicator

BLOCKS: dict[str, Callable[[EtcdClient[str], EtcdCommunicator[str]], Any]] = {
    "connect": lambda client, _: client.connect(),
    "with_lock": lambda client, _: client.with_lock("name"),
    "lock": lambda _, communicator: communicator.lock("name"),
    "semaphore": lambda _, communicator: communicator.semaphore("name", 2),
    "read": lambda _, communicator: communicator.rwlock("name").read(),
    "write": lambda _, communicator: communicator.rwlock("name").write(),
    "campaign": lambda _, communicator: communicator.campaign("name", "value"),
    "lease": lambda _, communicator: communicator.lease(10),
}


async def misused(block: Any) -> None:
    """What each wrong way says; nothing is begun by it."""
    with pytest.raises(AttributeError, match=r"not entered: use 'put' of what `async with \.\.\. as` gives"):
        block.put  # noqa: B018 - it raises
    assert not hasattr(block, "get")
    with pytest.raises(TypeError, match="this is not awaited, it is entered: `async with"):
        await block
    with pytest.raises(TypeError, match="this is entered with `async with`, not with `with`"), block:
        pytest.fail("it was entered")
    assert not inspect.iscoroutine(block)


@pytest.mark.parametrize("name", BLOCKS)
async def test_without_async_with(
    name: str, etcd: EtcdClient[str], communicator: EtcdCommunicator[str]
) -> None:
    block = BLOCKS[name](etcd, communicator)
    await misused(block)
    async with block as value:  # and it still is what it was
        assert value is not None
    assert await communicator.count("", prefix=True) == 0


def test_without_async_with_in_asyncio(etcd: EtcdClient[str]) -> None:
    async def main() -> None:
        client = etcetra_trio.asyncio.EtcdClient(str(etcd._endpoints[0]))
        for block in (client.connect(), client.with_lock("name")):
            await misused(block)
        async with client.connect() as communicator:
            await misused(communicator.lock("name"))
            await misused(communicator.lease(10))
        await client.aclose()

    asyncio.run(main())


def test_trios_client_in_asyncio(etcd: EtcdClient[str]) -> None:
    async def main() -> None:
        for block in (etcd.connect(), etcd.with_lock("name")):
            with pytest.raises(
                RuntimeError, match=r"for Trio, .*`from etcetra_trio\.asyncio import EtcdClient`"
            ):
                await block.__aenter__()

    asyncio.run(main())


def test_asyncios_client_in_trio(etcd: EtcdClient[str]) -> None:
    async def main() -> None:
        client = etcetra_trio.asyncio.EtcdClient(str(etcd._endpoints[0]))
        for block in (client.connect(), client.with_lock("name")):
            with pytest.raises(RuntimeError, match=r"for asyncio, .*`from etcetra_trio import EtcdClient`"):
                await block.__aenter__()

    trio.run(main)
