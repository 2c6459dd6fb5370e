"""Errors about members, leadership, downgrades and alarms that one server can be made to say."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Final

import betterproto2
import pytest
import trio

from client._kit import FAST, raw, version_of
from client._provoke import ROWS, Case, Communicator, provoke
from etcetra_trio import (
    BadLeaderTransfereeError,
    ClusterCorruptError,
    DowngradeError,
    EtcdClient,
    LearnerNotReadyError,
    MemberBadURLsError,
    MemberExistsError,
    MemberNotEnoughStartedError,
    MemberNotFoundError,
    MemberNotLearnerError,
    NoSpaceError,
    StatusCode,
    TooManyLearnersError,
)
from etcetra_trio._proto._messages import etcdserverpb as pb
from etcetra_trio._proto._methods import (
    ALARM,
    DOWNGRADE,
    MEMBER_ADD,
    MEMBER_LIST,
    MEMBER_PROMOTE,
    MEMBER_REMOVE,
    MEMBER_UPDATE,
    MOVE_LEADER,
    PUT,
    Method,
)
from etcetra_trio.testing import EtcdServer

Own = tuple[EtcdServer, Communicator]
NOT: Final = "not_applied"
NOBODY = "http://127.0.0.1:1"  # peers that never come


@pytest.fixture
async def own() -> AsyncGenerator[Own]:
    """A server of the test's own, for what nobody else should suffer."""
    async with EtcdServer(extra_args=FAST) as server, EtcdClient(server.endpoint).connect() as communicator:
        yield server, communicator


async def members(communicator: Communicator) -> list[pb.Member]:
    return (
        await raw(communicator, MEMBER_LIST, pb.MemberListRequest(), pb.MemberListResponse, leader=False)
    ).members


async def add(communicator: Communicator, *urls: str, learner: bool = False) -> int:
    request = pb.MemberAddRequest(peer_ur_ls=list(urls), is_learner=learner)
    answer = await raw(communicator, MEMBER_ADD, request, pb.MemberAddResponse)
    assert answer.member is not None
    return answer.member.id


def send(
    method: Method, message: betterproto2.Message, *, leader: bool = True
) -> Callable[[Communicator], Awaitable[object]]:
    return lambda communicator: raw(communicator, method, message, pb.AlarmResponse, leader=leader)


async def add_itself(communicator: Communicator) -> None:
    [itself] = await members(communicator)
    await add(communicator, *itself.peer_ur_ls)


async def promote_itself(communicator: Communicator) -> None:
    [itself] = await members(communicator)
    await send(MEMBER_PROMOTE, pb.MemberPromoteRequest(id=itself.id))(communicator)


def downgrade(
    action: pb.DowngradeRequestDowngradeAction, version: str = ""
) -> Callable[[Communicator], Awaitable[object]]:
    return send(DOWNGRADE, pb.DowngradeRequest(action=action, version=version))


VALIDATE = pb.DowngradeRequestDowngradeAction.VALIDATE
ENABLE = pb.DowngradeRequestDowngradeAction.ENABLE
CANCEL = pb.DowngradeRequestDowngradeAction.CANCEL

CASES: list[tuple[str, Case]] = [
    (
        "MemberNotFound",
        Case(
            MEMBER_REMOVE, MemberNotFoundError, send(MEMBER_REMOVE, pb.MemberRemoveRequest(id=1)), "unknown"
        ),
    ),
    (
        "MemberNotFound",
        Case(
            MEMBER_UPDATE,
            MemberNotFoundError,
            send(MEMBER_UPDATE, pb.MemberUpdateRequest(id=1, peer_ur_ls=[NOBODY])),
            "unknown",
        ),
    ),
    (
        "MemberNotFound",
        Case(
            MEMBER_PROMOTE,
            MemberNotFoundError,
            send(MEMBER_PROMOTE, pb.MemberPromoteRequest(id=1)),
            "unknown",
        ),
    ),
    ("MemberBadURLs", Case(MEMBER_ADD, MemberBadURLsError, lambda c: add(c, "no url"), NOT)),
    ("PeerURLExist", Case(MEMBER_ADD, MemberExistsError, add_itself, NOT)),
    ("MemberNotLearner", Case(MEMBER_PROMOTE, MemberNotLearnerError, promote_itself, NOT)),
    (
        "BadLeaderTransferee",
        Case(
            MOVE_LEADER, BadLeaderTransfereeError, send(MOVE_LEADER, pb.MoveLeaderRequest(target_id=1)), NOT
        ),
    ),
    (
        "WrongDowngradeVersionFormat",
        Case(DOWNGRADE, DowngradeError, downgrade(VALIDATE, "new"), NOT, since=(3, 5)),
    ),
    (
        "InvalidDowngradeTargetVersion",
        Case(DOWNGRADE, DowngradeError, downgrade(ENABLE, "3.0.0"), NOT, since=(3, 5)),
    ),
]


