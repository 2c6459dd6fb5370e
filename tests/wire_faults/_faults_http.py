"""Answers that are HTTP but not gRPC, and HTTP that gRPC does without."""

from __future__ import annotations

from engines import _frames as f

from wire_faults._blocks import HEADERS_BLOCK, OK_BLOCK, block, headers, pieces, status_block
from wire_faults._etcd import Due
from wire_faults._row import Do, Row, broken, failed, harmless

#: The class of each HTTP status.
CLASSES = {
    200: "UnknownServerError",
    204: "UnknownServerError",
    302: "UnknownServerError",
    400: "RpcError",
    401: "AuthError",
    403: "AuthError",
    404: "UnsupportedByServerError",
    405: "UnknownServerError",
    415: "UnknownServerError",
    429: "UnavailableError",
    500: "UnknownServerError",
    502: "UnavailableError",
    503: "UnavailableError",
    504: "UnavailableError",
}
FINAL = {401, 403, 404}


def _html(code: int) -> Do:
    async def do(due: Due) -> None:
        fields = [(":status", str(code)), ("content-type", "text/html")]
        due.peer.engine.send_headers(due.stream_id, fields)
        due.peer.engine.send_data(due.stream_id, b"<html>no etcd</html>", end_stream=True)
        await due.peer.flush()

    return do


def _http(code: int) -> Row:
    cls = CLASSES[code]
    row = failed(
        f"HTTP {code} with a page", _html(code), cls, words=f"HTTP {code} (text/html): <html>no etcd"
    )
    if cls == "UnavailableError":
        row = row.but(read="again")
    return row.but(watch=cls) if code in FINAL else row


def _answered(first: bytes, last: bytes = OK_BLOCK) -> Do:
    """A good answer with these blocks around it."""

    async def do(due: Due) -> None:
        frames = [headers(due.stream_id, first), f.data(due.stream_id, due.framed)]
        due.begun = True
        if due.unary:
            frames.append(headers(due.stream_id, last, end=True))
        await due.raw(*frames)

    return do


def _before(*blocks: bytes) -> Do:
    """Informational answers, and the good one."""

    async def do(due: Due) -> None:
        await due.raw(*(headers(due.stream_id, each) for each in blocks))
        await due.answer()

    return do


async def _empty(due: Due) -> None:
    await due.raw(headers(due.stream_id, block((":status", "503")), end=True))


async def _body_for_ever(due: Due) -> None:
    """A page without an end."""
    due.peer.engine.send_headers(due.stream_id, [(":status", "502"), ("content-type", "text/plain")])
    due.peer.engine.send_data(due.stream_id, b"bad gateway " * 100)
    await due.peer.flush()


async def _in_pieces(due: Due) -> None:
    due.begun = True
    frames = [*pieces(due.stream_id, HEADERS_BLOCK, 3), f.data(due.stream_id, due.framed)]
    if due.unary:
        frames += pieces(due.stream_id, OK_BLOCK, 5, end=True)
    await due.raw(*frames)


async def _headers_twice(due: Due) -> None:
    await due.raw(headers(due.stream_id, HEADERS_BLOCK) * 2)


async def _trailers_twice(due: Due) -> None:
    await due.answer()
    await due.raw(headers(due.stream_id, status_block("13", "late"), end=True))


GRPC = ("content-type", "application/grpc")
OK = (":status", "200")
UNKNOWN = "UnknownServerError"
ROWS = [
    *(_http(code) for code in CLASSES),
    failed("HTTP 503 without a body", _empty, "UnavailableError", words="HTTP 503").but(read="again"),
    failed("HTTP 502 with a body that does not end", _body_for_ever, "UnavailableError").but(read="again"),
    failed("no content-type", _answered(block(OK)), UNKNOWN, words="HTTP 200"),
    failed(
        "content-type application/grpc-web",
        _answered(block(OK, ("content-type", "application/grpc-web"))),
        UNKNOWN,
        words="application/grpc-web",
    ),
    harmless(
        "content-type application/grpc+proto",
        _answered(block(OK, ("content-type", "application/grpc+proto"))),
    ),
    harmless("content-type with parameters", _answered(block(OK, ("content-type", "application/grpc; x=y")))),
    failed(":status that is no number", _answered(block((":status", "ok"), GRPC)), UNKNOWN, words="HTTP 0"),
    failed("no :status", _answered(block(GRPC)), UNKNOWN, words="HTTP 0"),
    harmless("HTTP 103 before the answer", _before(block((":status", "103"), ("link", "</x>")))),
    harmless("HTTP 100 many times", _before(*[block((":status", "100"))] * 20)),
    harmless("fields that nobody knows", _answered(HEADERS_BLOCK + block(("x-envoy", "1"), ("date", "now")))),
    harmless("trailers with more", _answered(HEADERS_BLOCK, OK_BLOCK + block(("x-bin", "AAEC")))),
    harmless("grpc-status 0 in the headers already", _answered(HEADERS_BLOCK + OK_BLOCK)),
    harmless("HEADERS and CONTINUATIONs", _in_pieces),
    broken("HEADERS twice", _headers_twice),
    harmless("trailers twice", _trailers_twice, watch="again", lease="again"),
]
