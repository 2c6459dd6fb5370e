"""A port that can stop listening and listen again."""

from __future__ import annotations

import socket
from collections.abc import Callable
from types import TracebackType
from typing import Self

import trio
from trio.lowlevel import checkpoint, wait_readable

from ..streams._service import Service

__all__ = ["Listener"]

BACKLOG = 128
PAUSE = 0.01  # seconds after a failure to accept: out of descriptors, say


class Listener:
    """A free port for the length of a block, which nobody else gets while it does not listen.

    Args:
      host: The address to listen on.
      service: Where it runs.
      admit: Called with each accepted socket.

    Raises:
      OSError: it cannot listen there.
    """

    def __init__(self, host: str, service: Service, admit: Callable[[socket.socket], object]) -> None:
        self._host = host
        self._service = service
        self._admit = admit
        self._scope = trio.CancelScope()
        self._wire: socket.socket | None = None
        self._holder = self._bind(0)  # it never listens: it keeps the port
        self.port: int = self._holder.getsockname()[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
        self._holder.close()

    def start(self) -> None:
        """Listen, if it does not yet."""
        if self._wire is None:
            self._wire = self._bind(self.port)
            self._wire.setblocking(False)
            self._wire.listen(BACKLOG)
            self._scope = trio.CancelScope()
            self._service.start_soon(self._serve, self._wire, self._scope, name="proxy")

    def stop(self) -> None:
        """Refuse connections, also those that were not accepted yet."""
        if self._wire is not None:
            self._scope.cancel()  # first: no task may wait for a socket that is closed
            self._wire.close()
            self._wire = None

    def _bind(self, port: int) -> socket.socket:
        wire = socket.socket(socket.AF_INET6 if ":" in self._host else socket.AF_INET)
        try:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            wire.bind((self._host, port))
        except BaseException:
            wire.close()
            raise
        return wire

    async def _serve(self, listener: socket.socket, scope: trio.CancelScope) -> None:
        with scope:
            while True:
                try:
                    wire, _ = listener.accept()
                except BlockingIOError:
                    await wait_readable(listener)
                except OSError:
                    await trio.sleep(PAUSE)
                else:
                    self._admit(wire)
                    await checkpoint()
