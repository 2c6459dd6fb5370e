"""The error table: every text of the server has its class, and every row of the verdict table holds."""

from __future__ import annotations

import csv
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etcetra_trio import _admin_errors, _error_table, _server_errors
from etcetra_trio._admin_errors import DowngradeError, MemberNotFoundError, PermissionDeniedError
from etcetra_trio._error_table import FailureKind, failure_error, rpc_error
from etcetra_trio._errors import (
    AuthError,
    ConnectionLostError,
    EtcdError,
    InvalidArgumentError,
    InvalidRequestError,
    OutcomeUnknownError,
    RemoteProtocolError,
    RpcError,
    StatusCode,
    UnavailableError,
)
from etcetra_trio._server_errors import (
    EmptyKeyError,
    LeaseNotFoundError,
    NoLeaderError,
    NoSpaceError,
    ProposalDroppedError,
    RequestTooLargeError,
    ServerCanceledError,
    ServerTimeoutError,
    TooManyRequestsError,
    UnknownServerError,
    UnsupportedByServerError,
)

if TYPE_CHECKING:
    from _pytest.mark import ParameterSet

PUT = "/etcdserverpb.KV/Put"
ENDPOINT = "127.0.0.1:2379"

with (Path(__file__).parent / "facts" / "etcd-errors.tsv").open(encoding="utf-8") as facts:
    ROWS = list(csv.DictReader(facts, delimiter="\t", quoting=csv.QUOTE_NONE))

# "Canceled" is how Go spells it.
CODES = {code.name.replace("_", "").replace("LL", "L"): code for code in StatusCode}
# These rows have no class of their own (reliability: "InvalidRequest"); the rest is named after the class by hand.
PLAIN = {
    "ValueProvided",
    "LeaseProvided",
    "InvalidClientAPIVersion",
    "InvalidSortOption",
    "RoleEmpty",
    "PermissionNotGiven",
}
NAMES = {
    "FutureRev": "FutureRevisionError",
    "LeaseExist": "LeaseExistsError",
    "MemberExist": "MemberExistsError",
    "PeerURLExist": "MemberExistsError",
    "ClusterIDMismatch": "ClusterIdMismatchError",
    "RequestTooManyRequests": "TooManyRequestsError",
    "RootUserNotExist": "AuthSetupError",
    "RootRoleNotExist": "AuthSetupError",
    "UserAlreadyExist": "UserExistsError",
    "UserEmpty": "NotAuthenticatedError",
    "RoleAlreadyExist": "RoleExistsError",
    "AuthFailed": "AuthenticationFailedError",
    "InvalidAuthMgmt": "InvalidAuthManagementError",
    "AuthOldRevision": "AuthRevisionOldError",
    "Stopped": "ServerStoppedError",
    "Timeout": "ServerTimeoutError",
    "TimeoutDueToLeaderFail": "ServerTimeoutError",
    "TimeoutDueToConnectionLost": "ServerTimeoutError",
    "TimeoutWaitAppliedIndex": "ServerTimeoutError",
    "Corrupt": "ClusterCorruptError",
    "NotSupportedForLearner": "LearnerRefusedError",
    "WrongDowngradeVersionFormat": "DowngradeError",
    "InvalidDowngradeTargetVersion": "DowngradeError",
    "ClusterVersionUnavailable": "DowngradeError",
    "DowngradeInProcess": "DowngradeError",
    "NoInflightDowngrade": "DowngradeError",
    "Canceled": "ServerCanceledError",
    "DeadlineExceeded": "ServerTimeoutError",
}


def error_of(code: int, message: str, *, write: bool = False, hasleader: bool = True) -> EtcdError:
    return rpc_error(code, message, method=PUT, endpoint=ENDPOINT, write=write, hasleader=hasleader)


def outcome_of(code: int, message: str, *, hasleader: bool = True) -> str | None:
    error = error_of(code, message, write=True, hasleader=hasleader)
    assert (error.outcome == "unknown") == isinstance(error, OutcomeUnknownError)
    return error.outcome


