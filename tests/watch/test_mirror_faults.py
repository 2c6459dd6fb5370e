"""Mirrors while connections break, servers restart, and histories are compacted away."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
import trio
from client._kit import FAST

from etcetra_trio import EtcdClient
from etcetra_trio._range_reader import RangeReader
from etcetra_trio.testing import EtcdServer, FaultProxy
from watch._kit import ENGINES, connected, eventually


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
    async with FaultProxy(etcd_server.endpoint) as proxy, connected(etcd_server, limit=20) as writer:
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
                await trio.sleep(0.1)
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
    async with FaultProxy(etcd_server.endpoint) as proxy, connected(etcd_server, limit=20) as writer:
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
