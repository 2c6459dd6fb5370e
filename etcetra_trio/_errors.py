"""The base of every error, the groups to catch, and the errors that no server text stands behind.

The classes for the server's own texts are in ``_server_errors``; which text gives which class is in
``_error_table``. Every exception keeps its constructor's arguments in ``args``: it can be pickled and copied.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar, Literal

import trio

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "AuthError",
    "CallTimeoutError",
    "ConnectionFailedError",
    "ConnectionLostError",
    "EncodingError",
    "EtcdError",
    "InternalError",
    "InvalidArgumentError",
    "InvalidRequestError",
    "Outcome",
    "OutcomeUnknownError",
    "RemoteProtocolError",
    "RpcError",
    "StatusCode",
    "TLSError",
    "UnavailableError",
    "WatchLaggedError",
]

Outcome = Literal["not_applied", "unknown"]


class StatusCode(IntEnum):
    """The status codes of gRPC."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class EtcdError(Exception):
    """Base of every error that this library raises on its own account.

    Attributes:
      outcome: What became of a write: ``"not_applied"`` (it certainly did not happen) or ``"unknown"`` (it
        may have happened). ``None`` for reads, and for what was refused before anything was sent.
    """

    outcome: Outcome | None = None


class InvalidRequestError(EtcdError, ValueError):
    """A request that makes no sense: refused here before anything was sent, or by the server."""


class EncodingError(EtcdError, ValueError):
    """A key or value does not fit the text encoding, so it can be neither sent nor returned as text.

    Where it stands in the answer to a write (the previous value, say), the write has happened.

    Attributes:
      key: The key in question, without the namespace.
      encoding: The encoding that was asked for.
    """

    def __init__(self, what: Literal["key", "value"], key: str | bytes, encoding: str, reason: str) -> None:
        super().__init__(what, key, encoding, reason)
        self.key = key
        self.encoding = encoding

    def __str__(self) -> str:
        what, key, encoding, reason = self.args
        subject = f"the key {key!r}" if what == "key" else f"the value of the key {key!r}"
        return (
            f"{subject} is not {encoding} text ({reason}). To have bytes, give the call a bytes key and "
            "encoding=None (with etcetra_trio.asyncio encoding=bytes)."
        )


class WatchLaggedError(EtcdError):
    """The reader of a watch with ``on_lag="raise"`` did not keep up.

    Attributes:
      revision: Everything up to this revision was delivered; a new watch may start after it.
    """

    def __init__(self, revision: int) -> None:
        super().__init__(revision)
        self.revision = revision

    def __str__(self) -> str:
        return f"the watch's reader is too slow: its buffer is full. Go on at start_revision={self.revision + 1}."


class InternalError(EtcdError):
    """A background task of this library failed in a way it should not; please report it.

    The failure itself is the ``__cause__``.
    """

    def __str__(self) -> str:
        return f"{super().__str__()} (this is a bug in etcetra_trio: please report it with its traceback)"


class ConnectionFailedError(EtcdError, OSError):
    """No endpoint could be connected to.

    Attributes:
      endpoints: Each endpoint that was tried, with the exception that it ended in.
    """

    def __init__(self, endpoints: Iterable[tuple[str, Exception]], outcome: Outcome | None = None) -> None:
        self.endpoints: tuple[tuple[str, Exception], ...] = tuple(endpoints)
        super().__init__(self.endpoints)
        self.outcome: Outcome | None = outcome

    def __str__(self) -> str:
        causes = "; ".join(
            f"{name}: {str(cause).removesuffix('.') or type(cause).__name__}"
            for name, cause in self.endpoints
        )
        return " ".join((f"could not connect to etcd ({causes}).", *self._advice()))

    def _advice(self) -> Iterable[str]:
        """What to do. Errors of TLS and of users say it themselves."""
        causes = [cause for _, cause in self.endpoints]
        if not all(isinstance(cause, EtcdError) for cause in causes):  # the system's
            yield "Check the addresses, and that a server listens there."
        if any(isinstance(cause, RemoteProtocolError) for cause in causes):
            yield "Check that it is the port for clients of an etcd, and whether it wants TLS."


class TLSError(EtcdError, OSError):
    """TLS with an endpoint did not work out, for the reason that it says; a cause in :exc:`ConnectionFailedError`."""

    def __str__(self) -> str:
        return str(self.args[0])


