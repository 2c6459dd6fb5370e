"""Errors as their users meet them: what they say, what catches them, and that they can be pickled and copied."""

from __future__ import annotations

import copy
import pickle

import pytest
import trio

from etcetra_trio import _admin_errors, _errors, _server_errors
from etcetra_trio._error_table import rpc_error
from etcetra_trio._errors import (
    ConnectionFailedError,
    ConnectionLostError,
    EncodingError,
    EtcdError,
    InternalError,
    InvalidRequestError,
    OutcomeUnknownError,
    RemoteProtocolError,
    RpcError,
    StatusCode,
    TLSError,
)
from etcetra_trio._server_errors import CompactedError, UnsupportedByServerError

PUT = "/etcdserverpb.KV/Put"
ENDPOINT = "127.0.0.1:2379"


def text_of(code: int, message: str, *, write: bool = False) -> str:
    return str(rpc_error(code, message, method=PUT, endpoint=ENDPOINT, write=write))


def test_words() -> None:
    assert text_of(3, "etcdserver: key is not provided", write=True) == (
        "etcdserver: key is not provided (KV.Put at 127.0.0.1:2379; INVALID_ARGUMENT; not applied). "
        "Give a key of at least one byte."
    )
    assert text_of(5, "etcdserver: member not found") == (
        "etcdserver: member not found (KV.Put at 127.0.0.1:2379; NOT_FOUND)"
    )
    assert text_of(14, "etcdserver: request timed out", write=True) == (
        "etcdserver: request timed out (KV.Put at 127.0.0.1:2379; UNAVAILABLE; outcome unknown). "
        "The write may have happened, or may still happen: repeat it only if twice is as good as once; "
        "a txn that compares the key's revision can be repeated safely."
    )
    assert text_of(10, "") == "the server gave no reason (KV.Put at 127.0.0.1:2379; ABORTED)"
    assert str(RpcError(StatusCode.ABORTED, "text")) == "text (ABORTED)"
    assert str(ConnectionLostError(ENDPOINT, "reset by peer")) == (
        "the connection to 127.0.0.1:2379 was lost: reset by peer"
    )
    assert str(ConnectionLostError(ENDPOINT, "reset by peer", PUT, "not_applied")) == (
        "the connection to 127.0.0.1:2379 was lost: reset by peer (KV.Put; not applied)"
    )
    assert str(RemoteProtocolError(ENDPOINT, "bad frame")) == (
        "the server at 127.0.0.1:2379 does not speak the protocol properly: bad frame"
    )
    assert str(_errors.CallTimeoutError(2.5, PUT, "not_applied")) == (
        "no answer within the client's call_timeout of 2.5 s (KV.Put; not applied)"
    )
    assert str(InternalError("the reader failed")) == (
        "the reader failed (this is a bug in etcetra_trio: please report it with its traceback)"
    )


def test_a_failed_connection_lists_every_endpoint_with_its_own_cause() -> None:
    causes = [("a:1", ConnectionRefusedError(111, "Connection refused")), ("b:2", trio.TooSlowError())]
    error = ConnectionFailedError(causes, "not_applied")
    assert error.endpoints == tuple(causes)
    assert error.outcome == "not_applied"
    assert str(error) == (
        "could not connect to etcd (a:1: [Errno 111] Connection refused; b:2: TooSlowError). "
        "Check the addresses, and that a server listens there."
    )
    protocol = RemoteProtocolError("c:3", "the server speaks HTTP/1")
    for cause, advice in (
        (TLSError("the server's certificate has expired."), ""),
        (protocol, " Check that it is the port for clients of an etcd, and whether it wants TLS."),
        (OSError("no route"), " Check the addresses, and that a server listens there."),
    ):
        assert str(ConnectionFailedError([("c:3", cause)])) == (
            f"could not connect to etcd (c:3: {str(cause).rstrip('.')}).{advice}"
        )
    assert str(ConnectionFailedError([causes[0], ("c:3", protocol)])).endswith(
        "a server listens there. Check that it is the port for clients of an etcd, and whether it wants TLS."
    )
    with pytest.raises(OSError, match="could not connect"):
        raise error


def test_generic_code_catches_ours() -> None:
    assert issubclass(ConnectionLostError, trio.BrokenResourceError)
    assert issubclass(RemoteProtocolError, ConnectionLostError)
    assert issubclass(ConnectionFailedError, OSError)
    assert issubclass(EncodingError, ValueError)
    assert issubclass(InvalidRequestError, ValueError)


def public_classes() -> list[type[EtcdError]]:
    modules = (_errors, _server_errors, _admin_errors)
    found: list[object] = [getattr(module, name) for module in modules for name in module.__all__]
    return [cls for cls in found if isinstance(cls, type) and issubclass(cls, EtcdError)]


@pytest.mark.parametrize("cls", public_classes())
def test_every_error_can_be_pickled_and_copied(cls: type[EtcdError]) -> None:
    error: EtcdError
    if cls is EncodingError:
        error = EncodingError("value", "k", "utf-8", "invalid start byte")
    elif cls is ConnectionFailedError:
        error = ConnectionFailedError([("a:1", OSError(111, "Connection refused"))])
    elif issubclass(cls, ConnectionLostError):
        error = cls(ENDPOINT, "reset by peer", PUT, "unknown")
    elif issubclass(cls, (RpcError, OutcomeUnknownError)):
        error = cls(StatusCode.UNAVAILABLE, "text", PUT, ENDPOINT, "unknown")
    elif cls is _errors.CallTimeoutError:
        error = _errors.CallTimeoutError(2.5, PUT, "unknown")
    elif cls is _errors.WatchLaggedError:
        error = _errors.WatchLaggedError(7)
    else:
        error = cls("text")
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(twin) is cls
        assert str(twin) == str(error)
        # Exceptions compare by identity, so those inside are compared by their text.
        assert repr(twin) == repr(error)
        assert repr(vars(twin)) == repr(vars(error))
    assert cls.__doc__
    assert not hasattr(error, "__notes__")


def test_extras_survive_pickling() -> None:
    compacted = CompactedError(StatusCode.OUT_OF_RANGE, "text", compact_revision=7)
    assert pickle.loads(pickle.dumps(compacted)).compact_revision == 7
    assert copy.copy(compacted).compact_revision == 7
    assert CompactedError(StatusCode.OUT_OF_RANGE, "text").compact_revision == 0
    for method, revision, advice in (
        ("KV/Range", 0, "Read at a newer revision."),
        ("KV/Compact", 0, "It needs no other compaction."),
        (
            "Watch/Watch",
            7,
            "Watch with resync=True, or from revision 7 or newer: the events before are lost.",
        ),
    ):
        compacted = CompactedError(
            StatusCode.OUT_OF_RANGE, "text", f"/etcdserverpb.{method}", compact_revision=revision
        )
        assert str(compacted).endswith(f"OUT_OF_RANGE). {advice}")
    unsupported = UnsupportedByServerError(StatusCode.UNIMPLEMENTED, "text", since="3.7")
    assert pickle.loads(pickle.dumps(unsupported)).since == "3.7"