@pytest.mark.parametrize(
    ("name", "case"), CASES, ids=[f"{name}-{case.method.path[14:]}" for name, case in CASES]
)
async def test_is_said_and_arrives(
    communicator: Communicator, etcd_server: EtcdServer, name: str, case: Case
) -> None:
    await provoke(name, case, communicator, etcd_server)


async def test_learners(own: Own) -> None:
    server, communicator = own
    learner = await add(communicator, NOBODY, learner=True)
    promote = send(MEMBER_PROMOTE, pb.MemberPromoteRequest(id=learner))
    await provoke(
        "LearnerNotReady", Case(MEMBER_PROMOTE, LearnerNotReadyError, promote, NOT), communicator, server
    )
    case = Case(MEMBER_ADD, TooManyLearnersError, lambda c: add(c, "http://127.0.0.1:2", learner=True), NOT)
    await provoke("TooManyLearners", case, communicator, server)


async def test_not_enough_members(own: Own) -> None:
    server, communicator = own
    [itself] = await members(communicator)
    await add(communicator, NOBODY)
    remove = send(MEMBER_REMOVE, pb.MemberRemoveRequest(id=itself.id), leader=False)
    # The server's own table has the code, but the server misses its entry.
    case = Case(MEMBER_REMOVE, MemberNotEnoughStartedError, remove, "unknown", code=StatusCode.UNKNOWN)
    await provoke("MemberNotEnoughStarted", case, communicator, server)


async def test_a_downgrade_that_is_not_under_way(own: Own) -> None:
    """From 3.6 on it is no error to cancel it."""
    server, communicator = own
    cancel = downgrade(CANCEL)
    if version_of(server) < (3, 6):
        case = Case(DOWNGRADE, DowngradeError, cancel, NOT, (3, 5))
        await provoke("NoInflightDowngrade", case, communicator, server)
    else:
        await cancel(communicator)


async def test_a_downgrade_under_way(own: Own) -> None:
    server, communicator = own
    major, minor = version_of(server)
    enable = downgrade(ENABLE, f"{major}.{minor - 1}.0")
    if version_of(server) >= (3, 5):
        with trio.move_on_after(1):  # 3.5 notes it at once, and then waits for something that never comes
            await enable(communicator)
    await provoke(
        "DowngradeInProcess", Case(DOWNGRADE, DowngradeError, enable, NOT, (3, 5)), communicator, server
    )


async def test_alarms(own: Own) -> None:
    """What a full and a corrupt member say; whether the write happened is known of neither."""
    server, communicator = own
    [itself] = await members(communicator)
    on, off = pb.AlarmRequestAlarmAction.ACTIVATE, pb.AlarmRequestAlarmAction.DEACTIVATE
    for name, alarm, error in (
        ("NoSpace", pb.AlarmType.NOSPACE, NoSpaceError),
        ("Corrupt", pb.AlarmType.CORRUPT, ClusterCorruptError),
    ):
        await send(ALARM, pb.AlarmRequest(action=on, member_id=itself.id, alarm=alarm))(communicator)
        case = Case(PUT, error, lambda c: c.put("k", "v"), "unknown")
        await provoke(name, case, communicator, server)
        await send(ALARM, pb.AlarmRequest(action=off, member_id=itself.id, alarm=alarm))(communicator)
        await communicator.put("k", "v")


NAMES = {name for name, _ in CASES} | {
    "Corrupt",
    "DowngradeInProcess",
    "LearnerNotReady",
    "MemberNotEnoughStarted",
    "NoInflightDowngrade",
    "TooManyLearners",
}
assert not NAMES - ROWS.keys()
