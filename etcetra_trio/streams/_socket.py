"""Looking a host up, and opening a socket to one of its addresses or a path, as a plain non-blocking one."""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import trio

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


async def open_wire(target: Endpoint, tls: TLSContexts | None = None) -> Wire:
    """Connect to one address (see :func:`look_up`), and speak TLS there if asked for, which needs ``tls``.

    Cancellation:
      Cleans up: no socket is left.

    Raises:
      TLSError: TLS did not work out.
      OSError: with the system's reason.
    """
    if not target.secure:
        return await open_socket(target)
    assert tls is not None
    context = tls.context()  # before anything is open: its files may be bad
    return await start_tls(await open_socket(target), context, tls.server_name or target.server_name)


async def look_up(endpoint: Endpoint) -> list[Endpoint]:
    """The endpoint once for each address of its host, in the order of the system's preference.

    Cancellation:
      No effect.

    Raises:
      OSError: the name is not known.
    """
    if endpoint.path:
        await trio.lowlevel.checkpoint()
        return [endpoint]
    found = await trio.socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    addresses = dict.fromkeys(
        f"{address[0]}%{address[3]}" if len(address) == 4 and address[3] else str(address[0])
        for *_, address in found
    )
    return [replace(endpoint, address=address) for address in addresses]


async def open_socket(target: Endpoint) -> socket.socket:
    """Connect to one address, with or without TLS spoken there.

    Cancellation:
      Cleans up: no socket is left.

    Raises:
      OSError: with the system's reason.
    """
    where: str | tuple[str, int] = target.path or (target.address, target.port)
    family = socket.AF_UNIX if target.path else socket.AF_INET6 if ":" in target.address else socket.AF_INET
    # A SocketStream costs 12-14 us a call more than the bare socket (transport.md, C), so there is none.
    connecting = trio.socket.socket(family, socket.SOCK_STREAM)
    try:
        if not target.path:
            connecting.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        await connecting.connect(where)
    except OSError as error:  # Trio's text names the address once more
        connecting.close()
        if error.errno is None:
            raise
        raise OSError(error.errno, os.strerror(error.errno)) from error
    except BaseException:
        connecting.close()
        raise
    wire = socket.socket(fileno=connecting.detach())
    wire.setblocking(False)
    return wire
