"""The classes of Trio's API for asyncio. Written by scripts/derive_asyncio.py: never edit it."""

# What is called behind these signatures is chosen at run time:
# mypy: disable-error-code="no-any-return, misc, overload-overlap"
# ruff: noqa: A002, ARG005, D, E501, FBT, PLW, PYI

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, overload

from .. import (
    ClientStatistics,
    Compare,
    Isolation,
    KeyValue,
    LeaseTimeToLive,
    MirrorChange,
    RangeResult,
    SortOrder,
    SortTarget,
    SupportsLease,
    WatchFilter,
    WatchStatistics,
)
from .._keys import TextT
from .._lease import OnLost
from ..streams._watcher import OnLag
from ._arguments import all_deleted, as_codec, as_filters, as_number, as_sort, deleted, previous
from ._hosted import Hosted
from ._txn import EtcdTransactionAction, TxnResult, carry_out
from ._wrapped import Channel, Entered, Wrapped, answer, register, wrap
from .types import (
    RangeRequestSortOrder,
    RangeRequestSortTarget,
    WatchBatch,
    WatchCreateRequestFilterType,
    WatchEvent,
)

if TYPE_CHECKING:
    from ._derived_admin import Auth, Cluster, Maintenance

ItemT = TypeVar("ItemT")

ResultT = TypeVar("ResultT")


class Barrier(Wrapped):
    """A barrier in etcd: closed from :meth:`hold` to :meth:`release`, and whoever waits meanwhile is held up.

    Made by :meth:`EtcdCommunicator.barrier`. It is the key of its name, in the layout of etcd's Go recipes, and belongs
    to nobody: any program may close or open it, and it stays as it is when that program ends.
    """

    async def hold(self) -> None:
        """Close it; it may be closed already.

        Cancellation:
          May have happened.

        Raises:
          EtcdError: as every write. It is safe to repeat.
        """
        return await self._call(self._trio.hold)

    async def release(self) -> None:
        """Open it, and let everybody go on who waits; it may be open already.

        Cancellation:
          May have happened.

        Raises:
          EtcdError: as every write. It is safe to repeat, unless somebody closes it again.
        """
        return await self._call(self._trio.release)

    async def wait(self) -> None:
        """Wait until it is open, or was for a moment.

        Returns at once if it is open. Nobody is left behind when it is closed again right after it was opened.

        Cancellation:
          No effect.

        Raises:
          EtcdError: as every read and watch.
          trio.ClosedResourceError: the client is closed.
        """
        return await self._call(self._trio.wait)


