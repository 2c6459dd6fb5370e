"""Calls with what most clients do without: a time limit of the client's, and somebody who is told of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import trio

from .._errors import CallTimeoutError, OutcomeUnknownError, StatusCode
from ._endpoints import Endpoints
from ._trace import current_call

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._errors import EtcdError
    from .._proto._methods import Method
    from ._connection import Connection

ResponseT = TypeVar("ResponseT")


class ObservedEndpoints(Endpoints):
    """Endpoints whose every call is told to :attr:`trace`, and ends within :attr:`call_timeout`."""

    plain = False
    #: What a call may take, in seconds, with connecting and repeating; None: as long as it likes.
    call_timeout: float | None = None

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
        """As :meth:`Endpoints.call`.

        Raises:
          CallTimeoutError: the time is over; a write was not sent.
          OutcomeUnknownError: the time is over after a write was sent.
        """
        limit = self.call_timeout
        with self.trace.call(method) as told:
            with trio.CancelScope() as scope:
                if limit is not None:
                    scope.deadline = trio.current_time() + limit
                live = self.live
                if live is not None and live.engine.accepting:
                    told.over(live)
                return await super().call(
                    method,
                    message,
                    decode,
                    write=write,
                    leader=leader,
                    max_message=max_message,
                )
            assert limit is not None
            if not write:
                raise CallTimeoutError(limit, method.path)
            if not told.endpoint:
                raise CallTimeoutError(limit, method.path, "not_applied")
            timeout = CallTimeoutError(limit, method.path, "unknown")
            raise OutcomeUnknownError(
                StatusCode.DEADLINE_EXCEEDED, timeout.reason, method.path, told.endpoint, "unknown"
            ) from timeout

    def _on_try(self, connection: Connection, error: EtcdError | None) -> None:
        call = current_call()
        assert call is not None
        call.over(connection, error)