class ConnectionLostError(EtcdError, trio.BrokenResourceError):
    """The connection ended before the answer came.

    Attributes:
      endpoint: The endpoint at the other end.
      reason: How it ended.
      method: The call that was waiting, if one was (``"/etcdserverpb.KV/Range"``).
    """

    _what: ClassVar[str] = "the connection to {} was lost"

    def __init__(self, endpoint: str, reason: str, method: str = "", outcome: Outcome | None = None) -> None:
        super().__init__(endpoint, reason, method, outcome)
        self.endpoint = endpoint
        self.reason = reason
        self.method = method
        self.outcome: Outcome | None = outcome

    def __str__(self) -> str:
        details = "; ".join(filter(None, (_short(self.method), _OUTCOME_WORDS[self.outcome])))
        return f"{self._what.format(self.endpoint)}: {self.reason}" + (f" ({details})" if details else "")


class RemoteProtocolError(ConnectionLostError):
    """The other end broke the rules of HTTP/2, gRPC or protobuf; it is perhaps no etcd server at all."""

    _what: ClassVar[str] = "the server at {} does not speak the protocol properly"


class CallTimeoutError(EtcdError, trio.TooSlowError):
    """A call took longer than the client's ``call_timeout``.

    Attributes:
      limit: How long it was allowed to take, in seconds.
      method: The call (``"/etcdserverpb.KV/Range"``).
    """

    def __init__(self, limit: float, method: str, outcome: Outcome | None = None) -> None:
        super().__init__(limit, method, outcome)
        self.limit = limit
        self.method = method
        self.outcome: Outcome | None = outcome

    @property
    def reason(self) -> str:
        """What happened, in words."""
        return f"no answer within the client's call_timeout of {self.limit:g} s"

    def __str__(self) -> str:
        details = "; ".join(filter(None, (_short(self.method), _OUTCOME_WORDS[self.outcome])))
        return f"{self.reason} ({details})"


class _CallError(EtcdError):
    """What an error tells about the call that failed."""

    _advice: ClassVar[str] = ""

    def __init__(
        self,
        code: StatusCode,
        message: str,
        method: str = "",
        endpoint: str = "",
        outcome: Outcome | None = None,
    ) -> None:
        super().__init__(code, message, method, endpoint, outcome)
        self.code = code
        self.message = message
        self.method = method
        self.endpoint = endpoint
        self.outcome: Outcome | None = outcome

    def __str__(self) -> str:
        where = " at ".join(filter(None, (_short(self.method), self.endpoint)))
        details = "; ".join(filter(None, (where, self.code.name, _OUTCOME_WORDS[self.outcome])))
        text = f"{self.message or 'the server gave no reason'} ({details})"
        return f"{text}. {self._advice}" if self._advice else text


class RpcError(_CallError):
    """A call was answered with an error status.

    Attributes:
      code: The gRPC status code.
      message: The server's text.
      method: The call that failed (``"/etcdserverpb.KV/Put"``).
      endpoint: The endpoint that answered.
    """


class OutcomeUnknownError(_CallError):
    """A write failed in a way that leaves open whether it happened.

    The specific error is the ``__cause__``; ``code``, ``message``, ``method`` and ``endpoint`` are as in
    :exc:`RpcError`. Even a later read that does not show the write proves nothing: it may still be under way.
    """

    _advice: ClassVar[str] = (
        "The write may have happened, or may still happen: repeat it only if twice is as good as once; "
        "a txn that compares the key's revision can be repeated safely."
    )


class InvalidArgumentError(RpcError, InvalidRequestError):
    """The server refused an argument of the call."""


class AuthError(RpcError):
    """Something about user, password, token or permission is not as the server wants it."""


class UnavailableError(RpcError):
    """The endpoint cannot serve the call at the moment; another one, or a later try, may."""

    _advice: ClassVar[str] = "Try again, perhaps on another endpoint."


_OUTCOME_WORDS: dict[Outcome | None, str] = {
    None: "",
    "not_applied": "not applied",
    "unknown": "outcome unknown",
}


def _short(method: str) -> str:
    """``/etcdserverpb.KV/Put`` as people say it: ``KV.Put``."""
    return method.rpartition(".")[2].replace("/", ".")
