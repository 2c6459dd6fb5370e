"""A prefix as a live mapping: ``async with communicator.mirror("/services/") as view: view["/services/a"]``."""

# pyright: reportPrivateUsage=false
# A mirror and the channels of its changes know each other's insides, which are nothing for users.

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, final
from weakref import WeakSet

import trio

from ._errors import EtcdError
from ._follow import follow
from ._keys import TextT
from ._mirror_changes import MirrorChanges
from ._types import KeyValue, key_value

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from ._keys import KeySpace
    from ._proto import _codec as pb
    from ._proto._changes import Change
    from ._watch import Watch, WatchStatistics
    from .streams._endpoints import Endpoints
    from .streams._watcher import Batch, Watcher


@final
class Mirror(Mapping[TextT, TextT]):
    """A read-only mapping of keys to values that follows the store; made by :meth:`EtcdCommunicator.mirror`.

    It begins with a snapshot and goes on with every change after it, none missing; each revision appears as a whole.
    After a break it goes on where it was; where the history is compacted away, it lists the keys again. While no
    server answers, it shows what it knew (:meth:`statistics` tells). Reading it never waits. Once it has failed, or
    was left, every access raises why.
    """

    def __init__(self, endpoints: Endpoints, keys: KeySpace[TextT], address: tuple[bytes, bytes]) -> None:
        self._endpoints = endpoints
        self._keys: KeySpace[TextT] = keys
        self._address = address
        self._records: dict[bytes, pb.KeyValue | Change] = {}
        self._revision = 0
        self._watch: Watch[Batch] | None = None
        self._watcher: Watcher | None = None
        self._failure: Exception | None = trio.ClosedResourceError(
            "this mirror is not open: enter it with `async with`"
        )
        self._changed = trio.lowlevel.ParkingLot()
        self._subscribers: WeakSet[MirrorChanges[TextT]] = WeakSet()

    @trio.lowlevel.enable_ki_protection
    async def __aenter__(self) -> Mirror[TextT]:
        """Take the snapshot and begin to follow.

        Raises:
          EtcdError: as every read.
        """
        followed = await follow(self._endpoints, self._address)
        self._records, self._revision = followed.records, followed.revision
        self._watch, self._watcher = followed.watch, followed.watcher
        self._failure = None
        self._endpoints.service.start_soon(self._follow, followed.watch, name="mirror")
        return self

    @trio.lowlevel.enable_ki_protection
    async def __aexit__(  # noqa: ASYNC910 - what was entered has a watch
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop following."""
        self._fail(trio.ClosedResourceError("this mirror was closed"))
        if self._watch is not None:
            await self._watch.aclose()

    async def _follow(self, watch: Watch[Batch]) -> None:  # noqa: ASYNC910 - every step of a watch is one
        try:
            async for batch in watch:
                self._apply(batch)
        except (EtcdError, trio.ClosedResourceError) as error:
            self._fail(error)
        finally:  # also where it is cancelled, as the client's block is left
            self._fail(trio.ClosedResourceError("the connect() block of this mirror was left"))

    def _apply(self, batch: Batch) -> None:
        for event in batch.events:
            if event.kind:
                self._records.pop(event.key, None)
            else:
                self._records[event.key] = event
            for subscriber in self._subscribers:
                subscriber._note(event.key)
        self._revision = batch.revision
        self._wake()

    def _fail(self, failure: Exception) -> None:
        if self._failure is None:
            self._failure = failure
        self._wake()

    def _wake(self) -> None:
        self._changed.unpark_all()
        for subscriber in self._subscribers:
            subscriber._wake()

    def _check(self) -> None:
        """Raise why this cannot be read, if so."""
        if self._failure is not None:
            raise self._failure.with_traceback(None)

    def __getitem__(self, key: str | bytes) -> TextT:
        """The value of a key."""
        self._check()
        kv = self._record(key)
        return self._keys.text_value(kv.value, kv.key)

    def __contains__(self, key: object) -> bool:
        self._check()
        return isinstance(key, str | bytes) and bool(key) and self._keys.key(key) in self._records

    def __iter__(self) -> Iterator[TextT]:
        self._check()
        return map(self._keys.text_key, list(self._records))

    def __len__(self) -> int:
        self._check()
        return len(self._records)

    def record(self, key: str | bytes) -> KeyValue[TextT]:
        """The full record of a key.

        Raises:
          KeyError: there is no such key.
        """
        self._check()
        return key_value(self._keys, self._record(key))

    def _record(self, key: str | bytes) -> pb.KeyValue | Change:
        kv = (
            self._records.get(self._keys.key(key)) if key else None
        )  # a mapping can be asked for an empty one
        if kv is None:
            raise KeyError(key)
        return kv

    @property
    def revision(self) -> int:
        """The revision of the store that this shows."""
        self._check()
        if self._watcher is not None and not self._watcher.inbox:
            return max(self._revision, self._watcher.known_revision)
        return self._revision

    async def wait_for(self, predicate: Callable[[Mirror[TextT]], bool]) -> None:
        """Wait until ``predicate(mirror)`` is true; it is asked now and whenever something changed.

        Cancellation:
          No effect.

        Raises:
          trio.ClosedResourceError: the mirror or the client was closed.
          EtcdError: the mirror failed.
        """
        await trio.lowlevel.checkpoint()
        self._check()
        while not predicate(self):
            await self.wait_change()

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
        await trio.lowlevel.checkpoint()
        self._check()
        if self._watch is not None and self.revision < revision:
            await self._watch.wait_revision(revision)
        while self.revision < revision:
            await self.wait_change()

    async def wait_change(self) -> None:
        """Wait until something changes, or the mirror fails.

        Cancellation:
          No effect.

        Raises:
          trio.ClosedResourceError: the mirror or the client was closed.
          EtcdError: the mirror failed.
        """
        self._check()
        await self._changed.park()
        self._check()

    def changes(self) -> MirrorChanges[TextT]:
        """A channel of what changes from now on: the newest value of each key that changed since the last look."""
        self._check()
        changes = MirrorChanges(self)
        self._subscribers.add(changes)
        return changes

    def _change(self, raw: bytes) -> tuple[TextT, TextT | None]:
        """A key as the user knows it, and what it is now."""
        kv = self._records.get(raw)
        return self._keys.text_key(raw), None if kv is None else self._keys.text_value(kv.value, raw)

    def _forget(self, changes: MirrorChanges[TextT]) -> None:
        """A channel was closed."""
        self._subscribers.discard(changes)

    def statistics(self) -> WatchStatistics:
        """How the watch behind this is doing."""
        self._check()
        assert self._watch is not None
        return self._watch.statistics()

    def __repr__(self) -> str:
        state = "failed" if self._failure else f"revision {self._revision}"
        return f"<etcetra_trio.Mirror of {len(self._records)} keys: {state}>"
