"""Members come, change and go."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
import trio
from client._kit import FAST, version_of

from etcetra_trio import (
    Cluster,
    EtcdClient,
    EtcdError,
    InvalidRequestError,
    LearnerNotReadyError,
    Member,
    MemberExistsError,
    MemberNotFoundError,
    MemberNotLearnerError,
    MemberStatus,
    OutcomeUnknownError,
    TooManyLearnersError,
)
from etcetra_trio.testing import EtcdServer


async def test_a_learner_comes_is_promoted_and_goes() -> None:
    with trio.fail_after(60):
        async with EtcdServer(extra_args=FAST) as first, EtcdClient(first.endpoint).connect() as communicator:
            cluster = communicator.cluster
            (member,) = await cluster.member_list()
            assert (member.name, member.client_urls, member.is_learner) == ("etcd", (first.endpoint,), False)
            peer = f"http://127.0.0.1:{EtcdServer()._process._free_port()}"
            added = await cluster.member_add(peer, is_learner=True)
            assert added.member == Member(added.member.id, "", (peer,), (), is_learner=True)
            assert set(added.members) == {member, added.member}
            with pytest.raises(TooManyLearnersError):
                await cluster.member_add("http://127.0.0.1:2", is_learner=True)
            with pytest.raises(MemberExistsError):
                await cluster.member_add([peer])
            learner = added.member
            assert set(await cluster.member_list(linearizable=False)) == {member, learner}
            elsewhere = (*member.peer_urls, "http://127.0.0.1:2")
            changed = await cluster.member_update(member.id, elsewhere)
            assert set(changed) == {replace(member, peer_urls=elsewhere), learner}
            assert set(await cluster.member_update(member.id, member.peer_urls)) == {member, learner}
            with pytest.raises(LearnerNotReadyError):
                await cluster.member_promote(learner.id)
            statuses = await communicator.maintenance.status()
            assert isinstance(statuses[member], MemberStatus)
            failure = statuses[learner]
            assert isinstance(failure, EtcdError)
            assert "it has not been started yet" in str(failure)
            flags = (
                *("--name=second", "--initial-cluster-state=existing", f"--listen-peer-urls={peer}"),
                f"--initial-advertise-peer-urls={peer}",
                f"--initial-cluster=etcd={member.peer_urls[0]},second={peer}",
                f"--initial-cluster-token={first._process.cluster_token}",
            )
            async with EtcdServer(extra_args=[*FAST, *flags]) as second:
                started = Member(learner.id, "second", (peer,), (second.endpoint,), is_learner=True)
                while True:
                    try:
                        promoted = await cluster.member_promote(learner.id)
                        break
                    except LearnerNotReadyError:
                        await trio.sleep(0.05)
                voter = Member(learner.id, "second", (peer,), (second.endpoint,), is_learner=False)
                assert started not in promoted
                assert set(promoted) == {member, voter}
                with pytest.raises(MemberNotLearnerError):
                    await cluster.member_promote(learner.id)
                assert await removed(cluster, voter.id) == (member,)
                second.kill()


async def removed(cluster: Cluster, member_id: int) -> tuple[Member, ...]:
    """For a while after it came, etcd thinks the cluster too unhealthy to let a member go."""
    while True:
        try:
            return await cluster.member_remove(member_id)
        except EtcdError as error:
            assert "unhealthy" in str(error)
            await trio.sleep(0.2)


async def test_members_that_are_none(etcd_server: EtcdServer) -> None:
    async with EtcdClient(etcd_server.endpoint).connect() as communicator:
        cluster = communicator.cluster
        nobody = (1 << 64) - 1
        assert version_of(etcd_server) >= (3, 4)
        calls: tuple[Callable[[], Awaitable[object]], ...] = (
            lambda: cluster.member_remove(nobody),
            lambda: cluster.member_update(nobody, "http://127.0.0.1:3"),
            lambda: cluster.member_promote(nobody),
        )
        for call in calls:
            with trio.fail_after(10), pytest.raises(OutcomeUnknownError) as caught:
                await call()
            assert type(caught.value.__cause__) is MemberNotFoundError


async def test_what_makes_no_sense(etcd_server: EtcdServer) -> None:
    async with EtcdClient(etcd_server.endpoint).connect() as communicator:
        cluster = communicator.cluster
        bad: tuple[Callable[[], Awaitable[object]], ...] = (
            lambda: cluster.member_add([]),
            lambda: cluster.member_add(""),
            lambda: cluster.member_add(["http://127.0.0.1:2380", ""]),
            lambda: cluster.member_remove(0),
            lambda: cluster.member_remove(-1),
            lambda: cluster.member_promote(1 << 64),
            lambda: cluster.member_update(1, []),
        )
        for call in bad:
            with pytest.raises(InvalidRequestError):
                await call()
        for number in ("1", True, 1.0):
            with pytest.raises(TypeError):
                await cluster.member_remove(number)  # type: ignore[arg-type]