class DerivedEtcdCommunicator(Wrapped, Generic[TextT]):
    """The calls to etcd over one client's connection; made by :meth:`EtcdClient.connect`.

    Any number of tasks may use it at once. Once the block is left, every call raises
    :exc:`trio.ClosedResourceError`.
    """

    _hot: Any  # Trio's communicator, whose coroutines asyncio tasks can run

    def campaign(
        self, name: str | bytes, value: str | bytes, *, lease_ttl: int = 10, on_lost: OnLost = "cancel"
    ) -> Hosted[Leadership[TextT]]:
        """Stand for election: the block runs only while this program leads, and leaving it resigns.

        All candidates of a name wait in line; whoever came first leads. Like a lock (:meth:`lock` says how), the
        leadership has a lease of its own, and when it is lost the block is cancelled before anybody else can lead.

        A nursery is behind this: do not ``yield`` in the block from an async generator. The block's own exception
        leaves it as the same object.

        Cancellation:
          Cleans up, as :meth:`lock`.

        Args:
          name: What the leader is elected for.
          value: What others shall know of this program when it leads, such as where to reach it.
          lease_ttl: After so many seconds another one leads if this program dies.
          on_lost: ``"cancel"`` the block when the leadership is lost, or only ``"flag"`` it: see
            :attr:`Leadership.lost`.

        Returns:
          A context manager of the :class:`Leadership`.

        Raises:
          InvalidRequestError: a bad argument (or TypeError).
          LeadershipLostError: leaves the block when the leadership was lost; what the body raised is its
            ``__cause__``. On entering: the lease was lost while it waited.
          EtcdError: on entering: it could not stand.
        """
        return self._hosted(self._trio.campaign, name, value, lease_ttl=lease_ttl, on_lost=on_lost)

    async def leader(self, name: str | bytes) -> KeyValue[TextT] | None:
        """Who leads.

        Cancellation:
          No effect.

        Args:
          name: The name of the election.

        Returns:
          The key of the leader, with its value; None if nobody leads.

        Raises:
          InvalidRequestError: a bad name (or TypeError).
          EncodingError: the value is no text.
          EtcdError: as every read.
        """
        return await answer(self._hot.leader(name))

    def observe(self, name: str | bytes) -> LeaderObserver[TextT]:
        """Follow who leads.

        Args:
          name: The name of the election.

        Returns:
          A channel of leaders, to be entered.

        Raises:
          InvalidRequestError: a bad name (or TypeError).
        """
        return self._do(self._trio.observe, name)

    @property
    def held_lock(self) -> Lock[TextT] | None:
        """The lock of :meth:`EtcdClient.with_lock`; None where this came from elsewhere."""
        return self._get("held_lock")

    def lock(
        self,
        name: str | bytes,
        timeout: float | None = None,
        ttl: float | None = None,
        *,
        lease_ttl: int = 10,
        on_lost: OnLost = "cancel",
    ) -> Hosted[Lock[TextT]]:
        """Hold a lock for the length of a block.

        Locks of the same name exclude each other, those of ``etcdctl lock``, of Go's client and of etcd's Lock service
        as well: whoever came first has it, the others wait in line. Its keys are those below ``name/``, so no other
        lock's name may begin with that.

        The lock has a lease of its own, which a background task keeps alive. When it is lost (no server could be
        reached for so long that it may have expired, it was revoked, somebody deleted the lock's key) the block is
        cancelled, before anybody else can have the lock. What was already sent, and what the block does without a
        checkpoint, it cannot take back: for that there are ``put``, ``delete`` and ``txn`` of the lock itself, which
        the server carries out only while it is held.

        A nursery is behind this: do not ``yield`` in the block from an async generator. The block's own exception
        leaves it as the same object.

        Cancellation:
          Cleans up. Entering takes its key and its lease back, leaving releases the lock. Both wait up to 1 s for the
          server, or less if the lease ends sooner; then the server does it when the lease ends.

        Args:
          name: What is locked.
          timeout: For how many seconds to try; connecting counts. 0: try once, and do not wait if it is held. None: for
            ever. (An outer ``trio.fail_after`` would bound the block as well.)
          ttl: Hold it for so many seconds at most: then it is released, and lost, whatever the block does. None: no
            limit.
          lease_ttl: After so many seconds it frees itself if this program dies. (With ``ttl``: not later than that.)
          on_lost: ``"cancel"`` the block when the lock is lost, or only ``"flag"`` it: see :attr:`Lock.lost`.

        Returns:
          A context manager of the :class:`Lock`.

        Raises:
          InvalidRequestError: a bad argument (or TypeError).
          LockTimeoutError: on entering: not acquired in time; it is a :exc:`TimeoutError` and a
            :exc:`trio.TooSlowError`.
          LockLostError: leaves the block when the lock was lost; what the body raised is its ``__cause__``. On
            entering: its lease was lost while it waited.
          EtcdError: on entering: it could not be acquired.
        """
        return self._hosted(self._trio.lock, name, timeout, ttl, lease_ttl=lease_ttl, on_lost=on_lost)

    def lease(self, ttl: int) -> Hosted[Lease]:
        """Hold a lease for the length of a block: granted, kept alive by a background task, and revoked in the end.

        When it is lost (it expired since no server could be reached, or was revoked) the block is cancelled, before the
        server can have ended the lease. A nursery is behind this: do not ``yield`` in the block from an async
        generator. The block's own exception leaves it as the same object.

        Cancellation:
          Cleans up. Entering waits up to 1 s for a grant that is under way; leaving revokes, for which it waits up to
          1 s, or less if the lease ends sooner.

        Args:
          ttl: For how many seconds the lease lives on by itself if this program cannot renew it. The server may grant
            more, at least 2 s as a rule: see :attr:`Lease.ttl`.

        Returns:
          A context manager of the :class:`Lease`.

        Raises:
          InvalidRequestError: ``ttl`` is less than 1 (or TypeError).
          LeaseLostError: leaves the block when the lease was lost; what the body raised is its ``__cause__``.
          LeaseTTLTooLargeError: more than 9 000 000 000 s.
          EtcdError: on entering: it was not granted.
        """
        return self._hosted(self._trio.lease, ttl)

    async def grant_lease(self, ttl: int, id: int | str | None = None) -> int:
        """Grant a lease that nobody keeps alive: see :meth:`keepalive_once`, and :meth:`lease` for one that is.

        Cancellation:
          May have happened.

        Args:
          ttl: Its time to live in seconds.
          lease_id: The id that it shall have; 0 for one that no other lease has.

        Returns:
          Its id.

        Raises:
          LeaseExistsError: there is a lease of that id.
          LeaseTTLTooLargeError: more than 9 000 000 000 s.
          EtcdError: see :class:`Writes`.
        """
        return (await self._call(self._trio.grant_lease, ttl, lease_id=as_number(id))).id

    async def revoke_lease(self, id: int | str | None) -> None:
        """End a lease and delete the keys that go with it.

        Cancellation:
          May have happened.

        Args:
          lease: The lease or its id.

        Raises:
          LeaseNotFoundError: there is no such lease.
          EtcdError: see :class:`Writes`.
        """
        return await self._call(self._trio.revoke_lease, as_number(id))

    async def keepalive_once(self, lease: SupportsLease | int) -> int:
        """Renew a lease: it has its whole time to live again.

        Cancellation:
          May have happened.

        Args:
          lease: The lease or its id.

        Returns:
          Its time to live in seconds.

        Raises:
          LeaseNotFoundError: there is no such lease (any more).
          EtcdError: it was not renewed, or perhaps.
        """
        return await self._call(self._trio.keepalive_once, lease)

    async def lease_time_to_live(
        self, lease: SupportsLease | int, *, keys: bool = False
    ) -> LeaseTimeToLive[TextT]:
        """How long a lease has left.

        Cancellation:
          No effect.

        Args:
          lease: The lease or its id.
          keys: Return its keys as well.

        Returns:
          The seconds it has left and what it was granted, and the keys; those outside of the namespace in full.

        Raises:
          LeaseNotFoundError: there is no such lease (any more).
          EncodingError: a key is no text.
          EtcdError: as every read.
        """
        return await answer(self._hot.lease_time_to_live(lease, keys=keys))

    async def list_leases(self) -> list[int]:
        """The ids of all leases (etcd 3.3).

        Cancellation:
          No effect.

        Returns:
          The ids, in no order.

        Raises:
          EtcdError: as every read.
        """
        return await answer(self._hot.list_leases())

    @overload
    async def stm(
        self,
        function: Callable[[StmTransaction[Any]], Awaitable[ResultT]],
        *,
        isolation: Isolation = ...,
        encoding: None = ...,
    ) -> ResultT: ...
    @overload
    async def stm(
        self,
        function: Callable[[StmTransaction[Any]], Awaitable[ResultT]],
        *,
        isolation: Isolation = ...,
        encoding: str,
    ) -> ResultT: ...
    @overload
    async def stm(
        self,
        function: Callable[[StmTransaction[Any]], Awaitable[ResultT]],
        *,
        isolation: Isolation = ...,
        encoding: type[bytes],
    ) -> ResultT: ...
    async def stm(
        self,
        function: Callable[[StmTransaction[Any]], Awaitable[ResultT]],
        *,
        isolation: Isolation = "serializable_snapshot",
        encoding: str | type[bytes] | None = None,
    ) -> ResultT:
        """Run an async function that reads and writes keys, all in one transaction.

        The function gets a :class:`StmTransaction`. What it writes is sent when it returns, in one transaction that is
        carried out only if nothing that the function has read was written in the meantime. If something was, the
        function is run again with the new values, as often as it takes: it should do nothing else that must not
        happen twice. When it raises, nothing is written, and the exception leaves as it is. Each time that one is run
        again, another transaction has been carried out; put a :func:`trio.fail_after` around it for a limit.

        Cancellation:
          May have happened; no effect if the function writes nothing.

        Args:
          function: ``async def function(transaction)``; what it returns is returned.
          isolation: ``"serializable_snapshot"``: all reads show the store at one revision, and a key that is written
            without having been read must not have been written since then either. ``"serializable"``: all reads show
            the store at one revision. ``"repeatable_reads"``: reading a key again gives the same value, but different
            keys may be read at different revisions; so the function may see values that never were there at the same
            time, and then is run again.
          encoding: The text codec of this call; None takes and gives bytes. The default is the client's.

        Returns:
          What the function returned.

        Raises:
          InvalidRequestError: a bad argument (or TypeError); nothing was sent.
          OutcomeUnknownError: the writes may or may not have been carried out. It is safe to repeat it with a function
            that looks first whether a key it wrote is there.
          TooManyOpsError: more keys than the server takes in a transaction (128 unless it is set).
          EtcdError: as every transaction.
          trio.ClosedResourceError: the client is closed.
        """
        return await self._call(
            self._trio.stm, self._coroutine(function), isolation=isolation, encoding=as_codec(encoding)
        )

    @overload
    def queue(self, name: str | bytes, *, encoding: None = ...) -> Queue[TextT]: ...
    @overload
    def queue(self, name: str | bytes, *, encoding: str) -> Queue[str]: ...
    @overload
    def queue(self, name: str | bytes, *, encoding: type[bytes]) -> Queue[bytes]: ...
    def queue(self, name: str | bytes, *, encoding: str | type[bytes] | None = None) -> Queue[Any]:
        """A queue that many programs put items into and take items from; opens nothing.

        Args:
          name: Its name; its items are the keys below ``name/``.
          encoding: The text codec of the queue; None takes and gives bytes. The default is the client's.

        Raises:
          InvalidRequestError: a bad argument (or TypeError).
        """
        return self._do(self._trio.queue, name, encoding=as_codec(encoding))

    def barrier(self, name: str | bytes) -> Barrier:
        """A barrier that programs wait at; opens nothing.

        Args:
          name: Its name; it is closed while there is a key of this name.

        Raises:
          InvalidRequestError: a bad argument (or TypeError).
        """
        return self._do(self._trio.barrier, name)

    def semaphore(
        self, name: str | bytes, n: int, timeout: float | None = None, *, lease_ttl: int = 10
    ) -> Hosted[Lock[TextT]]:
        """Hold one of ``n`` permits for the length of a block.

        As :meth:`lock`, which is this with one permit: whoever came first is served first, a permit that is lost ends
        the block, and the :class:`Lock` that stands for it writes only while it is held. Everybody should give the same
        ``n``: a permit is given to whoever finds fewer than ``n`` before it.

        Cancellation:
          Cleans up, as :meth:`lock`.

        Args:
          name: Its name. Its keys are those below ``name/``, as those of the lock of that name.
          n: How many can hold a permit at the same time; at least 1.
          timeout: and ``lease_ttl``: as :meth:`lock`.

        Returns:
          A context manager of the :class:`Lock` that stands for the permit.

        Raises:
          InvalidRequestError: a bad argument (or TypeError).
          LockTimeoutError: on entering: no permit in time.
          LockLostError: leaves the block when the permit was lost.
          EtcdError: as :meth:`lock`.
        """
        return self._hosted(self._trio.semaphore, name, n, timeout, lease_ttl=lease_ttl)

    def rwlock(self, name: str | bytes) -> RWLock[TextT]:
        """A lock that many readers hold together, or one writer alone; opens nothing.

        Args:
          name: Its name; its keys are those below ``name/read/`` and ``name/write/``.

        Raises:
          InvalidRequestError: a bad argument (or TypeError).
        """
        return self._do(self._trio.rwlock, name)

    @overload
    def watch(
        self,
        key: str | bytes,
        ready_event: asyncio.Event | None = ...,
        filters: Sequence[WatchFilter | WatchCreateRequestFilterType] | None = ...,
        prev_kv: bool = ...,
        progress_notify: bool = ...,
        start_revision: int | str | None = ...,
        watch_id: int | str | None = ...,
        encoding: None = ...,
        *,
        buffer: int = ...,
        on_lag: OnLag = ...,
        resync: bool = ...,
    ) -> Watch[WatchEvent[TextT]]: ...
    @overload
    def watch(
        self,
        key: str | bytes,
        ready_event: asyncio.Event | None = ...,
        filters: Sequence[WatchFilter | WatchCreateRequestFilterType] | None = ...,
        prev_kv: bool = ...,
        progress_notify: bool = ...,
        start_revision: int | str | None = ...,
        watch_id: int | str | None = ...,
        *,
        encoding: str,
        buffer: int = ...,
        on_lag: OnLag = ...,
        resync: bool = ...,
    ) -> Watch[WatchEvent[str]]: ...
    @overload
    def watch(
        self,
        key: str | bytes,
        ready_event: asyncio.Event | None = ...,
        filters: Sequence[WatchFilter | WatchCreateRequestFilterType] | None = ...,
        prev_kv: bool = ...,
        progress_notify: bool = ...,
        start_revision: int | str | None = ...,
        watch_id: int | str | None = ...,
        *,
        encoding: type[bytes],
        buffer: int = ...,
        on_lag: OnLag = ...,
        resync: bool = ...,
    ) -> Watch[WatchEvent[bytes]]: ...
    @overload
    def watch(
        self,
        key: str | bytes,
        ready_event: asyncio.Event | None = ...,
        filters: Sequence[WatchFilter | WatchCreateRequestFilterType] | None = ...,
        prev_kv: bool = ...,
        progress_notify: bool = ...,
        start_revision: int | str | None = ...,
        watch_id: int | str | None = ...,
        encoding: None = ...,
        *,
        buffer: int = ...,
        on_lag: OnLag = ...,
        resync: bool = ...,
        batches: Literal[True],
    ) -> Watch[WatchBatch[TextT]]: ...
    @overload
    def watch(
        self,
        key: str | bytes,
        ready_event: asyncio.Event | None = ...,
        filters: Sequence[WatchFilter | WatchCreateRequestFilterType] | None = ...,
        prev_kv: bool = ...,
        progress_notify: bool = ...,
        start_revision: int | str | None = ...,
        watch_id: int | str | None = ...,
        *,
        encoding: str,
        buffer: int = ...,
        on_lag: OnLag = ...,
        resync: bool = ...,
        batches: Literal[True],
    ) -> Watch[WatchBatch[str]]: ...
    @overload
    def watch(
        self,
        key: str | bytes,
        ready_event: asyncio.Event | None = ...,
        filters: Sequence[WatchFilter | WatchCreateRequestFilterType] | None = ...,
        prev_kv: bool = ...,
        progress_notify: bool = ...,
        start_revision: int | str | None = ...,
        watch_id: int | str | None = ...,
        *,
        encoding: type[bytes],
        buffer: int = ...,
        on_lag: OnLag = ...,
        resync: bool = ...,
        batches: Literal[True],
    ) -> Watch[WatchBatch[bytes]]: ...
    def watch(
        self,
        key: str | bytes,
        ready_event: asyncio.Event | None = None,
        filters: Sequence[WatchFilter | WatchCreateRequestFilterType] | None = None,
        prev_kv: bool = False,
        progress_notify: bool = False,
        start_revision: int | str | None = None,
        watch_id: int | str | None = None,
        encoding: str | type[bytes] | None = None,
        *,
        buffer: int = 1024,
        on_lag: OnLag = "wait",
        resync: bool = False,
        batches: bool = False,
    ) -> Watch[WatchEvent[Any]] | Watch[WatchBatch[Any]]:
        """Watch one key.

        Raises only for bad arguments; entering and receiving raise what :class:`Watch` says.

        Args:
          key: The key.
          start_revision: and the other options: see :class:`Watches`.

        Returns:
          A channel of :class:`WatchEvent`; of :class:`WatchBatch` with ``batches=True``.

        Raises:
          InvalidRequestError: a bad argument (or TypeError).
        """
        return self._do(
            self._trio.watch,
            key,
            ready_event=ready_event,
            filters=as_filters(filters),
            prev_kv=prev_kv,
            progress_notify=progress_notify,
            start_revision=as_number(start_revision),
            watch_id=as_number(watch_id),
            encoding=as_codec(encoding),
            buffer=buffer,
            on_lag=on_lag,
            resync=resync,
            batches=batches,
        )

    @overload
    def watch_prefix(
        self,
        key: str | bytes,
        ready_event: asyncio.Event | None = ...,
        filters: Sequence[WatchFilter | WatchCreateRequestFilterType] | None = ...,
        prev_kv: bool = ...,
        progress_notify: bool = ...,
        start_revision: int | str | None = ...,
        watch_id: int | str | None = ...,
        encoding: None = ...,
        *,
        buffer: int = ...,
        on_lag: OnLag = ...,
        resync: bool = ...,
    ) -> Watch[WatchEvent[TextT]]: ...
    @overload
    def watch_prefix(
        self,
        key: str | bytes,
        ready_event: asyncio.Event | None = ...,
        filters: Sequence[WatchFilter | WatchCreateRequestFilterType] | None = ...,
        prev_kv: bool = ...,
        progress_notify: bool = ...,
        start_revision: int | str | None = ...,
        watch_id: int | str | None = ...,
        *,
        encoding: str,
        buffer: int = ...,
        on_lag: OnLag = ...,
        resync: bool = ...,
    ) -> Watch[WatchEvent[str]]: ...
    @overload
    def watch_prefix(
        self,
        key: str | bytes,
        ready_event: asyncio.Event | None = ...,
        filters: Sequence[WatchFilter | WatchCreateRequestFilterType] | None = ...,
        prev_kv: bool = ...,
        progress_notify: bool = ...,
        start_revision: int | str | None = ...,
        watch_id: int | str | None = ...,
        *,
        encoding: type[bytes],
        buffer: int = ...,
        on_lag: OnLag = ...,
        resync: bool = ...,
    ) -> Watch[WatchEvent[bytes]]: ...
    @overload
    def watch_prefix(
        self,
        key: str | bytes,
        ready_event: asyncio.Event | None = ...,
        filters: Sequence[WatchFilter | WatchCreateRequestFilterType] | None = ...,
        prev_kv: bool = ...,
        progress_notify: bool = ...,
        start_revision: int | str | None = ...,
        watch_id: int | str | None = ...,
        encoding: None = ...,
        *,
        buffer: int = ...,
        on_lag: OnLag = ...,
        resync: bool = ...,
        batches: Literal[True],
    ) -> Watch[WatchBatch[TextT]]: ...
    @overload
    def watch_prefix(
        self,
        key: str | bytes,
        ready_event: asyncio.Event | None = ...,
        filters: Sequence[WatchFilter | WatchCreateRequestFilterType] | None = ...,
        prev_kv: bool = ...,
        progress_notify: bool = ...,
        start_revision: int | str | None = ...,
        watch_id: int | str | None = ...,
        *,
        encoding: str,
        buffer: int = ...,
        on_lag: OnLag = ...,
        resync: bool = ...,
        batches: Literal[True],
    ) -> Watch[WatchBatch[str]]: ...
    @overload
    def watch_prefix(
        self,
        key: str | bytes,
        ready_event: asyncio.Event | None = ...,
        filters: Sequence[WatchFilter | WatchCreateRequestFilterType] | None = ...,
        prev_kv: bool = ...,
        progress_notify: bool = ...,
        start_revision: int | str | None = ...,
        watch_id: int | str | None = ...,
        *,
        encoding: type[bytes],
        buffer: int = ...,
        on_lag: OnLag = ...,
        resync: bool = ...,
        batches: Literal[True],
    ) -> Watch[WatchBatch[bytes]]: ...
    def watch_prefix(
        self,
        key: str | bytes,
        ready_event: asyncio.Event | None = None,
        filters: Sequence[WatchFilter | WatchCreateRequestFilterType] | None = None,
        prev_kv: bool = False,
        progress_notify: bool = True,
        start_revision: int | str | None = None,
        watch_id: int | str | None = None,
        encoding: str | type[bytes] | None = None,
        *,
        buffer: int = 1024,
        on_lag: OnLag = "wait",
        resync: bool = False,
        batches: bool = False,
    ) -> Watch[WatchEvent[Any]] | Watch[WatchBatch[Any]]:
        """Watch all keys that begin with ``key``; with an empty one, all keys.

        Raises only for bad arguments; entering and receiving raise what :class:`Watch` says.

        Args:
          key: How the keys begin.
          start_revision: and the other options: see :class:`Watches`.

        Returns:
          A channel of :class:`WatchEvent`; of :class:`WatchBatch` with ``batches=True``.

        Raises:
          InvalidRequestError: a bad argument (or TypeError).
        """
        return self._do(
            self._trio.watch_prefix,
            key,
            ready_event=ready_event,
            filters=as_filters(filters),
            prev_kv=prev_kv,
            progress_notify=progress_notify,
            start_revision=as_number(start_revision),
            watch_id=as_number(watch_id),
            encoding=as_codec(encoding),
            buffer=buffer,
            on_lag=on_lag,
            resync=resync,
            batches=batches,
        )

    @overload
    def watch_range(
        self,
        key: str | bytes,
        range_end: str | bytes,
        *,
        start_revision: int = ...,
        prev_kv: bool = ...,
        filters: Sequence[WatchFilter | WatchCreateRequestFilterType] | None = ...,
        progress_notify: bool = ...,
        watch_id: int = ...,
        ready_event: asyncio.Event | None = ...,
        buffer: int = ...,
        on_lag: OnLag = ...,
        resync: bool = ...,
        encoding: None = ...,
    ) -> Watch[WatchEvent[TextT]]: ...
    @overload
    def watch_range(
        self,
        key: str | bytes,
        range_end: str | bytes,
        *,
        start_revision: int = ...,
        prev_kv: bool = ...,
        filters: Sequence[WatchFilter | WatchCreateRequestFilterType] | None = ...,
        progress_notify: bool = ...,
        watch_id: int = ...,
        ready_event: asyncio.Event | None = ...,
        buffer: int = ...,
        on_lag: OnLag = ...,
        resync: bool = ...,
        encoding: str,
    ) -> Watch[WatchEvent[str]]: ...
    @overload
    def watch_range(
        self,
        key: str | bytes,
        range_end: str | bytes,
        *,
        start_revision: int = ...,
        prev_kv: bool = ...,
        filters: Sequence[WatchFilter | WatchCreateRequestFilterType] | None = ...,
        progress_notify: bool = ...,
        watch_id: int = ...,
        ready_event: asyncio.Event | None = ...,
        buffer: int = ...,
        on_lag: OnLag = ...,
        resync: bool = ...,
        encoding: type[bytes],
    ) -> Watch[WatchEvent[bytes]]: ...
    @overload
    def watch_range(
        self,
        key: str | bytes,
        range_end: str | bytes,
        *,
        start_revision: int = ...,
        prev_kv: bool = ...,
        filters: Sequence[WatchFilter | WatchCreateRequestFilterType] | None = ...,
        progress_notify: bool = ...,
        watch_id: int = ...,
        ready_event: asyncio.Event | None = ...,
        buffer: int = ...,
        on_lag: OnLag = ...,
        resync: bool = ...,
        batches: Literal[True],
        encoding: None = ...,
    ) -> Watch[WatchBatch[TextT]]: ...
    @overload
    def watch_range(
        self,
        key: str | bytes,
        range_end: str | bytes,
        *,
        start_revision: int = ...,
        prev_kv: bool = ...,
        filters: Sequence[WatchFilter | WatchCreateRequestFilterType] | None = ...,
        progress_notify: bool = ...,
        watch_id: int = ...,
        ready_event: asyncio.Event | None = ...,
        buffer: int = ...,
        on_lag: OnLag = ...,
        resync: bool = ...,
        batches: Literal[True],
        encoding: str,
    ) -> Watch[WatchBatch[str]]: ...
    @overload
    def watch_range(
        self,
        key: str | bytes,
        range_end: str | bytes,
        *,
        start_revision: int = ...,
        prev_kv: bool = ...,
        filters: Sequence[WatchFilter | WatchCreateRequestFilterType] | None = ...,
        progress_notify: bool = ...,
        watch_id: int = ...,
        ready_event: asyncio.Event | None = ...,
        buffer: int = ...,
        on_lag: OnLag = ...,
        resync: bool = ...,
        batches: Literal[True],
        encoding: type[bytes],
    ) -> Watch[WatchBatch[bytes]]: ...
    def watch_range(
        self,
        key: str | bytes,
        range_end: str | bytes,
        *,
        start_revision: int = 0,
        prev_kv: bool = False,
        filters: Sequence[WatchFilter | WatchCreateRequestFilterType] | None = None,
        progress_notify: bool = False,
        watch_id: int = 0,
        ready_event: asyncio.Event | None = None,
        buffer: int = 1024,
        on_lag: OnLag = "wait",
        resync: bool = False,
        batches: bool = False,
        encoding: str | type[bytes] | None = None,
    ) -> Watch[WatchEvent[Any]] | Watch[WatchBatch[Any]]:
        r"""Watch the keys from ``key`` to before ``range_end``.

        Raises only for bad arguments; entering and receiving raise what :class:`Watch` says.

        Args:
          key: The first key; ``"\0"`` is the first of all.
          range_end: The first key that is not meant any more; ``"\0"`` is after the last of all.
          start_revision: and the other options: see :class:`Watches`.

        Returns:
          A channel of :class:`WatchEvent`; of :class:`WatchBatch` with ``batches=True``.

        Raises:
          InvalidRequestError: a bad argument (or TypeError).
        """
        return self._do(
            self._trio.watch_range,
            key,
            range_end,
            start_revision=start_revision,
            prev_kv=prev_kv,
            filters=as_filters(filters),
            progress_notify=progress_notify,
            watch_id=watch_id,
            ready_event=ready_event,
            buffer=buffer,
            on_lag=on_lag,
            resync=resync,
            batches=batches,
            encoding=as_codec(encoding),
        )

    @overload
    async def put(
        self,
        key: str | bytes,
        value: str | bytes | None,
        lease: SupportsLease | int | None = ...,
        prev_kv: bool = ...,
        encoding: None = ...,
        *,
        ignore_value: bool = ...,
        ignore_lease: bool = ...,
    ) -> TextT | None: ...
    @overload
    async def put(
        self,
        key: str | bytes,
        value: str | bytes | None,
        lease: SupportsLease | int | None = ...,
        prev_kv: bool = ...,
        *,
        encoding: str,
        ignore_value: bool = ...,
        ignore_lease: bool = ...,
    ) -> str | None: ...
    @overload
    async def put(
        self,
        key: str | bytes,
        value: str | bytes | None,
        lease: SupportsLease | int | None = ...,
        prev_kv: bool = ...,
        *,
        encoding: type[bytes],
        ignore_value: bool = ...,
        ignore_lease: bool = ...,
    ) -> bytes | None: ...
    async def put(
        self,
        key: str | bytes,
        value: str | bytes | None,
        lease: SupportsLease | int | None = None,
        prev_kv: bool = False,
        encoding: str | type[bytes] | None = None,
        *,
        ignore_value: bool = False,
        ignore_lease: bool = False,
    ) -> Any | None:
        """Write a key.

        Cancellation:
          May have happened.

        Args:
          key: The key.
          value: Its new value.
          lease: The lease, or the id of the lease, that the key goes with when it ends; 0 for none.
          prev_kv: Return the value before.
          ignore_value: Keep the value and change only the lease; give no ``value``.
          ignore_lease: Keep the lease and change only the value.
          encoding: The text codec of this call; None takes and gives bytes. The default is the client's.

        Returns:
          With ``prev_kv=True`` the value before, if there was one; else None. :meth:`txn` tells more.

        Raises:
          LeaseNotFoundError: there is no such lease.
          KeyNotFoundError: there is no such key, though ``ignore_value`` or ``ignore_lease`` want one.
          EtcdError: see :class:`Writes`.
        """
        return previous(
            await answer(
                self._hot.put(
                    key,
                    value,
                    lease=lease or 0,
                    prev_kv=prev_kv,
                    encoding=as_codec(encoding),
                    ignore_value=ignore_value or value is None,
                    ignore_lease=ignore_lease,
                )
            )
        )

    @overload
    async def delete(self, key: str | bytes, prev_kv: bool = ..., encoding: None = ...) -> TextT | None: ...
    @overload
    async def delete(self, key: str | bytes, prev_kv: bool = ..., *, encoding: str) -> str | None: ...
    @overload
    async def delete(
        self, key: str | bytes, prev_kv: bool = ..., *, encoding: type[bytes]
    ) -> bytes | None: ...
    async def delete(
        self, key: str | bytes, prev_kv: bool = False, encoding: str | type[bytes] | None = None
    ) -> Any | None:
        """Delete one key; it is no error if there is none.

        Cancellation:
          May have happened.

        Args:
          key: The key.
          prev_kv: Return the record as it was.
          encoding: The text codec of this call; None takes and gives bytes. The default is the client's.

        Returns:
          With ``prev_kv=True`` the value before, if there was one; else None. :meth:`txn` tells more.

        Raises:
          EtcdError: see :class:`Writes`.
        """
        return deleted(await answer(self._hot.delete(key, prev_kv=prev_kv, encoding=as_codec(encoding))))

    @overload
    async def delete_prefix(
        self, key: str | bytes, prev_kv: bool = ..., encoding: None = ...
    ) -> list[TextT] | None: ...
    @overload
    async def delete_prefix(
        self, key: str | bytes, prev_kv: bool = ..., *, encoding: str
    ) -> list[str] | None: ...
    @overload
    async def delete_prefix(
        self, key: str | bytes, prev_kv: bool = ..., *, encoding: type[bytes]
    ) -> list[bytes] | None: ...
    async def delete_prefix(
        self, key: str | bytes, prev_kv: bool = False, encoding: str | type[bytes] | None = None
    ) -> list[Any] | None:
        """Delete all keys that begin with ``key``; with an empty prefix, all keys (of the namespace).

        Cancellation:
          May have happened.

        Args:
          key: How the keys begin.
          prev_kv: Return the records as they were.
          encoding: As in :meth:`delete`.

        Returns:
          With ``prev_kv=True`` the values before, else None.

        Raises:
          EtcdError: see :class:`Writes`.
        """
        return all_deleted(
            await answer(self._hot.delete_prefix(key, prev_kv=prev_kv, encoding=as_codec(encoding))),
            asked=prev_kv,
        )

    @overload
    async def delete_range(
        self, key: str | bytes, range_end: str | bytes, prev_kv: bool = ..., encoding: None = ...
    ) -> list[TextT] | None: ...
    @overload
    async def delete_range(
        self, key: str | bytes, range_end: str | bytes, prev_kv: bool = ..., *, encoding: str
    ) -> list[str] | None: ...
    @overload
    async def delete_range(
        self, key: str | bytes, range_end: str | bytes, prev_kv: bool = ..., *, encoding: type[bytes]
    ) -> list[bytes] | None: ...
    async def delete_range(
        self,
        key: str | bytes,
        range_end: str | bytes,
        prev_kv: bool = False,
        encoding: str | type[bytes] | None = None,
    ) -> list[Any] | None:
        r"""Delete the keys from ``key`` to before ``range_end``.

        Cancellation:
          May have happened.

        Args:
          key: The first key; ``"\0"`` is the first of all.
          range_end: The first key that is not meant any more; ``"\0"`` is after the last of all.
          prev_kv: Return the records as they were.
          encoding: As in :meth:`delete`.

        Returns:
          With ``prev_kv=True`` the values before, else None.

        Raises:
          EtcdError: see :class:`Writes`.
        """
        return all_deleted(
            await answer(
                self._hot.delete_range(key, range_end, prev_kv=prev_kv, encoding=as_codec(encoding))
            ),
            asked=prev_kv,
        )

    async def compact(self, revision: int, *, physical: bool = False) -> None:
        """Forget the store's history before ``revision``.

        Cancellation:
          May have happened.

        Args:
          revision: The oldest revision that can still be read afterwards, the newest one at most.
          physical: Return only once the space is free.

        Raises:
          CompactedError: the history before ``revision`` is forgotten already.
          FutureRevisionError: the store has not come to ``revision`` yet.
          EtcdError: see :class:`Writes`.
        """
        return await answer(self._hot.compact(revision, physical=physical))

    @overload
    async def range(
        self,
        key: str | bytes,
        range_end: str | bytes | None = ...,
        *,
        prefix: bool = ...,
        keys_only: bool = ...,
        count_only: bool = ...,
        limit: int = ...,
        revision: int = ...,
        sort_order: SortOrder | RangeRequestSortOrder = ...,
        sort_target: SortTarget | RangeRequestSortTarget = ...,
        serializable: bool = ...,
        min_mod_revision: int = ...,
        max_mod_revision: int = ...,
        min_create_revision: int = ...,
        max_create_revision: int = ...,
        encoding: None = ...,
    ) -> RangeResult[TextT]: ...
    @overload
    async def range(
        self,
        key: str | bytes,
        range_end: str | bytes | None = ...,
        *,
        prefix: bool = ...,
        keys_only: bool = ...,
        count_only: bool = ...,
        limit: int = ...,
        revision: int = ...,
        sort_order: SortOrder | RangeRequestSortOrder = ...,
        sort_target: SortTarget | RangeRequestSortTarget = ...,
        serializable: bool = ...,
        min_mod_revision: int = ...,
        max_mod_revision: int = ...,
        min_create_revision: int = ...,
        max_create_revision: int = ...,
        encoding: str,
    ) -> RangeResult[str]: ...
    @overload
    async def range(
        self,
        key: str | bytes,
        range_end: str | bytes | None = ...,
        *,
        prefix: bool = ...,
        keys_only: bool = ...,
        count_only: bool = ...,
        limit: int = ...,
        revision: int = ...,
        sort_order: SortOrder | RangeRequestSortOrder = ...,
        sort_target: SortTarget | RangeRequestSortTarget = ...,
        serializable: bool = ...,
        min_mod_revision: int = ...,
        max_mod_revision: int = ...,
        min_create_revision: int = ...,
        max_create_revision: int = ...,
        encoding: type[bytes],
    ) -> RangeResult[bytes]: ...
    async def range(
        self,
        key: str | bytes,
        range_end: str | bytes | None = None,
        *,
        prefix: bool = False,
        keys_only: bool = False,
        count_only: bool = False,
        limit: int = 0,
        revision: int = 0,
        sort_order: SortOrder | RangeRequestSortOrder = RangeRequestSortOrder.NONE,
        sort_target: SortTarget | RangeRequestSortTarget = RangeRequestSortTarget.KEY,
        serializable: bool = False,
        min_mod_revision: int = 0,
        max_mod_revision: int = 0,
        min_create_revision: int = 0,
        max_create_revision: int = 0,
        encoding: str | type[bytes] | None = None,
    ) -> RangeResult[bytes] | RangeResult[str] | RangeResult[Any]:
        r"""Read full records: values with their revisions, versions and leases.

        Cancellation:
          No effect.

        Args:
          key: The key; with ``range_end`` the first one, with ``prefix=True`` how they begin.
          range_end: The first key that is not meant any more; ``"\0"`` is after the last of all. None: one
            key.
          prefix: All keys that begin with ``key``.
          keys_only: Leave the values empty.
          count_only: Give only the count.
          limit: and the other options: see :class:`Reads`.

        Returns:
          The records, and how many there are in all.

        Raises:
          EtcdError: see :class:`Reads`.
        """
        return await answer(
            self._hot.range(
                key,
                range_end,
                prefix=prefix,
                keys_only=keys_only,
                count_only=count_only,
                limit=limit,
                revision=revision,
                sort_order=as_sort(sort_order),
                sort_target=as_sort(sort_target),
                serializable=serializable,
                min_mod_revision=min_mod_revision,
                max_mod_revision=max_mod_revision,
                min_create_revision=min_create_revision,
                max_create_revision=max_create_revision,
                encoding=as_codec(encoding),
            )
        )

    @overload
    def iter_range(
        self,
        key: str | bytes,
        range_end: str | bytes | None = ...,
        *,
        prefix: bool = ...,
        keys_only: bool = ...,
        revision: int = ...,
        serializable: bool = ...,
        min_mod_revision: int = ...,
        max_mod_revision: int = ...,
        min_create_revision: int = ...,
        max_create_revision: int = ...,
        encoding: None = ...,
    ) -> RangeIterator[TextT]: ...
    @overload
    def iter_range(
        self,
        key: str | bytes,
        range_end: str | bytes | None = ...,
        *,
        prefix: bool = ...,
        keys_only: bool = ...,
        revision: int = ...,
        serializable: bool = ...,
        min_mod_revision: int = ...,
        max_mod_revision: int = ...,
        min_create_revision: int = ...,
        max_create_revision: int = ...,
        encoding: str,
    ) -> RangeIterator[str]: ...
    @overload
    def iter_range(
        self,
        key: str | bytes,
        range_end: str | bytes | None = ...,
        *,
        prefix: bool = ...,
        keys_only: bool = ...,
        revision: int = ...,
        serializable: bool = ...,
        min_mod_revision: int = ...,
        max_mod_revision: int = ...,
        min_create_revision: int = ...,
        max_create_revision: int = ...,
        encoding: type[bytes],
    ) -> RangeIterator[bytes]: ...
    def iter_range(
        self,
        key: str | bytes,
        range_end: str | bytes | None = None,
        *,
        prefix: bool = False,
        keys_only: bool = False,
        revision: int = 0,
        serializable: bool = False,
        min_mod_revision: int = 0,
        max_mod_revision: int = 0,
        min_create_revision: int = 0,
        max_create_revision: int = 0,
        encoding: str | type[bytes] | None = None,
    ) -> RangeIterator[bytes] | RangeIterator[str] | RangeIterator[Any]:
        r"""Read any number of keys, a part at a time, all as of one revision.

        Use it as ``async with communicator.iter_range("/logs/", prefix=True) as records: async for record in
        records: ...``, or directly in ``async for``. Servers that have RangeStream (etcd 3.7) stream the
        keys; from others they are read in pages. Memory stays bounded by about a page (1 MiB) or the stream's
        window (4 MiB), unless a single record is larger.

        Args:
          key: The key; with ``range_end`` the first one, with ``prefix=True`` how they begin.
          range_end: The first key that is not meant any more; ``"\0"`` is after the last of all. None: one
            key.
          prefix: All keys that begin with ``key``.
          keys_only: Leave the values empty.
          revision: and the other options: see :class:`Reads`.

        Returns:
          The records in the order of their keys' bytes; reading them raises what :class:`Reads` says.

        Raises:
          InvalidRequestError: a bad argument (or TypeError).
        """
        return self._do(
            self._trio.iter_range,
            key,
            range_end,
            prefix=prefix,
            keys_only=keys_only,
            revision=revision,
            serializable=serializable,
            min_mod_revision=min_mod_revision,
            max_mod_revision=max_mod_revision,
            min_create_revision=min_create_revision,
            max_create_revision=max_create_revision,
            encoding=as_codec(encoding),
        )

    async def count(
        self,
        key: str | bytes,
        range_end: str | bytes | None = None,
        *,
        prefix: bool = False,
        revision: int = 0,
        serializable: bool = False,
    ) -> int:
        r"""Count keys without reading them.

        Cancellation:
          No effect.

        Args:
          key: The key; with ``range_end`` the first one, with ``prefix=True`` how they begin.
          range_end: The first key that is not meant any more; ``"\0"`` is after the last of all. None: one
            key.
          prefix: All keys that begin with ``key``; with an empty one, all keys.
          revision: and ``serializable``: see :class:`Reads`.

        Returns:
          How many keys there are.

        Raises:
          EtcdError: see :class:`Reads`.
        """
        return await answer(
            self._hot.count(key, range_end, prefix=prefix, revision=revision, serializable=serializable)
        )

    @overload
    async def keys_prefix(
        self,
        key: str | bytes,
        max_create_revision: int | str | None = ...,
        max_mod_revision: int | str | None = ...,
        min_create_revision: int | str | None = ...,
        min_mod_revision: int | str | None = ...,
        revision: int | str | None = ...,
        sort_order: SortOrder | RangeRequestSortOrder = ...,
        sort_target: SortTarget | RangeRequestSortTarget = ...,
        encoding: None = ...,
        *,
        limit: int = ...,
        serializable: bool = ...,
    ) -> list[TextT]: ...
    @overload
    async def keys_prefix(
        self,
        key: str | bytes,
        max_create_revision: int | str | None = ...,
        max_mod_revision: int | str | None = ...,
        min_create_revision: int | str | None = ...,
        min_mod_revision: int | str | None = ...,
        revision: int | str | None = ...,
        sort_order: SortOrder | RangeRequestSortOrder = ...,
        sort_target: SortTarget | RangeRequestSortTarget = ...,
        *,
        encoding: str,
        limit: int = ...,
        serializable: bool = ...,
    ) -> list[str]: ...
    @overload
    async def keys_prefix(
        self,
        key: str | bytes,
        max_create_revision: int | str | None = ...,
        max_mod_revision: int | str | None = ...,
        min_create_revision: int | str | None = ...,
        min_mod_revision: int | str | None = ...,
        revision: int | str | None = ...,
        sort_order: SortOrder | RangeRequestSortOrder = ...,
        sort_target: SortTarget | RangeRequestSortTarget = ...,
        *,
        encoding: type[bytes],
        limit: int = ...,
        serializable: bool = ...,
    ) -> list[bytes]: ...
    async def keys_prefix(
        self,
        key: str | bytes,
        max_create_revision: int | str | None = None,
        max_mod_revision: int | str | None = None,
        min_create_revision: int | str | None = None,
        min_mod_revision: int | str | None = None,
        revision: int | str | None = None,
        sort_order: SortOrder | RangeRequestSortOrder = RangeRequestSortOrder.NONE,
        sort_target: SortTarget | RangeRequestSortTarget = RangeRequestSortTarget.KEY,
        encoding: str | type[bytes] | None = None,
        *,
        limit: int = 0,
        serializable: bool = False,
    ) -> list[bytes] | list[str] | list[Any]:
        """List the keys that begin with ``key``; with an empty prefix, all keys.

        Cancellation:
          No effect.

        Args:
          key: How the keys begin.
          limit: and the other options: see :class:`Reads`.

        Returns:
          The keys, in the order of their bytes unless sorted.

        Raises:
          EtcdError: see :class:`Reads`.
        """
        return await answer(
            self._hot.keys_prefix(
                key,
                max_create_revision=as_number(max_create_revision),
                max_mod_revision=as_number(max_mod_revision),
                min_create_revision=as_number(min_create_revision),
                min_mod_revision=as_number(min_mod_revision),
                revision=as_number(revision),
                sort_order=as_sort(sort_order),
                sort_target=as_sort(sort_target),
                encoding=as_codec(encoding),
                limit=limit,
                serializable=serializable,
            )
        )

    @overload
    async def keys_range(
        self,
        key: str | bytes,
        range_end: str | bytes,
        limit: int | str | None = ...,
        max_create_revision: int | str | None = ...,
        max_mod_revision: int | str | None = ...,
        min_create_revision: int | str | None = ...,
        min_mod_revision: int | str | None = ...,
        revision: int | str | None = ...,
        serializable: bool = ...,
        sort_order: SortOrder | RangeRequestSortOrder = ...,
        sort_target: SortTarget | RangeRequestSortTarget = ...,
        encoding: None = ...,
    ) -> list[TextT]: ...
    @overload
    async def keys_range(
        self,
        key: str | bytes,
        range_end: str | bytes,
        limit: int | str | None = ...,
        max_create_revision: int | str | None = ...,
        max_mod_revision: int | str | None = ...,
        min_create_revision: int | str | None = ...,
        min_mod_revision: int | str | None = ...,
        revision: int | str | None = ...,
        serializable: bool = ...,
        sort_order: SortOrder | RangeRequestSortOrder = ...,
        sort_target: SortTarget | RangeRequestSortTarget = ...,
        *,
        encoding: str,
    ) -> list[str]: ...
    @overload
    async def keys_range(
        self,
        key: str | bytes,
        range_end: str | bytes,
        limit: int | str | None = ...,
        max_create_revision: int | str | None = ...,
        max_mod_revision: int | str | None = ...,
        min_create_revision: int | str | None = ...,
        min_mod_revision: int | str | None = ...,
        revision: int | str | None = ...,
        serializable: bool = ...,
        sort_order: SortOrder | RangeRequestSortOrder = ...,
        sort_target: SortTarget | RangeRequestSortTarget = ...,
        *,
        encoding: type[bytes],
    ) -> list[bytes]: ...
    async def keys_range(
        self,
        key: str | bytes,
        range_end: str | bytes,
        limit: int | str | None = None,
        max_create_revision: int | str | None = None,
        max_mod_revision: int | str | None = None,
        min_create_revision: int | str | None = None,
        min_mod_revision: int | str | None = None,
        revision: int | str | None = None,
        serializable: bool = False,
        sort_order: SortOrder | RangeRequestSortOrder = RangeRequestSortOrder.NONE,
        sort_target: SortTarget | RangeRequestSortTarget = RangeRequestSortTarget.KEY,
        encoding: str | type[bytes] | None = None,
    ) -> list[bytes] | list[str] | list[Any]:
        r"""List the keys from ``key`` to before ``range_end``.

        Cancellation:
          No effect.

        Args:
          key: The first key; ``"\0"`` is the first of all.
          range_end: The first key that is not meant any more; ``"\0"`` is after the last of all.
          limit: and the other options: see :class:`Reads`.

        Returns:
          As :meth:`keys_prefix`.

        Raises:
          EtcdError: see :class:`Reads`.
        """
        return await answer(
            self._hot.keys_range(
                key,
                range_end,
                limit=as_number(limit),
                max_create_revision=as_number(max_create_revision),
                max_mod_revision=as_number(max_mod_revision),
                min_create_revision=as_number(min_create_revision),
                min_mod_revision=as_number(min_mod_revision),
                revision=as_number(revision),
                serializable=serializable,
                sort_order=as_sort(sort_order),
                sort_target=as_sort(sort_target),
                encoding=as_codec(encoding),
            )
        )

    @overload
    async def get(
        self,
        key: str | bytes,
        max_create_revision: int | str | None = ...,
        max_mod_revision: int | str | None = ...,
        min_create_revision: int | str | None = ...,
        min_mod_revision: int | str | None = ...,
        revision: int | str | None = ...,
        encoding: None = ...,
        *,
        serializable: bool = ...,
    ) -> TextT | None: ...
    @overload
    async def get(
        self,
        key: str | bytes,
        max_create_revision: int | str | None = ...,
        max_mod_revision: int | str | None = ...,
        min_create_revision: int | str | None = ...,
        min_mod_revision: int | str | None = ...,
        revision: int | str | None = ...,
        *,
        encoding: str,
        serializable: bool = ...,
    ) -> str | None: ...
    @overload
    async def get(
        self,
        key: str | bytes,
        max_create_revision: int | str | None = ...,
        max_mod_revision: int | str | None = ...,
        min_create_revision: int | str | None = ...,
        min_mod_revision: int | str | None = ...,
        revision: int | str | None = ...,
        *,
        encoding: type[bytes],
        serializable: bool = ...,
    ) -> bytes | None: ...
    async def get(
        self,
        key: str | bytes,
        max_create_revision: int | str | None = None,
        max_mod_revision: int | str | None = None,
        min_create_revision: int | str | None = None,
        min_mod_revision: int | str | None = None,
        revision: int | str | None = None,
        encoding: str | type[bytes] | None = None,
        *,
        serializable: bool = False,
    ) -> str | bytes | None:
        """Read one key.

        Cancellation:
          No effect.

        Args:
          key: The key.
          revision: and the other options: see :class:`Reads`.

        Returns:
          The value; None if there is no such key.

        Raises:
          EtcdError: see :class:`Reads`.
        """
        return await answer(
            self._hot.get(
                key,
                max_create_revision=as_number(max_create_revision),
                max_mod_revision=as_number(max_mod_revision),
                min_create_revision=as_number(min_create_revision),
                min_mod_revision=as_number(min_mod_revision),
                revision=as_number(revision),
                encoding=as_codec(encoding),
                serializable=serializable,
            )
        )

    @overload
    async def get_prefix(
        self,
        key: str | bytes,
        max_create_revision: int | str | None = ...,
        max_mod_revision: int | str | None = ...,
        min_create_revision: int | str | None = ...,
        min_mod_revision: int | str | None = ...,
        revision: int | str | None = ...,
        sort_order: SortOrder | RangeRequestSortOrder = ...,
        sort_target: SortTarget | RangeRequestSortTarget = ...,
        encoding: None = ...,
        *,
        limit: int = ...,
        serializable: bool = ...,
    ) -> dict[TextT, TextT]: ...
    @overload
    async def get_prefix(
        self,
        key: str | bytes,
        max_create_revision: int | str | None = ...,
        max_mod_revision: int | str | None = ...,
        min_create_revision: int | str | None = ...,
        min_mod_revision: int | str | None = ...,
        revision: int | str | None = ...,
        sort_order: SortOrder | RangeRequestSortOrder = ...,
        sort_target: SortTarget | RangeRequestSortTarget = ...,
        *,
        encoding: str,
        limit: int = ...,
        serializable: bool = ...,
    ) -> dict[str, str]: ...
    @overload
    async def get_prefix(
        self,
        key: str | bytes,
        max_create_revision: int | str | None = ...,
        max_mod_revision: int | str | None = ...,
        min_create_revision: int | str | None = ...,
        min_mod_revision: int | str | None = ...,
        revision: int | str | None = ...,
        sort_order: SortOrder | RangeRequestSortOrder = ...,
        sort_target: SortTarget | RangeRequestSortTarget = ...,
        *,
        encoding: type[bytes],
        limit: int = ...,
        serializable: bool = ...,
    ) -> dict[bytes, bytes]: ...
    async def get_prefix(
        self,
        key: str | bytes,
        max_create_revision: int | str | None = None,
        max_mod_revision: int | str | None = None,
        min_create_revision: int | str | None = None,
        min_mod_revision: int | str | None = None,
        revision: int | str | None = None,
        sort_order: SortOrder | RangeRequestSortOrder = RangeRequestSortOrder.NONE,
        sort_target: SortTarget | RangeRequestSortTarget = RangeRequestSortTarget.KEY,
        encoding: str | type[bytes] | None = None,
        *,
        limit: int = 0,
        serializable: bool = False,
    ) -> dict[bytes, bytes] | dict[str, str] | dict[Any, Any]:
        """Read all keys that begin with ``key``; with an empty prefix, all keys.

        Cancellation:
          No effect.

        Args:
          key: How the keys begin.
          limit: and the other options: see :class:`Reads`.

        Returns:
          Keys and values, in the order of the answer: that of the keys' bytes unless it is sorted.

        Raises:
          EtcdError: see :class:`Reads`.
        """
        return await answer(
            self._hot.get_prefix(
                key,
                max_create_revision=as_number(max_create_revision),
                max_mod_revision=as_number(max_mod_revision),
                min_create_revision=as_number(min_create_revision),
                min_mod_revision=as_number(min_mod_revision),
                revision=as_number(revision),
                sort_order=as_sort(sort_order),
                sort_target=as_sort(sort_target),
                encoding=as_codec(encoding),
                limit=limit,
                serializable=serializable,
            )
        )

    @overload
    async def get_range(
        self,
        key: str | bytes,
        range_end: str | bytes,
        limit: int | str | None = ...,
        max_create_revision: int | str | None = ...,
        max_mod_revision: int | str | None = ...,
        min_create_revision: int | str | None = ...,
        min_mod_revision: int | str | None = ...,
        revision: int | str | None = ...,
        sort_order: SortOrder | RangeRequestSortOrder = ...,
        sort_target: SortTarget | RangeRequestSortTarget = ...,
        encoding: None = ...,
        *,
        serializable: bool = ...,
    ) -> dict[TextT, TextT]: ...
    @overload
    async def get_range(
        self,
        key: str | bytes,
        range_end: str | bytes,
        limit: int | str | None = ...,
        max_create_revision: int | str | None = ...,
        max_mod_revision: int | str | None = ...,
        min_create_revision: int | str | None = ...,
        min_mod_revision: int | str | None = ...,
        revision: int | str | None = ...,
        sort_order: SortOrder | RangeRequestSortOrder = ...,
        sort_target: SortTarget | RangeRequestSortTarget = ...,
        *,
        encoding: str,
        serializable: bool = ...,
    ) -> dict[str, str]: ...
    @overload
    async def get_range(
        self,
        key: str | bytes,
        range_end: str | bytes,
        limit: int | str | None = ...,
        max_create_revision: int | str | None = ...,
        max_mod_revision: int | str | None = ...,
        min_create_revision: int | str | None = ...,
        min_mod_revision: int | str | None = ...,
        revision: int | str | None = ...,
        sort_order: SortOrder | RangeRequestSortOrder = ...,
        sort_target: SortTarget | RangeRequestSortTarget = ...,
        *,
        encoding: type[bytes],
        serializable: bool = ...,
    ) -> dict[bytes, bytes]: ...
    async def get_range(
        self,
        key: str | bytes,
        range_end: str | bytes,
        limit: int | str | None = None,
        max_create_revision: int | str | None = None,
        max_mod_revision: int | str | None = None,
        min_create_revision: int | str | None = None,
        min_mod_revision: int | str | None = None,
        revision: int | str | None = None,
        sort_order: SortOrder | RangeRequestSortOrder = RangeRequestSortOrder.NONE,
        sort_target: SortTarget | RangeRequestSortTarget = RangeRequestSortTarget.KEY,
        encoding: str | type[bytes] | None = None,
        *,
        serializable: bool = False,
    ) -> dict[bytes, bytes] | dict[str, str] | dict[Any, Any]:
        r"""Read the keys from ``key`` to before ``range_end``.

        Cancellation:
          No effect.

        Args:
          key: The first key; ``"\0"`` is the first of all.
          range_end: The first key that is not meant any more; ``"\0"`` is after the last of all.
          limit: and the other options: see :class:`Reads`.

        Returns:
          As :meth:`get_prefix`.

        Raises:
          EtcdError: see :class:`Reads`.
        """
        return await answer(
            self._hot.get_range(
                key,
                range_end,
                limit=as_number(limit),
                max_create_revision=as_number(max_create_revision),
                max_mod_revision=as_number(max_mod_revision),
                min_create_revision=as_number(min_create_revision),
                min_mod_revision=as_number(min_mod_revision),
                revision=as_number(revision),
                sort_order=as_sort(sort_order),
                sort_target=as_sort(sort_target),
                encoding=as_codec(encoding),
                serializable=serializable,
            )
        )

    def statistics(self) -> ClientStatistics:
        """How the connections are doing, at this moment."""
        return self._do(self._trio.statistics)

    @property
    def auth(self) -> Auth:
        """Users, roles and permissions."""
        return self._get("auth")

    @property
    def cluster(self) -> Cluster:
        """The members of the cluster."""
        return self._get("cluster")

    @property
    def maintenance(self) -> Maintenance:
        """What keeps the cluster well: status, snapshots, alarms and the like."""
        return self._get("maintenance")

    @overload
    def mirror(self, prefix: str | bytes, *, encoding: None = ...) -> Mirror[TextT]: ...
    @overload
    def mirror(self, prefix: str | bytes, *, encoding: str) -> Mirror[str]: ...
    @overload
    def mirror(self, prefix: str | bytes, *, encoding: type[bytes]) -> Mirror[bytes]: ...
    def mirror(self, prefix: str | bytes, *, encoding: str | type[bytes] | None = None) -> Mirror[Any]:
        """Follow all keys that begin with ``prefix``, as a live mapping.

        Args:
          prefix: How the keys begin; an empty one is every key.
          encoding: The text codec of the mirror; None for bytes. The default is the client's.

        Returns:
          A :class:`Mirror`, to be entered.

        Raises:
          InvalidRequestError: a bad argument (or TypeError).
        """
        return self._do(self._trio.mirror, prefix, encoding=as_codec(encoding))

    @overload
    async def txn(
        self, txn_builder: Callable[[EtcdTransactionAction[Any]], object], encoding: None = ...
    ) -> TxnResult[TextT]: ...
    @overload
    async def txn(
        self, txn_builder: Callable[[EtcdTransactionAction[Any]], object], *, encoding: str
    ) -> TxnResult[str]: ...
    @overload
    async def txn(
        self, txn_builder: Callable[[EtcdTransactionAction[Any]], object], *, encoding: type[bytes]
    ) -> TxnResult[bytes]: ...
    async def txn(
        self,
        txn_builder: Callable[[EtcdTransactionAction[Any]], object],
        encoding: str | type[bytes] | None = None,
    ) -> TxnResult[str] | TxnResult[bytes] | TxnResult[Any]:
        """Carry out several operations at once: all of them, or none.

        Cancellation:
          As :meth:`txn_compare`.

        Args:
          txn_builder: A plain function that calls methods of the :class:`TxnAction` that it gets.
          encoding: The text codec of this transaction; None takes and gives bytes. The default is the
            client's.

        Returns:
          A list with one item for each operation: see :class:`TxnResult`.

        Raises:
          EtcdError: as :meth:`txn_compare`.
        """
        return await carry_out(self._hot.txn, txn_builder, encoding=as_codec(encoding))

    @overload
    async def txn_compare(
        self,
        compares: Iterable[Compare],
        txn_builder: Callable[[EtcdTransactionAction[Any], EtcdTransactionAction[Any]], object],
        encoding: None = ...,
        *,
        settle: bool = ...,
    ) -> TxnResult[TextT]: ...
    @overload
    async def txn_compare(
        self,
        compares: Iterable[Compare],
        txn_builder: Callable[[EtcdTransactionAction[Any], EtcdTransactionAction[Any]], object],
        *,
        encoding: str,
        settle: bool = ...,
    ) -> TxnResult[str]: ...
    @overload
    async def txn_compare(
        self,
        compares: Iterable[Compare],
        txn_builder: Callable[[EtcdTransactionAction[Any], EtcdTransactionAction[Any]], object],
        *,
        encoding: type[bytes],
        settle: bool = ...,
    ) -> TxnResult[bytes]: ...
    async def txn_compare(
        self,
        compares: Iterable[Compare],
        txn_builder: Callable[[EtcdTransactionAction[Any], EtcdTransactionAction[Any]], object],
        encoding: str | type[bytes] | None = None,
        *,
        settle: bool = False,
    ) -> TxnResult[str] | TxnResult[bytes] | TxnResult[Any]:
        """Carry out the one or the other group of operations, at once, by whether all compares hold.

        Cancellation:
          May have happened. A transaction that only reads is left to the server to finish, and leaving the
          ``connect()`` block waits up to 1 s for it: etcd 3.5.0 to 3.5.6 crash when one is cancelled.

        Args:
          compares: Conditions such as ``CompareKey("k").version == 0``; all must hold.
          txn_builder: A plain function of two :class:`TxnAction`: what to do if they hold, and what if not.
          encoding: The text codec of this transaction; None takes and gives bytes. The default is the
            client's.
          settle: Find out what happened when that is unknown, and give the exact result. The transaction must write
            a key on the condition that it was not written since (``CompareKey("k").mod == m``) or does not exist
            (``.version == 0``); otherwise it may only put, and read where the condition does not hold. What it
            writes to that key must be its own: the same value with the same lease, written by somebody else at the
            same time, cannot be told from it. For a key that does not exist, it may happen twice if somebody
            deletes the key meanwhile. It costs a read before, and some more when the outcome is unknown.

        Returns:
          A list with one item for each operation of the group that was carried out; ``succeeded`` says which:
          see :class:`TxnResult`.

        Raises:
          InvalidRequestError: a bad argument, or a key that is written twice; nothing was sent.
          OutcomeUnknownError: the transaction may or may not have been carried out. Its ``__cause__`` says
            why. One that only reads raises that cause instead. With ``settle`` only where that cannot be found out
            any more, because no server answers or the key's history is compacted.
          TooManyOpsError: more operations than the server takes (128 unless it is set).
          CompactedError: a revision that is read was compacted.
          EncodingError: what was read is no text; the transaction was carried out.
          RpcError: what else the server says.
          ConnectionLostError: not sent, or never looked at (and ConnectionFailedError).
          trio.ClosedResourceError: the client is closed.
        """
        return await (
            carry_out(
                self._call,
                txn_builder,
                self._trio.txn_compare,
                compares,
                encoding=as_codec(encoding),
                settle=settle,
            )
            if settle
            else carry_out(
                self._hot.txn_compare, txn_builder, compares, encoding=as_codec(encoding), settle=settle
            )
        )


