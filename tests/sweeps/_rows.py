"""One function for each public coroutine: it calls it, and what it needs before."""

from __future__ import annotations

import itertools
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import trio
from _grpc_kit import BOTH, Octets, stub_of
from auth._kit import ROOT

from etcetra_trio import (
    CompareKey,
    DowngradeAction,
    EtcdClient,
    EtcdCommunicator,
    EtcdError,
    Leadership,
    Lock,
    RpcError,
    StmTransaction,
    UnsupportedByServerError,
)
from etcetra_trio.streams import GrpcStream
from etcetra_trio.testing import EtcdCluster, EtcdServer, FaultProxy, cancel_sweep

Text = EtcdCommunicator[str]
Row = Callable[[Text], Awaitable[object]]
TTL = 60  # seconds: longer than a sweep, so that what is left behind is seen


async def _aenter(block: Any) -> None:
    async with block:
        await trio.lowlevel.checkpoint()


async def _with(block: Any, use: Callable[[Any], Awaitable[object]]) -> None:
    async with block as held:
        await use(held)


def _lock(use: Callable[[Lock[str]], Awaitable[object]]) -> Row:
    return lambda c: _with(c.lock("lock", lease_ttl=TTL), use)


def _leads(use: Callable[[Leadership[str]], Awaitable[object]]) -> Row:
    return lambda c: _with(c.campaign("lead", "me", lease_ttl=TTL), use)


async def _briefly(wait: Callable[[], Awaitable[object]]) -> None:
    """What may wait for ever."""
    with trio.move_on_after(0.02):
        await wait()


async def _compact(c: Text) -> None:
    await c.compact((await c.put("k", "v")).revision)


async def _lease_calls(c: Text) -> None:
    with suppress(Exception):  # an earlier run may have been cancelled between the two
        await c.revoke_lease(4711)
    await c.grant_lease(TTL, lease_id=4711)
    await c.keepalive_once(4711)
    await c.lease_time_to_live(4711)
    await c.revoke_lease(4711)


async def _stm(c: Text) -> None:
    async def function(transaction: StmTransaction[str]) -> None:
        transaction.put("k", (await transaction.get("k") or "") and "v")

    await c.stm(function)


async def _connect(c: Text) -> None:
    async with EtcdClient(c.statistics().endpoints[0]).connect() as communicator:
        await communicator.get("k")


async def _with_lock(c: Text) -> None:
    client = EtcdClient(c.statistics().endpoints[0], namespace="sweeps/")
    async with client.with_lock("lock", timeout=30):
        await trio.lowlevel.checkpoint()


async def _watch(c: Text) -> None:
    async with c.watch("watched") as events:
        put = await c.put("watched", "1")
        await events.receive()
        await c.put("watched", "2")
        await events.__anext__()
        await events.wait_revision(put.revision)
        with suppress(UnsupportedByServerError):
            await events.progress()
        await events.aclose()


async def _watch_from_the_past(c: Text) -> None:
    put = await c.put("watched", "1")
    async for _ in (events := c.watch("watched", start_revision=put.revision)):
        await events.aclose()
        break


async def _observe(c: Text) -> None:
    async with c.campaign("lead", "me", lease_ttl=TTL), c.observe("lead") as leaders:
        await leaders.receive()
        await leaders.aclose()


async def _mirror(c: Text) -> None:
    async with c.mirror("mirrored") as mirror:
        put = await c.put("mirrored", "1")
        await mirror.wait_revision(put.revision)
        await mirror.wait_for(lambda mirror: "mirrored" in mirror)
        changes = mirror.changes()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(c.put, "mirrored", "2")
            await mirror.wait_change()
        await changes.receive()
        await changes.aclose()


async def _range_iterator(c: Text) -> None:
    await c.put("k", "v")
    async with c.iter_range("k") as records:
        await records.receive()
        await records.aclose()


async def _barrier(c: Text) -> None:
    barrier = c.barrier("gate")
    await barrier.hold()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(barrier.wait)
        await barrier.release()
    await barrier.wait()


async def _queue(c: Text) -> None:
    queue = c.queue("line")
    await queue.put("item")
    await queue.get()


