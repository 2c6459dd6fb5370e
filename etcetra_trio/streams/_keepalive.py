"""The stream that keeps leases alive: one for all leases of a client; begun anew by itself, elsewhere if need be."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import trio

from .._admin_errors import AuthenticationFailedError
from .._errors import ConnectionFailedError
from .._proto import _codec as pb
from .._proto._methods import LEASE_KEEP_ALIVE
from .._proto._wire import DecodeError
from ..events import LeaseLost
from ._backoff import Backoff
from ._grpc import INTERNAL, StreamEnd
from ._kept_lease import RENEW_AFTER, lease_time, suspended
from ._protocol import Stream
from ._tokens import STALE
from ._waiter import Waiter

if TYPE_CHECKING:
    from ._connection import Connection
    from ._endpoints import Endpoints
    from ._kept_lease import KeptLease

#: Between two tries, in seconds: short, for the shortest TTL that etcd grants is 2 s.
LONGEST_DELAY: Final = 0.5
#: Leases that are due within this part of their TTL are renewed together, so that many of them wake us seldom.
TOGETHER: Final = 0.03
#: How often, in seconds, to look at the clock that goes on while this system sleeps: Trio's stands still then, and so
#: do the deadlines of bodies.
LOOK_AFTER: Final = 1.0


class KeepAliveStream(Stream):
    """One stream of etcd's LeaseKeepAlive."""

    __slots__ = ("_keeper", "asked", "connection", "ended")

    def __init__(self, keeper: KeepAlive, connection: Connection) -> None:
        super().__init__(unary=False)
        self.connection: Connection = connection
        #: The leases whose renewal is not answered yet, and when it was sent.
        self.asked: dict[int, float] = {}
        self.ended: bool = False
        self._keeper = keeper
        connection.open(self, LEASE_KEEP_ALIVE.path, leader=True)

    def ask(self, lease: KeptLease) -> None:
        """Renew a lease."""
        self.asked[lease.id] = lease_time()
        self.connection.send(self, pb.lease_keep_alive_request(lease.id), end=False)

    def stop(self) -> None:
        """End it on both sides."""
        if not self.ended:
            self.ended = True
            self.connection.cancel(self)

    def on_message(self, message: bytes, cost: int) -> None:
        """As in :class:`Stream`."""
        self.connection.engine.consumed(self, cost)
        try:
            answer = pb.decode_lease_keep_alive_response(message)
        except DecodeError as error:
            self.connection.cancel(self)
            self.on_end(StreamEnd("protocol", INTERNAL, f"a lease's answer does not decode: {error}"))
            return
        sent = self.asked.pop(answer.id, None)
        if sent is not None:
            self._keeper.on_answer(self, answer.id, sent, answer.ttl)

    def on_end(self, end: StreamEnd) -> None:
        """As in :class:`Stream`."""
        self.ended = True
        self._keeper.on_end(self, end)


