"""Which error text of the server is which class, and what it says about a write. Pure.

The texts are those of etcd's ``rpctypes`` (up to 3.7) and a few that etcd passes on from raft and gRPC. A
status whose text is not known gets a class by its code, and then nothing is concluded about a write.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import etcetra_trio._admin_errors as a
import etcetra_trio._server_errors as e

from ._errors import (
    AuthError,
    ConnectionLostError,
    InvalidArgumentError,
    OutcomeUnknownError,
    RemoteProtocolError,
    RpcError,
    StatusCode,
    UnavailableError,
)

if TYPE_CHECKING:
    from ._errors import EtcdError, Outcome

#: How a call ended without a status: the kinds of ``streams._grpc.StreamEnd``, and "protocol" for an answer
#: that cannot be understood.
FailureKind = Literal[
    "http", "missing-status", "message", "reset", "refused", "goaway", "connection", "local", "protocol"
]

_TEXTS: dict[str, type[RpcError]] = {
    # INVALID_ARGUMENT
    "key is not provided": e.EmptyKeyError,
    "key not found": e.KeyNotFoundError,
    "value is provided": InvalidArgumentError,
    "lease is provided": InvalidArgumentError,
    "too many operations in txn request": e.TooManyOpsError,
    "duplicate key given in txn request": e.DuplicateKeyError,
    "invalid client api version": InvalidArgumentError,
    "invalid sort option": InvalidArgumentError,
    "given member URLs are invalid": a.MemberBadURLsError,
    "request is too large": e.RequestTooLargeError,
    "user name is empty": a.NotAuthenticatedError,
    "role name is empty": InvalidArgumentError,
    "authentication failed, invalid user ID or password": a.AuthenticationFailedError,
    "permission not given": InvalidArgumentError,
    "invalid auth management": a.InvalidAuthManagementError,
    "revision of auth store is old": a.AuthRevisionOldError,
    "wrong downgrade target version format": a.DowngradeError,
    "invalid downgrade target version": a.DowngradeError,
    # OUT_OF_RANGE
    "mvcc: required revision has been compacted": e.CompactedError,
    "mvcc: required revision is a future revision": e.FutureRevisionError,
    "too large lease TTL": e.LeaseTTLTooLargeError,
    # RESOURCE_EXHAUSTED
    "mvcc: database space exceeded": e.NoSpaceError,
    "too many requests": e.TooManyRequestsError,
    # NOT_FOUND
    "requested lease not found": e.LeaseNotFoundError,
    "member not found": a.MemberNotFoundError,
    # FAILED_PRECONDITION
    "lease already exists": e.LeaseExistsError,
    "member ID already exist": a.MemberExistsError,
    "Peer URLs already exists": a.MemberExistsError,
    "re-configuration failed due to not enough started members": a.MemberNotEnoughStartedError,
    "can only promote a learner member": a.MemberNotLearnerError,
    "can only promote a learner member which is in sync with leader": a.LearnerNotReadyError,
    "too many learner members in cluster": a.TooManyLearnersError,
    "cluster ID mismatch": a.ClusterIdMismatchError,
    "root user does not exist": a.AuthSetupError,
    "root user does not have root role": a.AuthSetupError,
    "user name already exists": a.UserExistsError,
    "user name not found": a.UserNotFoundError,
    "role name already exists": a.RoleExistsError,
    "role name not found": a.RoleNotFoundError,
    "role is not granted to the user": a.RoleNotGrantedError,
    "permission is not granted to the role": a.PermissionNotGrantedError,
    "authentication is not enabled": a.AuthNotEnabledError,
    "not leader": a.NotLeaderError,
    "not capable": a.NotCapableError,
    "rpc not supported for learner": a.LearnerRefusedError,
    "bad leader transferee": a.BadLeaderTransfereeError,
    "cluster version not found during downgrade": a.DowngradeError,
    "cluster has a downgrade job in progress": a.DowngradeError,
    "no inflight downgrade job": a.DowngradeError,
    # PERMISSION_DENIED, UNAUTHENTICATED
    "permission denied": a.PermissionDeniedError,
    "invalid auth token": a.InvalidAuthTokenError,
    # UNAVAILABLE
    "no leader": e.NoLeaderError,
    "leader changed": e.LeaderChangedError,
    "server stopped": e.ServerStoppedError,
    "request timed out": e.ServerTimeoutError,
    "request timed out, possibly due to previous leader failure": e.ServerTimeoutError,
    "request timed out, possibly due to connection lost": e.ServerTimeoutError,
    "request timed out, waiting for the applied index took too long": e.ServerTimeoutError,
    "unhealthy cluster": e.UnhealthyError,
    # DATA_LOSS
    "corrupt cluster": e.ClusterCorruptError,
    # CANCELLED, DEADLINE_EXCEEDED
    "watch canceled": e.WatchCanceledError,
    "request canceled": e.ServerCanceledError,
    "context deadline exceeded": e.ServerTimeoutError,
    # UNKNOWN: etcd passes raft's own word on
    "raft proposal dropped": e.ProposalDroppedError,
    # What 3.5.1 says of a token that is older than the users; and what Maintenance lets out in all versions
    "auth: revision in header is old": a.AuthRevisionOldError,
    "auth: invalid auth token": a.InvalidAuthTokenError,
    "auth: user name is empty": a.NotAuthenticatedError,
    "auth: permission denied": a.PermissionDeniedError,
}

# gRPC's own texts carry numbers and names after these words.
_BEGINNINGS: tuple[tuple[str, type[RpcError]], ...] = (
    ("grpc: received message larger than max", e.RequestTooLargeError),
    ("unknown method", e.UnsupportedByServerError),
    ("unknown service", e.UnsupportedByServerError),
)

_BY_CODE: dict[StatusCode, type[RpcError]] = {
    StatusCode.CANCELLED: e.ServerCanceledError,
    StatusCode.UNKNOWN: e.UnknownServerError,
    StatusCode.INVALID_ARGUMENT: InvalidArgumentError,
    StatusCode.DEADLINE_EXCEEDED: e.ServerTimeoutError,
    StatusCode.PERMISSION_DENIED: a.PermissionDeniedError,
    StatusCode.UNIMPLEMENTED: e.UnsupportedByServerError,
    StatusCode.UNAVAILABLE: UnavailableError,
    StatusCode.UNAUTHENTICATED: AuthError,
}

# A known text under one of these codes: etcd answered it before, or instead of, applying the write.
_REFUSING_CODES = frozenset(
    {
        StatusCode.INVALID_ARGUMENT,
        StatusCode.PERMISSION_DENIED,
        StatusCode.UNAUTHENTICATED,
        StatusCode.FAILED_PRECONDITION,
        StatusCode.OUT_OF_RANGE,
        StatusCode.UNIMPLEMENTED,
    }
)
# Under other codes only these texts prove that the write was not applied.
_REFUSALS: frozenset[tuple[StatusCode, type[RpcError]]] = frozenset(
    {
        (StatusCode.NOT_FOUND, e.LeaseNotFoundError),
        (StatusCode.RESOURCE_EXHAUSTED, e.RequestTooLargeError),
        (StatusCode.RESOURCE_EXHAUSTED, e.TooManyRequestsError),
        # The member's own raft said so in Propose, before it appended or forwarded anything.
        (StatusCode.UNKNOWN, e.ProposalDroppedError),
        (StatusCode.UNKNOWN, a.AuthRevisionOldError),
        # Both before the call is looked at.
        (StatusCode.UNKNOWN, a.InvalidAuthTokenError),
        (StatusCode.UNKNOWN, a.NotAuthenticatedError),
        (StatusCode.UNKNOWN, a.PermissionDeniedError),
    }
)

_WRAPPING = "rpc error: code = "
# Go writes the codes as InvalidArgument, and CANCELLED with one l.
_GO_NAMES = {code.name.title().replace("_", ""): code for code in StatusCode}
_GO_NAMES["Canceled"] = StatusCode.CANCELLED


def rpc_error(
    code: int,
    message: str,
    *,
    method: str,
    endpoint: str,
    write: bool,
    since: str | None = None,
    hasleader: bool = True,
) -> EtcdError:
    """Make the exception for an error status.

    Args:
      code: The grpc-status.
      message: The grpc-message, or the reason that a watch was cancelled with.
      method: The path of the call (``"/etcdserverpb.KV/Put"``).
      endpoint: Who answered.
      write: Whether the call can change anything.
      since: The version of etcd that the call, or what was used of it, came in.
      hasleader: Whether the call was sent so; only then does "no leader" prove that nothing was done.

    Returns:
      The specific error; for a write that may have happened, an OutcomeUnknownError that it is the cause of.
    """
    status, text = _unwrap(_status(code), message)
    known = _known(text)
    outcome: Outcome | None = None
    if write:
        refused = known is not None and (
            status in _REFUSING_CODES
            or (status, known) in _REFUSALS
            or (hasleader and status is StatusCode.UNAVAILABLE and known is e.NoLeaderError)
        )
        outcome = "not_applied" if refused else "unknown"
    error = (known or _BY_CODE.get(status, RpcError))(status, text, method, endpoint, outcome)
    if isinstance(error, e.UnsupportedByServerError):
        error.since = since
    return _judged(error, status, text, method, endpoint, outcome)


def failure_error(
    kind: FailureKind, code: int, message: str, *, method: str, endpoint: str, write: bool, unprocessed: bool
) -> EtcdError:
    """Make the exception for a call that ended without a status.

    Args:
      kind: How it ended.
      code: The gRPC status code that this counts as.
      message: What happened.
      method: The path of the call.
      endpoint: The other end.
      write: Whether the call can change anything.
      unprocessed: True where the server provably never looked at the request.

    Returns:
      As :func:`rpc_error`.
    """
    status = _status(code)
    outcome: Outcome | None = None
    if write:
        outcome = "not_applied" if unprocessed else "unknown"
    error: RpcError | ConnectionLostError
    if kind in {"connection", "goaway", "local"} and status is StatusCode.UNAVAILABLE:
        error = ConnectionLostError(endpoint, message, method, outcome)
    elif kind == "protocol" or (kind == "message" and status is not StatusCode.RESOURCE_EXHAUSTED):
        error = RemoteProtocolError(endpoint, message, method, outcome)
    else:
        # A stream that just ends is how etcd's TLS face shuts down: another endpoint can serve the call.
        cls = UnavailableError if kind == "missing-status" else _BY_CODE.get(status, RpcError)
        if cls is a.PermissionDeniedError:  # a proxy says that, or another server, and not of etcd's users
            cls = AuthError
        if kind == "local" and status is StatusCode.RESOURCE_EXHAUSTED:
            cls = e.RequestTooLargeError
        error = cls(status, message, method, endpoint, outcome)
    return _judged(error, status, message, method, endpoint, outcome)


def _judged(
    error: EtcdError, status: StatusCode, message: str, method: str, endpoint: str, outcome: Outcome | None
) -> EtcdError:
    """The error to raise: a write that may have happened gets the one class that says so."""
    if outcome != "unknown" or isinstance(error, OutcomeUnknownError):
        return error
    unknown = OutcomeUnknownError(status, message, method, endpoint, outcome)
    unknown.__cause__ = error
    return unknown


def _known(text: str) -> type[RpcError] | None:
    known = _TEXTS.get(text.removeprefix("etcdserver: "))
    if known is None:
        known = next((cls for beginning, cls in _BEGINNINGS if text.startswith(beginning)), None)
    return known


def _status(code: int) -> StatusCode:
    try:
        return StatusCode(code)
    except ValueError:  # gRPC: a code that is not known counts as UNKNOWN
        return StatusCode.UNKNOWN


def _unwrap(status: StatusCode, message: str) -> tuple[StatusCode, str]:
    """Undo what Go's ``status.Error(Unknown, err.Error())`` does to an error that was a status already."""
    while message.startswith(_WRAPPING):
        name, found, text = message.removeprefix(_WRAPPING).partition(" desc = ")
        if not found:
            break
        if status is StatusCode.UNKNOWN:
            status = _GO_NAMES.get(name, status)
        message = text
    return status, message
