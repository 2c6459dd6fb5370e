"""``on_event``: what is told when, and that whoever is told can do no harm."""

from __future__ import annotations

import logging
import socket
from pathlib import Path

import pytest
import trio
from auth._kit import scripted
from client._kit import live
from failover._scripted import Request, serving
from lease._kit import SHORTEST

from etcetra_trio import (
    CallTimeoutError,
    EtcdClient,
    EtcdCredential,
    LeaseLostError,
    OutcomeUnknownError,
    StatusCode,
)
from etcetra_trio import events as e
from etcetra_trio.streams._ranking import QUARANTINE
from etcetra_trio.testing import EtcdServer, FaultProxy
from observe._kit import Told, bare

RANGE, PUT = "/etcdserverpb.KV/Range", "/etcdserverpb.KV/Put"


async def busy(request: Request) -> None:
    """The first two requests are refused."""
    if len(request.peer.server.requests) < 3:
        await request.status(14, "etcdserver: leader changed", first=True)
    else:
        await request.answer()


async def test_a_connection_and_its_calls() -> None:
    told = Told()
    async with serving() as server:
        async with EtcdClient(server.endpoint, on_event=told).connect() as communicator:
            (opened,) = told.events
            assert isinstance(opened, e.ConnectionOpened)
            assert opened[:3] == (server.endpoint, "127.0.0.1", "calls")
            assert 0 < opened.duration < 5
            await communicator.get("k")
            await communicator.put("k", "v")
            started, ended, *_ = told.events[1:]
            assert started == e.CallStarted(RANGE)
            assert isinstance(ended, e.CallEnded)
            assert ended[:2] == (RANGE, server.endpoint)
            assert ended[3:] == (StatusCode.OK, "", 1)
            assert 0 < ended.duration < 5
            assert [event.method for event in told.of(e.CallEnded)] == [RANGE, PUT]
        assert told.events[-1] == e.ConnectionClosed(server.endpoint, "127.0.0.1", "calls")


async def test_a_call_that_is_repeated_and_one_that_fails() -> None:
    told = Told()
    async with serving(busy) as server:
        async with EtcdClient(server.endpoint, on_event=told).connect() as communicator:
            await communicator.get("k")
            assert told.of(e.CallRepeated) == [
                e.CallRepeated(RANGE, server.endpoint, 2, "LeaderChangedError"),
                e.CallRepeated(RANGE, server.endpoint, 3, "LeaderChangedError"),
            ]
            assert told.of(e.CallEnded)[-1][3:] == (StatusCode.OK, "", 3)
            server.requests.clear()
            with pytest.raises(OutcomeUnknownError):
                await communicator.put("k", "v")
            assert told.of(e.CallEnded)[-1][3:] == (StatusCode.UNAVAILABLE, "OutcomeUnknownError", 1)


async def test_a_call_that_is_given_up() -> None:
    told = Told()

    async def silent(request: Request) -> None:
        await trio.sleep_forever()

    async with serving(silent) as server:
        async with EtcdClient(server.endpoint, on_event=told, call_timeout=0.2).connect() as communicator:
            with trio.move_on_after(0.05):
                await communicator.get("k")
            assert told.of(e.CallEnded)[-1][3:] == (StatusCode.CANCELLED, "Cancelled", 1)
            with pytest.raises(CallTimeoutError):
                await communicator.get("k")
            assert told.of(e.CallEnded)[-1][3:] == (StatusCode.DEADLINE_EXCEEDED, "CallTimeoutError", 1)
            assert told.of(e.CallEnded)[-1].duration >= 0.2


async def test_a_lost_connection_and_a_dead_endpoint() -> None:
    told = Told()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        closed = f"127.0.0.1:{taken.getsockname()[1]}"
    async with (
        serving() as server,
        EtcdClient([closed, server.endpoint], on_event=told).connect() as communicator,
    ):
        failed, quarantined, opened = told.events
        assert failed == e.ConnectionFailed(closed, "127.0.0.1", "calls", "[Errno 111] Connection refused")
        assert quarantined == e.EndpointQuarantined(closed, QUARANTINE, "[Errno 111] Connection refused")
        assert isinstance(opened, e.ConnectionOpened)
        await communicator.get("k")
        await server.peers[0].goaway(0, debug=b"bye")
        lost = await told.wait_for(e.ConnectionLost)
        assert lost[:3] == (server.endpoint, "127.0.0.1", "calls")
        assert "bye" in lost.reason
        assert told.events[-1] == e.EndpointQuarantined(server.endpoint, QUARANTINE, lost.reason)
        await communicator.get("k")
        assert told.of(e.CallEnded)[-1][3:] == (StatusCode.OK, "", 1)
        assert len(told.of(e.EndpointQuarantined)) == 2, "once, while it lasts"


