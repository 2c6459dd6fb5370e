"""TLS in the place of a socket: the same non-blocking ``send`` and ``recv``, with OpenSSL in memory in between."""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from typing import Final

from trio.lowlevel import checkpoint, wait_readable, wait_writable

from .._errors import TLSError
from ._tls_words import CLOSED, not_tls, tls_reason

RECORD: Final = 16384  # the most that one TLS record holds
#: How much is encrypted before the socket is asked again, in octets.
CHUNK: Final = 65536
HEADER: Final = 5  # of a record: its kind, version and length


class TLSWire:
    """A :class:`Wire` over a socket that speaks TLS. Made by :func:`start_tls`."""

    __slots__ = ("_ahead", "_failure", "_incoming", "_name", "_outgoing", "_sealed", "_socket", "_tls")

    def __init__(self, wire: socket.socket, context: ssl.SSLContext, name: str) -> None:
        self._socket = wire
        self._name = name
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        self._sealed: bytes = b""  # encrypted, but not taken by the socket yet
        self._ahead = 0  # octets that are encrypted, while `send` has not yet said that it took them
        self._failure: TLSError | None = None

    def fileno(self) -> int:
        """What to wait for."""
        return self._socket.fileno()

    def send(self, data: bytes | memoryview, /) -> int:
        """Take some of the octets, and say how many; the rest must be offered again, unchanged."""
        if self._sealed and not self._push():
            raise BlockingIOError
        done, self._ahead = self._ahead, 0
        total = len(data)
        view = data if total <= CHUNK else memoryview(data)
        while done < total:
            # OpenSSL takes everything. When the socket does not, the octets count as not taken until it has:
            # so they are offered again, and the waiting for the socket is the caller's, as without TLS.
            taken = self._tls.write(view[done : done + CHUNK])
            if not self._push():
                self._ahead = taken
                if not done:
                    raise BlockingIOError
                return done
            done += taken
        return total

    def recv(self, size: int, /) -> bytes:
        """All octets that the socket's next ones decrypt to; none at the end."""
        if self._failure is not None:
            raise self._failure
        data = self._socket.recv(size)
        if not data:
            return data
        incoming, read = self._incoming, self._tls.read
        incoming.write(data)
        parts: list[bytes] = []
        try:
            while incoming.pending:
                part = read(RECORD)  # a whole one: afterwards nothing of it is left inside OpenSSL
                if not part:
                    self._end()  # the server said good-bye; it may keep the socket open
                    return b"".join(parts)
                parts.append(part)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            self._failure = TLSError(tls_reason(error, self._name))
            self._failure.__cause__ = error
            self._push_rest()  # the alert that says so
            self._end()
            if not parts:
                raise self._failure from error
        if self._outgoing.pending:  # an answer to a change of keys
            self._push_rest()
        if not parts:
            raise BlockingIOError
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def shutdown(self, how: int, /) -> None:
        """End one direction or both."""
        self._socket.shutdown(how)

    def close(self) -> None:
        """Let go of it; says good-bye if the socket takes it."""
        if not self._sealed:
            with suppress(OSError):
                self._tls.unwrap()  # puts it out, and then wants to wait for the server's
            self._push_rest()
        self._socket.close()

    async def handshake(self) -> None:
        """Agree on keys, and on HTTP/2.

        Raises:
          TLSError: it did not work out; it says why.
          OSError: the connection broke.
        """
        await checkpoint()
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                done = False
            except ssl.SSLError as error:
                self._push_rest()
                raise TLSError(tls_reason(error, self._name)) from error
            else:
                done = True
            while not self._push():
                await wait_writable(self._socket)
            if done:
                break
            # Record by record: what the server says after its last one stays in the socket for `recv`.
            header = await self._exactly(HEADER)
            problem = not_tls(header)
            if problem is not None:
                raise TLSError(problem)
            self._incoming.write(header + await self._exactly(int.from_bytes(header[3:5])))
        version = self._tls.version()
        if version not in {"TLSv1.2", "TLSv1.3"}:  # a context of the user's may allow more
            raise TLSError(f"the server speaks {version}: HTTP/2 needs TLS 1.2 or newer")
        if self._tls.selected_alpn_protocol() != "h2":
            raise TLSError("the server did not agree to speak HTTP/2 (ALPN h2): it is perhaps no etcd")

    async def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            await wait_readable(self._socket)
            try:
                piece = self._socket.recv(size - len(data))
            except (BlockingIOError, InterruptedError):
                continue
            except ConnectionError as error:
                raise TLSError(CLOSED) from error
            if not piece:
                raise TLSError(CLOSED)
            data += piece
        return data  # noqa: ASYNC910 - only an empty record has no octets to wait for

    def _push(self) -> bool:
        """Give the socket what is encrypted; whether it took all."""
        data = self._sealed or self._outgoing.read()
        while data:
            try:
                sent = self._socket.send(data)
            except (BlockingIOError, InterruptedError):
                sent = 0
            self._sealed = data[sent:]
            if self._sealed:
                return False
            data = self._outgoing.read() if self._outgoing.pending else b""
        return True

    def _push_rest(self) -> None:
        with suppress(OSError):  # whoever reads finds the end
            self._push()

    def _end(self) -> None:
        """Have the next :meth:`recv` find the end, even if the server keeps the socket open."""
        self._push_rest()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)


async def start_tls(wire: socket.socket, context: ssl.SSLContext, name: str) -> TLSWire:
    """Speak TLS on a connected, non-blocking socket, which is closed if that fails.

    Cancellation:
      Cleans up: the socket is closed.

    Raises:
      TLSError: it did not work out; it says why.
      OSError: the connection broke.
    """
    try:
        tls = TLSWire(wire, context, name)
        await tls.handshake()
    except BaseException:
        wire.close()
        raise
    return tls
