"""Mirrors: a prefix as a live mapping."""

from __future__ import annotations

import gc
from collections.abc import AsyncGenerator

import pytest
import trio
import trio.testing

from etcetra_trio import EncodingError, Mirror, MirrorChange
from etcetra_trio.streams._endpoints import EngineName
from etcetra_trio.testing import EtcdServer
from watch._kit import ENGINES, Text, connected, true_progress


@pytest.fixture
async def c(communicator: Text) -> AsyncGenerator[Text]:
    """No test here may take long."""
    with trio.fail_after(30):
        yield communicator


@pytest.mark.parametrize("http2", ENGINES)
async def test_mapping(etcd_server: EtcdServer, http2: EngineName) -> None:
    async with connected(etcd_server, http2=http2, namespace=f"/mapping/{http2}/") as c:
        await c.put("m/a", "1")
        await c.put("m/b", "2")
        await c.put("n", "outside")
        mirror = c.mirror("m/")
        assert isinstance(mirror, Mirror)
        with pytest.raises(trio.ClosedResourceError):
            len(mirror)
        async with mirror as view:
            assert view is mirror
            assert view == {"m/a": "1", "m/b": "2"}
            assert view["m/a"] == view[b"m/a"] == view.get("m/a") == "1"
            assert view.get("m/c") is None
            assert view.get("n", "default") == "default"
            assert "m/a" in view
            assert b"m/a" in view  # type: ignore[comparison-overlap]
            for absent in ("m/c", "n", "", 7):
                assert absent not in view
            assert len(view) == 2
            assert list(view) == list(view.keys()) == ["m/a", "m/b"]
            assert list(view.items()) == [("m/a", "1"), ("m/b", "2")]
            assert list(view.values()) == ["1", "2"]
            record = view.record("m/a")
            assert (record.key, record.value, record.version) == ("m/a", "1", 1)
            assert view.get("") is None
            for key in ("m/c", b"m/c", "", b""):
                with pytest.raises(KeyError) as raised:
                    view[key]
                assert raised.value.args == (key,)
                with pytest.raises(KeyError) as raised:
                    view.record(key)
                assert raised.value.args == (key,)
            assert not hasattr(view, "__setitem__")
            assert not hasattr(view, "__delitem__")
            assert "2 keys" in repr(view)
            put = await c.put("m/c", "3")
            await view.wait_revision(put.revision)
            assert view["m/c"] == "3"
            assert view.record("m/c").mod_revision == put.revision
            await view.wait_revision((await c.put("m/a", "new")).revision)
            assert view["m/a"] == "new"
            await c.delete("m/b")
            await view.wait_for(lambda now: "m/b" not in now)
            assert dict(view) == {"m/a": "new", "m/c": "3"}
            for key in list(view):  # iterating while it changes
                await c.delete(key)
            await view.wait_for(lambda now: not now)


async def test_no_keys_and_all_keys(c: Text) -> None:
    async with c.mirror("") as everything, c.mirror("none/") as nothing:
        assert not everything
        assert not nothing
        revision = (await c.put("k", "v")).revision
        await everything.wait_revision(revision)
        assert everything == {"k": "v"}
        assert nothing == {}


async def test_namespaces(c: Text) -> None:
    inner = c.namespaced("in/")
    await inner.put("a", "1")
    async with inner.mirror("") as below, c.mirror("in/") as above:
        assert (dict(below), dict(above)) == ({"a": "1"}, {"in/a": "1"})
        await c.put("in/b", "2")
        await below.wait_for(lambda view: view.get("b") == "2")
        await c.put("i", "outside")
        await above.wait_revision((await c.put("in/c", "3")).revision)
        assert set(above) == {"in/a", "in/b", "in/c"}
        with pytest.raises(KeyError, match="'x'"):
            below["x"]


async def test_encodings(c: Text) -> None:
    await c.put("e/a", "ä")
    await c.put("e/b", b"\xff")
    async with (
        c.mirror(b"e/", encoding=None) as octets,
        c.mirror("e/") as text,
        c.mirror("e/", encoding="latin-1") as latin,
    ):
        assert dict(octets) == {b"e/a": "ä".encode(), b"e/b": b"\xff"}
        assert dict(latin) == {"e/a": "ä".encode().decode("latin-1"), "e/b": "ÿ"}
        assert text["e/a"] == "ä"
        assert list(text) == ["e/a", "e/b"]
        for read in (text.__getitem__, text.get, text.record):
            with pytest.raises(EncodingError, match="e/b"):
                read("e/b")
        with pytest.raises(TypeError):
            octets["e/a"]
        changes = text.changes()
        await c.put("e/a", "2")
        await c.put("e/b", b"\xfe")
        await text.wait_revision((await c.put("e/c", "3")).revision)
        # One that is no text counts as told, and takes nothing else along.
        with pytest.raises(EncodingError, match="e/b"):
            await changes.receive()
        assert (await changes.receive()).values == {"e/a": "2", "e/c": "3"}


