"""grpc-status: every code, alone and behind headers; etcd's own words; and statuses that are none."""

from __future__ import annotations

from wire_faults._blocks import HEADERS_BLOCK, block, headers, status_block
from wire_faults._etcd import Due
from wire_faults._row import Do, Row, broken, failed

#: The class of each code with a text that etcd does not have, and whether another try may help.
CODES = {
    1: ("ServerCanceledError", True),
    2: ("UnknownServerError", False),
    3: ("InvalidArgumentError", False),
    4: ("ServerTimeoutError", True),
    5: ("RpcError", False),
    6: ("RpcError", False),
    7: ("PermissionDeniedError", False),
    8: ("RpcError", False),
    9: ("RpcError", False),
    10: ("RpcError", False),
    11: ("RpcError", False),
    12: ("UnsupportedByServerError", False),
    13: ("RpcError", False),
    14: ("UnavailableError", True),
    15: ("RpcError", False),
    16: ("AuthError", False),
    17: ("UnknownServerError", False),
    999: ("UnknownServerError", False),
}
#: Those that end a watch: another try would bring nothing else.
FINAL = {3, 5, 7, 9, 11, 12, 15, 16}


def status(code: int, text: str, *, first: bool) -> Do:
    async def do(due: Due) -> None:
        await due.request.status(code, text, first=first)

    return do


def _coded(code: int, *, begun: bool) -> Row:
    cls, again = CODES[code]
    row = failed(
        f"status {code} {'after headers' if begun else 'alone'}",
        status(code, "for a reason", first=not begun),
        cls,
        begun=begun,
        words="for a reason",
        long=begun,
    )
    if again:
        row = row.but(read="again")
    return row.but(watch=cls) if code in FINAL else row


def _said(
    code: int,
    text: str,
    cls: str,
    *,
    read: str = "",
    write: str = "",
    watch: str = "again",
    lease: str = "again",
) -> list[Row]:
    """etcd says so, alone and after headers."""
    applied = not write.startswith(("again", "not"))
    return [
        Row(
            f"status {code} {text!r}{' after headers' if begun else ''}",
            status(code, text, first=not begun),
            read=read or cls,
            write=write or f"unknown {cls}",
            watch=watch,
            lease=lease,
            words=text.partition(": ")[2] if text.startswith("etcdserver") else text,
            begun=begun,
            unseen=not applied,
        )
        for begun in (False, True)
    ]


def _trailers(octets: bytes) -> Do:
    """A message, and trailers with this block."""

    async def do(due: Due) -> None:
        await due.data()
        await due.raw(headers(due.stream_id, octets, end=True))

    return do


def _alone(octets: bytes) -> Do:
    async def do(due: Due) -> None:
        await due.raw(headers(due.stream_id, HEADERS_BLOCK + octets, end=True))

    return do


MISSING = failed("", _alone(b""), "UnavailableError").but(read="again", words="without a grpc-status")
UNKNOWN, INTERNAL = "UnknownServerError", "RpcError"
ROWS = [
    broken("status 0 alone", status(0, "", first=True), words="without a message"),
    broken("status 0 after headers", status(0, "", first=False), begun=True, words="without a message"),
    *(_coded(code, begun=begun) for code in CODES for begun in (False, True)),
    *_said(14, "etcdserver: no leader", "NoLeaderError", read="again", write="again"),
    *_said(14, "etcdserver: leader changed", "LeaderChangedError", read="again"),
    *_said(14, "etcdserver: server stopped", "ServerStoppedError", read="again"),
    *_said(14, "etcdserver: request timed out", "ServerTimeoutError", read="again"),
    *_said(4, "context deadline exceeded", "ServerTimeoutError", read="again"),
    *_said(8, "etcdserver: mvcc: database space exceeded", "NoSpaceError"),
    *_said(8, "etcdserver: too many requests", "TooManyRequestsError", read="again", write="again"),
    *_said(
        8,
        "grpc: received message larger than max (9 vs. 4)",
        "RequestTooLargeError",
        write="not applied RequestTooLargeError",
    ),
    *_said(
        3,
        "etcdserver: key is not provided",
        "EmptyKeyError",
        write="not applied EmptyKeyError",
        watch="EmptyKeyError",
    ),
    *_said(2, "raft proposal dropped", "ProposalDroppedError", read="again", write="again"),
    *_said(
        7,
        "etcdserver: permission denied",
        "PermissionDeniedError",
        write="not applied PermissionDeniedError",
        watch="PermissionDeniedError",
    ),
    *_said(
        16,
        "etcdserver: invalid auth token",
        "InvalidAuthTokenError",
        write="not applied InvalidAuthTokenError",
        watch="InvalidAuthTokenError",
    ),
    MISSING.but(name="trailers without grpc-status, alone"),
    MISSING.but(name="trailers without grpc-status", do=_trailers(block(("x", "y"))), begun=True),
    failed("status 'abc'", _trailers(status_block("abc", "what")), UNKNOWN, words="what"),
    failed("status ''", _trailers(status_block("", "what")), UNKNOWN, words="what"),
    failed("status '-1'", _trailers(status_block("-1", "what")), UNKNOWN, words="what"),
    failed("status of 1,000 digits", _trailers(status_block("1" * 1000, "what")), UNKNOWN, words="what"),
    failed("message '%zz%'", _trailers(status_block("13", "100%zz%")), INTERNAL, words="100%zz%"),
    failed("message in Latin-1", _trailers(status_block("13", b"na\xefve")), INTERNAL, words="na\ufffdve"),
    failed("message '%E2%82%AC'", _trailers(status_block("13", "%E2%82%AC")), INTERNAL, words="€"),
    failed("message of 10,000 octets", _trailers(status_block("13", "x" * 10_000)), INTERNAL, words="xxx"),
    failed("no message at all", _trailers(block(("grpc-status", "13"))), INTERNAL, words="no reason"),
    failed(
        "two statuses",
        _trailers(block(("grpc-status", "0"), ("grpc-status", "13"), ("grpc-message", "two"))),
        INTERNAL,
        words="two",
    ),
]