class LeaderObserver(Channel[KeyValue[TextT] | None]):
    """Who leads, as a channel; made by :meth:`EtcdCommunicator.observe`. Enter it with ``async with``.

    First comes the leader of the moment, then each one that follows, and each value that a leader proclaims; None
    where nobody leads. Nothing is left out, whatever happens to connections, unless history was compacted before it
    came. A leader is the :class:`KeyValue` of its key.
    """

    async def receive(self) -> KeyValue[TextT] | None:
        """The next leader; None: nobody leads.

        Cancellation:
          No effect.

        Raises:
          EncodingError: the leader's value is no text; it counts as given.
          trio.BusyResourceError: another task is receiving.
          trio.ClosedResourceError: this, or the client, was closed.
          EtcdError: the server refused the watch.
        """
        return await self._receive()

    async def aclose(self) -> None:
        """End it, on the server as well.

        Cancellation:
          It is ended in any case.
        """
        await self._aclose()


class Leadership(Wrapped, Generic[TextT]):
    """An election that is won; made by :meth:`EtcdCommunicator.campaign`.

    ``put``, ``delete``, ``txn`` and ``proclaim`` write only while this program leads, whatever happened to it in the
    meantime; otherwise they raise :exc:`LeadershipLostError`.
    """

    @property
    def key(self) -> TextT:
        """The key that proves it."""
        return self._get("key")

    @property
    def fence(self) -> int:
        """The create revision of the key, greater than that of every holder before: a fencing token."""
        return self._get("fence")

    @property
    def lease(self) -> Lease:
        """The lease that the key goes with; it is of no other use."""
        return self._get("lease")

    @property
    def lost(self) -> bool:
        """Whether it was lost: not held any more, or not to be proved to be. What is released is not lost."""
        return self._get("lost")

    async def wait_lost(self) -> None:
        """Wait until it is lost or released.

        Cancellation:
          No effect.
        """
        return await self._call(self._trio.wait_lost)

    def is_owner(self) -> Compare:
        """A condition for any transaction: that it is still held when the server carries that out."""
        return self._do(self._trio.is_owner)

    async def put(
        self,
        key: str | bytes,
        value: str | bytes | None = None,
        *,
        lease: SupportsLease | int = 0,
        prev_kv: bool = False,
        ignore_value: bool = False,
        ignore_lease: bool = False,
    ) -> TextT | None:
        """Write a key only if this is still held; otherwise as :meth:`EtcdCommunicator.put`.

        Cancellation:
          May have happened.

        Returns:
          With ``prev_kv=True`` the value before, if there was one; else None. :meth:`txn` tells more.

        Raises:
          LeaseLostError: it is lost, and nothing was written; its class says what was held.
          EtcdError: as :meth:`EtcdCommunicator.put`.
        """
        return previous(
            await self._call(
                self._trio.put,
                key,
                value,
                lease=lease,
                prev_kv=prev_kv,
                ignore_value=ignore_value,
                ignore_lease=ignore_lease,
            )
        )

    async def delete(self, key: str | bytes, *, prev_kv: bool = False) -> TextT | None:
        """Delete a key only if this is still held; otherwise as :meth:`EtcdCommunicator.delete`.

        Cancellation:
          May have happened.

        Returns:
          With ``prev_kv=True`` the value before, if there was one; else None. :meth:`txn` tells more.

        Raises:
          LeaseLostError: it is lost, and nothing was deleted; its class says what was held.
          EtcdError: as :meth:`EtcdCommunicator.delete`.
        """
        return deleted(await self._call(self._trio.delete, key, prev_kv=prev_kv))

    async def txn(self, txn_builder: Callable[[EtcdTransactionAction[TextT]], object]) -> TxnResult[TextT]:
        """Carry out several operations at once, only if this is still held; else as :meth:`EtcdCommunicator.txn`.

        Conditions of your own: ``action.txn(compares, builder)``.

        Cancellation:
          May have happened.

        Raises:
          LeaseLostError: it is lost, and nothing was done; its class says what was held.
          EtcdError: as :meth:`EtcdCommunicator.txn`.
        """
        return await carry_out(self._call, txn_builder, self._trio.txn)

    async def proclaim(self, value: str | bytes) -> None:
        """Change the leader's value, without another election.

        Cancellation:
          May have happened.

        Raises:
          LeadershipLostError: this program does not lead any more.
          EtcdError: as every write.
        """
        return await self._call(self._trio.proclaim, value)


