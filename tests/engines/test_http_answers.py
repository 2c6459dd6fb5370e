"""Answers that are not gRPC's, or not yet: 1xx, HTTP errors, pages."""

from __future__ import annotations

import pytest

from engines import _frames as f
from engines._kit import OK_HEADERS, Wire

GRPC = (b"content-type", b"application/grpc")
STATUS_200 = (b":status", b"200")


def test_1xx_is_skipped(wire: Wire) -> None:
    told, stream = wire.unary(), wire.stream()
    for stream_id in (1, 3):
        wire.feed(
            wire.headers(stream_id, ((b":status", b"100"),)),
            wire.headers(stream_id, ((b":status", b"103"), (b"link", b"</style>"))),
            wire.answer(stream_id),
        )
    assert told.told == [("end", "status", 0, "", b"answer")]
    assert [what[0] for what in stream.told] == ["headers", "message", "end"]


def test_1xx_cannot_end_a_stream(wire: Wire) -> None:
    told = wire.unary()
    frames = wire.trailers(1, ((b":status", b"103"),))
    if wire.excepted("1xx that ends the stream"):
        wire.breach(1, frames)
        assert told.end is None
    else:
        wire.feed(frames)
        assert told.end is not None
        assert (told.end.kind, told.end.status) == ("http", 2)


HTTP = [
    (400, 13),
    (401, 16),
    (403, 7),
    (404, 12),
    (429, 14),
    (502, 14),
    (503, 14),
    (504, 14),
    (302, 2),
    (415, 2),
    (500, 2),
    (204, 2),
]


@pytest.mark.parametrize(("http", "status"), HTTP)
def test_http_errors_are_mapped(wire: Wire, http: int, status: int) -> None:
    told, stream = wire.unary(), wire.stream()
    fields = ((b":status", b"%d" % http), (b"content-type", b"text/html"))
    for stream_id in (1, 3):
        wire.feed(
            wire.headers(stream_id, fields),
            f.data(stream_id, b""),
            f.data(stream_id, b"<h1>404 page</h1>\n", end=True),
        )
    text = f"the server answered HTTP {http} (text/html): <h1>404 page</h1>"
    assert told.told == [("end", "http", status, text, None)]
    assert stream.told == [("end", "http", status, text)]
    assert wire.engine.streams == {}


def test_http_error_without_a_body(wire: Wire) -> None:
    told = wire.unary()
    wire.feed(wire.trailers(1, ((b":status", b"502"),)))
    assert told.told == [("end", "http", 14, "the server answered HTTP 502", None)]


def test_of_an_http_error_body_200_octets_are_shown(wire: Wire) -> None:
    """What follows is refused: nobody knows whether it ever ends."""
    told = wire.unary()
    wire.sent()
    fields = ((b":status", b"500"), (b"content-type", b"text/plain"))
    wire.feed(wire.headers(1, fields), f.data(1, b""))
    assert told.end is None
    wire.feed(f.data(1, b"a" * 150 + b"b" * 10_000))
    text = "the server answered HTTP 500 (text/plain): " + "a" * 150 + "b" * 50
    assert told.told == [("end", "http", 2, text, None)]
    assert wire.sent() == [("RST_STREAM", 1, 8)]


def test_200_that_is_no_grpc(wire: Wire) -> None:
    told = wire.unary()
    wire.feed(
        wire.headers(1, (STATUS_200, (b"content-type", b"text/html"))), f.data(1, f.message(b"x"), end=True)
    )
    assert told.end is not None
    assert (told.end.kind, told.end.status, told.message) == ("http", 2, None)


def test_an_http_error_wins_over_a_grpc_status(wire: Wire) -> None:
    told = wire.unary()
    wire.feed(wire.headers(1, ((b":status", b"503"), GRPC)), wire.trailers(1))
    assert told.end is not None
    assert (told.end.kind, told.end.status) == ("http", 14)


def test_content_length_means_nothing(wire: Wire) -> None:
    told = wire.unary()
    frames = (
        wire.headers(1, (*OK_HEADERS, (b"content-length", b"4"))),
        f.data(1, f.message(b"answer")),
        wire.trailers(1),
    )
    if wire.excepted("content-length that lies"):
        wire.breach(1, *frames)
    else:
        wire.feed(*frames)
        assert told.message == b"answer"
