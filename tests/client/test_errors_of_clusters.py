"""Errors of a cluster that has lost its leader: what waited for it, and what comes while there is none."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Final

import pytest
import trio

from client._kit import impatient, raw, raw_with
from client._provoke import ROWS, Case, check, provoke
from etcetra_trio import (
    EtcdClient,
    EtcdError,
    LeaderChangedError,
    NoLeaderError,
    NotLeaderError,
    OutcomeUnknownError,
    ServerCanceledError,
    ServerTimeoutError,
    UnavailableError,
    UnhealthyError,
)
from etcetra_trio._proto._messages import etcdserverpb as pb
from etcetra_trio._proto._methods import MEMBER_ADD, MOVE_LEADER, PUT, RANGE
from etcetra_trio.testing import EtcdCluster, EtcdMember

NOT: Final = "not_applied"


@pytest.fixture
async def cluster() -> AsyncGenerator[EtcdCluster]:
    async with EtcdCluster(3, heartbeat_ms=20, election_ms=200) as cluster:
        yield cluster


async def followers(cluster: EtcdCluster) -> tuple[EtcdMember, EtcdMember, EtcdMember]:
    """The leader, and the two others."""
    leader = await cluster.aleader()
    one, other = (member for member in cluster.members if member is not leader)
    return leader, one, other


async def caught(call: Callable[..., Awaitable[object]], *args: object) -> EtcdError:
    with pytest.raises(EtcdError) as info:
        await call(*args)
    return info.value


async def test_a_leader_that_stops(cluster: EtcdCluster) -> None:
    """Reads that wait for the old leader are told of the new one; a write is not, and may still happen."""
    leader, follower, _ = await followers(cluster)
    async with EtcdClient(follower.endpoint).connect() as communicator:
        impatient(communicator)
        await communicator.put("k", "v")
        not_leader = Case(
            MOVE_LEADER,
            NotLeaderError,
            lambda c: raw(c, MOVE_LEADER, pb.MoveLeaderRequest(target_id=1), pb.MoveLeaderResponse),
            NOT,
        )
        await provoke("NotLeader", not_leader, communicator, follower)
        leader.stop()
        reads: list[EtcdError] = []
        writes: list[EtcdError] = []

        async def get() -> None:
            reads.append(await caught(communicator.get, "k"))

        async def put(delay: float) -> None:
            await trio.sleep(delay)
            writes.append(await caught(communicator.put, "k", "w"))

        with trio.fail_after(20):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(get)
                for delay in (0, 0.02):
                    nursery.start_soon(put, delay)
        leader.cont()
        [read] = reads
        changed = Case(RANGE, LeaderChangedError, lambda c: c.get("k"))
        check(read, ROWS["LeaderChanged"], changed, follower.endpoint)
        # The reason is the server's guess, from when the last leader was lost and the next one found.
        timed_out = Case(PUT, ServerTimeoutError, lambda c: c.put("k", "w"), "unknown")
        guesses = {ROWS[name].message: ROWS[name] for name in ("Timeout", "TimeoutDueToLeaderFail")}
        for error in writes:
            assert isinstance(error, OutcomeUnknownError)
            check(error, guesses[error.message], timed_out, follower.endpoint)
            assert isinstance(error.__cause__, ServerTimeoutError)
            assert error.__cause__.due_to == ("leader_failure" if "leader" in error.message else None)
        assert await communicator.get("k") in {"v", "w"}


async def test_a_member_without_a_leader(cluster: EtcdCluster) -> None:
    leader, follower, other = await followers(cluster)
    async with EtcdClient(follower.endpoint).connect() as communicator:
        impatient(communicator)
        await communicator.put("k", "v")
        other.kill()
        unhealthy = Case(
            MEMBER_ADD,
            UnhealthyError,
            lambda c: raw(
                c, MEMBER_ADD, pb.MemberAddRequest(peer_ur_ls=["http://127.0.0.1:1"]), pb.MemberAddResponse
            ),
            "unknown",
        )
        await provoke("Unhealthy", unhealthy, communicator, follower)
        leader.kill()
        with trio.fail_after(10):
            error: EtcdError | None = None
            while not isinstance(error, NoLeaderError):
                with trio.move_on_after(0.2):  # one that was sent before the member noticed waits for long
                    error = await caught(communicator.get, "k")
        for case in (
            Case(RANGE, NoLeaderError, lambda c: c.get("k")),
            Case(PUT, NoLeaderError, lambda c: c.put("k", "w"), NOT),
        ):
            await provoke("NoLeader", case, communicator, follower)
        with pytest.raises(UnavailableError):
            await communicator.txn(lambda action: action.get("k"))
        assert await communicator.get("k", serializable=True) == "v"
        assert await communicator.count("k", serializable=True) == 1
        assert [kv.value async for kv in communicator.iter_range("k", serializable=True)] == ["v"]
        # Without `hasleader` the same call hangs until the server gives up, or our deadline makes it.
        late = Case(
            RANGE,
            ServerTimeoutError,
            lambda c: raw_with(
                c, RANGE, pb.RangeRequest(key=b"k"), pb.RangeResponse, [], timeout=b"200m", leader=False
            ),
        )
        error = await caught(late.provoke, communicator)
        assert isinstance(error, ServerTimeoutError | ServerCanceledError)  # in words, or by a reset alone
        put = Case(
            PUT,
            ServerTimeoutError,
            lambda c: raw(c, PUT, pb.PutRequest(key=b"k", value=b"w"), pb.PutResponse, leader=False),
            "unknown",
        )
        with trio.fail_after(15):
            error = await caught(put.provoke, communicator)
        assert isinstance(error, OutcomeUnknownError)
        assert isinstance(error.__cause__, ServerTimeoutError)
        assert error.message in {ROWS["Timeout"].message, "context deadline exceeded"}
        await other.arestart()
        await leader.arestart()
        await cluster.await_ready()
        assert (await communicator.put("k", "after")).revision > 0


#: Which of the two time-outs it is is the server's guess.
NAMES = {
    "LeaderChanged",
    "NoLeader",
    "NotLeader",
    "Timeout",
    "TimeoutDueToLeaderFail",
    "Unhealthy",
}
assert not NAMES - ROWS.keys()