class RangeIterator(Channel[KeyValue[TextT]]):
    """Gives the records of a range one at a time, all as of one revision.

    Made by :meth:`EtcdCommunicator.iter_range`. Leave its ``async with`` block, read it to its end, or call
    :meth:`aclose`: else the server may be left in the middle of a stream.
    """

    @property
    def revision(self) -> int:
        """The revision that is read; 0 until the first part came."""
        return self._get("revision")

    async def receive(self) -> KeyValue[TextT]:
        """The next record.

        Cancellation:
          No effect: no record is lost.

        Raises:
          trio.EndOfChannel: there is none.
          trio.BusyResourceError: another task is receiving.
          trio.ClosedResourceError: this was closed, or the client.
          CompactedError: the revision was compacted away meanwhile.
          EtcdError: as for every read.
        """
        return await self._receive()

    async def aclose(self) -> None:
        """Stop reading.

        Cancellation:
          It is closed in any case.
        """
        await self._aclose()


class Lease(Wrapped):
    """A lease that is kept alive; made by :meth:`EtcdCommunicator.lease`. ``put`` and transactions take it.

    Its times are Trio's clock, in seconds.
    """

    @property
    def id(self) -> int:
        """Its id, which was chosen here."""
        return self._get("id")

    @property
    def ttl(self) -> int:
        """Its time to live, as granted: this may be longer than what was asked for."""
        return self._get("ttl")

    @property
    def deadline(self) -> float:
        """When it is lost unless it is renewed before: 2 % less than its TTL after the last renewal was **sent**."""
        return self._get("deadline")

    @property
    def lost(self) -> bool:
        """Whether it was lost: it cannot be proved that it lives. One that was given back is not lost."""
        return self._get("lost")

    async def wait_lost(self) -> None:
        """Wait until it is lost or given back.

        Cancellation:
          No effect.
        """
        return await self._call(self._trio.wait_lost)


