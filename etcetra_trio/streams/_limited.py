"""Calls with a time limit of the client's, for those who do not set one around each call."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import trio

from .._errors import CallTimeoutError, OutcomeUnknownError, StatusCode
from ._endpoints import Endpoints

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._proto._methods import Method

ResponseT = TypeVar("ResponseT")


class LimitedEndpoints(Endpoints):
    """Endpoints whose every call ends within :attr:`call_timeout`: connecting and repeating included."""

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
        endpoint = ""
        limit = self.call_timeout
        assert limit is not None
        with trio.move_on_after(limit):
            live = self.live
            if live is None or not live.engine.accepting:
                live = await self.connection(write=write)
            endpoint = live.endpoint
            return await super().call(
                method,
                message,
                decode,
                write=write,
                leader=leader,
                max_message=max_message,
            )
        if not write:
            raise CallTimeoutError(limit, method.path)
        if not endpoint:
            raise CallTimeoutError(limit, method.path, "not_applied")
        timeout = CallTimeoutError(limit, method.path, "unknown")
        raise OutcomeUnknownError(
            StatusCode.DEADLINE_EXCEEDED, timeout.reason, method.path, endpoint, "unknown"
        ) from timeout
