"""Watches as Trio memory channels: ``async with communicator.watch("k") as events: async for event in events: ...``."""

from __future__ import annotations

import math
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, TypeVar, final

import trio

from ._errors import EncodingError, EtcdError, StatusCode
from ._proto._methods import WATCH
from ._resync import Known, current_revision, list_state_patiently
from ._server_errors import CompactedError, FutureRevisionError, UnsupportedByServerError
from .streams._server_version import check_progress
from .streams._watcher import Batch

if TYPE_CHECKING:
    from ._watch_shapes import Shape
    from .streams._watch_lanes import WatchHub
    from .streams._watcher import Watcher

ItemT = TypeVar("ItemT")
#: Between two questions for the server's progress, in seconds.
_PROGRESS_INTERVAL = 0.05
#: Questions without an answer before a watch gets a stream of its own.
_PATIENCE = 5


class WatchStatistics(NamedTuple):
    """How a watch is doing."""

    #: Everything up to this revision was given to the reader. A program that keeps it each time an event was handled
    #: can go on at the next one (``start_revision``) when it is started again.
    delivered_revision: int
    #: Everything up to this revision has come from the server.
    known_revision: int
    #: Events that wait for the reader.
    buffered: int
    #: How many octets of memory they take, about.
    buffered_size: int
    #: How often the watch went on after a break.
    resumes: int
    #: For how many seconds no server has been serving it; 0.0 while one is.
    stalled_for: float

    @property
    def lag(self) -> int:
        """How many revisions the reader is behind what has come."""
        return max(0, self.known_revision - self.delivered_revision)