#: With an etcd, which other tests use too.
ROWS: dict[str, Row] = {
    "EtcdClient.connect": _connect,
    "EtcdClient.with_lock": _with_lock,
    **{
        f"EtcdCommunicator.{name}": call
        for name, call in {
            "campaign": lambda c: _aenter(c.campaign("lead", "me", lease_ttl=TTL)),
            "compact": _compact,
            "count": lambda c: c.count("k"),
            "delete": lambda c: c.delete("k"),
            "delete_prefix": lambda c: c.delete_prefix("k"),
            "delete_range": lambda c: c.delete_range("k", "l"),
            "get": lambda c: c.get("k"),
            "get_prefix": lambda c: c.get_prefix("k"),
            "get_range": lambda c: c.get_range("k", "l"),
            "grant_lease": _lease_calls,
            "keepalive_once": _lease_calls,
            "keys_prefix": lambda c: c.keys_prefix("k"),
            "keys_range": lambda c: c.keys_range("k", "l"),
            "leader": lambda c: c.leader("lead"),
            "lease": lambda c: _aenter(c.lease(TTL)),
            "lease_time_to_live": _lease_calls,
            "list_leases": lambda c: c.list_leases(),
            "lock": lambda c: _aenter(c.lock("lock", timeout=20, ttl=30, lease_ttl=TTL)),
            "put": lambda c: c.put("k", "v"),
            "range": lambda c: c.range("k"),
            "revoke_lease": _lease_calls,
            "semaphore": lambda c: _aenter(c.semaphore("permits", 2, lease_ttl=TTL)),
            "stm": _stm,
            "txn": lambda c: c.txn(lambda action: action.put("k", "v")),
            "txn_compare": lambda c: c.txn_compare(
                [CompareKey("k").version == 0], lambda success, _failure: success.put("k", "v"), settle=True
            ),
        }.items()
    },
    **dict.fromkeys(("Barrier.hold", "Barrier.release", "Barrier.wait"), _barrier),
    **dict.fromkeys(
        ("LeaderObserver.__aenter__", "LeaderObserver.aclose", "LeaderObserver.receive"), _observe
    ),
    "Leadership.delete": _leads(lambda held: held.delete("k")),
    "Leadership.proclaim": _leads(lambda held: held.proclaim("still me")),
    "Leadership.put": _leads(lambda held: held.put("k", "v")),
    "Leadership.txn": _leads(lambda held: held.txn(lambda action: action.put("k", "v"))),
    "Leadership.wait_lost": _leads(lambda held: _briefly(held.wait_lost)),
    "Lease.wait_lost": lambda c: _with(c.lease(TTL), lambda lease: _briefly(lease.wait_lost)),
    "Lock.delete": _lock(lambda held: held.delete("k")),
    "Lock.put": _lock(lambda held: held.put("k", "v", lease=held.lease)),
    "Lock.txn": _lock(lambda held: held.txn(lambda action: action.put("k", "v"))),
    "Lock.wait_lost": _lock(lambda held: _briefly(held.wait_lost)),
    **dict.fromkeys(
        (
            *("Mirror.__aenter__", "Mirror.wait_change", "Mirror.wait_for", "Mirror.wait_revision"),
            *("MirrorChanges.aclose", "MirrorChanges.receive"),
        ),
        _mirror,
    ),
    **dict.fromkeys(("Queue.get", "Queue.put"), _queue),
    "RWLock.read": lambda c: _aenter(c.rwlock("door").read(lease_ttl=TTL)),
    "RWLock.write": lambda c: _aenter(c.rwlock("door").write(lease_ttl=TTL)),
    **dict.fromkeys(("RangeIterator.aclose", "RangeIterator.receive"), _range_iterator),
    "StmTransaction.get": _stm,
    **dict.fromkeys(
        ("Watch.__aenter__", "Watch.aclose", "Watch.progress", "Watch.receive", "Watch.wait_revision"), _watch
    ),
    "Watch.__anext__": _watch_from_the_past,
}


async def _connect_through(proxy: FaultProxy) -> None:
    with suppress(EtcdError):
        async with EtcdClient(proxy.endpoint).connect() as communicator:
            await communicator.get("k")


async def _proxy(c: Text) -> None:
    async with FaultProxy(c.statistics().endpoints[0]) as proxy:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_connect_through, proxy)
            await proxy.wait_connected()


async def _chaos(c: Text) -> None:
    async with FaultProxy(c.statistics().endpoints[0]) as proxy:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_connect_through, proxy)
            await proxy.chaos(Random(1), 1, (0.001, 0.002))


ROWS |= {
    "FaultProxy.__aenter__": _proxy,
    "FaultProxy.wait_connected": _proxy,
    "FaultProxy.chaos": _chaos,
    "cancel_sweep": lambda c: cancel_sweep(lambda: c.get("k")),
}


async def _users(c: Text) -> None:
    auth = c.auth
    with suppress(RpcError):  # what a cancelled run may have left
        await auth.user_delete("u")
    with suppress(RpcError):
        await auth.role_delete("r")
    await auth.user_add("u", "password")
    await auth.role_add("r")
    await auth.role_grant_permission("r", "k")
    await auth.user_grant_role("u", "r")
    await auth.user_get("u")
    await auth.role_get("r")
    await auth.user_list()
    await auth.role_list()
    await auth.role_revoke_permission("r", "k")
    await auth.user_revoke_role("u", "r")
    await auth.user_change_password("u", "another")


