"""One watch as the streams see it: what it asks for, where it goes on, and what waits for its reader."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, Literal

import trio

from .._proto import _codec as pb
from ._waiter import Waiter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._proto._changes import Change
    from ._transport import Transport
    from ._watch_lanes import Lane

#: Octets of memory that wait for a reader at most, about; one larger revision is let through alone.
BUFFER_SIZE: Final = 1 << 20
#: The same, over all watches of a client.
TOTAL_SIZE: Final = 32 << 20
#: What an event takes in memory beside its key and value, in octets (measured, CPython 3.11).
EVENT_SIZE: Final = 350
_NONE: Final[frozenset[bytes]] = frozenset()
OnLag = Literal["wait", "raise", "coalesce"]


class Budget:
    """Octets that wait for the readers of all watches of a client."""

    __slots__ = ("used",)

    def __init__(self) -> None:
        self.used: int = 0


class Batch:
    """All events of one revision."""

    __slots__ = ("coalesced", "events", "revision", "size", "synthetic")

    def __init__(self, revision: int, events: list[Change], size: int) -> None:
        self.revision: int = revision
        self.events: list[Change] = events
        self.size: int = size
        #: Keys whose older events were left out.
        self.coalesced: frozenset[bytes] = _NONE
        #: The events are differences that we found, not the server's.
        self.synthetic: bool = False


class Watcher:
    """The state of one watch. The lane that serves it holds it, never the user's object that reads it."""

    __slots__ = (
        "_end",
        "_first",
        "arrived",
        "budget",
        "closed",
        "created",
        "down_since",
        "epoch",
        "failure",
        "filters",
        "hand_over",
        "handed",
        "inbox",
        "interruptions",
        "key",
        "known_revision",
        "lane",
        "lender",
        "max_events",
        "next_revision",
        "number",
        "observers",
        "on_lag",
        "prev_kv",
        "progress_answers",
        "progress_notify",
        "range_end",
        "server_id",
        "size",
        "tail",
        "tail_size",
        "waiting_events",
        "watch_id",
    )

    def __init__(
        self,
        key: bytes,
        range_end: bytes,
        *,
        start_revision: int,
        max_events: int,
        budget: Budget,
        progress_notify: bool = False,
        filters: Sequence[int] = (),
        prev_kv: bool = False,
        watch_id: int = 0,
        on_lag: OnLag = "wait",
    ) -> None:
        #: Which one it is, for those who are told of it; 0 before it begins.
        self.number: int = 0
        self.key: bytes = key
        self.range_end: bytes = range_end
        # The keys from the first to before the end, if there is one.
        self._first: bytes = b"" if key == range_end == b"\0" else key
        self._end: bytes | None = None if range_end == b"\0" else range_end or key + b"\0"
        self.progress_notify: bool = progress_notify
        self.filters: tuple[int, ...] = tuple(filters)
        self.prev_kv: bool = prev_kv
        self.watch_id: int = watch_id
        self.max_events: int = max_events
        self.on_lag: OnLag = on_lag
        #: The first revision that has not come yet; 0 until the server said what "now" is.
        self.next_revision: int = start_revision
        #: Everything up to here is in the inbox, or was.
        self.known_revision: int = max(0, start_revision - 1)
        self.inbox: deque[Batch] = deque()
        self.waiting_events: int = 0
        self.size: int = 0
        # The last revision of a response of which more fragments are to come.
        self.tail: list[Change] = []
        self.tail_size: int = 0
        self.created: bool = False
        self.closed: bool = False
        self.failure: Exception | None = None
        self.arrived: Waiter = Waiter()
        #: Whether the reader reads by itself and takes a single event as it is, without the inbox; and such an event.
        self.hand_over: bool = False
        self.handed: Change | None = None
        #: The connection that the reader reads itself; None while it waits to be woken.
        self.lender: Transport | None = None
        #: Tasks that wait for a revision; made by the first of them.
        self.observers: trio.lowlevel.ParkingLot | None = None
        self.progress_answers: int = 0
        self.interruptions: int = 0
        #: Since when no stream serves it, on Trio's clock; None while one does.
        self.down_since: float | None = None
        self.budget: Budget = budget
        #: Who serves it; the epoch counts how often that was begun, the id is the server's on the lane's stream.
        self.lane: Lane | None = None
        self.epoch: int = 0
        self.server_id: int = -1

    def create_request(self, watch_id: int) -> bytes:
        """The request that begins the watch, or lets it go on, with this id on the server."""
        create = pb.watch_create_request(
            self.key,
            self.range_end,
            self.next_revision,
            self.progress_notify,
            self.filters,
            self.prev_kv,
            watch_id,
            fragment=True,
        )
        return pb.watch_request(create_request=create)

    @property
    def full(self) -> bool:
        """Whether nothing more should come until the reader took something."""
        return (
            self.waiting_events >= self.max_events
            or self.size >= BUFFER_SIZE
            or (self.size > 0 and self.budget.used >= TOTAL_SIZE)
        )

    def on_created(self, revision: int) -> None:
        """The server confirmed it, when its store was at ``revision``."""
        if not self.next_revision:
            self.next_revision = revision + 1
            self.known_revision = revision
        self.created = True
        self.down_since = None
        self.notify()

    def on_events(self, events: list[Change], size: int, *, more_fragments: bool) -> None:
        """Put whole revisions into the inbox; the last one of an unfinished response waits for the rest of it."""
        size += EVENT_SIZE * len(events)
        if self.tail:
            events = self.tail + events
            size += self.tail_size
            self.tail, self.tail_size = [], 0
        revision = events[0].mod_revision
        if not more_fragments and revision == events[-1].mod_revision:  # mostly there is one revision
            self._add(revision, events, size)
        else:
            self._add_revisions(events, size, more_fragments=more_fragments)
        self._wake()

    def _add_revisions(self, events: list[Change], size: int, *, more_fragments: bool) -> None:
        each = size // len(events)
        start = 0
        count = len(events)
        while start < count:
            revision = events[start].mod_revision
            stop = start + 1
            while stop < count and events[stop].mod_revision == revision:
                stop += 1
            if stop == count and more_fragments:
                self.tail, self.tail_size = events[start:], each * (stop - start)
                if self.lane is not None and self.lane.stream is not None:
                    self.lane.stream.check_tail(self)
                return
            self._add(revision, events[start:stop], each * (stop - start))
            if (
                self.budget.used >= TOTAL_SIZE
                and self.on_lag == "wait"
                and self.lane is not None
                and not self.lane.own
            ):
                return  # it is ended on the server now, and goes on from here: for the rest there is no memory
            start = stop

    def _add(self, revision: int, events: list[Change], size: int) -> None:
        # Old servers repeat events (fixed in 3.5.8) and send those of other keys (fixed in 3.5.33, 3.6.14, 3.7.1).
        if revision < self.next_revision:
            return
        first, end = self._first, self._end
        if len(events) == 1:
            event = events[0]
            if event.key < first or (end is not None and event.key >= end):
                return
            if self.hand_over:
                self.hand_over = False
                self.handed = event
                self.next_revision = revision + 1
                self.known_revision = revision
                return
        else:
            events = [event for event in events if first <= event.key and (end is None or event.key < end)]
            if not events:
                return
        self.hand_over = False  # what waits comes first
        self.inbox.append(Batch(revision, events, size))
        self.waiting_events += len(events)
        self.size += size
        self.budget.used += size
        self.next_revision = revision + 1
        self.known_revision = revision

    def on_progress(self, revision: int, *, trusted: bool) -> None:
        """The server says that everything up to ``revision`` was sent."""
        if trusted and not self.tail:
            self.progress_answers += 1
            if revision >= self.next_revision:
                self.next_revision = revision + 1
                self.known_revision = revision
            self.notify()

    def on_interruption(self, now: float) -> None:
        """The stream is gone; what is complete stays."""
        self.forget_tail()
        if self.created and self.down_since is None:
            self.interruptions += 1
            self.down_since = now

    def forget_tail(self) -> None:
        """Half a revision is worth nothing once its stream is gone: the server sends it again from its first event."""
        self.tail, self.tail_size = [], 0

    def notify(self) -> None:
        """Something changed: wake the reader and whoever else waits."""
        self._wake()
        if self.lender is not None:
            self.lender.end_loan()

    def _wake(self) -> None:
        self.arrived.wake()
        if self.observers:
            self.observers.unpark_all()

    def restart(self, revision: int) -> None:
        """Begin anew at ``revision`` after a failure."""
        self.failure = None
        self.created = False
        self.forget_tail()
        self.next_revision = revision
        self.known_revision = revision - 1

    def fail(self, failure: Exception) -> None:
        """No further event will come; those that wait are read first."""
        if self.failure is None:
            self.failure = failure
        self.notify()

    def take(self) -> Batch | None:
        """The next revision for the reader."""
        if not self.inbox:
            return None
        batch = self.inbox.popleft()
        self.waiting_events -= len(batch.events)
        self.size -= batch.size
        self.budget.used -= batch.size
        return batch

    def discard(self) -> None:
        """Nobody reads any more."""
        self.inbox.clear()
        self.budget.used -= self.size
        self.waiting_events = self.size = 0

    def coalesce(self) -> None:
        """Keep the newest event of each key."""
        newest: dict[bytes, Change] = {}
        left_out: set[bytes] = set()
        size = self.size
        for batch in self.inbox:
            left_out |= batch.coalesced
            for event in batch.events:
                if newest.pop(event.key, None) is not None:
                    left_out.add(event.key)
                newest[event.key] = event  # last in order, as its revision is the newest
        before = self.waiting_events
        next_revision, known = self.next_revision, self.known_revision
        self.discard()
        self.next_revision = 0
        if newest:
            self._add_revisions(list(newest.values()), size * len(newest) // before, more_fragments=False)
        for batch in self.inbox:
            batch.coalesced = frozenset(event.key for event in batch.events) & left_out
        self.next_revision, self.known_revision = next_revision, known
