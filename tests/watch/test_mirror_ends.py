"""Mirrors that end: left, cancelled anywhere, failed, or with their client; nothing is left, and all are told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio
import trio.testing
from client._kit import cancelled_at, tasks

from etcetra_trio import EtcdClient, EtcdError, Mirror, PermissionDeniedError, StatusCode
from etcetra_trio._range_reader import RangeReader
from etcetra_trio.streams._endpoints import EngineName
from etcetra_trio.testing import EtcdServer, FaultProxy
from watch._kit import ENGINES, connected, eventually, streams, true_progress, wait_watches, watches_of


def waits(view: Mirror[str]) -> list[Callable[[], Awaitable[object]]]:
    return [
        view.wait_change,
        lambda: view.wait_for(lambda _: False),
        lambda: view.wait_revision(1 << 40),
        view.changes().receive,
    ]


async def test_failure_while_waiting(etcd_server: EtcdServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody who waits is told of it."""
    error = PermissionDeniedError(StatusCode.PERMISSION_DENIED, "no", "/", "here")

    async def refused(_: RangeReader) -> None:
        await trio.lowlevel.checkpoint()
        raise error

    ended: list[EtcdError] = []

    async def wait(function: Callable[[], Awaitable[object]]) -> None:
        with pytest.raises(PermissionDeniedError) as raised:
            await function()
        ended.append(raised.value)

    async with (
        FaultProxy(etcd_server.endpoint) as proxy,
        connected(etcd_server, limit=30) as writer,
        EtcdClient(proxy.endpoint).connect() as c,
        c.mirror("fail/") as view,
    ):
        proxy.refuse()
        proxy.cut()
        await writer.put("outside", "")
        await writer.compact((await writer.put("outside", "")).revision)
        async with trio.open_nursery() as nursery:
            for function in waits(view):
                nursery.start_soon(wait, function)
            await trio.testing.wait_all_tasks_blocked(0.02)
            monkeypatch.setattr(RangeReader, "part", refused)
            proxy.accept()
        assert ended == [error] * 4
        with pytest.raises(PermissionDeniedError):
            len(view)


async def test_leaving(etcd_server: EtcdServer) -> None:
    async with connected(etcd_server, limit=30) as c:
        await c.put("l/k", "")
        await c.get("x")
        before, tasks_before = await watches_of(etcd_server), tasks()
        async with trio.open_nursery() as nursery, c.mirror("l/") as view:
            changes = view.changes()
            waiters = start_waiters(nursery, view)
            await trio.testing.wait_all_tasks_blocked(0.01)
        assert waiters == ["ended"] * 4
        await refuses_everything(view)
        with pytest.raises(trio.ClosedResourceError):
            await changes.receive()
        await wait_watches(etcd_server, before)
        await eventually(lambda: tasks() == tasks_before)
        assert not streams(c)
        assert c._endpoints.watches.budget.used == 0


async def test_leaving_the_clients_block(etcd_server: EtcdServer) -> None:
    with trio.fail_after(30):
        async with trio.open_nursery() as nursery, EtcdClient(etcd_server.endpoint).connect() as c:
            mirror = c.mirror("l/")
            view = await mirror.__aenter__()
            waiters = start_waiters(nursery, view)
            await trio.testing.wait_all_tasks_blocked(0.01)
        assert waiters == ["ended"] * 4
        await refuses_everything(view)
        await mirror.__aexit__(None, None, None)
        await refuses_everything(view)


def start_waiters(nursery: trio.Nursery, view: Mirror[str]) -> list[str]:
    ended: list[str] = []

    async def wait(function: Callable[[], Awaitable[object]]) -> None:
        with pytest.raises(trio.ClosedResourceError):
            await function()
        ended.append("ended")

    for function in waits(view):
        nursery.start_soon(wait, function)
    return ended


async def refuses_everything(view: Mirror[str]) -> None:
    reads: list[Callable[[], object]] = [
        lambda: view["l/k"],
        lambda: view.get("l/k"),
        lambda: "l/k" in view,
        lambda: len(view),
        lambda: list(view),
        lambda: list(view.items()),
        lambda: view.record("l/k"),
        lambda: view.revision,
        view.changes,
        view.statistics,
    ]
    for read in reads:
        with pytest.raises(trio.ClosedResourceError):
            read()
    waiting: list[Callable[[], Awaitable[object]]] = [
        view.wait_change,
        lambda: view.wait_for(lambda _: True),
        lambda: view.wait_revision(1),
    ]
    for wait in waiting:
        with pytest.raises(trio.ClosedResourceError):
            await wait()
    assert "failed" in repr(view)


async def test_the_bodys_exception(etcd_server: EtcdServer) -> None:
    error = ValueError("the body's")
    async with connected(etcd_server, limit=30) as c:
        with pytest.raises(ValueError, match="the body's") as raised:
            async with c.mirror("b/") as view:
                raise error
        assert raised.value is error
        await refuses_everything(view)


@pytest.mark.parametrize("http2", ENGINES)
async def test_cancelled_anywhere(etcd_server: EtcdServer, http2: EngineName) -> None:
    async with connected(etcd_server, http2=http2, limit=60) as c:
        await c.put("s/k", "")
        before, tasks_before = await watches_of(etcd_server), tasks()
        own_writes = true_progress(etcd_server)

        async def use() -> None:
            async with c.mirror("s/") as view:
                changes = view.changes()
                await view.wait_revision((await c.put("s/k" if not own_writes else "outside", "")).revision)
                await c.put("s/l", "")
                await changes.receive()
                await view.wait_for(lambda now: "s/l" in now)
                await changes.aclose()

        for parked in (False, True):
            step = 1
            while await cancelled_at(step, use, parked=parked):
                step += 1
                assert step < 100
            assert step > 5
        await wait_watches(etcd_server, before)
        await eventually(lambda: tasks() == tasks_before)
        assert not streams(c)
        assert (c._endpoints.watches.budget.used, c._endpoints.watches._parked) == (0, set())
