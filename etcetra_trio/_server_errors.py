"""What etcd says about data and about the state of its cluster; ``_error_table`` says which text is which class."""

from __future__ import annotations

from typing import ClassVar, Literal

from ._errors import (
    InvalidArgumentError,
    Outcome,
    OutcomeUnknownError,
    RpcError,
    StatusCode,
    UnavailableError,
)

__all__ = [
    "ClusterCorruptError",
    "CompactedError",
    "DuplicateKeyError",
    "EmptyKeyError",
    "FutureRevisionError",
    "KeyNotFoundError",
    "LeaderChangedError",
    "LeaseExistsError",
    "LeaseNotFoundError",
    "LeaseTTLTooLargeError",
    "NoLeaderError",
    "NoSpaceError",
    "ProposalDroppedError",
    "RequestTooLargeError",
    "ServerCanceledError",
    "ServerStoppedError",
    "ServerTimeoutError",
    "TooManyOpsError",
    "TooManyRequestsError",
    "UnhealthyError",
    "UnknownServerError",
    "UnsupportedByServerError",
    "WatchCanceledError",
]


# Keys, values, transactions.


class EmptyKeyError(InvalidArgumentError):
    """A key is empty; etcd's keys have at least one byte."""

    _advice = "Give a key of at least one byte."


class KeyNotFoundError(InvalidArgumentError):
    """The request needs a key that exists, such as a put that keeps the key's value or lease."""

    _advice = "Put the key with a value first."


class TooManyOpsError(InvalidArgumentError):
    """A transaction has more compares or operations than the server takes."""

    _advice = "Split the transaction, or raise the server's --max-txn-ops (128 unless set)."


class DuplicateKeyError(InvalidArgumentError):
    """A transaction writes the same key twice."""

    _advice = "Write each key once in a transaction."


class RequestTooLargeError(InvalidArgumentError):
    """A request is larger than the server takes, or than the client's ``max_send_size`` allows."""

    def __str__(self) -> str:
        ours = "max_send_size" in self.message
        limit = (
            "the client's max_send_size" if ours else "the server's --max-request-bytes (1.5 MiB unless set)"
        )
        return f"{super().__str__()}. Write less at once, or raise {limit}."


class CompactedError(RpcError):
    """The revision asked for has been compacted away.

    Attributes:
      compact_revision: The oldest revision that is still there; 0 when the server did not say.
    """

    def __init__(
        self,
        code: StatusCode,
        message: str,
        method: str = "",
        endpoint: str = "",
        outcome: Outcome | None = None,
        *,
        compact_revision: int = 0,
    ) -> None:
        super().__init__(code, message, method, endpoint, outcome)
        self.compact_revision = compact_revision

    def __str__(self) -> str:
        newer = f"revision {self.compact_revision} or newer" if self.compact_revision else "a newer revision"
        if self.method.endswith("/Watch"):
            advice = f"Watch with resync=True, or from {newer}: the events before are lost"
        elif self.method.endswith("/Compact"):
            advice = "It needs no other compaction"
        else:
            advice = f"Read at {newer}"
        return f"{super().__str__()}. {advice}."


class FutureRevisionError(RpcError):
    """The revision asked for has not been reached yet."""

    _advice = "Ask for a revision that an answer of this cluster named."


class NoSpaceError(RpcError, OutcomeUnknownError):
    """The database is full. The write that was answered so may have happened nevertheless."""

    _advice = (
        "The write may have happened. Compact and defragment, or raise the server's --quota-backend-bytes; "
        "then disarm the NOSPACE alarm."
    )


# Leases.


class LeaseNotFoundError(RpcError):
    """The lease does not exist, or not any more: it expired or was revoked."""

    _advice = "Grant a new lease."


class LeaseExistsError(RpcError):
    """A lease with the chosen id exists already."""

    _advice = "Choose another id, or let the server choose."


class LeaseTTLTooLargeError(RpcError):
    """The time to live is larger than 9 000 000 000 seconds."""


# The server and its cluster.


class UnsupportedByServerError(RpcError):
    """The server is too old for this call.

    Attributes:
      since: The version of etcd that the call came in; ``None`` when it was always there or is not known.
    """

    def __init__(
        self,
        code: StatusCode,
        message: str,
        method: str = "",
        endpoint: str = "",
        outcome: Outcome | None = None,
        *,
        since: str | None = None,
    ) -> None:
        super().__init__(code, message, method, endpoint, outcome)
        self.since = since

    def __str__(self) -> str:
        if self.since is None:
            return f"{super().__str__()}. Does an etcd v3 server listen there?"
        return f"{super().__str__()}. The call came in etcd {self.since}: upgrade the server."


class NoLeaderError(UnavailableError):
    """The endpoint knows of no leader: an election is under way, or it is cut off from the others."""


class LeaderChangedError(UnavailableError):
    """The leader changed while the call was under way."""


class ServerStoppedError(UnavailableError):
    """The server is shutting down."""


class UnhealthyError(UnavailableError):
    """Too few members are healthy."""


class ServerTimeoutError(UnavailableError):
    """The server gave up waiting for the cluster. The caller's own time-out is never reported so."""

    @property
    def due_to(self) -> Literal["leader_failure", "connection_lost", "applied_index"] | None:
        """What the server thinks the reason was, if it said."""
        if self.message.endswith("previous leader failure"):
            return "leader_failure"
        if self.message.endswith("connection lost"):
            return "connection_lost"
        if self.message.endswith("applied index took too long"):
            return "applied_index"
        return None


class TooManyRequestsError(RpcError):
    """The server has fallen behind with applying writes, and refuses more for the moment."""

    _advice = "Try again a little later."


class ProposalDroppedError(RpcError):
    """The server refused the write before it went anywhere: no leader, or leadership is just moving."""

    _advice = "Try again."


class ServerCanceledError(RpcError):
    """The server cancelled the call. The caller's own cancellation is never reported so."""


class WatchCanceledError(RpcError):
    """The server cancelled the watch."""


class ClusterCorruptError(RpcError):
    """The members' data differ, and the cluster stopped serving."""

    _advice = "Restore the cluster from a backup; see etcd's page on data corruption."


class UnknownServerError(RpcError):
    """The server failed in a way that its API has no word for."""

    _advice: ClassVar[str] = "The server's log says more."
