"""What ``EtcdClient(..., on_event=...)`` is told: named tuples, none of which has a key, a value or a secret in it.

Durations are in seconds, on Trio's clock. An ``error`` is the name of an exception's class: its text may have a key in
it. A ``reason`` is in words.
"""

# No `from __future__ import annotations` here: with it the classes below would take longer to make.

from collections.abc import Callable
from typing import Literal, NamedTuple

from ._errors import StatusCode

__all__ = [
    "CallEnded",
    "CallRepeated",
    "CallStarted",
    "ConnectionClosed",
    "ConnectionFailed",
    "ConnectionLost",
    "ConnectionOpened",
    "EndpointQuarantined",
    "Event",
    "LeaseLost",
    "MembersChanged",
    "OnEvent",
    "Purpose",
    "TokenFetched",
    "TokenRefused",
    "WatchClosed",
    "WatchCompacted",
    "WatchFailed",
    "WatchInterrupted",
    "WatchLagging",
    "WatchOpened",
    "WatchResumed",
]

#: What a connection is for: calls, streams that last (of watches and lease renewals), or one administrative call.
Purpose = Literal["calls", "streams", "administration"]


class ConnectionOpened(NamedTuple):
    """A connection is ready to be used.

    Attributes:
      endpoint: The endpoint, as it was given.
      address: The address that its name stood for, or the path of its socket.
      purpose: What it is for.
      duration: How long it took, with TLS and the server's greeting.
    """

    endpoint: str
    address: str
    purpose: Purpose
    duration: float


class ConnectionFailed(NamedTuple):
    """An attempt to connect to one address failed; others may be under way.

    Attributes:
      endpoint: The endpoint.
      address: The address that its name stood for; empty where the name could not be looked up.
      purpose: What the connection was to be for.
      reason: What happened.
    """

    endpoint: str
    address: str
    purpose: Purpose
    reason: str


class ConnectionLost(NamedTuple):
    """A connection ended without our doing.

    Attributes:
      endpoint: The endpoint.
      address: The address.
      purpose: What it was for.
      reason: What happened.
    """

    endpoint: str
    address: str
    purpose: Purpose
    reason: str


class ConnectionClosed(NamedTuple):
    """A connection was closed from here: the block was left, or nobody needed it any more.

    Attributes:
      endpoint: The endpoint.
      address: The address.
      purpose: What it was for.
    """

    endpoint: str
    address: str
    purpose: Purpose


class EndpointQuarantined(NamedTuple):
    """An endpoint that did well comes after the others from now on, for it failed.

    Attributes:
      endpoint: The endpoint.
      seconds: For how long at least.
      reason: Why: the name of an error's class, or its text, as for :class:`ConnectionFailed`.
    """

    endpoint: str
    seconds: float
    reason: str


class MembersChanged(NamedTuple):
    """``sync_interval``: the cluster told other endpoints than before.

    Attributes:
      endpoints: Those to connect to from now on.
    """

    endpoints: tuple[str, ...]


class TokenFetched(NamedTuple):
    """There is a token to say who the user is, or the server said that it asks for none.

    Attributes:
      endpoint: Who gave it.
      needed: Whether the server asks for one.
    """

    endpoint: str
    needed: bool


class TokenRefused(NamedTuple):
    """A server refused the token; calls wait until there is another one.

    Attributes:
      endpoint: Who refused it.
    """

    endpoint: str


class CallStarted(NamedTuple):
    """A call begins. :class:`CallEnded` follows, told in the same task.

    Attributes:
      method: Its path (``"/etcdserverpb.KV/Range"``).
    """

    method: str


class CallRepeated(NamedTuple):
    """A call that failed is sent again.

    Attributes:
      method: Its path.
      endpoint: Where it goes this time.
      tries: The how manieth try this is.
      error: The class of the error that the try before ended in.
    """

    method: str
    endpoint: str
    tries: int
    error: str


class CallEnded(NamedTuple):
    """A call is over, with an answer, an error, or because it was cancelled.

    Attributes:
      method: Its path.
      endpoint: Where it went last; empty where it never was sent.
      duration: How long it took, with connecting and repeating.
      code: The gRPC status that it ended with, or that this counts as.
      error: The class of the exception that the caller gets; empty: none. ``"Cancelled"``: the caller gave up.
      tries: How often it was sent.
    """

    method: str
    endpoint: str
    duration: float
    code: StatusCode
    error: str
    tries: int


class WatchOpened(NamedTuple):
    """The server confirmed a watch.

    Attributes:
      watch: A number that this watch has among all of its ``connect()`` block.
      endpoint: Who serves it.
      revision: The first revision that it can tell of.
    """

    watch: int
    endpoint: str
    revision: int


class WatchInterrupted(NamedTuple):
    """The stream of a watch is over; it goes on elsewhere, or later.

    Attributes:
      watch: Its number.
      endpoint: Who served it.
      reason: What happened.
    """

    watch: int
    endpoint: str
    reason: str


class WatchResumed(NamedTuple):
    """A watch goes on after an interruption, and nothing is missing.

    Attributes:
      watch: Its number.
      endpoint: Who serves it now.
      revision: The revision from which it goes on.
      down: How long it was interrupted.
    """

    watch: int
    endpoint: str
    revision: int
    down: float


class WatchLagging(NamedTuple):
    """The reader of a watch is slower than its events come: its buffer is full, and the server has to wait.

    Attributes:
      watch: Its number.
      events: How many events wait for the reader.
    """

    watch: int
    events: int


class WatchCompacted(NamedTuple):
    """Revisions that a watch still wanted are compacted away.

    Attributes:
      watch: Its number.
      compact_revision: The oldest revision that is still there.
    """

    watch: int
    compact_revision: int


class WatchFailed(NamedTuple):
    """A watch is over for good.

    Attributes:
      watch: Its number.
      error: The class of the error that its reader gets.
    """

    watch: int
    error: str


class WatchClosed(NamedTuple):
    """Whoever read a watch has left it.

    Attributes:
      watch: Its number.
    """

    watch: int


class LeaseLost(NamedTuple):
    """A lease that was kept alive is lost, and with it the lock or leadership that stands on it.

    Attributes:
      lease_id: The lease.
      reason: Why.
    """

    lease_id: int
    reason: str


Event = (
    ConnectionOpened
    | ConnectionFailed
    | ConnectionLost
    | ConnectionClosed
    | EndpointQuarantined
    | MembersChanged
    | TokenFetched
    | TokenRefused
    | CallStarted
    | CallRepeated
    | CallEnded
    | WatchOpened
    | WatchInterrupted
    | WatchResumed
    | WatchLagging
    | WatchCompacted
    | WatchFailed
    | WatchClosed
    | LeaseLost
)
#: What takes them; it is called in Trio's thread, between two steps of a task, and must not take long.
OnEvent = Callable[[Event], object]
