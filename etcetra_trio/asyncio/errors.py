"""The exceptions of etcetra, which everything that this package raises also is.

A call that fails raises an exception of two classes: the one of ``etcetra_trio`` (``CompactedError``, say), which
tells what happened, and the one that etcetra has for its gRPC code (``EtcdOutOfRangeError``). Each of the latter is
also an :exc:`EtcdUnknownError`, because that is what etcetra 0.1.19 raises for every failure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from trio import BusyResourceError, ClosedResourceError, EndOfChannel, TooSlowError

from .._errors import (
    ConnectionFailedError,
    ConnectionLostError,
    EtcdError,
    InternalError,
    InvalidRequestError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "BusyResourceError",
    "ClosedResourceError",
    "EndOfChannel",
    "EtcdAbortedError",
    "EtcdAlreadyExistsError",
    "EtcdBadRequestError",
    "EtcdDataLossError",
    "EtcdDeadlineExceededError",
    "EtcdInternalError",
    "EtcdInvalidArgumentError",
    "EtcdNotFoundError",
    "EtcdOutOfRangeError",
    "EtcdPermissionDeniedError",
    "EtcdTooManyRequestError",
    "EtcdUnauthenticatedError",
    "EtcdUnavailableError",
    "EtcdUnimplementedError",
    "EtcdUnknownError",
    "EtcetraError",
]


class EtcetraError(Exception):
    """Base of etcetra's exceptions; ``int(error)`` is its gRPC code.

    Attributes:
      code: The gRPC code.
      debug_map: What etcetra puts the server's initial metadata into; always None here.
    """

    code: ClassVar[int]
    debug_map: Mapping[str, Any] | None

    def __init__(self, message: object = None, debug_map: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.debug_map = debug_map

    def __int__(self) -> int:
        return int(self.code)


class EtcdUnknownError(EtcetraError):
    """UNKNOWN, and the base of all others: etcetra 0.1.19 raises it for every failure."""

    code = 2


class EtcdInvalidArgumentError(EtcdUnknownError):
    """INVALID_ARGUMENT: the request makes no sense."""

    code = 3


class EtcdDeadlineExceededError(EtcdUnknownError):
    """DEADLINE_EXCEEDED: the server, or waiting for a lock, took too long."""

    code = 4


class EtcdNotFoundError(EtcdUnknownError):
    """NOT_FOUND: a lease or a member that is not there."""

    code = 5


class EtcdAlreadyExistsError(EtcdUnknownError):
    """ALREADY_EXISTS."""

    code = 6


class EtcdPermissionDeniedError(EtcdUnknownError):
    """PERMISSION_DENIED: the user may not do that."""

    code = 7


class EtcdTooManyRequestError(EtcdUnknownError):
    """RESOURCE_EXHAUSTED: no space left, too many requests, or a message that is too large."""

    code = 8


class EtcdBadRequestError(EtcdUnknownError):
    """FAILED_PRECONDITION: not in this state of the server."""

    code = 9


class EtcdAbortedError(EtcdUnknownError):
    """ABORTED."""

    code = 10


class EtcdOutOfRangeError(EtcdUnknownError):
    """OUT_OF_RANGE: a revision that was compacted away, or has not come yet."""

    code = 11


class EtcdUnimplementedError(EtcdUnknownError):
    """UNIMPLEMENTED: this server does not have that call."""

    code = 12


class EtcdInternalError(EtcdUnknownError):
    """INTERNAL: somebody broke the rules."""

    code = 13


class EtcdUnavailableError(EtcdUnknownError):
    """UNAVAILABLE: no server could be reached, or it cannot serve the call now."""

    code = 14


class EtcdDataLossError(EtcdUnknownError):
    """DATA_LOSS: the server's data is damaged."""

    code = 15


class EtcdUnauthenticatedError(EtcdUnknownError):
    """UNAUTHENTICATED: who the user is could not be shown."""

    code = 16


_CLASSES: list[type[EtcdUnknownError]] = [EtcdUnknownError, *EtcdUnknownError.__subclasses__()]
_BY_CODE = {cls.code: cls for cls in _CLASSES}
# Errors without a status.
_BY_CLASS: tuple[tuple[type[Exception], type[EtcdUnknownError]], ...] = (
    (InvalidRequestError, EtcdInvalidArgumentError),
    (ConnectionFailedError, EtcdUnavailableError),
    (ConnectionLostError, EtcdUnavailableError),
    (TooSlowError, EtcdDeadlineExceededError),
    (InternalError, EtcdInternalError),
)

_COMBINED: dict[tuple[type[EtcdError], type[EtcdUnknownError]], type[EtcdError]] = {}


def translated(error: BaseException) -> BaseException:
    """The exception that an asyncio program gets: of the same class and of etcetra's; others as they are."""
    if not isinstance(error, EtcdError) or isinstance(error, EtcetraError):
        return error
    new = _rebuilt(type(error), _etcetra_class(error), error.args, error.__dict__)
    new.__cause__, new.__context__ = error.__cause__, error.__context__
    new.__suppress_context__ = error.__suppress_context__
    return new.with_traceback(error.__traceback__)


def _etcetra_class(error: EtcdError) -> type[EtcdUnknownError]:
    code = getattr(error, "code", None)
    if code is not None:
        return _BY_CODE.get(int(code), EtcdUnknownError)
    return next((ours for cls, ours in _BY_CLASS if isinstance(error, cls)), EtcdUnknownError)


def _combined(cls: type[EtcdError], etcetra: type[EtcdUnknownError]) -> type[EtcdError]:
    """The class that is both, with the first one's name; timeouts are asyncio's, too."""
    made = _COMBINED.get((cls, etcetra))
    if made is not None:
        return made

    def reduce(self: EtcdError) -> tuple[object, ...]:
        return _rebuilt, (cls, etcetra, self.args, self.__dict__)

    members: dict[str, object] = {
        "__module__": cls.__module__,
        "__qualname__": cls.__qualname__,
        "__doc__": cls.__doc__,
        "__reduce__": reduce,
        "debug_map": None,
    }
    late = (TimeoutError,) if issubclass(cls, TooSlowError) and not issubclass(cls, TimeoutError) else ()
    made = _COMBINED[cls, etcetra] = cast(
        "type[EtcdError]", type(cls.__name__, (cls, etcetra, *late), members)
    )
    return made


def _rebuilt(
    cls: type[EtcdError], etcetra: type[EtcdUnknownError], args: tuple[object, ...], state: dict[str, object]
) -> EtcdError:
    """An exception of both classes; the constructors ran when the first one was made."""
    combined = _combined(cls, etcetra)
    new = combined.__new__(combined)
    new.args = args
    new.__dict__.update(state)
    return new