class KeepAlive:
    """Keeps the leases of one ``connect()`` block alive."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints
        self._leases: dict[int, KeptLease] = {}
        #: Where renewals go is the last one; those before were too slow to answer, and may still do.
        self._streams: list[KeepAliveStream] = []
        self._backoff = Backoff(LONGEST_DELAY)
        self._changed = Waiter()
        self._opening = trio.CancelScope()
        self._wake_at = math.inf
        self._slept = suspended()
        self._running = False
        endpoints.service.at_close.append(self._close)

    def add(self, lease: KeptLease) -> None:
        """Keep a lease alive from now on."""
        self._endpoints.service.check_open()
        self._leases[lease.id] = lease
        lease.on_lost = self._on_lost
        if not self._running:
            self._running = True
            self._endpoints.service.start_soon(self._run, name="lease keep-alive")
        elif lease.due < self._wake_at:
            self._changed.wake()

    def remove(self, lease: KeptLease) -> None:
        """Keep it no longer."""
        lease.let_go()
        self._leases.pop(lease.id, None)
        if not self._leases:
            self._stop_streams()
            self._opening.cancel("no lease is left")
            self._changed.wake()

    def _on_lost(self, lease: KeptLease, reason: str) -> None:
        self._endpoints.trace.tell(LeaseLost(lease.id, reason))

    def on_answer(self, stream: KeepAliveStream, lease_id: int, sent: float, ttl: int) -> None:
        """A renewal was answered: this stream is the one that works."""
        self._backoff.reset()
        self._opening.cancel("another stream has answered")
        self._changed.wake()
        for other in self._streams:
            if other is not stream:
                other.stop()
        self._streams = [stream]
        lease = self._leases.get(lease_id)
        if lease is not None:
            lease.renewed(sent, ttl)
            if lease.lost:
                self.remove(lease)

    def on_end(self, stream: KeepAliveStream, end: StreamEnd) -> None:
        """A stream is over: by a member that has no leader, say, or with its connection."""
        if stream in self._streams:
            self._streams.remove(stream)
            failure = stream.connection.error(end, LEASE_KEEP_ALIVE, write=False)
            self._failed(failure)
            if not (isinstance(failure, STALE) and self._endpoints.renew_token(stream.connection)):
                self._endpoints.suspect(stream.connection, type(failure).__name__)
            self._changed.wake()

    async def _run(self) -> None:  # noqa: ASYNC910 - begun with a lease
        try:
            while self._leases:
                now = lease_time()
                for lease in [lease for lease in self._leases.values() if lease.lost]:
                    del self._leases[lease.id]
                self._look_for_sleep(now)
                stream = self._streams[-1] if self._streams else None
                if stream is not None and self._is_slow(stream, now):
                    waited = now - min(stream.asked.values())
                    silence = trio.current_time() - stream.connection.heard
                    self._endpoints.suspect(
                        stream.connection,
                        "the renewal of a lease takes too long",
                        silent=silence > waited / 2,
                    )
                    stream = None
                due = self._due(stream, now)
                if due and stream is None:
                    await self._open()
                    continue
                for lease in due:
                    assert stream is not None
                    stream.ask(lease)
                self._wake_at = min(
                    (self._next(lease, stream) for lease in self._leases.values()), default=now
                )
                with trio.move_on_at(min(self._wake_at - suspended(), trio.current_time() + LOOK_AFTER)):
                    await self._changed.wait()
        finally:
            self._running = False
            self._stop_streams()

    def _look_for_sleep(self, now: float) -> None:
        """If this system slept, the bodies' deadlines are nearer than they were, on Trio's clock."""
        slept = now - trio.current_time()
        if slept > self._slept + 0.05:  # the two clocks are not read at the same moment
            for lease in self._leases.values():
                lease.move_scopes()
            self._slept = slept

    async def _open(self) -> None:  # noqa: ASYNC910 - a wait is one
        """One more stream; the one before may still answer, but no older one."""
        patience = min((lease.ttl for lease in self._leases.values()), default=0) * RENEW_AFTER
        with trio.move_on_after(patience) as self._opening:  # noqa: ASYNC912 - as above
            await self._backoff.wait()
            try:
                connection = await self._endpoints.stream_connection()
            except (ConnectionFailedError, AuthenticationFailedError) as error:
                self._failed(error)
                return
            for stream in self._streams[:-1]:
                stream.stop()
            self._streams = [*self._streams[-1:], KeepAliveStream(self, connection)]

    def _due(self, stream: KeepAliveStream | None, now: float) -> list[KeptLease]:
        asked = () if stream is None else stream.asked
        return [
            lease
            for lease in self._leases.values()
            if lease.id not in asked and lease.due <= now + lease.ttl * TOGETHER
        ]

    def _is_slow(self, stream: KeepAliveStream, now: float) -> bool:
        return any(
            now >= stream.asked[lease.id] + lease.ttl * RENEW_AFTER
            for lease in self._leases.values()
            if lease.id in stream.asked
        )

    def _next(self, lease: KeptLease, stream: KeepAliveStream | None) -> float:
        """When to look at a lease again."""
        sent = None if stream is None else stream.asked.get(lease.id)
        return min(lease.expires, lease.due if sent is None else sent + lease.ttl * RENEW_AFTER)

    def _failed(self, error: Exception) -> None:
        for lease in self._leases.values():
            lease.trouble = error

    def _stop_streams(self) -> None:
        streams, self._streams = self._streams, []
        for stream in streams:
            stream.stop()

    def _close(self) -> None:
        leases, self._leases = self._leases, {}
        for lease in leases.values():
            lease.lose("the connect() block was left")
