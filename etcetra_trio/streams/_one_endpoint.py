"""Connections of their own, to whoever is best or to one endpoint: for calls about one member, and for snapshots."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from .._addresses import parse_endpoints
from .._errors import InvalidRequestError
from .._proto._wire import DecodeError
from ._slot import Slot
from ._tokens import STALE

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from .._proto._methods import Method
    from ._connection import Connection
    from ._endpoints import Endpoints

ResponseT = TypeVar("ResponseT")


@asynccontextmanager
async def own_connection(
    endpoints: Endpoints, endpoint: str | None = None, *, write: bool = False
) -> AsyncGenerator[Connection]:
    """A connection that nobody else uses, with the client's settings, for the length of a block.

    Cancellation:
      Cleans up: the connection is closed.

    Args:
      endpoints: The client's.
      endpoint: Where to; it need not be one of the client's. None: the best of the client's.
      write: For the outcome in the error.

    Raises:
      InvalidRequestError: this is no endpoint, or one that the client must not speak with.
      ConnectionFailedError: it did not answer.
      AuthenticationFailedError: it refuses user and password.
    """
    dialer = endpoints.dialer
    if endpoint is not None:
        (target, *more) = parse_endpoints(endpoint, secure=dialer.secure)
        if more:
            raise InvalidRequestError(f"endpoint {endpoint!r}: give one, not {1 + len(more)}")
        if target.secure and not dialer.secure:
            raise InvalidRequestError(
                f"endpoint {endpoint!r}: the client does not speak TLS, see EtcdClient(tls=...)"
            )
        dialer = dialer.only(target)
    slot = Slot(dialer, "administration")
    try:
        yield await slot.get(write=write)
    finally:
        slot.close()


async def call_at(
    endpoints: Endpoints, endpoint: str, method: Method, message: bytes, decode: Callable[[bytes], ResponseT]
) -> ResponseT:
    """One unary call to one endpoint; it is not repeated elsewhere.

    Cancellation:
      As :meth:`Connection.unary`.

    Raises:
      EtcdError: as :func:`own_connection` and :meth:`Connection.unary`; also when the answer does not decode.
    """
    write = method.mutates

    async def attempt() -> ResponseT:
        async with own_connection(endpoints, endpoint, write=write) as connection:
            told.over(connection)
            data = await connection.unary(method, message, write=write, leader=method.require_leader)
            try:
                return decode(data)
            except DecodeError as error:
                failure = connection.malformed(error, method, write=write)
                raise failure from failure.__cause__

    with endpoints.trace.call(method) as told:
        return await with_renewed_token(endpoints, attempt)


async def with_renewed_token(endpoints: Endpoints, attempt: Callable[[], Awaitable[ResponseT]]) -> ResponseT:
    """Make an attempt; once more with another token, if it failed because the server refused the token.

    Raises:
      EtcdError: of the attempt.
    """
    tokens = endpoints.dialer.tokens
    token = None if tokens is None else tokens.current
    try:
        return await attempt()
    except STALE as error:
        refusal = error
    try:
        if not await endpoints.is_refused(token):
            raise refusal
    finally:
        del refusal  # its traceback holds this frame
    return await attempt()