def rows() -> list[ParameterSet]:
    return [
        pytest.param(row["go_name"], CODES[row["grpc_code"].upper()], row["message"], id=row["go_name"])
        for row in ROWS
    ]


def test_the_table_of_facts_is_whole() -> None:
    assert len(ROWS) == 63
    assert len({row["message"] for row in ROWS}) == 63


@pytest.mark.parametrize(("go_name", "code", "message"), rows())
def test_every_text_of_the_server_has_its_class(go_name: str, code: StatusCode, message: str) -> None:
    error = error_of(code, message)
    name = "InvalidArgumentError" if go_name in PLAIN else NAMES.get(go_name, go_name + "Error")
    assert type(error).__name__ == name
    assert isinstance(error, RpcError)
    assert (error.code, error.message, error.method, error.endpoint, error.outcome) == (
        code,
        message,
        PUT,
        ENDPOINT,
        None,
    )
    # What the server calls an invalid argument is a ValueError, unless it is about who asks, or about versions.
    is_argument = code is StatusCode.INVALID_ARGUMENT and not isinstance(error, (AuthError, DowngradeError))
    assert isinstance(error, InvalidRequestError) == isinstance(error, ValueError) == is_argument
    if code is StatusCode.UNAVAILABLE:
        assert isinstance(error, UnavailableError)
    # The text decides, whatever code comes with it and however it is wrapped.
    assert type(error_of(StatusCode.UNKNOWN, message)) is type(error)
    assert type(error_of(code, message.removeprefix("etcdserver: "))) is type(error)
    wrapped = error_of(StatusCode.UNKNOWN, f"rpc error: code = {row_code(code)} desc = {message}")
    assert isinstance(wrapped, RpcError)
    assert (type(wrapped), wrapped.code, wrapped.message) == (type(error), code, message)


def row_code(code: StatusCode) -> str:
    return next(row["grpc_code"] for row in ROWS if CODES[row["grpc_code"].upper()] is code)


@pytest.mark.parametrize(("go_name", "code", "message"), rows())
def test_the_verdict_of_every_text(go_name: str, code: StatusCode, message: str) -> None:
    refusing = {
        "InvalidArgument",
        "PermissionDenied",
        "Unauthenticated",
        "FailedPrecondition",
        "OutOfRange",
        "Unimplemented",
    }
    not_applied = row_code(code) in refusing or go_name in {
        "LeaseNotFound",
        "RequestTooManyRequests",
        "NoLeader",
    }
    assert outcome_of(code, message) == ("not_applied" if not_applied else "unknown")


@pytest.mark.parametrize(
    ("code", "message", "cls", "outcome"),
    [
        # Texts that are not in the table of facts.
        (8, "grpc: received message larger than max (3 vs. 2)", RequestTooLargeError, "not_applied"),
        (2, "raft proposal dropped", ProposalDroppedError, "not_applied"),
        (2, "etcdserver: raft proposal dropped", ProposalDroppedError, "not_applied"),
        (
            12,
            "unknown method RangeStream for service etcdserverpb.KV",
            UnsupportedByServerError,
            "not_applied",
        ),
        (12, "unknown service v3lockpb.Lock", UnsupportedByServerError, "not_applied"),
        # The codes alone prove nothing.
        (3, "something new", InvalidArgumentError, "unknown"),
        (7, "something new", PermissionDeniedError, "unknown"),
        (16, "something new", AuthError, "unknown"),
        (5, "something new", RpcError, "unknown"),
        (9, "something new", RpcError, "unknown"),
        (11, "something new", RpcError, "unknown"),
        (12, "something new", UnsupportedByServerError, "unknown"),
        (8, "something new", RpcError, "unknown"),
        (13, "grpc: error unmarshalling request", RpcError, "unknown"),
        (14, "something new", UnavailableError, "unknown"),
        (1, "context canceled", ServerCanceledError, "unknown"),
        (4, "context deadline exceeded", ServerTimeoutError, "unknown"),
        (4, "something new", ServerTimeoutError, "unknown"),
        (6, "something new", RpcError, "unknown"),
        (10, "something new", RpcError, "unknown"),
        (15, "something new", RpcError, "unknown"),
        (2, "etcdserver: request timed out, leader transfer took too long", UnknownServerError, "unknown"),
        (2, "etcdserver: request cancelled", UnknownServerError, "unknown"),
        (2, "", UnknownServerError, "unknown"),
        (99, "something new", UnknownServerError, "unknown"),
        (-1, "something new", UnknownServerError, "unknown"),
        # A known text, but under a code that does not go with it.
        (2, "etcdserver: key is not provided", EmptyKeyError, "unknown"),
        (13, "etcdserver: requested lease not found", LeaseNotFoundError, "unknown"),
        (14, "etcdserver: too many requests", TooManyRequestsError, "unknown"),
        (2, "etcdserver: no leader", NoLeaderError, "unknown"),
        (5, "etcdserver: member not found", MemberNotFoundError, "unknown"),
        # Full is not "no": all 34 of 34 writes that were answered so had been applied.
        (8, "etcdserver: mvcc: database space exceeded", NoSpaceError, "unknown"),
    ],
)
def test_codes_and_other_texts(
    code: int, message: str, cls: type[RpcError], outcome: Literal["not_applied", "unknown"]
) -> None:
    assert type(error_of(code, message)) is cls
    assert outcome_of(code, message) == outcome
    error = error_of(code, message, write=True)
    specific = error if outcome == "not_applied" or cls is NoSpaceError else error.__cause__
    assert type(specific) is cls
    assert specific.outcome == outcome