class Lock(Wrapped, Generic[TextT]):
    """A lock that is held; made by :meth:`EtcdCommunicator.lock`.

    ``put``, ``delete`` and ``txn`` write only while it is held, whatever happened to this program in the meantime: they
    look at the time, and the server looks at the lock's key. They raise :exc:`LockLostError` otherwise.
    """

    @property
    def key(self) -> TextT:
        """The key that proves it."""
        return self._get("key")

    @property
    def fence(self) -> int:
        """The create revision of the key, greater than that of every holder before: a fencing token."""
        return self._get("fence")

    @property
    def lease(self) -> Lease:
        """The lease that the key goes with; it is of no other use."""
        return self._get("lease")

    @property
    def lost(self) -> bool:
        """Whether it was lost: not held any more, or not to be proved to be. What is released is not lost."""
        return self._get("lost")

    async def wait_lost(self) -> None:
        """Wait until it is lost or released.

        Cancellation:
          No effect.
        """
        return await self._call(self._trio.wait_lost)

    def is_owner(self) -> Compare:
        """A condition for any transaction: that it is still held when the server carries that out."""
        return self._do(self._trio.is_owner)

    async def put(
        self,
        key: str | bytes,
        value: str | bytes | None = None,
        *,
        lease: SupportsLease | int = 0,
        prev_kv: bool = False,
        ignore_value: bool = False,
        ignore_lease: bool = False,
    ) -> TextT | None:
        """Write a key only if this is still held; otherwise as :meth:`EtcdCommunicator.put`.

        Cancellation:
          May have happened.

        Returns:
          With ``prev_kv=True`` the value before, if there was one; else None. :meth:`txn` tells more.

        Raises:
          LeaseLostError: it is lost, and nothing was written; its class says what was held.
          EtcdError: as :meth:`EtcdCommunicator.put`.
        """
        return previous(
            await self._call(
                self._trio.put,
                key,
                value,
                lease=lease,
                prev_kv=prev_kv,
                ignore_value=ignore_value,
                ignore_lease=ignore_lease,
            )
        )

    async def delete(self, key: str | bytes, *, prev_kv: bool = False) -> TextT | None:
        """Delete a key only if this is still held; otherwise as :meth:`EtcdCommunicator.delete`.

        Cancellation:
          May have happened.

        Returns:
          With ``prev_kv=True`` the value before, if there was one; else None. :meth:`txn` tells more.

        Raises:
          LeaseLostError: it is lost, and nothing was deleted; its class says what was held.
          EtcdError: as :meth:`EtcdCommunicator.delete`.
        """
        return deleted(await self._call(self._trio.delete, key, prev_kv=prev_kv))

    async def txn(self, txn_builder: Callable[[EtcdTransactionAction[TextT]], object]) -> TxnResult[TextT]:
        """Carry out several operations at once, only if this is still held; else as :meth:`EtcdCommunicator.txn`.

        Conditions of your own: ``action.txn(compares, builder)``.

        Cancellation:
          May have happened.

        Raises:
          LeaseLostError: it is lost, and nothing was done; its class says what was held.
          EtcdError: as :meth:`EtcdCommunicator.txn`.
        """
        return await carry_out(self._call, txn_builder, self._trio.txn)


