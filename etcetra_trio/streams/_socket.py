"""Opening the socket of an endpoint: TCP (both IP versions, racing) or a unix socket, as a plain non-blocking one."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Protocol, cast

import trio

from ._service import interrupt_in
from ._tls_wire import start_tls

if TYPE_CHECKING:
    from .._addresses import Endpoint
    from .._tls import TLSContexts


class Wire(Protocol):
    """What a connection needs of its socket; a :class:`TLSWire` offers the same.

    ``send`` and ``recv`` never wait: they raise ``BlockingIOError`` when they would. What ``send`` did not take
    must be offered again before anything else. Once ``recv`` gave less than was asked for, all that came was given.
    """

    def fileno(self) -> int:
        """What to wait for."""
        ...

    def send(self, data: bytes | memoryview, /) -> int:
        """Take some of the octets, and say how many."""
        ...

    def recv(self, size: int, /) -> bytes:
        """Some octets; none at the end."""
        ...

    def shutdown(self, how: int, /) -> None:
        """End one direction or both."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


async def open_wire(endpoint: Endpoint, tls: TLSContexts | None = None) -> Wire:
    """Connect to ``endpoint``, and speak TLS there if it asks for that, which needs ``tls``.

    Cancellation:
      Cleans up: no socket is left.

    Raises:
      TLSError: TLS did not work out.
      OSError: with the system's reason.
    """
    if not endpoint.secure:
        return await _connect(endpoint)
    assert tls is not None
    context = tls.context()  # before anything is open: its files may be bad
    return await start_tls(await _connect(endpoint), context, tls.server_name or endpoint.server_name)


async def _connect(endpoint: Endpoint) -> socket.socket:
    if endpoint.path:
        stream = await trio.open_unix_socket(endpoint.path)
    else:
        try:
            stream = await trio.open_tcp_stream(endpoint.address or endpoint.host, endpoint.port)
        except OSError as error:
            # Trio says only that every address failed, and keeps the reasons in a group.
            cause = error.__cause__
            if not isinstance(cause, ExceptionGroup):
                raise
            raise _reason(cast("ExceptionGroup[Exception]", cause)) from cause
        except BaseExceptionGroup as group:  # of Trio's own nursery
            interrupt = interrupt_in(group)
            if interrupt is None:
                raise
            raise interrupt from group
    # Trio's SocketStream costs 12-14 us a call more than the bare socket (transport.md, C), so we take it
    # out.
    wire = socket.socket(fileno=stream.socket.detach())
    wire.setblocking(False)
    return wire


def _reason(failures: ExceptionGroup[Exception]) -> OSError:
    """Why each address failed, in words; with its errno, and so its class, where all failed the same way."""
    text = "; ".join(
        dict.fromkeys(getattr(failure, "strerror", None) or str(failure) for failure in failures.exceptions)
    )
    codes = {getattr(failure, "errno", None) for failure in failures.exceptions}
    code = codes.pop() if len(codes) == 1 else None
    return OSError(text) if code is None else OSError(code, text)