async def test_nobody_there_and_a_name_that_is_none() -> None:
    told = Told()
    async with EtcdClient("no.such.host.invalid", on_event=told).connect(wait=False) as communicator:
        with pytest.raises(OSError, match="could not connect"):
            await communicator.put("k", "v")
    failed = told.of(e.ConnectionFailed)[0]
    assert (failed.endpoint, failed.address, failed.purpose) == ("no.such.host.invalid:2379", "", "calls")
    ended = told.of(e.CallEnded)[0]
    assert (ended.endpoint, ended.code, ended.error) == ("", StatusCode.UNAVAILABLE, "ConnectionFailedError")
    assert ended.tries == 0


async def test_a_watch_that_is_interrupted(etcd_server: EtcdServer) -> None:
    told = Told()
    async with (
        FaultProxy(etcd_server.endpoint) as proxy,
        EtcdClient(proxy.endpoint, namespace="/observe/watch/", on_event=told).connect() as communicator,
    ):
        with trio.fail_after(20):
            async with communicator.watch("k") as watch:
                await communicator.put("k", "1")
                await watch.receive()
                opened = await told.wait_for(e.WatchOpened)
                assert opened[:2] == (1, bare(proxy.endpoint))
                proxy.cut()
                interrupted = await told.wait_for(e.WatchInterrupted)
                assert interrupted[:2] == (1, bare(proxy.endpoint))
                assert interrupted.reason
                resumed = await told.wait_for(e.WatchResumed)
                assert resumed[:2] == (1, bare(proxy.endpoint))
                assert resumed.revision > opened.revision
                assert 0 <= resumed.down < 20
                streams = [lost for lost in told.of(e.ConnectionLost) if lost.purpose == "streams"]
                assert len(streams) == 1
            assert told.of(e.WatchClosed) == [e.WatchClosed(1)]


async def test_a_watch_of_what_is_compacted(etcd_server: EtcdServer) -> None:
    told = Told()
    async with EtcdClient(
        etcd_server.endpoint, namespace="/observe/compacted/", on_event=told
    ).connect() as communicator:
        first = (await communicator.put("k", "1")).revision
        last = (await communicator.put("k", "2")).revision
        await communicator.compact(last)
        with trio.fail_after(10), pytest.raises(Exception, match="compacted"):
            await communicator.watch("k", start_revision=first).receive()
        (compacted,) = told.of(e.WatchCompacted)
        assert compacted == e.WatchCompacted(1, last)
        assert told.of(e.WatchFailed) == []


async def test_a_lease_that_is_lost(etcd_server: EtcdServer) -> None:
    told = Told()
    async with (
        EtcdClient(etcd_server.endpoint, on_event=told).connect() as communicator,
        EtcdClient(etcd_server.endpoint).connect() as other,
    ):
        with trio.fail_after(20), pytest.raises(LeaseLostError):
            async with communicator.lease(SHORTEST) as lease:
                await other.revoke_lease(lease.id)
                await trio.sleep_forever()
        (lost,) = told.of(e.LeaseLost)
        assert lost.lease_id == lease.id
        assert "revoked" in lost.reason
        async with communicator.lease(SHORTEST):
            pass
        assert len(told.of(e.LeaseLost)) == 1, "one that is given back is not lost"


async def test_a_lock_that_is_lost(etcd_server: EtcdServer) -> None:
    told = Told()
    async with EtcdClient(
        etcd_server.endpoint, namespace="/observe/lock/", on_event=told
    ).connect() as communicator:
        with trio.fail_after(20), pytest.raises(LeaseLostError):
            async with communicator.lock("door"):
                await communicator.delete_prefix("door")
                await trio.sleep_forever()
        assert [lost.reason for lost in told.of(e.LeaseLost)] == ["its key was deleted"]