@final
class Watch(trio.abc.ReceiveChannel[ItemT]):
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

    def __init__(
        self,
        hub: WatchHub,
        watcher: Watcher,
        shape: Shape[ItemT],
        *,
        known: Known | None,
        ready_event: trio.Event | None,
    ) -> None:
        self._beginning: bool = False
        self._started: bool = False
        self._ready: bool = False
        self._closed: bool = False
        self._busy: bool = False
        self._quiet: bool = False
        self._hub = hub
        self._watcher = watcher
        self._shape: Shape[ItemT] = shape
        self._known = known
        self._ready_event = ready_event
        self._token: trio.lowlevel.TrioToken | None = None
        # The revision that is being given, items of it that are ready (the next one last), and the event to go on with.
        self._batch: Batch | None = None
        self._items: list[ItemT | EncodingError] = []
        self._next = 0
        self._delivered = 0

    @trio.lowlevel.enable_ki_protection
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
        if self._busy:
            raise trio.BusyResourceError("another task is receiving from this watch")
        self._busy = True
        self._quiet = False
        watcher = self._watcher
        try:
            nothing = self._batch is None and not watcher.inbox and watcher.failure is None
            if nothing and self._ready and not self._closed:
                if watcher.lender is None:
                    watcher.arrived.task = trio.lowlevel.current_task()
                    await trio.lowlevel.wait_task_rescheduled(watcher.arrived.abort)  # is the checkpoint
                else:
                    change = await watcher.lender.borrow(watcher, hand_over=self._known is None)
                    if change is not None:
                        self._delivered = change.mod_revision
                        self._hub.taken(watcher)
                        return self._shape.one(change)
            else:
                await trio.lowlevel.checkpoint()
                if not self._ready:
                    await self._wait_ready()
            while self._batch is None and not self._closed:
                batch = watcher.take()
                if batch is None:
                    await self._wait_for_more()
                else:
                    self._batch = batch if self._known is None else self._learn_from(self._known, batch)
            self._check_open()
            assert self._batch is not None
            return self._give(self._batch)
        except trio.Cancelled:
            self._quiet = True  # whoever drops it now had no way to close it
            raise
        finally:
            self._busy = False

    if not TYPE_CHECKING:  # the base class has the types
        __anext__ = receive  # one coroutine less at each event

    def _learn_from(self, known: Known, batch: Batch) -> Batch | None:
        """With ``resync``: note the events, and leave out those that are not wanted; None if all are."""
        for event in batch.events:
            known.note(event)
        batch.events = known.wanted(batch.events)
        if batch.events:
            return batch
        self._delivered = batch.revision
        self._hub.taken(self._watcher)
        return None

    def _give(self, batch: Batch) -> ItemT:
        items = self._items
        if not items:
            items, self._next = self._shape.items(batch, self._next)
            self._items = items
        item = items.pop()
        if not items and self._next >= len(batch.events):
            self._batch, self._next = None, 0
            self._delivered = batch.revision
            self._hub.taken(self._watcher)
        if isinstance(item, EncodingError):
            raise item.with_traceback(None)
        return item

    async def _wait_for_more(self) -> None:
        """Wait until something happens; raises what the watch failed with."""
        watcher = self._watcher
        failure = watcher.failure
        if failure is None:
            if watcher.lender is not None:  # what came was not wanted
                watcher.lender.end_loan()
            await watcher.arrived.wait()
        elif isinstance(failure, CompactedError) and self._known is not None:
            await self._resync(self._known)
        else:
            raise failure.with_traceback(None)

    async def _wait_ready(self, *, reader: bool = True) -> None:  # noqa: ASYNC910 - its callers are checkpoints
        """Begin, and wait until the server confirmed it. ``reader``: False for who may wait beside the reader."""
        watcher = self._watcher
        await self._begin()
        while not watcher.created:
            self._check_open()
            if reader:
                await self._wait_for_more()
            else:
                self._check_failure()
                await self._observe()
        if not self._ready:
            self._ready = True
            if self._batch is None:
                self._delivered = watcher.inbox[0].revision - 1 if watcher.inbox else watcher.known_revision
            if self._ready_event is not None:
                self._ready_event.set()

    async def _begin(self) -> None:  # noqa: ASYNC910 - as _wait_ready
        """Begin once, whoever comes first."""
        while self._beginning:
            await self._observe()
        self._check_open()
        if self._started:
            return  # noqa: ASYNC910 - as _wait_ready
        self._beginning = True
        try:
            if self._known is not None and not self._known.complete:
                await self._learn(self._known)
            self._token = trio.lowlevel.current_trio_token()
            self._hub.open(self._watcher)
            self._started = True
        finally:
            self._beginning = False
            self._watcher.notify()

    async def _learn(self, known: Known) -> None:  # noqa: ASYNC910 - as above
        """Learn what there is before the watch begins, to know later what changed."""
        watcher = self._watcher
        before = max(0, watcher.next_revision - 1)
        if watcher.next_revision == 1:
            return  # noqa: ASYNC910 - as above; there is nothing before the first revision
        # Compacted: the server will say so, and then everything is a difference. Future: what was before is not known.
        with suppress(CompactedError, FutureRevisionError):
            state, revision = await list_state_patiently(
                self._hub.endpoints, watcher.key, watcher.range_end, at_revision=before
            )
            self._check_open()
            known.differences(state, revision)
            watcher.restart(revision + 1)

    async def _resync(self, known: Known) -> None:
        """Events are gone: give the differences instead, and go on after them."""
        watcher = self._watcher
        try:
            state, revision = await list_state_patiently(self._hub.endpoints, watcher.key, watcher.range_end)
        except EtcdError as error:
            watcher.failure = error  # others who wait shall know as well
            watcher.notify()
            raise
        self._check_open()
        events = known.wanted(known.differences(state, revision))
        self._hub.endpoints.service.check_open()
        watcher.restart(revision + 1)
        self._hub.open(watcher)
        if events:
            self._batch = Batch(revision, events, 0)
            self._batch.synthetic = True

    @trio.lowlevel.enable_ki_protection
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
        await trio.lowlevel.checkpoint()
        watcher = self._watcher
        if not self._ready:
            await self._wait_ready(reader=False)
        answers = watcher.progress_answers
        unanswered = 0
        while watcher.progress_answers == answers:
            self._check_open()
            self._check_failure()
            stream = watcher.lane.stream if watcher.lane is not None else None
            if stream is not None and stream.serves(watcher):
                connection = stream.connection
                if await check_progress(connection) is False:
                    text = "this server's progress answers can overtake events"
                    raise UnsupportedByServerError(
                        StatusCode.UNIMPLEMENTED,
                        text,
                        WATCH.path,
                        connection.endpoint,
                        since="3.4.31 and 3.5.13",
                    )
                stream.request_progress()
            with trio.move_on_after(_PROGRESS_INTERVAL):
                await self._observe()
                continue
            # Servers say nothing while any watch of the stream has not caught up, or waits for a revision to come.
            if await current_revision(self._hub.endpoints, watcher.key) <= watcher.known_revision:
                break  # nothing has happened that could still come
            unanswered += 1
            if unanswered == _PATIENCE:
                self._hub.isolate(watcher)
        return watcher.known_revision

    @trio.lowlevel.enable_ki_protection
    async def wait_revision(self, revision: int) -> None:
        """Wait until whatever happened up to ``revision`` was given to the reader, or waits for it.

        Cancellation:
          No effect.

        Args:
          revision: A revision of the store, such as a put returned.

        Raises:
          EtcdError: the watch failed.
        """
        await trio.lowlevel.checkpoint()
        believable = True
        while self._watcher.known_revision < revision:
            if believable:
                try:
                    if await self.progress() < revision:
                        await trio.sleep(_PROGRESS_INTERVAL)  # the member lags
                except UnsupportedByServerError:
                    believable = False  # then only an event can tell
            else:
                self._check_open()
                self._check_failure()
                await self._observe()

    def _check_failure(self) -> None:
        failure = self._watcher.failure
        gets_over_it = (
            isinstance(failure, CompactedError) and self._known is not None
        )  # the reader does, that is
        if failure is not None and not gets_over_it:
            raise failure.with_traceback(None)

    async def _observe(self) -> None:
        if self._watcher.observers is None:
            self._watcher.observers = trio.lowlevel.ParkingLot()
        with self._hub.endpoints.service.guard():
            await self._watcher.observers.park()

    def statistics(self) -> WatchStatistics:
        """How the watch is doing."""
        watcher = self._watcher
        waiting = self._batch is not None or watcher.inbox or watcher.tail
        return WatchStatistics(
            self._delivered if waiting else max(self._delivered, watcher.known_revision),
            watcher.known_revision,
            watcher.waiting_events,
            watcher.size,
            watcher.interruptions,
            0.0 if watcher.down_since is None else trio.current_time() - watcher.down_since,
        )

    @trio.lowlevel.enable_ki_protection
    async def aclose(self) -> None:
        """End the watch, on the server as well.

        Cancellation:
          It is ended in any case.
        """
        self._close()
        await trio.lowlevel.checkpoint()

    @trio.lowlevel.enable_ki_protection
    async def __aenter__(self) -> Watch[ItemT]:
        """Begin the watch; what happens from now on is not missed."""
        try:
            await trio.lowlevel.checkpoint()
            await self._wait_ready()
        except BaseException:
            self._close()
            raise
        return self

    @trio.lowlevel.enable_ki_protection
    def _close(self) -> None:
        if not self._closed:
            self._closed = True
            if self._started:
                self._hub.close(self._watcher)
            self._batch = None
            self._items.clear()
            self._watcher.notify()

    def _check_open(self) -> None:
        if self._closed:
            raise trio.ClosedResourceError("this watch was closed")

    def __del__(self) -> None:
        if not self._started or self._closed or self._token is None:
            return
        with suppress(trio.RunFinishedError):
            self._token.run_sync_soon(self._hub.close, self._watcher)
        excused = self._quiet or self._hub.endpoints.service.closed or self._watcher.failure is not None
        if not excused and not _being_cancelled():
            text = f"{self!r} was dropped without being closed: use `async with`"
            warnings.warn(text, ResourceWarning, stacklevel=2, source=self)

    def __repr__(self) -> str:
        watcher = self._watcher
        what = f"{watcher.key!r}" + (f" to {watcher.range_end!r}" if watcher.range_end else "")
        state = (
            "closed" if self._closed else "failed" if watcher.failure else "open" if self._ready else "new"
        )
        return f"<etcetra_trio.Watch of {what}: {state}, next revision {watcher.next_revision}>"


def _being_cancelled() -> bool:
    """Whether this runs in a cancelled task: an ``async for`` that is left so has no way to close its watch."""
    try:
        return trio.current_effective_deadline() == -math.inf
    except RuntimeError:  # no task of Trio's
        return False
