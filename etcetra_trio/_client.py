"""Who, where, how: a client holds settings and opens nothing until ``connect()``."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Generic, cast, final, overload

import trio

from ._addresses import parse_endpoints
from ._blocks import to_enter
from ._checks import check_number, check_seconds
from ._communicator import EtcdCommunicator
from ._errors import InvalidRequestError
from ._keys import KeySpace, TextT, key_space
from ._tls import tls_contexts
from .streams._endpoints import Endpoints
from .streams._liveness import Pings
from .streams._observed import ObservedEndpoints
from .streams._protocol import MAX_MESSAGE, Limits
from .streams._service import open_service
from .streams._tokens import Tokens, check_credentials, exposed_text
from .streams._trace import Trace

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, Sequence

    from ._addresses import HostPortPair
    from ._lease import OnLost
    from ._tls import TLSConfig
    from .events import OnEvent
    from .streams._endpoints import EngineName
    from .streams._tokens import Credentials

    _Endpoints = HostPortPair | str | Sequence[HostPortPair | str]
    _TLS = bool | TLSConfig | ssl.SSLContext


@final
class EtcdClient(Generic[TextT]):
    """The settings of a client: reusable, and cheap; no connection exists outside of :meth:`connect`.

    ``EtcdClient("127.0.0.1:2379")`` takes and gives text; ``EtcdClient("…", encoding=None)`` takes and gives
    bytes.

    Args:
      endpoints: Where etcd is: a :class:`HostPortPair`, a string such as ``"host:2379"``,
        ``"https://host:2379"``, ``"[::1]:2379"`` or ``"unix:///path"``, several of them between commas, or a
        sequence of these. The first that answers serves; those that failed lately come last.
      credentials: Who the user is: an :class:`EtcdCredential`, or an :class:`EtcdToken`. The token that the server
        gives for the first is fetched again whenever it wants another one. Without, the client is nobody, or whom its
        TLS certificate names.
      secure: The same as ``tls=True``.
      encoding: The text codec of keys and values; None for bytes.
      namespace: Put before every key, and removed from everything that comes back.
      http2: The HTTP/2 engine: ``"lean"``, ours, or ``"h2"``, the package of that name, several times slower,
        to compare with.
      tls: Speak TLS, and trust what the system trusts (True), what a :class:`TLSConfig` says, or what an
        :class:`ssl.SSLContext` of yours does, on which ALPN is set to HTTP/2. ``https://`` alone is True, too.
        Server certificates are always checked, unless your own context does not.
      max_receive_size: The largest answer to take, and for a watch the largest revision, in octets. None: one answer
        may be as large as the unfinished ones of a connection together, for which there are 96 MiB (or twice
        ``max_receive_size``, if that is more).
      max_send_size: The largest request to send, in octets; what is larger is refused here, by a
        :exc:`RequestTooLargeError`. None: the server says what it does not take (above 1.5 MiB, unless its
        ``--max-request-bytes`` is another).
      call_timeout: The most that a call may take, in seconds, with connecting and repeating: for programs that do
        not put a cancel scope around each. It is not for watches and other things that last. None: no limit.
      sync_interval: Ask the cluster for its members that often, in seconds, and connect to these as well, so that
        the client follows when members come and go. None: only ``endpoints`` are used.
      ping_interval: While something waits for a server that was silent for so many seconds, ask whether it still
        lives. etcd ends connections on which this comes more often than every 5 seconds, unless its
        ``--grpc-keepalive-min-time`` allows it; then it becomes rarer by itself.
      ping_timeout: How long to wait for a sign of life then, in seconds, before another endpoint is sought.
      allow_plaintext_credentials: Let credentials go over connections without TLS to other machines, where anybody
        on the way can read them.
      on_event: Called with each event of :mod:`etcetra_trio.events`: connections, calls, watches, leases. It is called
        in Trio's thread, for calls in the task that makes them, and must be quick; what it raises is logged.

    Raises:
      InvalidRequestError: an endpoint cannot be one, the encoding is unknown, or another argument makes no
        sense.
      TypeError: an argument is of a wrong type.
    """

    __slots__ = (
        "_call_timeout",
        "_credentials",
        "_endpoints",
        "_http2",
        "_keys",
        "_max_receive_size",
        "_max_send_size",
        "_on_event",
        "_pings",
        "_plaintext",
        "_sync_interval",
        "_tls",
    )

    @overload
    def __init__(
        self: EtcdClient[str],
        endpoints: _Endpoints,
        credentials: Credentials | None = ...,
        secure: bool = ...,
        encoding: str = ...,
        *,
        tls: _TLS | None = ...,
        namespace: str | bytes = ...,
        http2: EngineName = ...,
        max_receive_size: int | None = ...,
        max_send_size: int | None = ...,
        call_timeout: float | None = ...,
        sync_interval: float | None = ...,
        ping_interval: float = ...,
        ping_timeout: float = ...,
        allow_plaintext_credentials: bool = ...,
        on_event: OnEvent | None = ...,
    ) -> None: ...
    @overload
    def __init__(
        self: EtcdClient[bytes],
        endpoints: _Endpoints,
        credentials: Credentials | None = ...,
        secure: bool = ...,
        *,
        encoding: None,
        tls: _TLS | None = ...,
        namespace: str | bytes = ...,
        http2: EngineName = ...,
        max_receive_size: int | None = ...,
        max_send_size: int | None = ...,
        call_timeout: float | None = ...,
        sync_interval: float | None = ...,
        ping_interval: float = ...,
        ping_timeout: float = ...,
        allow_plaintext_credentials: bool = ...,
        on_event: OnEvent | None = ...,
    ) -> None: ...
    def __init__(
        self,
        endpoints: _Endpoints,
        credentials: Credentials | None = None,
        secure: bool = False,
        encoding: str | None = "utf-8",
        *,
        tls: _TLS | None = None,
        namespace: str | bytes = "",
        http2: EngineName = "lean",
        max_receive_size: int | None = None,
        max_send_size: int | None = None,
        call_timeout: float | None = None,
        sync_interval: float | None = None,
        ping_interval: float = 6.0,
        ping_timeout: float = 3.0,
        allow_plaintext_credentials: bool = False,
        on_event: OnEvent | None = None,
    ) -> None:
        if http2 not in {"lean", "h2"}:
            raise InvalidRequestError(f'http2 is {http2!r}: use "lean" or "h2"')
        if secure:
            if tls is not None:
                raise InvalidRequestError("secure=True is tls=True: give one of them, not both")
            tls = True
        if tls is False:
            tls = None
        self._endpoints = parse_endpoints(endpoints, secure=tls is not None)
        if tls is None and any(endpoint.secure for endpoint in self._endpoints):
            tls = True
        self._tls = None if tls is None else tls_contexts(tls)
        if credentials is not None:
            check_credentials(credentials)
            exposed = [endpoint for endpoint in self._endpoints if endpoint.exposed]
            if exposed and not allow_plaintext_credentials:
                raise InvalidRequestError(exposed_text(exposed[0]))
        self._credentials = credentials
        self._plaintext = allow_plaintext_credentials
        if max_receive_size is not None and not check_number("max_receive_size", max_receive_size):
            raise InvalidRequestError("max_receive_size is 0: no answer would fit")
        self._max_receive_size = max_receive_size
        if max_send_size is not None and not check_number("max_send_size", max_send_size):
            raise InvalidRequestError("max_send_size is 0: no request would fit")
        self._max_send_size = MAX_MESSAGE if max_send_size is None else max_send_size
        if on_event is not None and not callable(on_event):
            raise TypeError(f"on_event is called, and a {type(on_event).__name__} cannot be")
        self._on_event = on_event
        self._call_timeout = None if call_timeout is None else check_seconds("call_timeout", call_timeout)
        self._sync_interval = None if sync_interval is None else check_seconds("sync_interval", sync_interval)
        self._pings = Pings(
            check_seconds("ping_interval", ping_interval), check_seconds("ping_timeout", ping_timeout)
        )
        self._http2: EngineName = http2
        # The overloads bind the type variable to what the encoding gives.
        self._keys: KeySpace[TextT] = cast("KeySpace[TextT]", key_space(encoding, namespace))

    @to_enter
    @asynccontextmanager
    async def connect(self, *, wait: bool = True) -> AsyncGenerator[EtcdCommunicator[TextT]]:
        """Connect for the length of a block: ``async with client.connect() as communicator: ...``.

        A nursery inside owns the connection and its tasks, so do not ``yield`` in the block from an async
        generator (other than one that is itself a context manager or a pytest fixture). Only the block's own
        exception leaves it, as the same object.

        When a connection breaks, or its server cannot serve, calls go to another endpoint, or to the same once it
        is back. Reads are repeated there, and so are writes that certainly were not carried out, for 5 s after the
        first failure; where nobody can be connected to, for 5 s after the connection was lost. Other writes
        raise :exc:`OutcomeUnknownError`. Watches, leases and locks go on by themselves.

        Cancellation:
          Cleans up: no task and no socket is left.

        Args:
          wait: Enter once an endpoint answered. False: enter at once; the first call connects, and fails if it cannot
            (a watch waits).

        Returns:
          An :class:`EtcdCommunicator`.

        Raises:
          ConnectionFailedError: no endpoint answered; it lists each one with its cause.
          AuthenticationFailedError: all that answered refuse user and password.
          InternalError: a background task failed: a bug of ours.
        """
        async with self._opened() as endpoints:
            if wait:
                await endpoints.connection()
            else:
                await trio.lowlevel.checkpoint()
            yield EtcdCommunicator(endpoints, self._keys)

    @to_enter
    @asynccontextmanager
    async def with_lock(
        self,
        lock_name: str | bytes,
        timeout: float | None = None,  # noqa: ASYNC109 - it bounds the acquiring, an outer scope the body as well
        ttl: float | None = None,
        *,
        lease_ttl: int = 10,
        on_lost: OnLost = "cancel",
    ) -> AsyncGenerator[EtcdCommunicator[TextT]]:
        """Connect and hold a lock, both for the length of a block: :meth:`connect` and :meth:`EtcdCommunicator.lock`.

        Cancellation:
          Cleans up, as these two do.

        Args:
          lock_name: What is locked.
          timeout: For how many seconds to try, connecting included; see :meth:`EtcdCommunicator.lock`.
          ttl: Hold it for so many seconds at most.
          lease_ttl: After so many seconds it frees itself if this program dies.
          on_lost: ``"cancel"`` the block when the lock is lost, or only ``"flag"`` it.

        Returns:
          An :class:`EtcdCommunicator`, whose ``held_lock`` is the :class:`Lock`.

        Raises:
          InvalidRequestError: a bad argument (or TypeError).
          LockTimeoutError: on entering: not acquired in time.
          LockLostError: leaves the block when the lock was lost.
          ConnectionFailedError: no endpoint answered.
          AuthenticationFailedError: all that answered refuse user and password.
          EtcdError: on entering: it could not be acquired.
        """
        async with self._opened() as endpoints:
            locks = EtcdCommunicator(endpoints, self._keys)
            async with locks.lock(lock_name, timeout, ttl, lease_ttl=lease_ttl, on_lost=on_lost) as lock:
                yield EtcdCommunicator(endpoints, self._keys, lock)

    @asynccontextmanager
    async def _opened(self) -> AsyncGenerator[Endpoints]:
        """What a block stands on; nothing is connected yet."""
        if not trio.lowlevel.in_trio_task():
            raise RuntimeError(
                "this client is for Trio, which does not run here: "
                "use `trio.run`, or `from etcetra_trio.asyncio import EtcdClient` in asyncio programs"
            )
        async with open_service() as service:
            limits = Limits(message=self._max_receive_size, request=self._max_send_size)
            trace = Trace(self._on_event)
            tokens = None
            if self._credentials is not None:
                tokens = Tokens(self._credentials, trace, plaintext=self._plaintext)
            observed = trace.calls or self._call_timeout is not None
            endpoints = (ObservedEndpoints if observed else Endpoints)(
                service,
                self._endpoints,
                limits,
                self._http2,
                self._tls,
                pings=self._pings,
                sync_interval=self._sync_interval,
                tokens=tokens,
                trace=trace,
            )
            if isinstance(endpoints, ObservedEndpoints):
                endpoints.call_timeout = self._call_timeout
            yield endpoints

    def __repr__(self) -> str:
        return f"<etcetra_trio.EtcdClient of {', '.join(map(str, self._endpoints))}>"
