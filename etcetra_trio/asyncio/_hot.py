"""Unary calls of asyncio tasks: the answer wakes the task, and no Trio task is made.

The methods of Trio's communicator that await nothing but :meth:`Endpoints.call` are run by asyncio tasks as they are,
with this in place of the endpoints.
"""

# pyright: reportPrivateUsage=false
# This package stands on the insides of the Trio client.

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar, cast

from .._proto._wire import DecodeError
from ..streams._calls import UnaryCall

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from contextvars import Context

    from .._errors import EtcdError
    from .._proto._methods import Method
    from ..streams._connection import Connection
    from ..streams._endpoints import Endpoints
    from ..streams._grpc import StreamEnd
    from ._calls import Scope
    from ._turns import Turns

ResponseT = TypeVar("ResponseT")


class FutureCall(UnaryCall):
    """One request, one answer, for an asyncio task, which awaits this as it awaits a Future.

    It is none, so that all answers that come together wake their tasks in one callback of the loop.
    """

    __slots__ = ("_asyncio_future_blocking", "_cancelled", "_turns", "_wakeup")

    def __init__(self, connection: Connection, method: Method, turns: Turns, *, write: bool) -> None:
        super().__init__(connection, method, write=write)
        self._turns = turns
        self._cancelled = False
        self._wakeup: Callable[[], object] | None = None
        self._asyncio_future_blocking = False

    def __await__(self) -> Generator[FutureCall, None, StreamEnd]:
        if self.end is None:
            self._asyncio_future_blocking = True
            yield self
        assert self.end is not None
        return self.end

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """As a Future."""
        return self._turns.loop

    def add_done_callback(
        self, function: Callable[[FutureCall], object], *, context: Context | None = None
    ) -> None:
        """As a Future, for the one task that waits."""
        self._wakeup = lambda: function(self) if context is None else context.run(function, self)

    def result(self) -> None:
        """As a Future: what the task is told when it goes on."""
        if self._cancelled:
            raise asyncio.CancelledError

    def cancel(self, msg: object = None) -> bool:  # noqa: ARG002 - 3.11 gives a message
        """As a Future: the task is cancelled, and the server hears of it."""
        if self.end is not None or self._cancelled:
            return False
        self._cancelled = True
        if self.reset:
            self.connection.cancel(self)
        self._wake()
        return True

    def on_end(self, end: StreamEnd) -> None:
        """As in :class:`Stream`."""
        super().on_end(end)
        if not self._cancelled:
            self._wake()

    def _wake(self) -> None:
        if self._wakeup is not None:
            self._turns.call_soon(self._wakeup)


class HotEndpoints:
    """The endpoints of a client, as asyncio tasks use them."""

    def __init__(self, endpoints: Endpoints, scope: Scope) -> None:
        self._endpoints = endpoints
        self._scope = scope

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
        """As :meth:`Endpoints.call`, which takes over where there is no connection, or where a call failed."""
        scope, endpoints = self._scope, self._endpoints
        scope.check_open()
        live = endpoints.live
        if live is None or not live.engine.accepting or not endpoints.plain:

            async def in_trio() -> ResponseT:
                return await endpoints.call(
                    method, message, decode, write=write, leader=leader, max_message=max_message
                )

            return await scope.call(in_trio)
        connection, engine = live, live.engine
        call = FutureCall(connection, method, scope.turns, write=write)
        call.max_message = max_message
        engine.open(call, connection.head(method.path, leader=leader), message, end=True)
        if call.end is None:
            if len(engine.streams) == 1:
                connection._flush()
            else:
                scope.turns.flush_soon(connection)
        end = await call
        answer = call.message or b""
        if end.status:
            failure = connection.error(end, method, write=write, leader=leader)

            async def again() -> tuple[Connection, bytes]:
                connection.refusal_is_old = 0 < call.stream_id <= connection._token_after
                return await endpoints._repeat(
                    cast("EtcdError", failure),
                    connection,
                    method,
                    message,
                    write=write,
                    leader=leader,
                    max_message=max_message,
                )

            connection, answer = await scope.call(again)
        try:
            return decode(answer)
        except DecodeError as error:
            malformed = connection.malformed(error, method, write=write)
            raise malformed from malformed.__cause__
