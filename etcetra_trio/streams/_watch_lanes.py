"""Lanes: each keeps one watch stream open for its watches, over whatever connection there is.

All watches share one lane. A watch that lags gets a lane of its own, whose HTTP/2 window makes the server wait; there
are few of those, so further ones are ended on the server and go on once their reader has read what waits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import trio

from .._admin_errors import AuthenticationFailedError
from .._errors import AuthError, ConnectionFailedError, EtcdError, StatusCode, WatchLaggedError
from .._proto._methods import WATCH
from .._server_errors import CompactedError
from ..events import (
    WatchClosed,
    WatchCompacted,
    WatchFailed,
    WatchInterrupted,
    WatchLagging,
    WatchOpened,
    WatchResumed,
)
from ._backoff import LONGEST_DELAY, Backoff
from ._server_version import check_progress
from ._tokens import RENEWALS, STALE
from ._watch_stream import WatchStream
from ._watcher import Budget

if TYPE_CHECKING:
    from ._connection import Connection
    from ._endpoints import Endpoints
    from ._grpc import StreamEnd
    from ._watcher import Watcher

#: Messages larger than we take, one after the other without an event between them, before the watches fail.
TOO_LARGE: Final = 5
#: Lanes for single watches that lag: each may hold a stream's window (4 MiB) beside its watch's buffer.
OWN_LANES: Final = 6
#: Statuses that another try cannot change; all others, and every broken connection, are worth one.
_FINAL = frozenset(
    {
        StatusCode.INVALID_ARGUMENT,
        StatusCode.NOT_FOUND,
        StatusCode.PERMISSION_DENIED,
        StatusCode.FAILED_PRECONDITION,
        StatusCode.OUT_OF_RANGE,
        StatusCode.UNIMPLEMENTED,
        StatusCode.DATA_LOSS,
        StatusCode.UNAUTHENTICATED,
    }
)


class Lane:
    """One stream's worth of watches, and the task that keeps the stream open."""

    def __init__(self, hub: WatchHub, *, own: bool) -> None:
        self._hub = hub
        self._running = False
        self._renewals = 0
        #: Whether it is for a single watch, which then may stall the stream.
        self.own = own
        self.watchers: dict[Watcher, None] = {}
        #: None while there is no connection.
        self.stream: WatchStream | None = None

    def add(self, watcher: Watcher) -> None:
        """Serve a watch."""
        watcher.lane = self
        watcher.epoch += 1
        watcher.forget_tail()
        self.watchers[watcher] = None
        if self.stream is not None:
            self.stream.create(watcher)
        elif not self._running:
            self._running = True
            self._hub.endpoints.service.start_soon(self._run, name="watch stream")

    def remove(self, watcher: Watcher) -> None:
        """Serve a watch no longer; the server is told."""
        del self.watchers[watcher]
        watcher.lane = None
        if self.stream is not None:
            if self.watchers:
                self.stream.drop(watcher)
            else:
                self.stream.stop()

    @property
    def full(self) -> bool:
        """Whether the only watch of this lane has no room."""
        return any(watcher.full for watcher in self.watchers)

    @property
    def idle(self) -> bool:
        """Whether nothing waits for the reader of the only watch of this lane."""
        return (self.stream is None or self.stream.idle) and not any(
            watcher.inbox for watcher in self.watchers
        )

    def on_lag(self, watcher: Watcher) -> None:
        """A watch has no room, and the stream is not its own."""
        if watcher in self.watchers:  # and did not fail
            self._hub.on_lag(watcher)

    def on_failure(self, watcher: Watcher, failure: Exception) -> None:
        """A watch is over for good."""
        del self.watchers[watcher]
        watcher.lane = None
        self._hub.fail(watcher, failure)
        if not self.watchers and self.stream is not None:
            self.stream.stop()

    def tell_created(
        self, watcher: Watcher, connection: Connection, down_since: float | None, *, anew: bool
    ) -> None:
        """The server confirmed a watch; others than those that begin may have been interrupted."""
        trace, endpoint = self._hub.endpoints.trace, connection.endpoint
        if anew:
            trace.tell(WatchOpened(watcher.number, endpoint, watcher.next_revision))
        elif down_since is not None:
            down = trio.current_time() - down_since
            trace.tell(WatchResumed(watcher.number, endpoint, watcher.next_revision, down))

    def on_refusal(self, watcher: Watcher, failure: AuthError) -> None:
        """The server does not let the user watch this; or it took the stream's token for none (3.5.1 says the same)."""
        stream = self.stream
        if stream is None or stream.token is None:
            self.on_failure(watcher, failure)
        else:
            self._hub.endpoints.service.start_soon(
                self._doubt, watcher, watcher.epoch, failure, stream, name="refused watch"
            )

    async def _doubt(self, watcher: Watcher, epoch: int, failure: AuthError, stream: WatchStream) -> None:
        """Find out which, and begin anew or tell the watch."""
        await trio.lowlevel.checkpoint()
        try:
            refused = await self._hub.endpoints.is_refused(stream.token)
        except (AuthError, trio.ClosedResourceError):
            refused = False
        except EtcdError:
            refused = True  # nobody could be asked: the next stream finds out, as the lane's pauses allow
        if watcher.lane is self and watcher.epoch == epoch:
            if not refused:
                self.on_failure(watcher, failure)
            elif self.stream is stream:
                stream.begin_anew()

    async def _run(self) -> None:  # noqa: ASYNC910 - begun with a watch
        backoff = Backoff()
        too_large = 0
        try:
            while self.watchers:
                stream = await self._open()
                if stream is not None:
                    began = trio.current_time()
                    end = await stream.wait_end()
                    self.stream = None
                    if end.status == StatusCode.UNAVAILABLE and not stream.stopped:
                        self._hub.endpoints.suspect(stream.connection, end.message)  # it has no leader, say
                    # etcd sends what came for a watch before it confirmed it in one piece, however large; the next
                    # time it mostly is in fragments.
                    too_large = 0 if stream.fruitful or end.kind != "message" else too_large + 1
                    self._on_interruption(stream, end, final=too_large >= TOO_LARGE)
                    if stream.stopped:
                        continue
                    if stream.confirmed:
                        backoff.ease()
                    if stream.fruitful or trio.current_time() - began > LONGEST_DELAY:
                        backoff.reset()
                elif not self.watchers:
                    break
                await backoff.wait()
        finally:
            # Watches are left only where the client's block was.
            self._running = False
            self.stream = None
            self._fail_all(_left())

    async def _open(self) -> WatchStream | None:
        """A stream with all watches on it; None if there is no connection."""
        try:
            connection = await self._hub.endpoints.stream_connection()
        except ConnectionFailedError:
            return None  # noqa: ASYNC910 - connecting is one
        except AuthenticationFailedError as error:
            self._fail_all(error)
            return None  # noqa: ASYNC910 - as above
        if any(watcher.progress_notify for watcher in self.watchers):
            await check_progress(connection)
        if not self.watchers:  # all were closed meanwhile
            return None
        self.stream = WatchStream(self, connection)
        for watcher in list(self.watchers):
            self.stream.create(watcher)
        return self.stream

    def _on_interruption(self, stream: WatchStream, end: StreamEnd, *, final: bool) -> None:
        if not stream.stopped and (final or (end.kind in {"status", "http"} and end.status in _FINAL)):
            failure = stream.connection.error(end, WATCH, write=False)
            self._renewals = 0 if stream.confirmed else self._renewals + 1
            stale = isinstance(failure, STALE) and self._renewals <= RENEWALS
            if not (stale and self._hub.endpoints.renew_token(stream.connection)):
                self._fail_all(failure)
        for watcher in self.watchers:
            if watcher.created and watcher.down_since is None:
                event = WatchInterrupted(watcher.number, stream.connection.endpoint, end.message)
                self._hub.endpoints.trace.tell(event)
            watcher.on_interruption(trio.current_time())

    def _fail_all(self, failure: Exception) -> None:
        watchers, self.watchers = self.watchers, {}
        for watcher in watchers:
            watcher.lane = None
            self._hub.fail(watcher, failure)


