"""Opens connections: looks names up, and races endpoints and their addresses, those that failed lately last."""

from __future__ import annotations

from contextlib import suppress
from copy import copy
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final, Literal

import trio
from trio.lowlevel import enable_ki_protection

from .. import events as e
from .._errors import ConnectionLostError, EtcdError, RemoteProtocolError
from ._connection import Connection
from ._lean import LeanEngine
from ._protocol import ENHANCE_YOUR_CALM
from ._race import HEAD_START, Race
from ._ranking import QUARANTINE, Ranking
from ._socket import look_up, open_wire
from ._tokens import bad_credentials

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._addresses import Endpoint
    from .._tls import TLSContexts
    from ._liveness import Pings
    from ._protocol import Engine, Limits
    from ._service import Service
    from ._slot import Slot
    from ._tokens import Tokens
    from ._trace import Trace

EngineName = Literal["lean", "h2"]

#: Bounds connecting and the server's greeting, for each address, in seconds (design: `reliability.md` §2).
CONNECT_TIMEOUT: Final = 5.0
#: The factor by which PINGs become rarer when a server finds them too many, and the most that it grows to.
CALMER, CALMEST = 2, 64


class Dialer:
    """Opens the connections of one ``connect()`` block."""

    def __init__(
        self,
        service: Service,
        endpoints: Sequence[Endpoint],
        limits: Limits,
        http2: EngineName,
        tls: TLSContexts | None,
        pings: Pings,
        tokens: Tokens | None,
        trace: Trace,
    ) -> None:
        self.trace: Trace = trace
        #: Who the user is; None: nobody in particular.
        self.tokens: Tokens | None = tokens
        self.service: Service = service
        #: Those to try, in the order of preference.
        self.endpoints: tuple[Endpoint, ...] = tuple(endpoints)
        self.ranking: Ranking[Endpoint] = Ranking(trio.current_time)
        self._limits = limits
        self._http2: EngineName = http2
        self._tls = tls
        self._pings = pings
        self._calm: dict[Endpoint, int] = {}
        self._apart = False
        # Counted for statistics.
        self.opened: int = 0
        self.failed: int = 0
        self.lost: int = 0

    @property
    def secure(self) -> bool:
        """Whether it can speak TLS."""
        return self._tls is not None

    def only(self, endpoint: Endpoint) -> Dialer:
        """The same for this one endpoint, whatever is known of it."""
        dialer = copy(self)
        dialer.endpoints = (endpoint,)
        dialer.ranking = Ranking(trio.current_time)
        dialer._apart = True
        return dialer

    async def dial(self, slot: Slot) -> Connection | list[tuple[str, Exception]]:
        """A connection for ``slot``: an open one, or a new one, or how it failed with every endpoint."""
        endpoints = self.endpoints
        race = Race(self.ranking.order(endpoints), partial(self._try_endpoint, slot))
        connection = await race.run()
        if connection is not None:
            return connection
        return [(str(endpoint), race.failures[endpoint]) for endpoint in endpoints]

    def suspect(self, connection: Connection, reason: str) -> None:
        """Whoever is at the other end may be of no use at present: others first."""
        self.ranking.suspect(connection.target)
        endpoint = replace(connection.target, address="")
        self._tell_quarantine(endpoint, reason)
        self.ranking.suspect(endpoint)

    def _endpoint_failed(self, endpoint: Endpoint, error: Exception) -> None:
        self._tell_quarantine(endpoint, _text(error))
        self.ranking.failed(endpoint)

    def _tell_quarantine(self, endpoint: Endpoint, reason: str) -> None:
        """If it begins now."""
        if not self._apart and not self.ranking.is_suspect(endpoint):
            self.trace.tell(e.EndpointQuarantined(str(endpoint), QUARANTINE, reason))

    async def _try_endpoint(self, slot: Slot, endpoint: Endpoint) -> Connection:
        try:
            targets = await self._look_up(endpoint)
        except OSError as error:
            self.trace.tell(e.ConnectionFailed(str(endpoint), "", slot.purpose, _text(error)))
            self._endpoint_failed(endpoint, error)
            raise
        race = Race(self.ranking.order(targets), partial(self._try_target, slot))
        connection = await race.run()
        if connection is None:
            failure = _together([race.failures[target] for target in targets], targets)
            self._endpoint_failed(endpoint, failure)
            try:
                raise failure
            finally:
                del failure  # no reference cycle with our own frame
        self.ranking.connected(endpoint)
        return connection

    async def _look_up(self, endpoint: Endpoint) -> list[Endpoint]:
        """The endpoint once for each address of its host; asked anew each time, for addresses change."""
        await self._wait_turn(endpoint)
        targets = await look_up(endpoint)
        # The other family second, if there is one: perhaps the first one leads nowhere (RFC 8305, 4).
        for place, target in enumerate(targets):
            if (":" in target.address) != (":" in targets[0].address):
                targets.insert(1, targets.pop(place))
                break
        return targets

    async def _wait_turn(self, endpoint: Endpoint) -> None:
        when = self.ranking.next_attempt(endpoint)
        if when > trio.current_time():
            await trio.sleep_until(when)
        else:  # as usual; sleeping until a time that is over costs five times as much
            await trio.lowlevel.checkpoint()

    @enable_ki_protection
    async def _try_target(self, slot: Slot, target: Endpoint) -> Connection:
        found = slot.open.get(target)
        if found is not None and found.engine.accepting:
            await self._authenticate(found)
            return found
        if self.tokens is not None:
            self.tokens.check(target)
        await self._wait_turn(target)
        started = trio.current_time()
        try:
            connection = await self._open(slot, target)
        except (OSError, EtcdError) as error:
            self.failed += 1
            self.ranking.failed(target)
            self.trace.tell(e.ConnectionFailed(str(target), _address(target), slot.purpose, _text(error)))
            raise
        except trio.Cancelled:
            if trio.current_time() - started >= HEAD_START:  # another one was faster
                self.ranking.failed(target)
            raise
        self.opened += 1
        slot.open[target] = connection
        took = trio.current_time() - started
        connection.told = True
        self.trace.tell(e.ConnectionOpened(str(target), _address(target), slot.purpose, took))
        return connection

    @enable_ki_protection  # an interrupt in between would leave the socket open
    async def _open(self, slot: Slot, target: Endpoint) -> Connection:
        """Connect to one address and wait for the greeting."""
        with trio.move_on_after(CONNECT_TIMEOUT):
            wire = await open_wire(target, self._tls)
            calm = self._calm.get(target, 1)
            pings = self._pings if calm == 1 else replace(self._pings, interval=self._pings.interval * calm)
            connection = Connection(wire, self._engine(target), target, pings, partial(self._on_lost, slot))
            connection.spare = True  # until it is chosen
            self.service.start_soon(connection.run, name=f"connection {target}")
            try:
                await connection.wait_ready()
            except BaseException:
                connection.close()
                raise
            if connection.failure is not None:
                if connection.tls_failure is not None:
                    raise connection.tls_failure
                raise RemoteProtocolError(str(target), connection.failure)
            try:
                await self._authenticate(connection)
            except BaseException:
                connection.close()
                raise
            return connection
        raise TimeoutError(f"no answer within {CONNECT_TIMEOUT:g} s")

    async def _authenticate(self, connection: Connection) -> None:
        await trio.lowlevel.checkpoint()
        if self.tokens is not None:
            with trio.move_on_after(CONNECT_TIMEOUT):
                with suppress(trio.ClosedResourceError):
                    await self.tokens.ensure(connection)
                    return
                await trio.lowlevel.checkpoint_if_cancelled()  # if it is the client that was closed
                raise ConnectionLostError(str(connection.target), "nobody needed it")
            raise TimeoutError(f"no token within {CONNECT_TIMEOUT:g} s")

    def _on_lost(self, slot: Slot, connection: Connection) -> None:
        if self.tokens is not None:
            self.tokens.connections.discard(connection)
        target, reason = connection.target, connection.failure or ""
        if connection.told:
            place = str(target), _address(target), slot.purpose
            closed = e.ConnectionClosed(*place) if connection.closing else e.ConnectionLost(*place, reason)
            self.trace.tell(closed)
        if slot.lost(connection) and not connection.closing:
            self.lost += 1
            if connection.useful:
                self.ranking.connected(target)
                self.suspect(connection, reason)
            else:  # as if it had never been
                self.ranking.failed(target)
        goaway = connection.engine.goaway
        if goaway is not None and goaway.error_code == ENHANCE_YOUR_CALM:
            self._calm[target] = min(self._calm.get(target, 1) * CALMER, CALMEST)

    def _engine(self, endpoint: Endpoint) -> Engine:
        scheme = "https" if endpoint.secure else "http"
        if self._http2 == "lean":
            return LeanEngine(endpoint.authority, scheme, self._limits)
        from ._h2 import H2Engine  # noqa: PLC0415 - the package h2 is only for those who ask for it

        return H2Engine(endpoint.authority, scheme, self._limits)


def _address(target: Endpoint) -> str:
    return target.path or target.address


def _text(error: Exception) -> str:
    return str(error) or type(error).__name__


def _together(failures: list[Exception], targets: list[Endpoint]) -> Exception:
    """One exception for the failures of a name's addresses."""
    if len({str(failure) for failure in failures}) == 1:
        return failures[0]
    refusal = bad_credentials(failures)
    if refusal is not None:
        return refusal
    text = "; ".join(
        f"{target.address}: {failure}" for target, failure in zip(targets, failures, strict=True)
    )
    error = OSError(text)
    error.__cause__ = ExceptionGroup("addresses", failures)
    return error