@pytest.mark.parametrize("http2", ENGINES)
async def test_many_keys(etcd_server: EtcdServer, http2: EngineName) -> None:
    """More than a page of them; and those that change while the pages are read are not missed."""
    async with connected(etcd_server, http2=http2, namespace=f"/many/{http2}/") as c:
        for start in range(0, 5_000, 100):
            await c.txn(
                lambda action, start=start: [  # type: ignore[misc]
                    action.put(f"k{n:04}", str(n)) for n in range(start, start + 100)
                ]
            )
        done = False

        async def write() -> None:
            number = 0
            while not done:
                await c.put(f"k{number % 5_000:04}", f"new {number}")
                number += 37

        async with trio.open_nursery() as nursery:
            nursery.start_soon(write)
            await trio.sleep(0.02)
            async with c.mirror("") as view:
                assert len(view) == 5_000
                await trio.sleep(0.1)
                done = True
                await view.wait_revision((await c.put("k0000", "last")).revision)
                assert view == await c.get_prefix("")
        await c.delete_prefix("")


async def test_revisions_are_whole(c: Text) -> None:
    """However often one looks, all keys of a transaction are of the same one."""
    keys = [f"t/{number}" for number in range(100)]
    async with c.mirror("t/") as view:
        seen: set[str] = set()

        async def look() -> None:
            while True:
                values = set(view.values())
                assert len(values) <= 1
                assert len(view) in {0, 100}
                seen.update(values)
                if "49" in values:
                    return
                await view.wait_change()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(look)
            for number in range(50):
                await c.txn(lambda action, value=str(number): [action.put(key, value) for key in keys])  # type: ignore[misc]
        assert len(seen) > 10


async def test_wait_revision(c: Text, etcd_server: EtcdServer) -> None:
    async with c.mirror("w/") as view:
        for number in range(20):
            revision = (await c.put("w/k", str(number))).revision
            await view.wait_revision(revision)
            assert view["w/k"] == str(number)
            assert view.revision >= revision
            await view.wait_revision(revision - 5)
        outside = (await c.put("x", "")).revision
        if true_progress(etcd_server):
            await view.wait_revision(outside)
        else:
            with trio.move_on_after(0.3) as scope:
                await view.wait_revision(outside)
            assert scope.cancelled_caught
            await c.put("w/k", "an event tells")
            await view.wait_revision(outside)
        assert view.revision >= outside


async def test_wait_for_and_failing_predicates(c: Text) -> None:
    async with c.mirror("f/") as view:
        await view.wait_for(lambda now: now is view)
        error = ValueError("the predicate's")

        def fail(now: Mirror[str]) -> bool:
            if "f/k" in now:
                raise error
            return False

        async with trio.open_nursery() as nursery:
            nursery.start_soon(c.put, "f/k", "")
            with pytest.raises(ValueError, match="the predicate's") as raised:
                await view.wait_for(fail)
        assert raised.value is error


async def test_changes(c: Text) -> None:
    await c.put("c/old", "0")
    async with c.mirror("c/") as view:
        first, second = view.changes(), view.changes()
        await c.put("c/a", "1")
        assert await first.receive() == MirrorChange(view.revision, {"c/a": "1"})
        for number in range(300):  # a slow reader is told the newest values, once
            await c.put(f"c/{number % 3}", str(number))
        await c.delete("c/old")
        revision = (await c.delete("c/0")).revision
        await view.wait_revision(revision)
        newest = {"c/1": "298", "c/2": "299", "c/old": None, "c/0": None}
        assert len(second._changed) == 5
        assert await first.receive() == (revision, newest)
        assert await second.receive() == (revision, {"c/a": "1", **newest})
        async with trio.open_nursery() as nursery:
            nursery.start_soon(c.put, "c/b", "2")
            assert [change.values async for change in _first(first)] == [{"c/b": "2"}]
        await first.aclose()
        with pytest.raises(trio.ClosedResourceError):
            await first.receive()
        assert (await second.receive()).values == {"c/b": "2"}
        assert len(view._subscribers) == 1
        del second
        gc.collect()
        assert len(view._subscribers) == 0
        await view.wait_revision((await c.put("c/b", "3")).revision)


async def _first(changes: trio.abc.ReceiveChannel[MirrorChange[str]]) -> AsyncGenerator[MirrorChange[str]]:
    async for change in changes:
        yield change
        return


async def test_closing_wakes_who_waits(c: Text) -> None:
    """Also where changes wait to be told: what is closed tells nothing."""
    async with c.mirror("c/") as view:
        changes, other = view.changes(), view.changes()

        async def wait() -> None:
            with pytest.raises(trio.ClosedResourceError):
                await changes.receive()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            await trio.testing.wait_all_tasks_blocked(0.05)
            await changes.aclose()
        await view.wait_revision((await c.put("c/k", "")).revision)
        await other.aclose()
        with pytest.raises(trio.ClosedResourceError):
            await other.receive()


async def test_checkpoints(c: Text) -> None:
    mirror = c.mirror("c/")
    with trio.testing.assert_checkpoints():
        view = await mirror.__aenter__()
    changes = view.changes()
    revision = (await c.put("c/k", "")).revision
    await view.wait_revision(revision)
    with trio.testing.assert_checkpoints():
        await view.wait_revision(revision)
    with trio.testing.assert_checkpoints():
        await view.wait_for(bool)
    with trio.testing.assert_checkpoints():
        await changes.receive()
    with trio.testing.assert_checkpoints():
        await changes.aclose()
    with trio.testing.assert_checkpoints():
        await mirror.__aexit__(None, None, None)
