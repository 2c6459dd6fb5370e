"""One gRPC stream of etcd's Watch service: many watches on it, each response handed to the watch it is for.

Responses are handed over in the connection's reader task, which saves a task switch per event: nothing here waits.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from .._error_table import rpc_error
from .._errors import AuthError, StatusCode, UnavailableError
from .._proto import _codec as pb
from .._proto._changes import Changes, watch_changes
from .._proto._methods import WATCH
from .._proto._wire import DecodeError
from .._server_errors import CompactedError
from ._grpc import INTERNAL, StreamEnd
from ._protocol import Stream, too_large_end
from ._waiter import Waiter

if TYPE_CHECKING:
    from .._secret import Secret
    from ._connection import Connection
    from ._watch_lanes import Lane
    from ._watcher import Watcher

#: The watch id of answers to progress requests: they are for all watches of the stream (etcd 3.4).
_ALL_WATCHES = -1
_PROGRESS_REQUEST = pb.watch_request(progress_request=pb.watch_progress_request())


class WatchStream(Stream):
    """The stream of a :class:`Lane` over one connection."""

    __slots__ = (
        "_creating",
        "_ended",
        "_kept",
        "_lane",
        "_last_id",
        "_watches",
        "confirmed",
        "connection",
        "end",
        "fruitful",
        "stopped",
        "token",
    )

    def __init__(self, lane: Lane, connection: Connection) -> None:
        super().__init__(unary=False)
        self.connection: Connection = connection
        #: What the server knows the user by, for as long as the stream lasts.
        self.token: Secret | None = connection.token
        self.end: StreamEnd | None = None
        #: Whether events came: then a break is no reason to wait before the next try.
        self.fruitful: bool = False
        #: Whether the server confirmed a watch.
        self.confirmed: bool = False
        #: Whether its end was our wish.
        self.stopped: bool = False
        self._lane = lane
        self._ended = Waiter()
        self._watches: dict[int, Watcher] = {}
        self._last_id: int = 0
        # The server answers in the order of the requests.
        self._creating: deque[tuple[Watcher, int]] = deque()
        # What a lane's only watch has no room for: its window is given back when there is.
        self._kept: deque[tuple[bytes, int]] = deque()
        connection.open(self, WATCH.path, leader=True)

    # -- what the lane wants ------------------------------------------------------------------------------------

    def create(self, watcher: Watcher) -> None:
        """Begin a watch, or let it go on from its next revision."""
        # With an id of the server's choice, 3.5.1 would end watch 0 when it refuses another one.
        request = watcher.create_request(watcher.watch_id or self._last_id + 1)
        limit = self.connection.engine.limits.request
        if len(request) > limit:  # the other watches of the stream go on
            failure = self.connection.error(too_large_end(request, limit), WATCH, write=False)
            self._lane.on_failure(watcher, failure)
            return
        self._last_id += 1
        self._creating.append((watcher, watcher.epoch))
        self._count()
        self.connection.send(self, request, end=False)

    def drop(self, watcher: Watcher) -> None:
        """End a watch on the server."""
        if self._watches.get(watcher.server_id) is watcher:
            del self._watches[watcher.server_id]
            self._count()
            self._cancel_watch(watcher.server_id)
        # Else it is not confirmed yet, and is ended when it is.

    def request_progress(self) -> None:
        """Ask up to which revision everything was sent; the answer goes to every watch of the stream."""
        self.connection.send(self, _PROGRESS_REQUEST, end=False)

    def give_back(self) -> None:
        """The reader of the lane's only watch took something."""
        while self._kept and not self._lane.full:
            message, cost = self._kept.popleft()
            self._handle(message)
            self.connection.consumed(self, cost)

    def stop(self) -> None:
        """End the stream on both sides."""
        self.stopped = True
        self._abandon(StreamEnd("local", StatusCode.OK, "no watch is left"))

    def serves(self, watcher: Watcher) -> bool:
        """Whether the server confirmed this watch on this stream."""
        return self._watches.get(watcher.server_id) is watcher

    @property
    def idle(self) -> bool:
        """Whether nothing is kept back."""
        return not self._kept

    async def wait_end(self) -> StreamEnd:
        """Wait until the stream is over."""
        while self.end is None:
            await self._ended.wait()
        return self.end  # noqa: ASYNC910 - a task of ours, which opened it over a connection

    # -- what the engine tells ----------------------------------------------------------------------------------

    def on_message(self, message: bytes, cost: int) -> None:
        """As in :class:`Stream`; the message of a watch without room is kept, and its window with it."""
        if self._lane.own and not self._creating and (self._kept or self._lane.full):
            self._kept.append((message, cost))
            return
        self.connection.engine.consumed(self, cost)
        self._handle(message)

    def on_end(self, end: StreamEnd) -> None:
        """As in :class:`Stream`."""
        self.end = end
        self.connection.set_sole(None)
        self._kept.clear()
        self._ended.wake()

    def _handle(self, message: bytes) -> None:
        try:
            answer = watch_changes(message)
        except DecodeError as error:
            self._abandon(StreamEnd("protocol", INTERNAL, f"a watch response does not decode: {error}"))
            return
        if not isinstance(answer, Changes):
            self._on_other(answer)
            return
        watcher = self._watches.get(answer.watch_id)
        if watcher is not None:
            self.fruitful = True
            watcher.on_events(answer.changes, len(message), more_fragments=answer.fragment)
            if watcher.full:
                self._lane.on_lag(watcher)

    def check_tail(self, watcher: Watcher) -> None:
        """More fragments of one revision are to come: perhaps it is more than we hold."""
        limit = self.connection.engine.limits.message
        if watcher.tail_size > limit:
            text = f"the events of one revision take more than {limit:,} octets (max_receive_size)"
            end = StreamEnd("message", StatusCode.RESOURCE_EXHAUSTED, text)
            self.drop(watcher)
            watcher.forget_tail()
            self._lane.on_failure(watcher, self.connection.error(end, WATCH, write=False))

    def _on_other(self, response: pb.WatchResponse) -> None:
        """A response without events."""
        if response.created:
            self._on_created(response)
        elif response.canceled:
            watcher = self._watches.pop(response.watch_id, None)
            self._count()
            if watcher is not None:
                self._on_canceled(watcher, response)
        elif response.header is not None:
            self._on_progress(response.watch_id, response.header.revision)

    def _on_created(self, response: pb.WatchResponse) -> None:
        if not self._creating:
            return
        watcher, epoch = self._creating.popleft()
        wanted = watcher.lane is self._lane and watcher.epoch == epoch
        if response.canceled:
            self._count()
            if wanted:
                self._on_canceled(watcher, response)
        elif not wanted:  # closed, or gone to another lane, meanwhile
            self._cancel_watch(response.watch_id)
        else:
            self.confirmed = True
            self._watches[response.watch_id] = watcher
            self._count()
            watcher.server_id = response.watch_id
            created, down_since = watcher.created, watcher.down_since
            watcher.on_created(0 if response.header is None else response.header.revision)
            self._lane.tell_created(watcher, self.connection, down_since, anew=not created)

    def _on_canceled(self, watcher: Watcher, response: pb.WatchResponse) -> None:
        """The server refused or ended a watch."""
        endpoint = self.connection.endpoint
        if response.compact_revision:
            text = "mvcc: required revision has been compacted"
            failure: Exception = CompactedError(
                StatusCode.OUT_OF_RANGE,
                text,
                WATCH.path,
                endpoint,
                compact_revision=response.compact_revision,
            )
        else:
            reason = response.cancel_reason or "the server ended the watch without a reason"
            failure = rpc_error(
                StatusCode.CANCELLED, reason, method=WATCH.path, endpoint=endpoint, write=False
            )
        if isinstance(failure, UnavailableError):
            # The lane begins anew, perhaps elsewhere.
            self._abandon(StreamEnd("status", failure.code, failure.message))
        elif isinstance(failure, AuthError):
            self._lane.on_refusal(watcher, failure)
        else:
            self._lane.on_failure(watcher, failure)

    def _count(self) -> None:
        """The connection wants to know when there is but one watch."""
        alone = len(self._watches) == 1 and not self._creating
        self.connection.set_sole(next(iter(self._watches.values())) if alone else None)

    def begin_anew(self) -> None:
        """Have the lane open another stream."""
        self._abandon(StreamEnd("local", StatusCode.OK, "there is another token"))

    def _abandon(self, end: StreamEnd) -> None:
        """Reset the stream from our side."""
        if self.end is None:
            self.connection.cancel(self)
            self.on_end(end)

    def _on_progress(self, watch_id: int, revision: int) -> None:
        trusted = self.connection.progress_is_true is True
        if watch_id == _ALL_WATCHES:
            for watcher in self._watches.values():
                watcher.on_progress(revision, trusted=trusted)
        elif watch_id in self._watches:
            self._watches[watch_id].on_progress(revision, trusted=trusted)

    def _cancel_watch(self, watch_id: int) -> None:
        if self.end is None:
            cancel = pb.watch_cancel_request(watch_id)
            self.connection.send(self, pb.watch_request(cancel_request=cancel), end=False)