def test_no_leader_is_a_verdict_only_for_calls_that_asked_for_one() -> None:
    message = "etcdserver: no leader"
    assert outcome_of(14, message) == "not_applied"
    assert outcome_of(14, message, hasleader=False) == "unknown"
    assert error_of(14, message, hasleader=False).outcome is None


def test_an_unknown_outcome_has_the_specific_error_as_its_cause() -> None:
    error = error_of(14, "etcdserver: leader changed", write=True)
    assert type(error) is OutcomeUnknownError
    assert not isinstance(error, RpcError)
    assert (error.code, error.message, error.method, error.endpoint, error.outcome) == (
        StatusCode.UNAVAILABLE,
        "etcdserver: leader changed",
        PUT,
        ENDPOINT,
        "unknown",
    )
    assert type(error.__cause__).__name__ == "LeaderChangedError"
    shown = "".join(traceback.format_exception(error))
    assert "LeaderChangedError: etcdserver: leader changed (KV.Put at 127.0.0.1:2379; UNAVAILABLE;" in shown
    full = error_of(8, "etcdserver: mvcc: database space exceeded", write=True)
    assert isinstance(full, NoSpaceError)
    assert isinstance(full, OutcomeUnknownError)
    assert full.__cause__ is None


def test_wrapped_texts() -> None:
    inner = "rpc error: code = PermissionDenied desc = etcdserver: permission denied"
    for message in (inner, f"rpc error: code = Unknown desc = {inner}"):
        error = error_of(2, message, write=True)
        assert type(error) is PermissionDeniedError
        assert (error.code, error.message) == (StatusCode.PERMISSION_DENIED, "etcdserver: permission denied")
        assert error.outcome == "not_applied"
    # The status that came on the wire is believed, if it says anything.
    error = error_of(14, inner, write=True)
    assert type(error.__cause__) is PermissionDeniedError
    assert error.__cause__.code is StatusCode.UNAVAILABLE
    # Not a wrapping after all.
    for odd in ("rpc error: code = 7", "rpc error: code = Code(99) desc = x"):
        error = error_of(2, odd)
        assert isinstance(error, UnknownServerError)
        assert error.code is StatusCode.UNKNOWN