class Mirror(Entered, Mapping[TextT, TextT]):
    """A read-only mapping of keys to values that follows the store; made by :meth:`EtcdCommunicator.mirror`.

    It begins with a snapshot and goes on with every change after it, none missing; each revision appears as a whole.
    After a break it goes on where it was; where the history is compacted away, it lists the keys again. While no
    server answers, it shows what it knew (:meth:`statistics` tells). Reading it never waits. Once it has failed, or
    was left, every access raises why.
    """

    async def __aenter__(self) -> Mirror[TextT]:
        """Take the snapshot and begin to follow.

        Raises:
          EtcdError: as every read.
        """
        return await self._enter()

    def __getitem__(self, key: str | bytes) -> TextT:
        """The value of a key."""
        return self._do(self._trio.__getitem__, key)

    def __contains__(self, key: object) -> bool:

        return self._do(self._trio.__contains__, key)

    def __iter__(self) -> Iterator[TextT]:

        return self._do(self._trio.__iter__)

    def __len__(self) -> int:

        return self._do(self._trio.__len__)

    def record(self, key: str | bytes) -> KeyValue[TextT]:
        """The full record of a key.

        Raises:
          KeyError: there is no such key.
        """
        return self._do(self._trio.record, key)

    @property
    def revision(self) -> int:
        """The revision of the store that this shows."""
        return self._get("revision")

    async def wait_for(self, predicate: Callable[[Mirror[TextT]], bool]) -> None:
        """Wait until ``predicate(mirror)`` is true; it is asked now and whenever something changed.

        Cancellation:
          No effect.

        Raises:
          trio.ClosedResourceError: the mirror or the client was closed.
          EtcdError: the mirror failed.
        """
        return await self._call(self._trio.wait_for, self._callback(predicate))

    async def wait_revision(self, revision: int) -> None:
        """Wait until this shows everything that happened up to ``revision``: read your own writes.

        Cancellation:
          No effect.

        Args:
          revision: A revision of the store, such as a put returned.

        Raises:
          trio.ClosedResourceError: the mirror or the client was closed.
          EtcdError: the mirror failed.
        """
        return await self._call(self._trio.wait_revision, revision)

    async def wait_change(self) -> None:
        """Wait until something changes, or the mirror fails.

        Cancellation:
          No effect.

        Raises:
          trio.ClosedResourceError: the mirror or the client was closed.
          EtcdError: the mirror failed.
        """
        return await self._call(self._trio.wait_change)

    def changes(self) -> MirrorChanges[TextT]:
        """A channel of what changes from now on: the newest value of each key that changed since the last look."""
        return self._do(self._trio.changes)

    def statistics(self) -> WatchStatistics:
        """How the watch behind this is doing."""
        return self._do(self._trio.statistics)


