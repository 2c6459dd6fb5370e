"""The rule of retries, error by error; what it does to a call is in test_interop.py."""

from __future__ import annotations

import pytest

from etcetra_trio import (
    ConnectionFailedError,
    EtcdError,
    LeaseExistsError,
    OutcomeUnknownError,
    RpcError,
    StatusCode,
)
from etcetra_trio import _errors as errors
from etcetra_trio._error_table import _TEXTS, failure_error, rpc_error
from etcetra_trio._proto._methods import METHODS, Method
from etcetra_trio.streams._retry import LONGEST_PAUSE, Next, after_unknown, next_try, pause

S = StatusCode
#: What a read does after each of etcd's texts; after all others it gives up.
READS: dict[tuple[StatusCode, str], Next] = {
    (S.UNAVAILABLE, "etcdserver: no leader"): "elsewhere",
    (S.UNAVAILABLE, "etcdserver: leader changed"): "later",
    (S.UNAVAILABLE, "etcdserver: server stopped"): "elsewhere",
    (S.UNAVAILABLE, "etcdserver: request timed out"): "elsewhere",
    (S.UNAVAILABLE, "etcdserver: request timed out, possibly due to previous leader failure"): "elsewhere",
    (S.UNAVAILABLE, "etcdserver: request timed out, possibly due to connection lost"): "elsewhere",
    (
        S.UNAVAILABLE,
        "etcdserver: request timed out, waiting for the applied index took too long",
    ): "elsewhere",
    (S.UNAVAILABLE, "etcdserver: unhealthy cluster"): "elsewhere",
    (S.UNAVAILABLE, "transport is closing"): "elsewhere",
    (S.DEADLINE_EXCEEDED, "context deadline exceeded"): "elsewhere",
    (S.CANCELLED, "etcdserver: request canceled"): "later",
    (S.CANCELLED, "what no etcd says"): "later",
    (S.RESOURCE_EXHAUSTED, "etcdserver: too many requests"): "later",
    (S.FAILED_PRECONDITION, "etcdserver: rpc not supported for learner"): "elsewhere",
    (S.UNKNOWN, "raft proposal dropped"): "later",
}
#: The same for writes: only what proves that nothing was done.
WRITES: dict[tuple[StatusCode, str], Next] = {
    key: READS[key]
    for key in (
        (S.UNAVAILABLE, "etcdserver: no leader"),
        (S.RESOURCE_EXHAUSTED, "etcdserver: too many requests"),
        (S.FAILED_PRECONDITION, "etcdserver: rpc not supported for learner"),
        (S.UNKNOWN, "raft proposal dropped"),
    )
}
OTHERS: list[tuple[StatusCode, str]] = [
    (code, text)
    for code in StatusCode
    if code
    for text in [*(f"etcdserver: {text}" for text in _TEXTS), *_TEXTS, "what no etcd says"]
]


def error_for(code: StatusCode, text: str, *, write: bool) -> EtcdError:
    return rpc_error(code, text, method="/etcdserverpb.KV/Put", endpoint="here", write=write)


@pytest.mark.parametrize("case", READS, ids=str)
def test_reads(case: tuple[StatusCode, str]) -> None:
    assert next_try(error_for(*case, write=False), write=False) == READS[case]


@pytest.mark.parametrize("case", READS, ids=str)
def test_writes(case: tuple[StatusCode, str]) -> None:
    assert next_try(error_for(*case, write=True), write=True) == WRITES.get(case, "give up")


def test_a_write_of_unknown_outcome_is_never_sent_again() -> None:
    """Whatever the server says."""
    for code, text in OTHERS:
        error = error_for(code, text, write=True)
        if error.outcome != "not_applied":
            assert isinstance(error, OutcomeUnknownError)
            assert next_try(error, write=True) == "give up", (code, text)


def test_final_answers_are_final() -> None:
    final = {S.INVALID_ARGUMENT, S.NOT_FOUND, S.ALREADY_EXISTS, S.PERMISSION_DENIED, S.OUT_OF_RANGE}
    for code, text in OTHERS:
        error = error_for(code, text, write=False)
        if code in final and isinstance(error, RpcError) and not isinstance(error, errors.UnavailableError):
            following = next_try(error, write=False)
            assert following in {"give up", "renew"} or text.endswith(
                ("too many requests", "for learner", "dropped", "canceled")
            ), (code, text)


@pytest.mark.parametrize(
    ("kind", "code", "read", "write"),
    [
        ("connection", 14, "elsewhere", "give up"),
        ("goaway", 14, "elsewhere", "elsewhere"),
        ("local", 14, "elsewhere", "elsewhere"),
        ("refused", 14, "elsewhere", "elsewhere"),
        ("missing-status", 2, "elsewhere", "give up"),
        ("http", 14, "elsewhere", "give up"),
        ("http", 12, "give up", "give up"),
        ("reset", 1, "later", "give up"),
        ("reset", 13, "give up", "give up"),
        ("message", 13, "give up", "give up"),
        ("protocol", 14, "give up", "give up"),
    ],
)
def test_ends_without_a_status(kind: str, code: int, read: Next, write: Next) -> None:
    unprocessed = kind in {"goaway", "local", "refused"}
    for writes, expected in ((False, read), (True, write)):
        error = failure_error(
            kind,  # type: ignore[arg-type]
            code,
            "text",
            method="/etcdserverpb.KV/Put",
            endpoint="here",
            write=writes,
            unprocessed=unprocessed,
        )
        assert next_try(error, write=writes) == expected


def test_no_connection_is_no_request() -> None:
    for outcome, write in ((None, False), ("not_applied", True)):
        error = ConnectionFailedError([("here", OSError("refused"))], outcome)  # type: ignore[arg-type]
        assert next_try(error, write=write) == "connect"


def test_what_may_be_done_twice() -> None:
    """As etcd's own client: writes that a second time change nothing more, beside all that only reads."""
    repeatable = {method.path.rpartition("/")[2] for method in METHODS.values() if repeats(method)}
    assert repeatable == {"LeaseGrant", "LeaseRevoke", "Alarm", "MoveLeader"}


def repeats(method: Method) -> bool:
    return method.mutates and method.repeatable and not method.client_streaming


def test_a_repeated_write_stays_unknown() -> None:
    """The first try may have granted the lease: that it exists is no proof that it did not."""
    earlier = error_for(S.UNAVAILABLE, "etcdserver: request timed out", write=True)
    assert isinstance(earlier, OutcomeUnknownError)
    assert next_try(earlier, write=False) == "elsewhere"
    exists = error_for(S.FAILED_PRECONDITION, "etcdserver: lease already exists", write=True)
    last = after_unknown(earlier, exists)
    assert isinstance(last, OutcomeUnknownError)
    assert (last.outcome, last.message) == ("unknown", "etcdserver: request timed out")
    assert isinstance(last.__cause__, LeaseExistsError)
    assert after_unknown(earlier, earlier) is earlier


def test_pauses() -> None:
    for tries, (least, most) in enumerate(
        [(0.0125, 0.025), (0.025, 0.05), (0.05, 0.1), (0.1, 0.2), (0.1, 0.2)]
    ):
        for _ in range(100):
            assert least <= pause(tries) <= most
    assert LONGEST_PAUSE <= 0.2, "so that calls go on within 250 ms of a new leader"
