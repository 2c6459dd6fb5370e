"""Which endpoint: opens the connection a client works on, and opens another when that one is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeVar

import trio

from .._errors import ConnectionFailedError, RemoteProtocolError
from .._proto._wire import DecodeError
from ._connection import Connection
from ._keepalive import KeepAlive
from ._lean import LeanEngine
from ._socket import open_wire
from ._watch_lanes import WatchHub

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .._addresses import Endpoint
    from .._proto._methods import Method
    from .._tls import TLSContexts
    from ._protocol import Engine, Limits
    from ._service import Service

ResponseT = TypeVar("ResponseT")
EngineName = Literal["lean", "h2"]

#: Bounds connecting and the server's greeting, for each endpoint, in seconds (design: `reliability.md` §2).
CONNECT_TIMEOUT: Final = 5.0


class Endpoints:
    """The endpoints of one ``connect()`` block and the connection to one of them."""

    def __init__(
        self,
        service: Service,
        endpoints: Sequence[Endpoint],
        limits: Limits,
        http2: EngineName,
        tls: TLSContexts | None = None,
    ) -> None:
        self._service = service
        self._endpoints = tuple(endpoints)
        self._limits = limits
        self._http2: EngineName = http2
        self._tls = tls
        #: The connection that calls use; it may be lost by now.
        self.live: Connection | None = None
        #: How many attempts failed, and how the last one did.
        self._attempts: int = 0
        self._failures: list[tuple[str, Exception]] = []
        self._connecting = trio.Lock()
        self.watches: WatchHub = WatchHub(self)
        self.leases: KeepAlive = KeepAlive(self)

    @property
    def service(self) -> Service:
        """Where background tasks of this block run."""
        return self._service

    async def call(
        self,
        method: Method,
        message: bytes,
        decode: Callable[[bytes], ResponseT],
        *,
        write: bool = False,
        leader: bool = True,
        max_message: int = 0,
        reset: bool = True,
    ) -> ResponseT:
        """:meth:`Connection.unary` over the live connection; decodes the answer.

        Cancellation:
          No effect where no connection was ready; else that of :meth:`Connection.unary`.

        Raises:
          EtcdError: as :meth:`Connection.unary` and :meth:`connection`; also when the answer does not decode.
        """
        live = self.live
        if live is None or not live.engine.accepting:
            live = await self.connection(write=write)
        data = await live.unary(
            method, message, write=write, leader=leader, max_message=max_message, reset=reset
        )
        try:
            return decode(data)
        except DecodeError as error:
            failure = live.malformed(error, method, write=write)
            raise failure from failure.__cause__

    async def connection(self, *, write: bool = False) -> Connection:
        """The live connection; connects where there is none. ``write``: for the outcome in the error.

        Cancellation:
          Cleans up.

        Raises:
          ConnectionFailedError: no endpoint answered.
          trio.ClosedResourceError: the client is closed.
        """
        attempts = self._attempts
        async with self._connecting:  # whoever comes second finds the first one's connection, or its failure
            with self._service.guard():
                if self._attempts != attempts and self._failures:
                    raise _failed(self._failures, write=write)
                if self.live is None or not self.live.engine.accepting:
                    self.live = await self._connect(write=write)
                return self.live
        raise AssertionError("unreachable: guard() returns or raises")

    async def stream_connection(self) -> Connection:
        """The connection for long streams."""
        return await self.connection()

    def suspect(self, connection: Connection) -> None:
        """Whoever is at the other end does not do its work: the next call or stream goes elsewhere."""
        if self.live is connection:
            self.live = None

    async def _connect(self, *, write: bool) -> Connection:
        failures: list[tuple[str, Exception]] = []
        for endpoint in self._endpoints:
            try:
                connection = await self._open(endpoint)
            except (OSError, RemoteProtocolError) as error:
                failures.append((str(endpoint), error))
            else:
                self._failures = []
                return connection
        self._attempts += 1
        self._failures = failures
        raise _failed(failures, write=write)

    @trio.lowlevel.enable_ki_protection  # an interrupt in between would leave the socket open
    async def _open(self, endpoint: Endpoint) -> Connection:
        """Connect to one endpoint and wait for its greeting."""
        with trio.move_on_after(CONNECT_TIMEOUT):
            wire = await open_wire(endpoint, self._tls)
            if self._service.closed:
                wire.close()
                self._service.check_open()
            connection = Connection(wire, self._engine(endpoint), str(endpoint))
            self._service.start_soon(connection.run, name=f"connection {endpoint}")
            try:
                await connection.wait_ready()
            except BaseException:
                connection.close()
                raise
            if connection.failure is not None:
                if connection.tls_failure is not None:
                    raise connection.tls_failure
                raise RemoteProtocolError(str(endpoint), connection.failure)
            return connection
        raise TimeoutError(f"no answer within {CONNECT_TIMEOUT:g} s")

    def _engine(self, endpoint: Endpoint) -> Engine:
        scheme = "https" if endpoint.secure else "http"
        if self._http2 == "lean":
            return LeanEngine(endpoint.authority, scheme, self._limits)
        from ._h2 import H2Engine  # noqa: PLC0415 - the package h2 is only for those who ask for it

        return H2Engine(endpoint.authority, scheme, self._limits)


def _failed(failures: list[tuple[str, Exception]], *, write: bool) -> ConnectionFailedError:
    """The error for an attempt; each caller that waited for it gets one of its own."""
    error = ConnectionFailedError(failures, "not_applied" if write else None)
    error.__cause__ = ExceptionGroup("endpoints", [failure for _, failure in failures])
    return error
