"""Where events are told: to the user's ``on_event``, and to the loggers."""

from __future__ import annotations

import logging
from contextlib import suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, Self

import trio

from .. import events as e
from .._errors import (
    CallTimeoutError,
    ConnectionFailedError,
    ConnectionLostError,
    OutcomeUnknownError,
    RemoteProtocolError,
    RpcError,
    StatusCode,
)

if TYPE_CHECKING:
    from contextvars import Token
    from types import TracebackType

    from .._proto._methods import Method
    from ._connection import Connection

_ROOT: Final = logging.getLogger("etcetra_trio")
_ROOT.addHandler(logging.NullHandler())  # a program that did not set up logging wants none
_CONNECTION, _CALL, _WATCH, _LEASE = map(_ROOT.getChild, ("connection", "call", "watch", "lease"))

# What is part of normal life is DEBUG.
_WORDS: Final[dict[type[e.Event], tuple[logging.Logger, int, str]]] = {
    e.ConnectionOpened: (
        _CONNECTION,
        logging.DEBUG,
        "connected to %(endpoint)s (%(address)s, for %(purpose)s) after %(duration).3f s",
    ),
    e.ConnectionFailed: (
        _CONNECTION,
        logging.DEBUG,
        "could not connect to %(endpoint)s (%(address)s, for %(purpose)s): %(reason)s",
    ),
    e.ConnectionLost: (
        _CONNECTION,
        logging.WARNING,
        "the connection to %(endpoint)s (%(address)s, for %(purpose)s) was lost: %(reason)s",
    ),
    e.ConnectionClosed: (
        _CONNECTION,
        logging.DEBUG,
        "closed the connection to %(endpoint)s (%(address)s, for %(purpose)s)",
    ),
    e.EndpointQuarantined: (
        _CONNECTION,
        logging.WARNING,
        "%(endpoint)s comes after the others for %(seconds)g s: %(reason)s",
    ),
    e.MembersChanged: (_CONNECTION, logging.DEBUG, "the endpoints are %(endpoints)s now"),
    e.TokenFetched: (_CONNECTION, logging.DEBUG, "%(endpoint)s said who we are (needed: %(needed)s)"),
    e.TokenRefused: (_CONNECTION, logging.DEBUG, "%(endpoint)s wants another token"),
    e.CallStarted: (_CALL, logging.DEBUG, "%(method)s begins"),
    e.CallRepeated: (
        _CALL,
        logging.DEBUG,
        "%(method)s, try %(tries)d, at %(endpoint)s, after %(error)s",
    ),
    e.CallEnded: (
        _CALL,
        logging.DEBUG,
        "%(method)s at %(endpoint)s: %(code)s %(error)s after %(duration).4f s (tries: %(tries)d)",
    ),
    e.WatchOpened: (
        _WATCH,
        logging.DEBUG,
        "watch %(watch)d: begins at revision %(revision)d at %(endpoint)s",
    ),
    e.WatchInterrupted: (_WATCH, logging.DEBUG, "watch %(watch)d: interrupted at %(endpoint)s: %(reason)s"),
    e.WatchResumed: (
        _WATCH,
        logging.DEBUG,
        "watch %(watch)d: goes on at revision %(revision)d at %(endpoint)s after %(down).3f s",
    ),
    e.WatchLagging: (_WATCH, logging.INFO, "watch %(watch)d: %(events)d events wait for its reader"),
    e.WatchCompacted: (
        _WATCH,
        logging.WARNING,
        "watch %(watch)d: events before revision %(compact_revision)d are compacted away",
    ),
    e.WatchFailed: (_WATCH, logging.WARNING, "watch %(watch)d: failed: %(error)s"),
    e.WatchClosed: (_WATCH, logging.DEBUG, "watch %(watch)d: closed"),
    e.LeaseLost: (_LEASE, logging.WARNING, "lease %(lease_id)x is lost: %(reason)s"),
}

_current: ContextVar[TracedCall | None] = ContextVar("etcetra_trio call", default=None)


class Trace:
    """The events of one ``connect()`` block."""

    def __init__(self, on_event: e.OnEvent | None = None) -> None:
        self._on_event = on_event
        self._failed = False
        #: Whether calls are told. They are so frequent that this is found out only once.
        self.calls: bool = on_event is not None or _CALL.isEnabledFor(logging.DEBUG)

    def tell(self, event: e.Event) -> None:
        """Tell an event. Whatever is raised by those who are told is theirs: it is logged once, and goes no further."""
        try:
            logger, level, words = _WORDS[type(event)]
            if logger.isEnabledFor(level):
                details = event._asdict()
                if isinstance(event, e.CallEnded):
                    details["code"] = event.code.name  # Python 3.11 shows the number
                logger.log(level, words, details)
            if self._on_event is not None:
                self._on_event(event)
        except Exception:  # noqa: BLE001 - as above
            if not self._failed:
                self._failed = True
                with suppress(Exception):
                    _ROOT.exception("on_event failed at %s; this is said once", type(event).__name__)

    def call(self, method: Method) -> TracedCall:
        """Around one call, in the task that makes it."""
        return TracedCall(self, method)


class TracedCall:
    """What is known of one call while it lasts."""

    __slots__ = ("_began", "_method", "_outer", "_trace", "endpoint", "tries")

    def __init__(self, trace: Trace, method: Method) -> None:
        self._trace = trace
        self._method = method.path
        self._began = 0.0
        self._outer: Token[TracedCall | None]
        #: Where it was sent last; empty: nowhere yet.
        self.endpoint: str = ""
        self.tries: int = 0

    def __enter__(self) -> Self:
        self._began = trio.current_time()
        self._outer = _current.set(self)
        if self._trace.calls:
            self._trace.tell(e.CallStarted(self._method))
        return self

    def over(self, connection: Connection, error: BaseException | None = None) -> None:
        """It is sent over this connection, once more after ``error``."""
        self.endpoint = connection.endpoint
        self.tries += 1
        if error is not None and self._trace.calls:
            self._trace.tell(e.CallRepeated(self._method, self.endpoint, self.tries, type(error).__name__))

    def __exit__(
        self, cls: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _current.reset(self._outer)
        if self._trace.calls:
            self._trace.tell(
                e.CallEnded(
                    self._method,
                    self.endpoint,
                    trio.current_time() - self._began,
                    StatusCode.OK if error is None else _code(error),
                    "" if error is None else type(error).__name__,
                    self.tries,
                )
            )


def current_call() -> TracedCall | None:
    """The call that this task makes, if calls are looked at."""
    return _current.get()


def _code(error: BaseException) -> StatusCode:
    """The gRPC status that an error stands for."""
    if isinstance(error, RpcError | OutcomeUnknownError):
        return error.code
    if isinstance(error, trio.Cancelled):
        return StatusCode.CANCELLED
    if isinstance(error, CallTimeoutError):
        return StatusCode.DEADLINE_EXCEEDED
    if isinstance(error, RemoteProtocolError):
        return StatusCode.INTERNAL
    if isinstance(error, ConnectionLostError | ConnectionFailedError):
        return StatusCode.UNAVAILABLE
    return StatusCode.UNKNOWN
