"""What the clients of a run do: operations of every kind on few keys, leases, locks, watches."""

from __future__ import annotations

import math
from random import Random
from typing import Literal

import trio

from etcetra_trio import (
    CompactedError,
    EtcdError,
    Lease,
    LeaseLostError,
    LockTimeoutError,
    Watch,
    WatchBatch,
    WatchEvent,
    WatchEventType,
)

from . import _recorder as do
from ._history import Compare, Event, Hold, LeaseLife, Step, WatchLog
from ._recorder import Communicator, Recorder
from ._watching import CLOSED

KEYS = [f"k/{number}" for number in range(8)] + [f"m/{number}" for number in range(8)]
LOCKS = ("lock/a", "lock/b")
LAST = "last"  # the last key that is written below each watched prefix
WATCHED = ("k/", "m/", "l/", "g/")
ON_LOST: tuple[Literal["cancel", "flag"], ...] = ("cancel", "flag")
LEASE_TTLS = (2, 4)  # seconds; 2 is the least that etcd grants with its usual elections


class Traffic:
    """One client of a run: several tasks that share its connection."""

    def __init__(self, recorder: Recorder, name: str, communicator: Communicator, rng: Random) -> None:
        self.recorder = recorder
        self.name = name
        self.communicator = communicator
        self.rng = rng
        self.done = False

    async def operations(self, number: int) -> None:
        """One operation after the other."""
        client = f"{self.name}/{number}"
        while not self.done:
            await self.recorder.wait_for_room()
            await self._operation(client)

    async def reads(self, number: int) -> None:
        """One read after the other: besides writers, for a store is read more than written."""
        client = f"{self.name}/{number}"
        while not self.done:
            await self._read_something(client)
            await trio.lowlevel.checkpoint()

    async def _read_something(self, client: str) -> None:
        recorder, to, rng = self.recorder, self.communicator, self.rng
        key = rng.choice(KEYS)
        kind = rng.random()
        if kind < 0.35:
            await do.get(recorder, client, to, key)
        elif kind < 0.5:
            await do.read(recorder, client, to, key)
        elif kind < 0.55:
            await do.read(recorder, client, to, key[:2], prefix=True)
        else:
            await do.read(recorder, client, to, key, stale=True)

    async def _operation(self, client: str) -> None:
        recorder, to, rng = self.recorder, self.communicator, self.rng
        key = rng.choice(KEYS)
        kind = rng.random()
        if kind < 0.4:
            await self._read_something(client)
        elif kind < 0.75:
            await do.put(recorder, client, to, key)
        elif kind < 0.79:
            await do.delete(recorder, client, to, key)
        elif kind < 0.795:
            await do.delete(recorder, client, to, key[:2], prefix=True)
        elif kind < 0.88:
            await self._compare_and_swap(client, key)
        else:
            await do.txn(recorder, client, to, *self._txn(client))

    async def _compare_and_swap(self, client: str, key: str) -> None:
        found = await do.read(self.recorder, client, self.communicator, key)
        if found is None:
            return
        mod = found.kvs[0].mod_revision if found.kvs else 0
        steps: list[Step] = [("put", key, self.recorder.value(client), 0)]
        await do.txn(
            self.recorder, client, self.communicator, [("mod", key, "==", mod)], steps, [("get", key, "")]
        )

    def _txn(self, client: str) -> tuple[list[Compare], list[Step], list[Step]]:
        rng = self.rng
        keys = rng.sample(KEYS, 4)
        steps: list[Step] = [("get", keys[0], "")]
        written = keys[1 : rng.randrange(1, 5)]
        steps += [("put", key, self.recorder.value(client), 0) for key in written]
        if rng.random() < 0.3:
            steps.append(("delete", keys[0], ""))
        compares: list[Compare] = []
        if rng.random() < 0.5:
            compares.append(("version", keys[3], rng.choice(("==", "!=", "<", ">")), rng.randrange(8)))
        otherwise: list[Step] = [("get", "k/", "k0")]
        return compares, steps, otherwise if compares else []

    async def write_many(self, prefix: str, count: int, size: int) -> None:
        """A transaction of many puts of so many octets."""
        padding = "." * size
        keys = self.rng.sample(range(1_000), count)
        steps: list[Step] = [
            ("put", f"{prefix}{key:03}", self.recorder.value(self.name) + padding, 0) for key in keys
        ]
        await do.txn(self.recorder, self.name, self.communicator, [], steps, [])

    async def leases(self) -> None:
        """A lease after the other, each with keys, held for a while or until it is lost."""
        while not self.done:
            await self.recorder.wait_for_room()
            with trio.move_on_after(15):
                try:
                    await self._lease()
                except LeaseLostError:
                    self.recorder.counts["leases lost"] += 1
                except EtcdError as error:
                    self.recorder.see_room(error)
                    await trio.sleep(0.1)

    async def _lease(self) -> None:
        async with self.communicator.lease(self.rng.choice(LEASE_TTLS)) as lease:
            life = LeaseLife(self.name, lease.id, math.inf)
            self.recorder.history.leases.append(life)
            self.recorder.counts["leases"] += 1
            try:
                until = trio.current_time() + self.rng.choice((0.5, 2.0, 8.0, 8.0))
                while trio.current_time() < until and not self.done:
                    key = f"l/{self.name}/{self.rng.randrange(3)}"
                    await do.put(self.recorder, self.name, self.communicator, key, lease=lease)
                    await trio.sleep(0.1)
                    await self.recorder.wait_for_room()
                life.reason = "given up"
            finally:
                life.told = told(lease)
                life.reason = life.reason or repr(lease)

    async def locks(self) -> None:
        """Lock, write under the lock, unlock; or go on until the lock is lost."""
        while not self.done:
            name = self.rng.choice(LOCKS)
            await trio.sleep(self.rng.uniform(0, 0.6))
            await self.recorder.wait_for_room()
            with trio.move_on_after(15):
                try:
                    await self._lock(name)
                except LockTimeoutError:
                    self.recorder.counts["locks not had"] += 1
                except LeaseLostError:
                    self.recorder.counts["locks lost"] += 1
                except EtcdError as error:
                    self.recorder.see_room(error)
                    await trio.sleep(0.1)

    async def _lock(self, name: str) -> None:
        call = trio.current_time()
        async with self.communicator.lock(
            name,
            timeout=self.rng.choice((0, 1, 8)),
            lease_ttl=self.rng.choice(LEASE_TTLS),
            on_lost=self.rng.choice(ON_LOST),
        ) as lock:
            hold = Hold(self.name, f"{name}/", lock.key, lock.fence, call, trio.current_time(), math.inf)
            self.recorder.history.holds.append(hold)
            self.recorder.counts["locks"] += 1
            try:
                for _ in range(self.rng.randrange(1, 12)):
                    await do.put(self.recorder, self.name, lock, f"g/{name[-1]}")
                    await trio.sleep(0.02)
                    await self.recorder.wait_for_room()
                hold.reason = "given up"
            finally:
                hold.told = told(lock.lease)
                hold.reason = hold.reason or repr(lock)

    async def thief(self) -> None:
        """Take locks away by deleting the oldest key, now and then."""
        while not self.done:
            await trio.sleep(self.rng.uniform(0.5, 2.0))
            prefix = f"{self.rng.choice(LOCKS)}/"
            with trio.move_on_after(5):
                try:
                    found = await self.communicator.range(prefix, prefix=True)
                except EtcdError:
                    continue
                if found.kvs:
                    oldest = min(found.kvs, key=lambda kv: kv.create_revision)
                    await do.delete(self.recorder, self.name, self.communicator, oldest.key)

    async def watch(self, prefix: str, start: int, *, bookmarks: bool = False, closes: bool = False) -> None:
        """Watch until the last key comes; after a compaction begin anew behind it.

        ``start``: 0 is from now on. ``closes``: close it now and then, and go on with another one.
        """
        while True:
            log = WatchLog(self.name, prefix, start)
            more = await self._watch(log, bookmarks=bookmarks, closes=closes)
            if not more:
                return
            start = log.compacted or (log.batches[-1][0] + 1 if log.batches else log.start)

    async def _watch(self, log: WatchLog, *, bookmarks: bool, closes: bool) -> bool:
        """One watch; whether another one is to follow."""
        try:
            async with self.communicator.watch_prefix(
                log.prefix, start_revision=log.start, batches=True, progress_notify=True
            ) as watch:
                log.start = log.start or watch.statistics().delivered_revision + 1
                self.recorder.history.watches.append(log)
                async with trio.open_nursery() as nursery:
                    if bookmarks:
                        nursery.start_soon(self._bookmarks, watch, log)
                    if closes:
                        nursery.cancel_scope.deadline = trio.current_time() + self.rng.uniform(0.5, 3.0)
                    await self._read(watch, log)
                    nursery.cancel_scope.cancel("the reader ended")
        except EtcdError as error:  # it could not begin
            self.recorder.history.watches.append(log)
            _note_end(log, error)
        complete = bool(log.batches) and log.batches[-1][1][-1].key == log.prefix + LAST
        if not (log.error or log.compacted or complete):
            log.error = CLOSED
        return log.error == CLOSED or bool(log.compacted)

    async def _read(self, watch: Watch[WatchBatch[str]], log: WatchLog) -> None:
        end = log.prefix + LAST
        try:
            async for batch in watch:
                log.batches.append((batch.revision, [_event(event) for event in batch.events]))
                self.recorder.counts["events"] += len(batch.events)
                if any(event.key == end for event in batch.events):
                    return
                if self.rng.random() < 0.001:
                    await trio.sleep(0.3)  # a slow reader
        except EtcdError as error:
            _note_end(log, error)

    async def _bookmarks(self, watch: Watch[WatchBatch[str]], log: WatchLog) -> None:
        try:
            while True:
                await trio.sleep(0.2)
                revision = await watch.progress()
                while watch.statistics().buffered:
                    await trio.sleep(0.001)
                log.bookmarks.append((len(log.batches), revision))
                self.recorder.counts["bookmarks"] += 1
        except EtcdError:
            return  # the reader is told the same


def _note_end(log: WatchLog, error: EtcdError) -> None:
    if isinstance(error, CompactedError):
        log.compacted = error.compact_revision
    else:
        log.error = repr(error)


def _event(event: WatchEvent[str]) -> Event:
    deleted = event.event is WatchEventType.DELETE
    return Event(deleted, event.key, event.value, event.create_revision, event.version, event.lease)


def told(lease: Lease) -> float:
    """When the client says that a lease is over: its deadline, whenever a task came to run then; at the latest now."""
    now, deadline = trio.current_time(), lease.deadline
    return min(now, deadline) if deadline > -math.inf else now