async def test_a_token() -> None:
    told = Told()
    with scripted() as script, trio.fail_after(20):
        script.password = "secret"
        client = script.server.client(credentials=EtcdCredential("alice", "secret"), on_event=told)
        async with client.connect() as communicator:
            endpoint = live(communicator).endpoint
            assert told.of(e.TokenFetched) == [e.TokenFetched(endpoint, needed=True)]
            script.expire()
            await communicator.get("k")
            assert told.of(e.TokenRefused) == [e.TokenRefused(endpoint)]
            assert len(told.of(e.TokenFetched)) == 2
            assert told.of(e.CallEnded)[-1].tries == 2


async def test_members(etcd_server: EtcdServer) -> None:
    told = Told()
    async with (
        FaultProxy(etcd_server.endpoint) as proxy,
        EtcdClient(proxy.endpoint, sync_interval=0.05, on_event=told).connect() as communicator,
    ):
        changed = await told.wait_for(e.MembersChanged)
        assert set(changed.endpoints) == {bare(proxy.endpoint), bare(etcd_server.endpoint)}
        count = len(told.of(e.CallEnded))
        await told.wait_for(e.CallEnded, lambda _: len(told.of(e.CallEnded)) > count + 2)
        assert len(told.of(e.MembersChanged)) == 1
        assert set(communicator.statistics().endpoints) == set(changed.endpoints)


async def test_administration(etcd_server: EtcdServer, tmp_path: Path) -> None:
    told = Told()
    async with EtcdClient(etcd_server.endpoint, on_event=told).connect() as communicator:
        await communicator.maintenance.status()
        await communicator.maintenance.snapshot(tmp_path / "snapshot")
        ended = {call.method.rpartition("/")[2]: call for call in told.of(e.CallEnded)}
        assert set(ended) == {"MemberList", "Status", "Snapshot"}
        assert {call[3:] for call in ended.values()} == {(StatusCode.OK, "", 1)}
        assert {call.endpoint for call in ended.values()} == {bare(etcd_server.endpoint)}
        with pytest.raises(OSError, match="could not connect"):
            await communicator.maintenance.hash_kv(endpoint="127.0.0.1:1")
        assert told.of(e.CallEnded)[-1][3:] == (StatusCode.UNAVAILABLE, "ConnectionFailedError", 0)
        purposes = {opened.purpose for opened in told.of(e.ConnectionOpened)}
        assert purposes == {"calls", "administration"}
        assert told.of(e.EndpointQuarantined) == [], "it is none of the client's"


async def test_a_hook_that_raises(caplog: pytest.LogCaptureFixture) -> None:
    asked = 0

    def hook(event: e.Event) -> None:
        nonlocal asked
        asked += 1
        raise ZeroDivisionError(type(event).__name__)

    async with serving() as server:
        async with EtcdClient(server.endpoint, on_event=hook).connect() as communicator:
            for _ in range(3):
                assert await communicator.get("k") is None
    assert asked == 8, "it is called all the same"
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("etcetra_trio", logging.ERROR)
    assert "ConnectionOpened" in record.getMessage()
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError


async def test_nobody_is_told_of_the_calls_of_another() -> None:
    first, second = Told(), Told()
    async with (
        serving(busy) as server,
        EtcdClient(server.endpoint, on_event=first).connect() as one,
        EtcdClient(server.endpoint, on_event=second).connect() as two,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(one.get, "k")
        nursery.start_soon(two.get, "k")
    for told in (first, second):
        assert len(told.of(e.CallStarted)) == len(told.of(e.CallEnded)) == 1
        assert told.of(e.CallEnded)[0].tries == 1 + len(told.of(e.CallRepeated))
    assert len(first.of(e.CallRepeated)) + len(second.of(e.CallRepeated)) == 2


def test_every_event_is_documented_and_has_words() -> None:
    from typing import get_args

    from etcetra_trio.streams._trace import _WORDS

    kinds = get_args(e.Event)
    assert set(kinds) == set(_WORDS)
    assert {kind.__name__ for kind in kinds} | {"Event", "OnEvent", "Purpose"} == set(e.__all__)
    for kind in kinds:
        assert kind.__doc__
        for field in kind._fields:
            assert f"      {field}: " in kind.__doc__
