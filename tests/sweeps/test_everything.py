"""Every public coroutine and every async context manager, cancelled at each checkpoint: nothing is left anywhere."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager
from typing import TypeVar

import pytest
import trio
from _grpc_kit import echo, serve
from auth._kit import ROOT
from client._kit import nothing_left
from watch._kit import streams, wait_watches, watches_of

from etcetra_trio import EtcdClient, EtcdCommunicator, EtcdCredential
from etcetra_trio.testing import EtcdServer, cancel_sweep
from sweeps._public import public_async_names
from sweeps._rows import ADMIN, ROWS, SERVERS, STREAMS, Row

Text = EtcdCommunicator[str]
Key = TypeVar("Key")
#: Keys that mean that somebody has, or waits for, something.
HELD = ("lock/", "lead/", "permits/", "door/")


def one_of_each(rows: Mapping[str, Key]) -> list[Key]:
    """Some rows are those of several names."""
    return list(dict.fromkeys(rows.values()))


def name_of(rows: Mapping[str, Key]) -> Callable[[Key], str]:
    return lambda row: next(name for name, found in rows.items() if found is row)


def test_everything_has_a_row() -> None:
    """Who adds a public coroutine says here how it is cancelled."""
    assert sorted({*ROWS, *ADMIN, *STREAMS, *SERVERS}) == sorted(set(public_async_names()))


@asynccontextmanager
async def connected(server: EtcdServer, credential: EtcdCredential | None = None) -> AsyncGenerator[Text]:
    """Both connections are open."""
    client = EtcdClient(server.endpoint, credentials=credential, namespace="sweeps/")
    async with client.connect() as communicator:
        await communicator._endpoints.stream_connection()
        yield communicator


@pytest.mark.parametrize("row", one_of_each(ROWS), ids=name_of(ROWS))
async def test_calls(etcd_server: EtcdServer, row: Row) -> None:
    with trio.fail_after(60):
        async with connected(etcd_server) as communicator, connected(etcd_server) as observer:
            await observer.delete_prefix("")
            watches, leases = await watches_of(etcd_server), set(await observer.list_leases())

            async def nothing_is_left() -> None:
                while streams(communicator):  # those that read in a transaction end by themselves
                    await trio.sleep(0.001)
                left = set(await observer.list_leases()) - leases
                assert left <= {4711}, "but the one that may have been granted"
                keys = await observer.keys_prefix("")
                assert [key for key in keys if key.startswith(HELD)] == []
                assert await communicator.get("no such key") is None

            report = await cancel_sweep(
                lambda: row(communicator), nothing_is_left, may_finish=row is ROWS["Queue.get"]
            )
            assert report.checkpoints
            assert report.cancelled >= report.checkpoints / 2
            await wait_watches(etcd_server, watches)
            await observer.delete_prefix("")


@pytest.fixture(scope="module")
def own_server() -> Generator[EtcdServer]:
    with EtcdServer(extra_args=["--bcrypt-cost=4", "--strict-reconfig-check=false"]) as server:
        yield server


@pytest.mark.parametrize("row", one_of_each(ADMIN), ids=name_of(ADMIN))
async def test_administration(own_server: EtcdServer, row: Row) -> None:
    with trio.fail_after(60):
        async with connected(own_server) as plain:
            if ROOT.username not in await plain.auth.user_list():
                await plain.auth.user_add(ROOT.username, ROOT.password)
                await plain.auth.role_add("root")
                await plain.auth.user_grant_role(ROOT.username, "root")
        async with connected(own_server, ROOT) as communicator:

            async def nothing_is_left() -> None:
                assert not streams(communicator)
                await communicator.auth.disable()
                await communicator.put("k", "v")

            report = await cancel_sweep(lambda: row(communicator), nothing_is_left)
            assert report.checkpoints > 2


@pytest.mark.parametrize("row", one_of_each(STREAMS), ids=name_of(STREAMS))
async def test_stubs(row: Row) -> None:
    with serve(Echo=echo) as server, trio.fail_after(60):
        async with server.client().connect() as communicator:

            async def nothing_is_left() -> None:
                await trio.lowlevel.checkpoint()
                assert not streams(communicator)

            report = await cancel_sweep(lambda: row(communicator), nothing_is_left)
            assert report.checkpoints > 2


@pytest.mark.long
@pytest.mark.parametrize("row", one_of_each(SERVERS), ids=name_of(SERVERS))
async def test_servers(row: Callable[[], object]) -> None:
    with nothing_left(), trio.fail_after(1800):
        report = await cancel_sweep(row, max_checkpoints=10_000)  # type: ignore[arg-type]
        assert report.checkpoints > 10
