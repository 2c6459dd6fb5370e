"""The classes of Trio's API for asyncio. Written by scripts/derive_asyncio.py: never edit it."""

# What is called behind these signatures is chosen at run time:
# mypy: disable-error-code="no-any-return, misc, overload-overlap"

from __future__ import annotations

import ssl
from collections.abc import Sequence
from typing import Literal, overload

import etcetra_trio as _trio

from .. import HostPortPair, TLSConfig
from .._keys import TextT
from ..events import OnEvent
from ..streams._tokens import Credentials
from ._client import ClientBase
from ._links import Links
from ._wrapped import do


class EtcdClient(ClientBase[TextT]):
    """The settings of a client: reusable, and cheap; no connection exists outside of :meth:`connect`.

    ``EtcdClient("127.0.0.1:2379")`` takes and gives text; ``EtcdClient("…", encoding=None)`` takes and gives
    bytes.

    Args:
      addr: Where etcd is: a :class:`HostPortPair`, a string such as ``"host:2379"``,
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

    @overload
    def __init__(
        self: EtcdClient[str],
        addr: HostPortPair | str | Sequence[HostPortPair | str],
        credentials: Credentials | None = ...,
        secure: bool = ...,
        encoding: str = ...,
        *,
        tls: bool | TLSConfig | ssl.SSLContext | None = ...,
        namespace: str | bytes = ...,
        http2: Literal["lean", "h2"] = ...,
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
        addr: HostPortPair | str | Sequence[HostPortPair | str],
        credentials: Credentials | None = ...,
        secure: bool = ...,
        *,
        tls: bool | TLSConfig | ssl.SSLContext | None = ...,
        namespace: str | bytes = ...,
        http2: Literal["lean", "h2"] = ...,
        max_receive_size: int | None = ...,
        max_send_size: int | None = ...,
        call_timeout: float | None = ...,
        sync_interval: float | None = ...,
        ping_interval: float = ...,
        ping_timeout: float = ...,
        allow_plaintext_credentials: bool = ...,
        on_event: OnEvent | None = ...,
        encoding: None,
    ) -> None: ...

    def __init__(
        self,
        addr: HostPortPair | str | Sequence[HostPortPair | str],
        credentials: Credentials | None = None,
        secure: bool = False,
        encoding: str | None = "utf-8",
        *,
        tls: bool | TLSConfig | ssl.SSLContext | None = None,
        namespace: str | bytes = "",
        http2: Literal["lean", "h2"] = "lean",
        max_receive_size: int | None = None,
        max_send_size: int | None = None,
        call_timeout: float | None = None,
        sync_interval: float | None = None,
        ping_interval: float = 6.0,
        ping_timeout: float = 3.0,
        allow_plaintext_credentials: bool = False,
        on_event: OnEvent | None = None,
    ) -> None:
        self._trio: _trio.EtcdClient[TextT] = do(
            _trio.EtcdClient,
            addr,
            credentials=credentials,
            secure=secure,
            encoding=encoding,
            tls=tls,
            namespace=namespace,
            http2=http2,
            max_receive_size=max_receive_size,
            max_send_size=max_send_size,
            call_timeout=call_timeout,
            sync_interval=sync_interval,
            ping_interval=ping_interval,
            ping_timeout=ping_timeout,
            allow_plaintext_credentials=allow_plaintext_credentials,
            on_event=on_event,
        )
        self.addr: HostPortPair | str | Sequence[HostPortPair | str] = addr
        self.secure: bool = secure
        self.encoding: str | None = encoding
        self._links: Links = Links(self._trio)
