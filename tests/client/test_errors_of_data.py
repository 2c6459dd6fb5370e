"""Errors about keys, values, revisions, transactions, leases: the server says them, and they arrive whole."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Final

import betterproto2
import pytest
import trio

from client._kit import grant, raw, raw_with, version_of
from client._provoke import ROWS, Case, Communicator, provoke
from etcetra_trio import (
    CompactedError,
    CompareKey,
    ConnectionLostError,
    DuplicateKeyError,
    EmptyKeyError,
    EtcdClient,
    EtcdCommunicator,
    FutureRevisionError,
    InvalidArgumentError,
    KeyNotFoundError,
    LeaseExistsError,
    LeaseNotFoundError,
    LeaseTTLTooLargeError,
    NoSpaceError,
    OutcomeUnknownError,
    RequestTooLargeError,
    StatusCode,
    TooManyOpsError,
    UnsupportedByServerError,
)
from etcetra_trio._proto._messages import etcdserverpb as pb
from etcetra_trio._proto._methods import (
    COMPACT,
    LEASE_GRANT,
    LEASE_REVOKE,
    PUT,
    RANGE,
    RANGE_STREAM,
    TXN,
    Method,
)
from etcetra_trio.testing import EtcdServer


def send(method: Method, message: betterproto2.Message):  # type: ignore[no-untyped-def]
    return lambda communicator: raw(communicator, method, message, pb.RangeResponse)


async def compact_twice(communicator: Communicator) -> None:
    revision = (await communicator.put("k", "v")).revision
    await communicator.compact(revision)
    await communicator.compact(revision)


async def read_compacted(communicator: Communicator) -> None:
    revision = (await communicator.put("k", "v")).revision
    await communicator.put("k", "w")
    await communicator.compact(revision + 1)
    await communicator.get("k", revision=revision)


async def grant_twice(communicator: Communicator) -> None:
    lease = await grant(communicator)
    await grant(communicator, lease=lease)


def put_of(size: int):  # type: ignore[no-untyped-def]
    return lambda communicator: communicator.put("k", "x" * size)


twice = pb.RequestOp(request_put=pb.PutRequest(key=b"k", value=b"v"))
NOT: Final = "not_applied"
CASES: list[tuple[str, Case]] = [
    ("EmptyKey", Case(RANGE, EmptyKeyError, send(RANGE, pb.RangeRequest()))),
    ("EmptyKey", Case(PUT, EmptyKeyError, send(PUT, pb.PutRequest(value=b"v")), NOT)),
    ("KeyNotFound", Case(PUT, KeyNotFoundError, lambda c: c.put("nothing", ignore_value=True), NOT)),
    (
        "KeyNotFound",
        Case(TXN, KeyNotFoundError, lambda c: c.txn(lambda a: a.put("nothing", ignore_value=True)), NOT),
    ),
    (
        "ValueProvided",
        Case(
            PUT, InvalidArgumentError, send(PUT, pb.PutRequest(key=b"k", value=b"v", ignore_value=True)), NOT
        ),
    ),
    (
        "LeaseProvided",
        Case(PUT, InvalidArgumentError, send(PUT, pb.PutRequest(key=b"k", lease=5, ignore_lease=True)), NOT),
    ),
    (
        "TooManyOps",
        Case(TXN, TooManyOpsError, lambda c: c.txn(lambda a: [a.put(f"{n}", "v") for n in range(129)]), NOT),
    ),
    (
        "TooManyOps",
        Case(TXN, TooManyOpsError, lambda c: c.txn(lambda a: [a.get(f"{n}") for n in range(129)])),
    ),
    ("DuplicateKey", Case(TXN, DuplicateKeyError, send(TXN, pb.TxnRequest(success=[twice, twice])), NOT)),
    (
        "InvalidSortOption",
        Case(
            RANGE,
            InvalidArgumentError,
            send(RANGE, pb.RangeRequest(key=b"k", sort_order=pb.RangeRequestSortOrder(9))),
            since=(3, 6),
        ),
    ),
    ("Compacted", Case(COMPACT, CompactedError, compact_twice, NOT)),
    ("Compacted", Case(RANGE, CompactedError, read_compacted)),
    ("FutureRev", Case(RANGE, FutureRevisionError, lambda c: c.get("k", revision=1 << 40))),
    ("FutureRev", Case(COMPACT, FutureRevisionError, lambda c: c.compact(1 << 40), NOT)),
    ("LeaseNotFound", Case(PUT, LeaseNotFoundError, lambda c: c.put("k", "v", lease=77), NOT)),
    (
        "LeaseNotFound",
        Case(LEASE_REVOKE, LeaseNotFoundError, send(LEASE_REVOKE, pb.LeaseRevokeRequest(id=77)), NOT),
    ),
    ("LeaseExist", Case(LEASE_GRANT, LeaseExistsError, grant_twice, NOT)),
    ("LeaseTTLTooLarge", Case(LEASE_GRANT, LeaseTTLTooLargeError, lambda c: grant(c, 9_000_000_001), NOT)),
    ("RequestTooLarge", Case(PUT, RequestTooLargeError, put_of(3 << 19), NOT)),
]


@pytest.mark.parametrize(
    ("name", "case"), CASES, ids=[f"{name}-{case.method.path[14:]}" for name, case in CASES]
)
async def test_is_said_and_arrives(
    communicator: Communicator, etcd_server: EtcdServer, name: str, case: Case
) -> None:
    await provoke(name, case, communicator, etcd_server)


async def test_a_client_version_that_is_no_text() -> None:
    """It ends etcd up to 3.5, so this server is nobody else's."""
    metadata = [(b"client-api-version", b"\xff")]
    case = Case(
        RANGE,
        InvalidArgumentError,
        lambda c: raw_with(c, RANGE, pb.RangeRequest(key=b"k"), pb.RangeResponse, metadata),
    )
    async with EtcdServer() as server, EtcdClient(server.endpoint).connect() as communicator:
        if version_of(server) >= (3, 6):
            await provoke("InvalidClientAPIVersion", case, communicator, server)
            return
        with pytest.raises(ConnectionLostError):
            await case.provoke(communicator)
        server.kill()  # it is dead; now that was wanted