class MirrorChanges(Channel[MirrorChange[TextT]]):
    """The changes of a mirror, from when it was made: each key's newest value, however slow the reader is.

    Made by :meth:`Mirror.changes`.
    """

    async def receive(self) -> MirrorChange[TextT]:
        """Wait until something has changed.

        Cancellation:
          No effect.

        Raises:
          EncodingError: a key or its value is no text; that change counts as told, the others do not.
          trio.ClosedResourceError: this, the mirror or the client was closed.
          EtcdError: the mirror failed.
        """
        return await self._receive()

    async def aclose(self) -> None:
        """Stop.

        Cancellation:
          It is closed in any case.
        """
        await self._aclose()


class Queue(Wrapped, Generic[TextT]):
    """A queue in etcd: first in, first out, for any number of programs that put and get.

    Made by :meth:`EtcdCommunicator.queue`. An item is a key below the queue's name, in the layout of etcd's Go recipes,
    so that Go programs may use the same queue. Each item is given to one ``get`` only, in the order in which the puts
    were carried out; an item is gone from the queue when it was given, whatever becomes of who got it.
    """

    async def put(self, value: str | bytes) -> None:
        """Put an item at the end.

        Cancellation:
          May have happened.

        Args:
          value: The item.

        Raises:
          InvalidRequestError: a bad argument (or TypeError).
          OutcomeUnknownError: the item may be in the queue, or not.
          EtcdError: as every write.
        """
        return await self._call(self._trio.put, value)

    async def get(self) -> TextT:
        """Take the first item; wait for one if there is none.

        Cancellation:
          No effect: an item that was taken when the cancellation came is returned nevertheless. Only where the server
          does not say within 1 s whether it was, the item may be lost.

        Returns:
          The item.

        Raises:
          EncodingError: the first item is no text; it stays where it is.
          OutcomeUnknownError: the first item may be lost: the connection broke as it was taken.
          EtcdError: as every transaction and watch.
          trio.ClosedResourceError: the client is closed; if it was as the first item was taken, that may be lost.
        """
        return await self._call(self._trio.get)


