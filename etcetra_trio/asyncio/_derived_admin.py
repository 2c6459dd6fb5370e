"""The classes of Trio's API for asyncio. Written by scripts/derive_asyncio.py: never edit it."""

# What is called behind these signatures is chosen at run time:
# mypy: disable-error-code="no-any-return, misc, overload-overlap"
# ruff: noqa: A002, D, E501, FBT, PLW, PYI

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import overload

from .. import (
    Alarm,
    AlarmAction,
    AlarmType,
    AuthStatus,
    DowngradeAction,
    EtcdError,
    HashKV,
    Member,
    MemberAddResult,
    MemberStatus,
    Permission,
    PermissionType,
    SnapshotResult,
)
from .._maintenance import Progress
from ._wrapped import Wrapped, register


class Auth(Wrapped):
    """Users, roles and permissions; made by :attr:`EtcdCommunicator.auth`.

    Once authentication is enabled all of this, but for :meth:`authenticate`, is for users with the role root. Keys
    are the server's: a namespace of the communicator does not count, and text is UTF-8. All methods raise:

      InvalidRequestError: a bad argument (or TypeError); nothing was sent.
      OutcomeUnknownError: a change may or may not have happened; its ``__cause__`` says why.
      PermissionDeniedError: this is not for the client's user.
      RpcError: what else the server says, mostly as a class of its own.
      ConnectionLostError: not sent, or never looked at (and ConnectionFailedError).
      trio.ClosedResourceError: the client is closed.

    Cancellation of a change: may have happened.
    """

    async def enable(self) -> None:
        """Ask every client for a user from now on.

        Raises:
          AuthSetupError: there is no user root with the role root.
        """
        return await self._call(self._trio.enable)

    async def disable(self) -> None:
        """Serve everybody again."""
        return await self._call(self._trio.disable)

    async def status(self) -> AuthStatus:
        """Whether authentication is enabled, and the revision of users and roles (etcd 3.5).

        Returns:
          An :class:`AuthStatus`.
        """
        return await self._call(self._trio.status)

    async def authenticate(self, name: str, password: str) -> str:
        """A token for a user. Nobody needs it who gave the client credentials.

        Raises:
          AuthenticationFailedError: there is no such user, or the password is wrong.
          AuthNotEnabledError: authentication is not enabled.
        """
        return await self._call(self._trio.authenticate, name, password)

    async def user_add(
        self, name: str, password: str = "", *, no_password: bool = False, hashed_password: str = ""
    ) -> None:
        """Add a user.

        Args:
          name: Its name.
          password: Its password.
          no_password: It has none: only a certificate with its name as the common name lets it in.
          hashed_password: In the place of the password, the base64 of its bcrypt; servers make it themselves.

        Raises:
          UserExistsError: there is one of that name.
        """
        return await self._call(
            self._trio.user_add, name, password, no_password=no_password, hashed_password=hashed_password
        )

    async def user_get(self, name: str) -> tuple[str, ...]:
        """The roles of a user. Users may ask about themselves.

        Raises:
          UserNotFoundError: there is none of that name.
        """
        return await self._call(self._trio.user_get, name)

    async def user_list(self) -> tuple[str, ...]:
        """The names of all users."""
        return await self._call(self._trio.user_list)

    async def user_delete(self, name: str) -> None:
        """Remove a user.

        Raises:
          UserNotFoundError: there is none of that name.
          InvalidAuthManagementError: it is root, while authentication is enabled.
        """
        return await self._call(self._trio.user_delete, name)

    async def user_change_password(self, name: str, password: str = "", *, hashed_password: str = "") -> None:
        """Give a user another password; its tokens are invalid from then on.

        Args:
          name: The user.
          password: The new password.
          hashed_password: As in :meth:`user_add`.

        Raises:
          UserNotFoundError: there is none of that name.
        """
        return await self._call(
            self._trio.user_change_password, name, password, hashed_password=hashed_password
        )

    async def user_grant_role(self, name: str, role: str) -> None:
        """Give a user a role.

        Raises:
          UserNotFoundError: there is no such user.
          RoleNotFoundError: there is no such role.
        """
        return await self._call(self._trio.user_grant_role, name, role)

    async def user_revoke_role(self, name: str, role: str) -> None:
        """Take a role from a user.

        Raises:
          UserNotFoundError: there is no such user.
          RoleNotGrantedError: it does not have the role.
        """
        return await self._call(self._trio.user_revoke_role, name, role)

    async def role_add(self, role: str) -> None:
        """Add a role, which may do nothing yet.

        Raises:
          RoleExistsError: there is one of that name.
        """
        return await self._call(self._trio.role_add, role)

    async def role_get(self, role: str) -> tuple[Permission, ...]:
        """What a role may do. Users may ask about roles of their own.

        Raises:
          RoleNotFoundError: there is none of that name.
        """
        return await self._call(self._trio.role_get, role)

    async def role_list(self) -> tuple[str, ...]:
        """The names of all roles."""
        return await self._call(self._trio.role_list)

    async def role_delete(self, role: str) -> None:
        """Remove a role, also from its users.

        Raises:
          RoleNotFoundError: there is none of that name.
          InvalidAuthManagementError: it is root, while authentication is enabled.
        """
        return await self._call(self._trio.role_delete, role)

    async def role_grant_permission(
        self,
        role: str,
        key: str | bytes,
        type: PermissionType = PermissionType.READWRITE,
        *,
        range_end: str | bytes | None = None,
        prefix: bool = False,
    ) -> None:
        r"""Let a role do something; what it could do with the same range before is replaced.

        Args:
          role: The role.
          key: The key, or the first of a range.
          type: What it may do.
          range_end: The first key after the range; ``"\0"`` is "to the last key".
          prefix: The range is all keys that begin with ``key``, which may be empty then.

        Raises:
          RoleNotFoundError: there is no such role.
        """
        return await self._call(
            self._trio.role_grant_permission, role, key, type, range_end=range_end, prefix=prefix
        )

    async def role_revoke_permission(
        self, role: str, key: str | bytes, *, range_end: str | bytes | None = None, prefix: bool = False
    ) -> None:
        """Take what :meth:`role_grant_permission` gave, for exactly the same range.

        Args:
          role: The role.
          key: The key, or the first of the range.
          range_end: The first key after the range.
          prefix: The range is all keys that begin with ``key``.

        Raises:
          RoleNotFoundError: there is no such role.
          PermissionNotGrantedError: it has no permission for this very range.
        """
        return await self._call(
            self._trio.role_revoke_permission, role, key, range_end=range_end, prefix=prefix
        )