def test_a_call_the_server_lacks_names_the_version() -> None:
    message = "unknown method RangeStream for service etcdserverpb.KV"
    method = "/etcdserverpb.KV/RangeStream"
    error = rpc_error(12, message, method=method, endpoint=ENDPOINT, write=False, since="3.7")
    assert isinstance(error, UnsupportedByServerError)
    assert error.since == "3.7"
    assert str(error) == (
        f"{message} (KV.RangeStream at 127.0.0.1:2379; UNIMPLEMENTED). "
        "The call came in etcd 3.7: upgrade the server."
    )
    error = rpc_error(12, message, method=method, endpoint=ENDPOINT, write=False)
    assert isinstance(error, UnsupportedByServerError)
    assert error.since is None
    assert str(error).endswith("; UNIMPLEMENTED). Does an etcd v3 server listen there?")


@pytest.mark.parametrize(
    ("message", "due_to"),
    [
        ("etcdserver: request timed out", None),
        ("etcdserver: request timed out, possibly due to previous leader failure", "leader_failure"),
        ("etcdserver: request timed out, possibly due to connection lost", "connection_lost"),
        ("etcdserver: request timed out, waiting for the applied index took too long", "applied_index"),
    ],
)
def test_server_timeouts_say_why(message: str, due_to: str | None) -> None:
    error = error_of(14, message)
    assert isinstance(error, ServerTimeoutError)
    assert error.due_to == due_to


@pytest.mark.parametrize(
    ("kind", "code", "unprocessed", "cls", "cause_code"),
    [
        ("refused", 14, True, UnavailableError, StatusCode.UNAVAILABLE),
        ("goaway", 14, True, ConnectionLostError, None),
        ("local", 14, True, ConnectionLostError, None),
        ("local", 13, True, RpcError, StatusCode.INTERNAL),
        ("connection", 14, False, ConnectionLostError, None),
        ("reset", 1, False, ServerCanceledError, StatusCode.CANCELLED),
        ("reset", 8, False, RpcError, StatusCode.RESOURCE_EXHAUSTED),
        ("reset", 13, False, RpcError, StatusCode.INTERNAL),
        ("http", 14, False, UnavailableError, StatusCode.UNAVAILABLE),
        ("http", 2, False, UnknownServerError, StatusCode.UNKNOWN),
        ("http", 7, False, AuthError, StatusCode.PERMISSION_DENIED),
        ("missing-status", 2, False, UnavailableError, StatusCode.UNKNOWN),
        ("message", 13, False, RemoteProtocolError, None),
        ("message", 8, False, RpcError, StatusCode.RESOURCE_EXHAUSTED),
        ("protocol", 13, False, RemoteProtocolError, None),
    ],
)
def test_ends_without_a_status(
    kind: FailureKind, code: int, unprocessed: bool, cls: type[EtcdError], cause_code: StatusCode | None
) -> None:
    def error_of_end(*, write: bool) -> EtcdError:
        return failure_error(
            kind, code, "it broke", method=PUT, endpoint=ENDPOINT, write=write, unprocessed=unprocessed
        )

    read = error_of_end(write=False)
    assert type(read) is cls
    assert read.outcome is None
    assert getattr(read, "code", None) is cause_code
    assert "it broke" in str(read)
    assert "KV.Put" in str(read)
    assert ENDPOINT in str(read)
    write = error_of_end(write=True)
    if unprocessed:
        assert type(write) is cls
        assert write.outcome == "not_applied"
    else:
        assert type(write) is OutcomeUnknownError
        assert (write.code, write.message, write.method) == (StatusCode(code), "it broke", PUT)
        assert type(write.__cause__) is cls
        assert write.__cause__.outcome == write.outcome == "unknown"


def test_every_class_of_the_server_can_be_raised() -> None:
    raised = [
        *_error_table._TEXTS.values(),
        *_error_table._BY_CODE.values(),
        *(cls for _, cls in _error_table._BEGINNINGS),
    ]
    declared = {*_server_errors.__all__, *_admin_errors.__all__}
    assert declared <= {cls.__name__ for cls in raised}


@given(st.integers(), st.text(), st.booleans(), st.booleans())
def test_whatever_the_server_says_there_is_an_error_for_it(
    code: int, message: str, write: bool, hasleader: bool
) -> None:
    error = error_of(code, message, write=write, hasleader=hasleader)
    assert str(error)
    assert error.outcome in (("not_applied", "unknown") if write else (None,))
