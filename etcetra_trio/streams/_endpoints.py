"""Which connection a call uses, and what becomes of one that failed: once more, elsewhere or later, or an error."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar, Final, TypeVar

import trio

from .._admin_errors import AuthRevisionOldError, PermissionDeniedError
from .._errors import ConnectionLostError, EtcdError, OutcomeUnknownError
from .._proto._codec import range_request
from .._proto._methods import RANGE
from .._proto._wire import DecodeError
from ._dialer import Dialer, EngineName
from ._keepalive import KeepAlive
from ._liveness import Pings
from ._members import keep_in_sync
from ._retry import PATIENCE, Next, after_unknown, next_try, pause
from ._slot import Slot, connect_error
from ._tokens import RENEWALS, Tokens
from ._trace import Trace
from ._watch_lanes import WatchHub

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .._addresses import Endpoint
    from .._proto._methods import Method
    from .._secret import Secret
    from .._tls import TLSContexts
    from ._connection import Connection
    from ._protocol import Limits
    from ._service import Service

__all__ = ["Endpoints", "EngineName"]

ResponseT = TypeVar("ResponseT")
_USUAL_PINGS: Final = Pings()


class Endpoints:
    """The endpoints of one ``connect()`` block and the connections to some of them."""

    #: Whether a call that succeeds needs nothing of :meth:`call` but to be sent over the live connection.
    plain: ClassVar[bool] = True

    def __init__(
        self,
        service: Service,
        endpoints: Sequence[Endpoint],
        limits: Limits,
        http2: EngineName,
        tls: TLSContexts | None = None,
        *,
        pings: Pings = _USUAL_PINGS,
        sync_interval: float | None = None,
        tokens: Tokens | None = None,
        trace: Trace | None = None,
    ) -> None:
        #: Where events are told.
        self.trace: Trace = trace or Trace()
        self._dialer = Dialer(service, endpoints, limits, http2, tls, pings, tokens, self.trace)
        self._calls = Slot(self._dialer, "calls")
        # A connection of their own, so that long answers to calls never hold up an event or a keep-alive.
        self._streams = Slot(self._dialer, "streams")
        #: How long a call that failed is repeated, in seconds.
        self.patience: float = PATIENCE
        #: How many times a call was sent again.
        self.repeated: int = 0
        self.watches: WatchHub = WatchHub(self)
        if sync_interval is not None:
            service.start_soon(keep_in_sync, self, self._dialer, sync_interval, name="member sync")
        self.leases: KeepAlive = KeepAlive(self)

    @property
    def service(self) -> Service:
        """Where background tasks of this block run."""
        return self._dialer.service

    @property
    def dialer(self) -> Dialer:
        """What opens the connections."""
        return self._dialer

    @property
    def slots(self) -> tuple[Slot, Slot]:
        """The connections for calls, and those for long streams."""
        return self._calls, self._streams

    @property
    def live(self) -> Connection | None:
        """The connection that calls use; it may be lost by now."""
        return self._calls.live

    @property
    def live_for_streams(self) -> Connection | None:
        """The connection that long streams use; it may be lost by now, and is None before the first one."""
        return self._streams.live

    async def call(
        self,
        method: Method,
        message: bytes,
        decode: Callable[[bytes], ResponseT],
        *,
        write: bool = False,
        leader: bool = True,
        max_message: int = 0,
    ) -> ResponseT:
        """:meth:`Connection.unary` over the live connection; decodes the answer.

        What fails is repeated as ``_retry`` says, for :attr:`patience` seconds after the first failure.

        Cancellation:
          No effect where no connection was ready; else that of :meth:`Connection.unary`.

        Raises:
          EtcdError: as :meth:`Connection.unary` and :meth:`connection`; also when the answer does not decode.
        """
        live = self._calls.live
        try:
            if live is None or not live.engine.accepting:
                live = await self._calls.get(write=write)
                self._on_try(live, None)
            data = await live.unary(method, message, write=write, leader=leader, max_message=max_message)
        except EtcdError as error:
            live, data = await self._repeat(
                error, live, method, message, write=write, leader=leader, max_message=max_message
            )
        try:
            return decode(data)
        except DecodeError as error:
            failure = live.malformed(error, method, write=write)
            raise failure from failure.__cause__

    async def connection(self, *, write: bool = False) -> Connection:
        """The connection for calls; connects where there is none. ``write``: for the outcome in the error.

        Cancellation:
          No effect.

        Raises:
          ConnectionFailedError: no endpoint answered.
          AuthenticationFailedError: all that answered refuse user and password.
          trio.ClosedResourceError: the client is closed.
        """
        live = await self._calls.get(write=write)
        self._calls.note_use()
        return live

    async def stream_connection(self) -> Connection:
        """As :meth:`connection`, but the one for long streams, which no call shares.

        Where its stream ends, or is of no use, ask again: it may be another one by then (see :meth:`suspect`).
        """
        return await self._streams.get()

    def suspect(self, connection: Connection, reason: str, *, silent: bool = False) -> None:
        """Whoever is at the other end does not do its work: the next call or stream goes elsewhere if it can.

        What runs on the connection runs on. ``silent``: nothing came over it for too long, so nothing begins on it any
        more, even where there is no other endpoint.
        """
        self._dialer.suspect(connection, reason)
        for slot in self.slots:
            slot.drop(connection)
            if silent:
                slot.forget(connection)

    def renew_token(self, connection: Connection) -> bool:
        """The token was refused over this connection: whether another try makes sense.

        Where another token is needed, everybody who asks for a connection waits for it from now on.
        """
        tokens = self._dialer.tokens
        if tokens is None or not tokens.renew(connection):
            return False
        if not tokens.known:
            for slot in (self._calls, self._streams):
                if slot.live is not None:
                    slot.drop(slot.live)
        return True

    async def is_refused(self, token: Secret | None) -> bool:
        """Whether a server refuses this token, or there is another one by now, or soon: whoever connects waits for it.

        Raises:
          EtcdError: nobody could be asked.
        """
        await trio.lowlevel.checkpoint()
        tokens = self._dialer.tokens
        if tokens is None:
            return False
        if tokens.known and tokens.current is token:
            with suppress(PermissionDeniedError):  # then the token is good
                await self.call(RANGE, range_request(b"\0"), lambda _: None)
        return not tokens.known or tokens.current is not token

    def _on_try(self, connection: Connection, error: EtcdError | None) -> None:
        """A call had to look for this connection, or is repeated over it after ``error``."""

    def _after_refusal(self, error: EtcdError, live: Connection | None, renewals: int) -> Next:
        if renewals > RENEWALS or live is None:
            return "give up"
        if self.renew_token(live):
            return "renew"
        # Where a certificate says who the user is, no token is old.
        certificate = self._dialer.tokens is None and isinstance(error, AuthRevisionOldError)
        return "later" if certificate else "give up"

    async def _repeat(
        self,
        error: EtcdError,
        live: Connection | None,
        method: Method,
        message: bytes,
        *,
        write: bool,
        leader: bool,
        max_message: int,
    ) -> tuple[Connection, bytes]:
        """Go on with a call that failed: the answer, and who gave it; or raises the last error."""
        give_up = trio.current_time() + self.patience
        unknown: OutcomeUnknownError | None = None  # a try that may have been carried out
        moves = pauses = renewals = 0
        try:
            while True:  # noqa: ASYNC913 - getting a connection is a checkpoint
                if isinstance(error, OutcomeUnknownError):
                    unknown = error
                elif (
                    isinstance(error, ConnectionLostError)
                    and live is not None
                    and not live.useful
                    and not self._calls.lost_lately(self.patience)
                    and moves + 1 >= len(self._dialer.endpoints)
                ):
                    # It greeted and ended, and nothing went over it: it never was one, and there is no other.
                    error = connect_error([(live.endpoint, error)], write=write)
                following = next_try(error, write=write and not method.repeatable)
                if following == "connect" and not self._calls.lost_lately(self.patience):
                    following = "give up"
                if following == "renew":
                    renewals += 1
                    following = self._after_refusal(error, live, renewals)
                if following == "give up" or trio.current_time() >= give_up:
                    raise error if unknown is None else after_unknown(unknown, error)
                if following == "elsewhere" and live is not None:
                    self.suspect(live, type(error).__name__)
                if following == "elsewhere" and moves < max(1, len(self._dialer.endpoints) - 1):
                    moves += 1
                elif following not in {"connect", "renew"}:
                    await trio.sleep(pause(pauses))
                    pauses += 1
                try:
                    live = await self._calls.get(write=write)
                    self.repeated += 1
                    self._on_try(live, error)
                    return live, await live.unary(
                        method, message, write=write, leader=leader, max_message=max_message
                    )
                except EtcdError as failure:
                    error = failure
        finally:
            del error, unknown  # their tracebacks hold this frame