class Cluster(Wrapped):
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
        return await self._call(self._trio.member_add, peer_urls, is_learner=is_learner)

    async def member_remove(self, member_id: int) -> tuple[Member, ...]:
        """Remove a member for ever.

        Returns:
          The members that stay.

        Raises:
          MemberNotEnoughStartedError: without it there would be no majority of members that run.
        """
        return await self._call(self._trio.member_remove, member_id)

    async def member_update(self, member_id: int, peer_urls: str | Iterable[str]) -> tuple[Member, ...]:
        """Change where the others reach a member.

        Returns:
          All members.

        Raises:
          MemberExistsError: another member has such a URL.
        """
        return await self._call(self._trio.member_update, member_id, peer_urls)

    async def member_list(self, *, linearizable: bool = True) -> tuple[Member, ...]:
        """All members.

        Args:
          linearizable: As a majority knows them. False: as the member that answers does, leader or not.
        """
        return await self._call(self._trio.member_list, linearizable=linearizable)

    async def member_promote(self, member_id: int) -> tuple[Member, ...]:
        """Give a learner a vote.

        Returns:
          All members.

        Raises:
          MemberNotLearnerError: it has one.
          LearnerNotReadyError: it has not caught up with the leader yet.
        """
        return await self._call(self._trio.member_promote, member_id)


