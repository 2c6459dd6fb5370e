"""What the groups of administrative calls stand on: betterproto2 and its messages, which nothing else imports."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import betterproto2

from ._errors import InvalidRequestError
from ._proto._wire import DecodeError
from ._secret import Secret, forget_frames
from .streams._fields import fields
from .streams._one_endpoint import call_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._proto._methods import Method
    from .streams._endpoints import Endpoints

MessageT = TypeVar("MessageT", bound=betterproto2.Message)

_UINT64 = 1 << 64


class AdminCalls:
    """Base of the groups."""

    __slots__ = ("_endpoints",)

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints

    async def _call(
        self,
        method: Method,
        request: betterproto2.Message | Secret,
        answer: type[MessageT],
        *,
        endpoint: str | None = None,
        leader: bool = True,
    ) -> MessageT:
        """One call, to whoever serves the client or to one endpoint."""
        message = request if isinstance(request, Secret) else Secret(bytes(request))
        try:
            if endpoint is None:
                return await self._endpoints.call(
                    method,
                    message.octets(),
                    decoder(answer),
                    write=method.mutates,
                    leader=leader and method.require_leader,
                )
            return await call_at(self._endpoints, endpoint, method, message.octets(), decoder(answer))
        except BaseException as error:
            if isinstance(request, Secret):
                forget_frames(error)
            raise


def decoder(message: type[MessageT]) -> Callable[[bytes], MessageT]:
    """What makes such a message of octets."""

    def decode(data: bytes) -> MessageT:
        try:
            fields(data)  # betterproto2 takes a message that is cut off for a shorter one
            return message.parse(data)
        except Exception as error:  # betterproto2's are of many kinds
            raise DecodeError(f"{message.__name__}: {error}") from error

    return decode


def check_text(what: str, text: object) -> str:
    """A name or the like.

    Raises:
      TypeError: it is no text.
      InvalidRequestError: it is empty, or has no form in UTF-8.
    """
    if not Secret(text).text(what):
        raise InvalidRequestError(f"the {what} is empty")
    return str(text)


def check_id(what: str, number: object) -> int:
    """The id of a member: 64 bits, all of them in use.

    Raises:
      TypeError: not an int.
      InvalidRequestError: 0, below it, or too large.
    """
    if isinstance(number, bool) or not isinstance(number, int):
        raise TypeError(f"{what} must be an int, not {type(number).__name__}")
    if not 0 < number < _UINT64:
        raise InvalidRequestError(f"{what} is {number}: ids are above 0 and below 2**64")
    return number
