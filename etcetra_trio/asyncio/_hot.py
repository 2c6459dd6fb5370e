"""Unary calls of asyncio tasks: the answer completes a Future, and no Trio task is made.

The methods of Trio's communicator that await nothing but :meth:`Endpoints.call` are run by asyncio tasks as they are,
with this in place of the endpoints.
"""

# pyright: reportPrivateUsage=false
# This package stands on the insides of the Trio client.

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

from .._proto._wire import DecodeError
from ..streams._calls import UnaryCall

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from .._errors import EtcdError
    from .._proto._methods import Method
    from ..streams._connection import Connection
    from ..streams._endpoints import Endpoints
    from ..streams._grpc import StreamEnd
    from ._calls import Scope

ResponseT = TypeVar("ResponseT")


class FutureCall(UnaryCall):
    """One request, one answer, for an asyncio task."""

    __slots__ = ("_loop", "future")

    def __init__(self, connection: Connection, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(connection)
        self._loop = loop
        self.future: asyncio.Future[None] = loop.create_future()

    def on_end(self, end: StreamEnd) -> None:
        """As in :class:`Stream`."""
        super().on_end(end)
        if not self.future.done() and not self._loop.is_closed():
            self.future.set_result(None)


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
        reset: bool = True,
    ) -> ResponseT:
        """As :meth:`Endpoints.call`, which takes over where there is no connection, or where a call failed."""
        scope, endpoints = self._scope, self._endpoints
        scope.check_open()
        live = endpoints.live
        if live is None or not live.engine.accepting or endpoints.call_timeout is not None:

            async def in_trio() -> ResponseT:
                return await endpoints.call(
                    method, message, decode, write=write, leader=leader, max_message=max_message, reset=reset
                )

            return await scope.call(in_trio)
        connection = live
        call = FutureCall(connection, scope.loop)
        call.max_message = max_message
        call.reset = reset
        end = await self._answer(connection, call, method, message, leader=leader)
        answer = call.message or b""
        if end.status:
            failure = connection.error(end, method, write=write, leader=leader)

            async def again() -> tuple[Connection, bytes]:
                return await endpoints._repeat(
                    cast("EtcdError", failure),
                    connection,
                    method,
                    message,
                    write=write,
                    leader=leader,
                    max_message=max_message,
                    reset=reset,
                )

            connection, answer = await scope.call(again)
        try:
            return decode(answer)
        except DecodeError as error:
            malformed = connection.malformed(error, method, write=write)
            raise malformed from malformed.__cause__

    async def _answer(
        self, live: Connection, call: FutureCall, method: Method, message: bytes, *, leader: bool
    ) -> StreamEnd:
        engine = live.engine
        if not call.reset:
            live._unfinished.add(call)
        engine.open(call, live.head(method.path, leader=leader), message, end=True)
        if call.end is None:
            if len(engine.streams) == 1:
                live._flush()
            else:
                self._scope.flush_soon(live)
            try:
                await call.future
            except BaseException:
                if call.reset:
                    live.cancel(call)
                raise
        assert call.end is not None
        return call.end
