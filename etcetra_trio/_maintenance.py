"""What keeps a cluster well: ``communicator.maintenance``."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import final, overload

import trio

from ._admin import AdminCalls, check_id, check_text
from ._checks import check_number
from ._cluster import Cluster, Member
from ._errors import ConnectionFailedError, EtcdError, InvalidRequestError
from ._proto import _methods as m
from ._proto._messages import etcdserverpb as pb
from .streams._one_endpoint import own_connection, with_renewed_token
from .streams._service import interrupt_in
from .streams._snapshot import Snapshot, receive_snapshot
from .streams._trace import TracedCall

__all__ = [
    "Alarm",
    "AlarmAction",
    "AlarmType",
    "DowngradeAction",
    "HashKV",
    "Maintenance",
    "MemberStatus",
    "SnapshotResult",
]

Progress = Callable[[int, int], object]


class AlarmType(IntEnum):
    """Why a cluster refuses to work on."""

    #: In a request: any.
    NONE = 0
    #: A member's quota is used up: there are no writes but deletions.
    NOSPACE = 1
    #: Members do not agree on what is stored.
    CORRUPT = 2


class AlarmAction(IntEnum):
    """What to do about alarms."""

    GET = 0
    ACTIVATE = 1
    DEACTIVATE = 2


class DowngradeAction(IntEnum):
    """What to do about a downgrade."""

    VALIDATE = 0
    ENABLE = 1
    CANCEL = 2


@dataclass(frozen=True, slots=True)
class Alarm:
    """A member raised an alarm."""

    #: The member.
    member_id: int
    #: What is wrong.
    type: AlarmType


@dataclass(frozen=True, slots=True)
class MemberStatus:
    """How a member is, as it sees things itself."""

    #: Where it was asked.
    endpoint: str
    #: Who answered.
    member_id: int
    #: The cluster that it belongs to.
    cluster_id: int
    #: The version of etcd.
    version: str
    #: The revision of its store.
    revision: int
    #: The size of its database file, in octets.
    db_size: int
    #: What of that is in use; the rest is what :meth:`Maintenance.defragment` gives back.
    db_size_in_use: int
    #: The most that the file may grow to, in octets; 0: it did not say (before 3.6).
    db_size_quota: int
    #: The member that leads; 0: it knows none.
    leader: int
    #: Raft's term: it grows with each election.
    raft_term: int
    #: The last entry of its log that the cluster has agreed on.
    raft_index: int
    #: The last entry that it has carried out.
    raft_applied_index: int
    #: What is wrong with it, alarms among that.
    errors: tuple[str, ...]
    #: It gets everything and has no vote.
    is_learner: bool
    #: The version of what is stored; empty before 3.6.
    storage_version: str
    #: The version that a downgrade is under way to; empty: none is.
    downgrade_to: str

    @property
    def is_leader(self) -> bool:
        """Whether it leads."""
        return self.leader == self.member_id


@dataclass(frozen=True, slots=True)
class HashKV:
    """A hash over all keys with their history, from ``compact_revision`` to ``hash_revision``: members must agree."""

    #: The hash.
    hash: int
    #: The revision up to which history was compacted.
    compact_revision: int
    #: The newest revision in it; 0 before etcd 3.6, which does not say it.
    hash_revision: int
    #: The revision of the store when it was made.
    revision: int


@dataclass(frozen=True, slots=True)
class SnapshotResult:
    """A snapshot that was stored."""

    #: The file.
    path: Path
    #: The size of the file, in octets, with the checksum at its end.
    size: int
    #: The checksum, in hex.
    sha256: str
    #: The version of what is stored; empty before 3.6.
    storage_version: str
    #: Whose database it is.
    endpoint: str


@final
class Maintenance(AdminCalls):
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

    __slots__ = ()

    async def alarm(
        self,
        action: AlarmAction = AlarmAction.GET,
        *,
        member_id: int = 0,
        type: AlarmType = AlarmType.NONE,  # noqa: A002 - etcd's word
    ) -> tuple[Alarm, ...]:
        """Look at alarms, or raise or lift them.

        Args:
          action: What to do.
          member_id: Whose alarms; 0: any member's.
          type: Which; ``NONE``: any. To lift one, name it.

        Returns:
          Those that were found, raised or lifted.
        """
        request = pb.AlarmRequest(
            action=pb.AlarmRequestAlarmAction(AlarmAction(action)),
            member_id=check_id("member_id", member_id) if member_id else 0,
            alarm=pb.AlarmType(AlarmType(type)),
        )
        found = await self._call(m.ALARM, request, pb.AlarmResponse)
        return tuple(Alarm(each.member_id, AlarmType(each.alarm)) for each in found.alarms)

    @overload
    async def status(self) -> dict[Member, MemberStatus | EtcdError]: ...
    @overload
    async def status(self, *, endpoint: str) -> MemberStatus: ...
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
        if endpoint is not None:
            return await self._status(endpoint)
        members = await Cluster(self._endpoints).member_list(linearizable=False)
        found: dict[Member, MemberStatus | EtcdError] = {}

        async def ask(member: Member) -> None:
            await trio.lowlevel.checkpoint()
            with suppress(trio.ClosedResourceError):  # it is raised below
                found[member] = await self._status_of(member)

        try:
            async with trio.open_nursery(strict_exception_groups=True) as nursery:
                for member in members:
                    nursery.start_soon(ask, member, name=f"etcetra_trio status of {member.name or member.id}")
        except BaseExceptionGroup as group:
            raise interrupt_in(group) or group from group
        self._endpoints.service.check_open()
        return {member: found[member] for member in members}

    async def _status_of(self, member: Member) -> MemberStatus | EtcdError:
        await trio.lowlevel.checkpoint()
        failure: EtcdError = ConnectionFailedError([("nowhere", OSError("it has not been started yet"))])
        for url in member.client_urls:
            try:
                return await self._status(url)
            except EtcdError as error:
                failure = error
        return failure

    async def _status(self, endpoint: str) -> MemberStatus:
        found = await self._call(m.STATUS, pb.StatusRequest(), pb.StatusResponse, endpoint=endpoint)
        header = found.header or pb.ResponseHeader()
        downgrade = found.downgrade_info
        return MemberStatus(
            endpoint=endpoint,
            member_id=header.member_id,
            cluster_id=header.cluster_id,
            version=found.version,
            revision=header.revision,
            db_size=found.db_size,
            db_size_in_use=found.db_size_in_use,
            db_size_quota=found.db_size_quota,
            leader=found.leader,
            raft_term=found.raft_term,
            raft_index=found.raft_index,
            raft_applied_index=found.raft_applied_index,
            errors=tuple(found.errors),
            is_learner=found.is_learner,
            storage_version=found.storage_version,
            downgrade_to=downgrade.target_version if downgrade is not None and downgrade.enabled else "",
        )

    async def defragment(self, *, endpoint: str | None = None) -> None:
        """Give the unused part of a member's database file back. The member does nothing else meanwhile.

        Args:
          endpoint: The member.
        """
        await self._call(m.DEFRAGMENT, pb.DefragmentRequest(), pb.DefragmentResponse, endpoint=endpoint)

    async def hash(self, *, endpoint: str | None = None) -> int:
        """A hash over a member's whole database, for tests of etcd; to compare members see :meth:`hash_kv`.

        Args:
          endpoint: The member.
        """
        return (await self._call(m.HASH, pb.HashRequest(), pb.HashResponse, endpoint=endpoint)).hash

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
        request = pb.HashKvRequest(revision=check_number("revision", revision))
        found = await self._call(m.HASH_KV, request, pb.HashKvResponse, endpoint=endpoint)
        header = found.header or pb.ResponseHeader()
        return HashKV(found.hash, found.compact_revision, found.hash_revision, header.revision)

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
        final_path = Path(path)
        if not final_path.name:
            raise InvalidRequestError(f"path {os.fspath(path)!r} names no file")
        with self._endpoints.trace.call(m.SNAPSHOT) as told:
            return await with_renewed_token(
                self._endpoints, lambda: self._snapshot(final_path, progress, endpoint, told)
            )

    async def _snapshot(
        self, final_path: Path, progress: Progress | None, endpoint: str | None, told: TracedCall
    ) -> SnapshotResult:
        part = final_path.with_name(f".{final_path.name}.{secrets.token_hex(4)}.part")
        if await trio.Path(final_path).is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(final_path))
        try:
            file = await trio.open_file(part, "xb", buffering=0, opener=_private)
        except OSError as error:
            error.filename = str(final_path)  # which the user knows
            raise

        async def take(data: bytes, state: Snapshot) -> None:
            await trio.lowlevel.checkpoint()
            left = memoryview(data)
            while left:
                left = left[await file.write(left) :]
            if progress is not None:
                progress(state.received, max(state.received, state.received + state.remaining))

        try:
            async with file, own_connection(self._endpoints, endpoint) as connection:
                told.over(connection)
                state = await receive_snapshot(connection, take)
                await trio.to_thread.run_sync(os.fsync, file.fileno())
            part.replace(final_path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        await trio.to_thread.run_sync(_sync_folder, final_path.parent)
        return SnapshotResult(final_path, state.received, state.digest, state.version, connection.endpoint)

    async def move_leader(self, target_id: int, *, endpoint: str | None = None) -> None:
        """Have another member lead.

        Args:
          target_id: The id of the member.
          endpoint: Where the present leader listens; None: it is looked for.

        Raises:
          BadLeaderTransfereeError: that member cannot lead.
          NotLeaderError: who listens at the endpoint does not lead.
        """
        request = pb.MoveLeaderRequest(target_id=check_id("target_id", target_id))
        if endpoint is None:
            statuses = (await self.status()).values()
            leaders = [
                each.endpoint for each in statuses if isinstance(each, MemberStatus) and each.is_leader
            ]
            endpoint = leaders[0] if leaders else None
        await self._call(m.MOVE_LEADER, request, pb.MoveLeaderResponse, endpoint=endpoint)

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
        chosen = DowngradeAction(action)
        if chosen is not DowngradeAction.CANCEL:
            check_text("version", version)
        request = pb.DowngradeRequest(action=pb.DowngradeRequestDowngradeAction(chosen), version=version)
        return (await self._call(m.DOWNGRADE, request, pb.DowngradeResponse)).version


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync_folder(folder: Path) -> None:
    """Have the file keep its new name whatever happens to the machine."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
