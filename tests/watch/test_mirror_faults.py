"""Mirrors while connections break, servers restart, histories are compacted away, and blocks are left."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable

import pytest
import trio
import trio.testing
from client._kit import FAST, cancelled_at, tasks

from etcetra_trio import EtcdClient, EtcdError, Mirror, PermissionDeniedError, StatusCode
from etcetra_trio._range_reader import RangeReader
from etcetra_trio.testing import EtcdServer, FaultProxy
from watch._kit import ENGINES, connected, eventually, streams, true_progress, wait_watches, watches_of


@pytest.fixture
async def own() -> AsyncGenerator[EtcdServer]:
    """A server that the test may kill."""
    async with EtcdServer(extra_args=FAST) as server:
        yield server


async def write(server: EtcdServer, prefix: str, seconds: float) -> dict[str, str]:
    """Puts, deletions and transactions for a while; what is there in the end."""
    async with connected(server) as c:
        number = 0
        deadline = trio.current_time() + seconds
        while trio.current_time() < deadline:
            number += 1
            value = str(number)
            await c.put(f"{prefix}{number % 50:02}", value)
            if not number % 7:
                await c.delete(f"{prefix}{(number - 3) % 50:02}")
            if not number % 11:
                await c.txn(
                    lambda action, value=value: [  # type: ignore[misc]
                        action.put(f"{prefix}t{n}", value) for n in range(20)
                    ]
                )
        await c.put(f"{prefix}last", "")
        return await c.get_prefix(prefix)


@pytest.mark.parametrize("http2", ENGINES)
async def test_cuts(etcd_server: EtcdServer, http2: str) -> None:
    async with FaultProxy(etcd_server.endpoint) as proxy:
        client: EtcdClient[str] = EtcdClient(proxy.endpoint, http2=http2)  # type: ignore[call-overload]
        prefix = f"cuts/{http2}/"
        expected: dict[str, str] = {}
        told: dict[str, str | None] = {}
        with trio.fail_after(30):
            async with client.connect() as c, c.mirror(prefix) as view, trio.open_nursery() as nursery:

                async def writer() -> None:
                    expected.update(await write(etcd_server, prefix, 1.0))

                async def cutter() -> None:
                    for number in range(12):
                        await trio.sleep(0.07)
                        if number % 3:
                            proxy.cut()
                        else:
                            proxy.cut_after(500 * number, "server")

                async def reader() -> None:
                    async for change in view.changes():
                        told.update(change.values)
                        if f"{prefix}last" in told:
                            return

                for task in (writer, cutter, reader):
                    nursery.start_soon(task)
                await view.wait_for(lambda now: f"{prefix}last" in now)
                assert view.statistics().resumes >= 3
                final = dict(view)
            assert final == expected
            assert {key: value for key, value in told.items() if value is not None} == expected


async def test_restarts(own: EtcdServer) -> None:
    with trio.fail_after(40):
        async with EtcdClient(own.endpoint).connect() as c, c.mirror("r/") as view:
            for number in range(3):
                await c.put("r/a", str(number))
                await c.put(f"r/{number}", "")
                await view.wait_for(
                    lambda now, number=number: (  # type: ignore[misc]
                        now.get("r/a") == str(number) and f"r/{number}" in now
                    )
                )
                own.kill()
                await eventually(lambda: view.statistics().stalled_for > 0)
                assert view["r/a"] == str(number)  # it shows what it knew
                assert view.statistics().resumes == number + 1
                await own.arestart()
                expected = await write(own, "r/", 0.1)
                await view.wait_for(lambda now, expected=expected: now == expected)  # type: ignore[misc]


@pytest.mark.parametrize("http2", ENGINES)
async def test_compacted_while_away(etcd_server: EtcdServer, http2: str) -> None:
    prefix = f"away/{http2}/"
    async with FaultProxy(etcd_server.endpoint) as proxy, connected(etcd_server, limit=30) as writer:
        for key in ("kept", "deleted", "changed", "again"):
            await writer.put(prefix + key, "old")
        client: EtcdClient[str] = EtcdClient(proxy.endpoint, http2=http2, namespace=prefix)  # type: ignore[call-overload]
        async with client.connect() as c, c.mirror("") as view:
            changes = view.changes()
            proxy.refuse()
            proxy.cut()
            await writer.put(prefix + "new", "new")
            await writer.put(prefix + "passing", "")
            await writer.delete(prefix + "passing")
            await writer.put(prefix + "changed", "new")
            await writer.delete(prefix + "again")
            await writer.put(prefix + "again", "old")
            await writer.delete(prefix + "deleted")
            revision = (await writer.put("outside", "")).revision
            await writer.compact(revision)
            async with trio.open_nursery() as nursery:
                # Who waits is told nothing of the compaction.
                nursery.start_soon(view.wait_revision, revision)
                nursery.start_soon(view.wait_revision, revision - 1)
                await trio.testing.wait_all_tasks_blocked(0.02)
                assert view["deleted"] == "old"
                proxy.accept()
            assert view == {"kept": "old", "changed": "new", "new": "new", "again": "old"}
            change = await changes.receive()
            assert change.values == {"deleted": None, "new": "new", "changed": "new", "again": "old"}
            assert change.revision >= revision
            assert view.revision >= revision
            # And it goes on.
            revision = (await writer.put(prefix + "kept", "newest")).revision
            await view.wait_revision(revision)
            assert (await changes.receive()).values == {"kept": "newest"}


async def test_compacted_with_nothing_changed(etcd_server: EtcdServer) -> None:
    async with FaultProxy(etcd_server.endpoint) as proxy, connected(etcd_server, limit=30) as writer:
        await writer.put("same/k", "")
        async with EtcdClient(proxy.endpoint).connect() as c, c.mirror("same/") as view:
            changes = view.changes()
            proxy.refuse()
            proxy.cut()
            for _ in range(3):
                revision = (await writer.put("outside", "")).revision
            await writer.compact(revision)
            proxy.accept()
            await view.wait_revision(revision)
            assert view == {"same/k": ""}
            await view.wait_revision((await writer.put("same/l", "")).revision)
            assert (await changes.receive()).values == {"same/l": ""}


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

    async with FaultProxy(etcd_server.endpoint) as proxy, connected(etcd_server, limit=30) as writer:
        async with EtcdClient(proxy.endpoint).connect() as c, c.mirror("fail/") as view:
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


async def test_compacted_between_two_pages(own: EtcdServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The snapshot is taken anew."""
    async with connected(own, limit=30) as c:
        for number in range(30):
            await c.put(f"p/{number}", "")
        part = RangeReader.part
        compacted = 0

        async def part_and_compact(self: RangeReader) -> list[object]:
            nonlocal compacted
            found = await part(self)
            if compacted < 2:
                compacted += 1
                await c.compact((await c.put("p/0", str(compacted))).revision)
            return found  # type: ignore[return-value]

        monkeypatch.setattr(RangeReader, "part", part_and_compact)
        async with c.mirror("p/") as view:
            assert compacted == 2
            assert view == await c.get_prefix("p/")


async def test_leaving(etcd_server: EtcdServer) -> None:
    async with connected(etcd_server, limit=30) as c:
        await c.put("l/k", "")
        await c.get("x")
        before, tasks_before = await watches_of(etcd_server), tasks()
        async with trio.open_nursery() as nursery, c.mirror("l/") as view:
            changes = view.changes()
            waiters = start_waiters(nursery, view)
            await trio.testing.wait_all_tasks_blocked(0.05)
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
            await trio.testing.wait_all_tasks_blocked(0.05)
        assert waiters == ["ended"] * 4
        await refuses_everything(view)
        await mirror.__aexit__(None, None, None)
        await refuses_everything(view)


def waits(view: Mirror[str]) -> list[Callable[[], Awaitable[object]]]:
    return [
        view.wait_change,
        lambda: view.wait_for(lambda _: False),
        lambda: view.wait_revision(1 << 40),
        view.changes().receive,
    ]


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
async def test_cancelled_anywhere(etcd_server: EtcdServer, http2: str) -> None:
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