class WatchHub:
    """All watches of one ``connect()`` block."""

    def __init__(self, endpoints: Endpoints) -> None:
        self.endpoints = endpoints
        self.budget: Budget = Budget()
        self._shared = Lane(self, own=False)
        #: The lanes of watches that lagged.
        self._own: list[Lane] = []
        #: Watches that are ended on the server until their readers have read what waits.
        self._parked: set[Watcher] = set()
        self._opened = 0
        endpoints.service.at_close.append(self._fail_parked)

    def open(self, watcher: Watcher) -> None:
        """Begin a watch. One with an id of the user's choice gets its own stream, where no other can have the id."""
        self.endpoints.service.check_open()
        if not watcher.number:  # else it begins anew
            self._opened += 1
            watcher.number = self._opened
        lane = Lane(self, own=True) if watcher.watch_id else self._shared
        lane.add(watcher)

    def close(self, watcher: Watcher) -> None:
        """End a watch, on the server as well."""
        self._parked.discard(watcher)
        if watcher.lane is not None:
            watcher.lane.remove(watcher)
        watcher.discard()
        if watcher.number:
            self.endpoints.trace.tell(WatchClosed(watcher.number))

    def fail(self, watcher: Watcher, failure: Exception) -> None:
        """Let the reader of a watch know that it is over, once it has read what waits."""
        if isinstance(failure, CompactedError):
            self.endpoints.trace.tell(WatchCompacted(watcher.number, failure.compact_revision))
        elif not isinstance(failure, trio.ClosedResourceError):
            self.endpoints.trace.tell(WatchFailed(watcher.number, type(failure).__name__))
        watcher.fail(failure)

    def taken(self, watcher: Watcher) -> None:
        """The reader took a revision."""
        lane = watcher.lane
        if lane is not None:
            if lane.own and lane.stream is not None:
                lane.stream.give_back()
        elif watcher in self._parked and not watcher.inbox:
            self._parked.discard(watcher)
            if not self.endpoints.service.closed:
                self._shared.add(watcher)

    def on_lag(self, watcher: Watcher) -> None:
        """A watch of the shared lane is full: that must cost the others nothing."""
        if watcher.on_lag == "coalesce":
            watcher.coalesce()
            if not watcher.full:
                return
        assert watcher.lane is not None
        if watcher.lane.own and watcher.on_lag != "raise":
            return  # the stream's window makes the server wait
        watcher.lane.remove(watcher)
        self.endpoints.trace.tell(WatchLagging(watcher.number, watcher.waiting_events))
        watcher.on_interruption(trio.current_time())
        if watcher.on_lag == "raise":
            self.fail(watcher, WatchLaggedError(watcher.known_revision))
            return
        lane = self._own_lane()
        if lane is None:
            self._parked.add(watcher)
        else:
            lane.add(watcher)

    def isolate(self, watcher: Watcher) -> None:
        """Give a watch a stream of its own, where no other stands in the way of what the server says of it."""
        lane = watcher.lane
        if lane is not None and not lane.own:
            own = self._own_lane()
            if own is not None:
                lane.remove(watcher)
                own.add(watcher)

    def _fail_parked(self) -> None:
        parked, self._parked = self._parked, set()
        for watcher in parked:
            self.fail(watcher, _left())

    def _own_lane(self) -> Lane | None:
        """A lane for a watch that lags; None if all are taken by watches that still lag."""
        self._own = [lane for lane in self._own if lane.watchers]
        if len(self._own) >= OWN_LANES:
            idle = next((lane for lane in self._own if lane.idle), None)
            if idle is None:
                return None
            self._own.remove(idle)
            for watcher in list(idle.watchers):
                idle.remove(watcher)
                self._shared.add(watcher)
        self._own.append(Lane(self, own=True))
        return self._own[-1]


def _left() -> trio.ClosedResourceError:
    return trio.ClosedResourceError("the connect() block of this watch was left")