async def test_grpcs_own_limit_is_the_same_error(communicator: Communicator) -> None:
    """From 2 MiB on it is not etcd that refuses, with other words and another code."""
    with pytest.raises(RequestTooLargeError, match="grpc: received message larger than max") as caught:
        await communicator.put("k", "x" * (3 << 20))
    assert (caught.value.code, caught.value.outcome) == (StatusCode.RESOURCE_EXHAUSTED, "not_applied")
    assert "or raise the server's --max-request-bytes" in str(caught.value)
    assert await communicator.get("k") is None


async def test_a_method_that_the_server_lacks(communicator: Communicator, etcd_server: EtcdServer) -> None:
    request = pb.RangeRequest(key=b"k", range_end=b"l")
    if version_of(etcd_server) >= (3, 7):
        await raw_with(communicator, RANGE_STREAM, request, pb.RangeStreamResponse, [])
        return
    with pytest.raises(
        UnsupportedByServerError, match=r"The call came in etcd 3\.7: upgrade the server"
    ) as caught:
        await raw_with(communicator, RANGE_STREAM, request, pb.RangeStreamResponse, [])
    assert (caught.value.code, caught.value.since) == (StatusCode.UNIMPLEMENTED, "3.7")
    assert (caught.value.method, caught.value.outcome) == (RANGE_STREAM.path, None)


async def test_a_request_that_is_no_message(communicator: Communicator) -> None:
    with pytest.raises(OutcomeUnknownError) as caught:
        await communicator._endpoints.call(PUT, b"\xff\xff", lambda data: data, write=True)
    assert (caught.value.code, caught.value.outcome) == (StatusCode.INTERNAL, "unknown")
    assert caught.value.__cause__ is not None


@pytest.fixture
async def small() -> AsyncGenerator[tuple[EtcdServer, EtcdCommunicator[str]]]:
    """A server that is full soon."""
    async with (
        EtcdServer(extra_args=["--quota-backend-bytes", str(1 << 20)]) as server,
        EtcdClient(server.endpoint).connect() as communicator,
    ):
        yield server, communicator


async def test_no_space(small: tuple[EtcdServer, EtcdCommunicator[str]]) -> None:
    server, communicator = small

    async def fill(communicator: Communicator) -> None:
        for number in range(100):
            await communicator.put(f"{number}", "x" * (200 << 10))
            await trio.sleep(0.02)  # the server looks at the size ten times a second

    await provoke("NoSpace", Case(PUT, NoSpaceError, fill, "unknown"), communicator, server)
    with pytest.raises(NoSpaceError, match="disarm the NOSPACE alarm") as caught:
        await communicator.txn_compare(
            [CompareKey("k").version == 0], lambda success, _: success.put("k", "v")
        )
    assert isinstance(caught.value, OutcomeUnknownError), "one class for all writes that may have happened"
    assert await communicator.get("0") is not None, "reads go on"
    assert (await communicator.delete("0")).deleted == 1, "and so do deletes"


NAMES = {name for name, _ in CASES} | {"InvalidClientAPIVersion", "NoSpace"}
assert not NAMES - ROWS.keys()