class RWLock(Wrapped, Generic[TextT]):
    """A lock in etcd that many readers hold together, or one writer alone; made by :meth:`EtcdCommunicator.rwlock`.

    Who comes first is served first: a reader waits for the writers that came before it, be they waiting themselves, and
    a writer for everybody who came before it. So neither readers nor writers starve. Its keys are in the layout of
    etcd's Go recipes: those programs and this one exclude each other.
    """

    def read(self, timeout: float | None = None, *, lease_ttl: int = 10) -> Hosted[Lock[TextT]]:
        """Hold it together with other readers, for the length of a block.

        Cancellation:
          Cleans up, as :meth:`EtcdCommunicator.lock`.

        Args:
          timeout: and ``lease_ttl``: as :meth:`EtcdCommunicator.lock`.

        Returns:
          A context manager of the :class:`Lock`; while it is held no writer has the lock.

        Raises:
          InvalidRequestError: a bad argument (or TypeError).
          LockTimeoutError: on entering: not acquired in time.
          LockLostError: leaves the block when the lock was lost.
          EtcdError: as :meth:`EtcdCommunicator.lock`.
        """
        return self._hosted(self._trio.read, timeout, lease_ttl=lease_ttl)

    def write(self, timeout: float | None = None, *, lease_ttl: int = 10) -> Hosted[Lock[TextT]]:
        """Hold it alone, for the length of a block.

        Cancellation:
          Cleans up, as :meth:`EtcdCommunicator.lock`.

        Args:
          timeout: and ``lease_ttl``: as :meth:`EtcdCommunicator.lock`.

        Returns:
          A context manager of the :class:`Lock`; while it is held nobody else has the lock.

        Raises:
          InvalidRequestError: a bad argument (or TypeError).
          LockTimeoutError: on entering: not acquired in time.
          LockLostError: leaves the block when the lock was lost.
          EtcdError: as :meth:`EtcdCommunicator.lock`.
        """
        return self._hosted(self._trio.write, timeout, lease_ttl=lease_ttl)


class StmTransaction(Wrapped, Generic[TextT]):
    """What a function that :meth:`EtcdCommunicator.stm` runs reads and writes with; of no use once that has returned.

    Tasks that the function starts may share it.
    """

    async def get(self, key: str | bytes) -> TextT | None:
        """Read one key: as this transaction wrote it, or else as it was read first, or else from the server.

        Cancellation:
          No effect.

        Args:
          key: The key.

        Returns:
          The value; None if there is no such key.

        Raises:
          EncodingError: the value is no text.
          CompactedError: the history of this attempt was compacted away; ``stm`` begins a new one.
          EtcdError: as every read.
          trio.ClosedResourceError: the function has returned, or the client is closed.
        """
        return await self._call(self._trio.get, key)

    def put(self, key: str | bytes, value: str | bytes, *, lease: SupportsLease | int = 0) -> None:
        """Write a key once the function has returned; nothing is sent before.

        Args:
          key: The key.
          value: Its new value.
          lease: The lease, or the id of the lease, that the key goes with when it ends; 0 for none.

        Raises:
          InvalidRequestError: a bad argument (or TypeError).
          trio.ClosedResourceError: the function has returned.
        """
        return self._do(self._trio.put, key, value, lease=lease)

    def delete(self, key: str | bytes) -> None:
        """Delete a key once the function has returned; it is no error if there is none.

        Args:
          key: The key.

        Raises:
          InvalidRequestError: a bad argument (or TypeError).
          trio.ClosedResourceError: the function has returned.
        """
        return self._do(self._trio.delete, key)


class Watch(Channel[ItemT]):
    """The events of a key, a prefix or a range: in order, none missing, none twice, whatever happens to connections.

    Made by :meth:`EtcdCommunicator.watch`, ``watch_prefix`` and ``watch_range``. Enter it with ``async with``: then the
    server watches before the block begins, and is told to stop before it ends. A bare ``async for`` begins with its
    first step, and is ended when it is dropped, with a ResourceWarning.

    It ends in exactly these ways: it was closed; :exc:`CompactedError`, when the server does not have the next events
    any more; the error with which the server refused it; :exc:`WatchLaggedError`, if asked for;
    :exc:`trio.ClosedResourceError`, when the client's block was left. Events that came before are given first.

    That no server can be reached does not end it: it waits until there is one, and so does entering it in a block of
    ``connect(wait=False)``, where calls, locks and leases fail soon. Put a time limit around what shall not wait for
    ever; ``statistics().stalled_for`` and ``on_event`` tell how long there was none.

    To go on where an earlier run of a program has stopped, keep ``statistics().delivered_revision`` each time an event
    was handled, and begin with the one after it. An event's own ``revision`` does not do: a transaction makes several
    events of one revision, and differences (``resync=True``) are in no order of revisions. A
    :attr:`WatchBatch.revision` does, for all that belongs to it comes at once.
    """

    async def receive(self) -> ItemT:
        """The next event (or, with ``batches=True``, all events of the next revision).

        Cancellation:
          No effect: no event is lost.

        Raises:
          CompactedError: the next events are gone from the server.
          EncodingError: an event's key or value is no text; the event counts as given.
          trio.BusyResourceError: another task is receiving.
          trio.ClosedResourceError: the watch, or the client, was closed.
          EtcdError: the server refused the watch.
        """
        return await self._receive()

    async def progress(self) -> int:
        """Ask the server up to which revision it has sent everything.

        Cancellation:
          No effect.

        Returns:
          The revision: whatever happened up to it was given to the reader, or waits for it.

        Raises:
          UnsupportedByServerError: the server's answer cannot be believed (before etcd 3.4.31 and 3.5.13).
          EtcdError: the watch failed.
        """
        return await self._call(self._trio.progress)

    async def wait_revision(self, revision: int) -> None:
        """Wait until whatever happened up to ``revision`` was given to the reader, or waits for it.

        Cancellation:
          No effect.

        Args:
          revision: A revision of the store, such as a put returned.

        Raises:
          EtcdError: the watch failed.
        """
        return await self._call(self._trio.wait_revision, revision)

    def statistics(self) -> WatchStatistics:
        """How the watch is doing."""
        return self._do(self._trio.statistics)

    async def aclose(self) -> None:
        """End the watch, on the server as well.

        Cancellation:
          It is ended in any case.
        """
        await self._aclose()


register(
    {
        "Auth": lambda scope, calls: import_module("._derived_admin", __package__).Auth(scope, calls),
        "Barrier": Barrier,
        "Cluster": lambda scope, calls: import_module("._derived_admin", __package__).Cluster(scope, calls),
        "LeaderObserver": LeaderObserver,
        "Leadership": Leadership,
        "Lease": Lease,
        "Lock": Lock,
        "Maintenance": lambda scope, calls: import_module("._derived_admin", __package__).Maintenance(
            scope, calls
        ),
        "Mirror": Mirror,
        "MirrorChanges": MirrorChanges,
        "Queue": Queue,
        "RWLock": RWLock,
        "RangeIterator": RangeIterator,
        "StmTransaction": StmTransaction,
        "Watch": Watch,
        "WatchBatch": lambda scope, batch: WatchBatch(
            batch.revision, [wrap(scope, event) for event in batch.events]
        ),
        "WatchEvent": lambda scope, event: WatchEvent(*event),
    }
)
