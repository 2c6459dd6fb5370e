"""The members of the cluster: ``communicator.cluster``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

from ._admin import AdminCalls, check_id, check_text
from ._errors import InvalidRequestError
from ._proto import _methods as m
from ._proto._messages import etcdserverpb as pb

__all__ = ["Cluster", "Member", "MemberAddResult"]


@dataclass(frozen=True, slots=True)
class Member:
    """One member of the cluster."""

    #: Its id, which other calls take.
    id: int
    #: Its name; empty until it has been started.
    name: str
    #: Where the other members reach it.
    peer_urls: tuple[str, ...]
    #: Where it says that clients reach it; none until it has been started.
    client_urls: tuple[str, ...]
    #: It gets everything and has no vote.
    is_learner: bool


@dataclass(frozen=True, slots=True)
class MemberAddResult:
    """A new member, and all members with it: what its ``--initial-cluster`` is made of."""

    #: The new one.
    member: Member
    #: All of them.
    members: tuple[Member, ...]


@final
class Cluster(AdminCalls):
    """The members of the cluster; made by :attr:`EtcdCommunicator.cluster`.

    With authentication, changes are for users with the role root. All methods raise:

      InvalidRequestError: a bad argument (or TypeError); nothing was sent.
      OutcomeUnknownError: a change may or may not have happened; its ``__cause__`` says why: MemberNotFoundError, say.
      RpcError: what else the server says, mostly as a class of its own.
      ConnectionLostError: not sent, or never looked at (and ConnectionFailedError).
      trio.ClosedResourceError: the client is closed.

    Cancellation of a change: may have happened.

    One change at a time, and with a time-out: etcd drops a change that comes before the last one is applied,
    and never answers it (etcd issue 14040). :meth:`member_list` then says what is so.
    """

    __slots__ = ()

    async def member_add(
        self, peer_urls: str | Iterable[str], *, is_learner: bool = False
    ) -> MemberAddResult:
        """Announce a member, which is to be started next.

        Args:
          peer_urls: Where the others will reach it.
          is_learner: It has no vote until :meth:`member_promote`.

        Returns:
          A :class:`MemberAddResult`.

        Raises:
          MemberExistsError: a member has such a URL already.
          MemberNotEnoughStartedError: with it there would be no majority of members that run.
          TooManyLearnersError: there is a learner already.
        """
        request = pb.MemberAddRequest(peer_ur_ls=_urls(peer_urls), is_learner=is_learner)
        found = await self._call(m.MEMBER_ADD, request, pb.MemberAddResponse)
        return MemberAddResult(_member(found.member or pb.Member()), _members(found.members))

    async def member_remove(self, member_id: int) -> tuple[Member, ...]:
        """Remove a member for ever.

        Returns:
          The members that stay.

        Raises:
          MemberNotEnoughStartedError: without it there would be no majority of members that run.
        """
        request = pb.MemberRemoveRequest(id=check_id("member_id", member_id))
        return _members((await self._call(m.MEMBER_REMOVE, request, pb.MemberRemoveResponse)).members)

    async def member_update(self, member_id: int, peer_urls: str | Iterable[str]) -> tuple[Member, ...]:
        """Change where the others reach a member.

        Returns:
          All members.

        Raises:
          MemberExistsError: another member has such a URL.
        """
        request = pb.MemberUpdateRequest(id=check_id("member_id", member_id), peer_ur_ls=_urls(peer_urls))
        return _members((await self._call(m.MEMBER_UPDATE, request, pb.MemberUpdateResponse)).members)

    async def member_list(self, *, linearizable: bool = True) -> tuple[Member, ...]:
        """All members.

        Args:
          linearizable: As a majority knows them. False: as the member that answers does, leader or not.
        """
        request = pb.MemberListRequest(linearizable=linearizable)
        found = await self._call(m.MEMBER_LIST, request, pb.MemberListResponse, leader=linearizable)
        return _members(found.members)

    async def member_promote(self, member_id: int) -> tuple[Member, ...]:
        """Give a learner a vote.

        Returns:
          All members.

        Raises:
          MemberNotLearnerError: it has one.
          LearnerNotReadyError: it has not caught up with the leader yet.
        """
        request = pb.MemberPromoteRequest(id=check_id("member_id", member_id))
        return _members((await self._call(m.MEMBER_PROMOTE, request, pb.MemberPromoteResponse)).members)


def _urls(urls: str | Iterable[str]) -> list[str]:
    found = [check_text("peer URL", url) for url in ([urls] if isinstance(urls, str) else urls)]
    if not found:
        raise InvalidRequestError("no peer URL given: a member has at least one")
    return found


def _members(members: Iterable[pb.Member]) -> tuple[Member, ...]:
    return tuple(map(_member, members))


def _member(member: pb.Member) -> Member:
    return Member(
        member.id, member.name, tuple(member.peer_ur_ls), tuple(member.client_ur_ls), member.is_learner
    )