class Maintenance(Wrapped):
    """What keeps a cluster well; made by :attr:`EtcdCommunicator.maintenance`.

    Calls about one member take its ``endpoint``, in a form that :class:`EtcdClient` takes, and get a connection of
    their own; without, whoever serves the client is meant. All methods raise:

      InvalidRequestError: a bad argument (or TypeError); nothing was sent.
      OutcomeUnknownError: a change may or may not have happened; its ``__cause__`` says why.
      RpcError: what the server says, mostly as a class of its own.
      ConnectionLostError: not sent, or never looked at (and ConnectionFailedError).
      trio.ClosedResourceError: the client is closed.

    Cancellation of a change: may have happened.
    """

    async def alarm(
        self, action: AlarmAction = AlarmAction.GET, *, member_id: int = 0, type: AlarmType = AlarmType.NONE
    ) -> tuple[Alarm, ...]:
        """Look at alarms, or raise or lift them.

        Args:
          action: What to do.
          member_id: Whose alarms; 0: any member's.
          type: Which; ``NONE``: any. To lift one, name it.

        Returns:
          Those that were found, raised or lifted.
        """
        return await self._call(self._trio.alarm, action, member_id=member_id, type=type)

    @overload
    async def status(self, *, endpoint: str | None = ...) -> dict[Member, MemberStatus | EtcdError]: ...
    @overload
    async def status(self, *, endpoint: str | None = ...) -> MemberStatus: ...
    async def status(
        self, *, endpoint: str | None = None
    ) -> MemberStatus | dict[Member, MemberStatus | EtcdError]:
        """How all members are, asked at once; or how one is.

        Members are asked at the addresses that they announce to clients.

        Args:
          endpoint: Ask only who listens there.

        Returns:
          For each member its :class:`MemberStatus`, or why it has none; with ``endpoint`` a :class:`MemberStatus`.
        """
        return await self._call(self._trio.status, endpoint=endpoint)

    async def defragment(self, *, endpoint: str | None = None) -> None:
        """Give the unused part of a member's database file back. The member does nothing else meanwhile.

        Args:
          endpoint: The member.
        """
        return await self._call(self._trio.defragment, endpoint=endpoint)

    async def hash(self, *, endpoint: str | None = None) -> int:
        """A hash over a member's whole database, for tests of etcd; to compare members see :meth:`hash_kv`.

        Args:
          endpoint: The member.
        """
        return await self._call(self._trio.hash, endpoint=endpoint)

    async def hash_kv(self, revision: int = 0, *, endpoint: str | None = None) -> HashKV:
        """A hash over a member's keys, which all members must agree on.

        Args:
          revision: Up to which revision; 0: the newest.
          endpoint: The member.

        Returns:
          A :class:`HashKV`.

        Raises:
          CompactedError: the revision was compacted (and FutureRevisionError).
        """
        return await self._call(self._trio.hash_kv, revision, endpoint=endpoint)

    async def snapshot(
        self, path: str | os.PathLike[str], *, progress: Progress | None = None, endpoint: str | None = None
    ) -> SnapshotResult:
        """Store the whole database of a member in a file, which ``etcdutl snapshot restore`` takes.

        The file is there when it is whole and its checksum is right; before that, what was there stays. Memory is
        bounded however large the database is.

        Cancellation:
          Cleans up: the file is not touched, and nothing is left beside it.

        Args:
          path: The file; only the user who runs this may read it.
          progress: Called after each part with the octets so far and, as the server tells them, in all.
          endpoint: The member.

        Returns:
          A :class:`SnapshotResult`.

        Raises:
          RemoteProtocolError: what came does not fit its checksum.
          OSError: the file cannot be written.
        """
        return await self._call(self._trio.snapshot, path, progress=progress, endpoint=endpoint)

    async def move_leader(self, target_id: int, *, endpoint: str | None = None) -> None:
        """Have another member lead.

        Args:
          target_id: The id of the member.
          endpoint: Where the present leader listens; None: it is looked for.

        Raises:
          BadLeaderTransfereeError: that member cannot lead.
          NotLeaderError: who listens at the endpoint does not lead.
        """
        return await self._call(self._trio.move_leader, target_id, endpoint=endpoint)

    async def downgrade(self, action: DowngradeAction, version: str = "") -> str:
        """Prepare a cluster for an older version of etcd (etcd 3.5).

        Args:
          action: Ask whether it can be done, do it, or stop it.
          version: The version to go to, as in ``"3.5"``; not for ``CANCEL``.

        Returns:
          The version that the cluster runs now.

        Raises:
          DowngradeError: it cannot be done, another one is under way, or none is.
        """
        return await self._call(self._trio.downgrade, action, version)


register({"Auth": Auth, "Cluster": Cluster, "Maintenance": Maintenance})
