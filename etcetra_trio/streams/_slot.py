"""The connection for one purpose (calls, or long streams): the one in use, and others that still are open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from .._errors import ConnectionFailedError, ConnectionLostError
from ._tokens import bad_credentials

if TYPE_CHECKING:
    from .._addresses import Endpoint
    from .._errors import EtcdError, Outcome
    from ..events import Purpose
    from ._connection import Connection
    from ._dialer import Dialer


class _Dial:
    """One round of attempts; however many wait for it, each is told."""

    def __init__(self) -> None:
        self.over = trio.Event()
        self.failures: list[tuple[str, Exception]] = []
        #: The connection that came of it; it may be over by now.
        self.found: Connection | None = None


class Slot:
    """See the module. All connections here are of this purpose alone."""

    def __init__(self, dialer: Dialer, purpose: Purpose) -> None:
        self._dialer = dialer
        self.purpose: Purpose = purpose
        self._dial: _Dial | None = None
        #: The connection in use; it may be lost by now.
        self.live: Connection | None = None
        #: By endpoint and address: also those that were in use before and may be again.
        self.open: dict[Endpoint, Connection] = {}
        self._last_live: float | None = None
        self._attempts = trio.CancelScope()

    async def get(self, *, write: bool = False) -> Connection:
        """The connection in use; one to the best endpoint that answers where there is none.

        The attempts are made by a background task, so they go on when this is cancelled.

        Cancellation:
          No effect.

        Raises:
          ConnectionFailedError: no endpoint answered.
          AuthenticationFailedError: all that answered refuse user and password.
          trio.ClosedResourceError: the client is closed.
        """
        await trio.lowlevel.checkpoint()
        ended: list[tuple[str, Exception]] = []
        with self._dialer.service.guard():
            while self.live is None or not self.live.engine.accepting:
                if self.live is not None:
                    self.drop(self.live)
                if self._dial is None:
                    self._dial = _Dial()
                    self._dialer.service.start_soon(self._run, self._dial, name="connect")
                dial = self._dial
                await dial.over.wait()
                if dial.failures:
                    raise connect_error(dial.failures, write=write)
                found = dial.found
                if found is not None and not found.engine.accepting:  # it greets, and ends
                    reason = found.failure or str(found.engine.goaway)
                    ended.append((found.endpoint, ConnectionLostError(found.endpoint, reason)))
                    if len(ended) >= len(self._dialer.endpoints):
                        raise connect_error(ended, write=write)
                    self._dialer.suspect(found, reason)
            return self.live
        raise AssertionError("unreachable: guard() returns or raises")

    def drop(self, connection: Connection) -> None:
        """Use another one from now on, if this one is in use."""
        if self.live is connection:
            if connection.useful:
                self.note_use()
            connection.spare = True
            self.live = None

    def note_use(self) -> None:
        """Somebody relies on the connection, however young it is."""
        self._last_live = trio.current_time()

    def lost_lately(self, seconds: float) -> bool:
        """Whether a connection was in use in the last ``seconds``."""
        return self._last_live is not None and trio.current_time() < self._last_live + seconds

    def lost(self, connection: Connection) -> bool:
        """It is gone. Whether it was one of those here."""
        self.drop(connection)
        return self.forget(connection)

    def forget(self, connection: Connection) -> bool:
        """Never use it again. Whether it was one of those here."""
        if self.open.get(connection.target) is not connection:
            return False
        del self.open[connection.target]
        return True

    def close(self) -> None:
        """Nobody needs it any more: attempts end, and so do connections."""
        self._attempts.cancel("nobody waits for a connection any more")
        for connection in self.open.values():
            connection.close()

    async def _run(self, dial: _Dial) -> None:
        result: Connection | list[tuple[str, Exception]] = []
        try:
            with self._attempts:
                result = await self._dialer.dial(self)
        finally:
            self._dial = None
            self._attempts = trio.CancelScope()
            dial.over.set()
        if isinstance(result, list):
            dial.failures = result
        else:
            result.spare = False
            self.live = dial.found = result


def connect_error(failures: list[tuple[str, Exception]], *, write: bool) -> EtcdError:
    """The error for a round; each caller that waited for it gets one of its own."""
    outcome: Outcome | None = "not_applied" if write else None
    causes = [failure for _, failure in failures]
    refusal = bad_credentials(causes)
    error: EtcdError
    if refusal is not None:
        error = type(refusal)(refusal.code, refusal.message, refusal.method, refusal.endpoint, outcome)
    else:
        error = ConnectionFailedError(failures, outcome)
    error.__cause__ = ExceptionGroup("endpoints", causes)
    return error