async def _switch(c: Text) -> None:
    """The communicator is root's."""
    await c.auth.status()
    await c.auth.enable()
    await c.auth.authenticate(ROOT.username, ROOT.password)
    await c.auth.disable()


#: An id is made of the address and the second: one that was removed cannot come again.
_PORTS = itertools.count(2)


async def _members(c: Text) -> None:
    """Until it is through: etcd never answers a change that came before the one before it,
    perhaps of a run that was cancelled, was counted as applied (etcd issue 14040)."""
    while True:
        with trio.move_on_after(3):
            return await _members_once(c)


async def _members_once(c: Text) -> None:
    members = await c.cluster.member_list()
    for member in members:
        if member.is_learner:  # of a run that was cancelled
            await c.cluster.member_remove(member.id)
    added = (await c.cluster.member_add(f"http://127.0.0.1:{next(_PORTS)}", is_learner=True)).member
    with suppress(RpcError):  # it never started
        await c.cluster.member_promote(added.id)
    await c.cluster.member_update(added.id, f"http://127.0.0.1:{next(_PORTS)}")
    await c.cluster.member_remove(added.id)


async def _alike(c: Text) -> None:
    care = c.maintenance
    endpoint = c.statistics().endpoints[0]
    await care.alarm()
    await care.status()
    await care.hash(endpoint=endpoint)
    await care.hash_kv(endpoint=endpoint)
    await care.defragment(endpoint=endpoint)
    for refused in (
        lambda: care.move_leader(1),
        lambda: care.downgrade(DowngradeAction.VALIDATE, "3.4.0"),
    ):
        with suppress(RpcError):  # there is nobody else
            await refused()


async def _snapshot(c: Text) -> None:
    with TemporaryDirectory() as directory:
        await c.maintenance.snapshot(f"{directory}/snapshot")
        assert os.listdir(directory) == ["snapshot"]


_USERS = "user_add user_delete user_get user_list user_grant_role user_revoke_role user_change_password"
_ROLES = "role_add role_delete role_get role_list role_grant_permission role_revoke_permission"

#: With an etcd of their own, as root.
ADMIN: dict[str, Row] = {
    **{f"Auth.{name}": _users for name in f"{_USERS} {_ROLES}".split()},
    **{f"Auth.{name}": _switch for name in ("authenticate", "disable", "enable", "status")},
    **{f"Cluster.member_{name}": _members for name in ("add", "list", "promote", "remove", "update")},
    **{
        f"Maintenance.{name}": _alike
        for name in ("alarm", "defragment", "downgrade", "hash", "hash_kv", "move_leader", "status")
    },
    "Maintenance.snapshot": _snapshot,
}


async def _grpc_stream(c: Text) -> None:
    stream: GrpcStream[Octets, Octets] = c.channel.request("/any.Service/Echo", BOTH, Octets, Octets)
    async with stream:
        await stream.send_request()
        await stream.send_message(Octets(b"x"))
        await stream.end()
        await stream.recv_initial_metadata()
        await stream.recv_message()
        assert [item async for item in stream] == []
        await stream.recv_trailing_metadata()


async def _grpc_cancel(c: Text) -> None:
    stream: GrpcStream[Octets, Octets] = c.channel.request("/any.Service/Echo", BOTH, Octets, Octets)
    async with stream:
        await stream.send_message(Octets(b"x"))
        await stream.cancel()


async def _replies(c: Text) -> None:
    async with stub_of(c.channel, "Echo").both([Octets(b"x"), Octets(b"y")]) as replies:
        await replies.receive()
        await replies.aclose()


_STEPS = "__aenter__ __anext__ end recv_initial_metadata recv_message recv_trailing_metadata send_message send_request"

#: With a gRPC server that echoes.
STREAMS: dict[str, Row] = {
    **{f"GrpcStream.{name}": _grpc_stream for name in _STEPS.split()},
    "GrpcStream.cancel": _grpc_cancel,
    **dict.fromkeys(("ReplyStream.__aenter__", "ReplyStream.aclose", "ReplyStream.receive"), _replies),
}


async def _server() -> None:
    async with EtcdServer() as server:
        await server.await_ready()
        await server.arestart()


async def _cluster() -> None:
    async with EtcdCluster(2) as cluster:
        await cluster.await_ready()
        await cluster.aleader()


_OF_SERVERS = (
    *("EtcdMember.arestart", "EtcdMember.await_ready"),
    *("EtcdServer.__aenter__", "EtcdServer.arestart", "EtcdServer.await_ready"),
)

#: They start servers, and take seconds.
SERVERS: dict[str, Callable[[], Awaitable[None]]] = {
    **dict.fromkeys(_OF_SERVERS, _server),
    **{f"EtcdCluster.{name}": _cluster for name in ("__aenter__", "aleader", "await_ready")},
}
