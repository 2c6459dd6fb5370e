"""How an RPC ends when the server closes its stream in order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines import _frames as f
from engines._kit import ENGINES, OK_HEADERS, OK_TRAILERS, Pair, Told, Wire

GRPC = (b"content-type", b"application/grpc")
STATUS_200 = (b":status", b"200")
MESSAGES = [
    ((), ""),
    (((b"grpc-message", b""),), ""),
    (((b"grpc-message", b"etcdserver: key is not provided"),), "etcdserver: key is not provided"),
    (((b"grpc-message", b"na%C3%AFve 100%25 %22bad%22%0A%zz"),), 'naïve 100% "bad"\n%zz'),
    (((b"grpc-message", b"%"),), "%"),
    (((b"grpc-message", b"%4"),), "%4"),
    (((b"grpc-message", b"%ff\xfe%41"),), "��A"),
]


@pytest.mark.parametrize("style", ["trailers-only", "headers-then-trailers"])
@pytest.mark.parametrize(("extra", "text"), MESSAGES)
def test_an_error_is_the_same_in_both_styles(
    wire: Wire, style: str, extra: tuple[tuple[bytes, bytes], ...], text: str
) -> None:
    told, stream = wire.unary(), wire.stream()
    for stream_id in (1, 3):
        status = ((b"grpc-status", b"3"), *extra)
        if style == "trailers-only":
            wire.feed(wire.trailers(stream_id, (STATUS_200, GRPC, *status)))
        else:
            wire.feed(wire.headers(stream_id), wire.trailers(stream_id, status))
    assert told.told == [("end", "status", 3, text, None)]
    assert stream.told[-1] == ("end", "status", 3, text)
    assert stream.told[:-1] == ([] if style == "trailers-only" else [("headers", OK_HEADERS)])
    assert wire.engine.streams == {}


@given(st.binary(max_size=30) | st.text("%0123456789abcdefABCDEFxyz", max_size=30).map(str.encode))
def test_no_grpc_message_can_raise(octets: bytes) -> None:
    for engine_class in ENGINES:
        wire = Wire(engine_class)
        told = wire.unary()
        wire.feed(wire.headers(1), wire.trailers(1, ((b"grpc-status", b"2"), (b"grpc-message", octets))))
        assert told.end is not None
        assert (told.end.kind, told.end.status) == ("status", 2)
        if b"%" not in octets:
            assert told.end.message == octets.decode("utf-8", "replace")


@pytest.mark.parametrize(
    ("value", "status"),
    [
        (b"0", 0),
        (b"16", 16),
        (b"17", 2),
        (b"999", 2),
        (b"1000000000000", 2),
        (b"", 2),
        (b"-1", 2),
        (b"x", 2),
        (b"05", 5),
    ],
)
def test_every_grpc_status_is_a_known_one(wire: Wire, value: bytes, status: int) -> None:
    told = wire.stream()
    wire.feed(wire.headers(1), wire.trailers(1, ((b"grpc-status", value),)))
    assert told.told[-1] == ("end", "status", status, "")


def test_trailers_are_kept(wire: Wire) -> None:
    told = wire.unary()
    fields = ((b"grpc-status", b"7"), (b"grpc-message", b"no"), (b"grpc-status-details-bin", b"CAM"))
    wire.feed(wire.headers(1), wire.trailers(1, fields))
    assert told.end is not None
    assert told.end.trailers == fields
    assert told.headers is not None
    assert told.headers.fields == OK_HEADERS


@pytest.mark.parametrize(
    "content_type", [b"application/grpc", b"application/grpc+proto", b"application/grpc;x=y"]
)
def test_grpc_content_types(wire: Wire, content_type: bytes) -> None:
    told = wire.unary()
    wire.feed(
        wire.headers(1, (STATUS_200, (b"content-type", content_type))),
        f.data(1, f.message(b"answer")),
        wire.trailers(1),
    )
    assert told.told == [("end", "status", 0, "", b"answer")]


@pytest.mark.parametrize("messages", [0, 2, 3])
def test_status_ok_needs_exactly_one_message_on_a_unary_call(wire: Wire, messages: int) -> None:
    told = wire.unary()
    frames = [f.data(1, f.message(b"answer"))] * messages
    wire.feed(wire.headers(1), *frames, wire.trailers(1))
    assert told.end is not None
    assert (told.end.kind, told.end.status, told.message) == ("message", 13, None)


def test_status_ok_in_trailers_only_has_no_message(wire: Wire) -> None:
    told, stream = wire.unary(), wire.stream()
    wire.feed(*(wire.trailers(stream_id, (*OK_HEADERS, *OK_TRAILERS)) for stream_id in (1, 3)))
    assert told.end is not None
    assert (told.end.kind, told.end.status, told.message) == ("message", 13, None)
    assert stream.told == [("end", "status", 0, "")]


def test_an_error_after_a_message_has_no_message(wire: Wire) -> None:
    told, stream = wire.unary(), wire.stream()
    for stream_id in (1, 3):
        wire.feed(
            wire.headers(stream_id),
            f.data(stream_id, f.message(b"answer")),
            wire.trailers(stream_id, ((b"grpc-status", b"14"), (b"grpc-message", b"etcdserver: no leader"))),
        )
    assert told.told == [("end", "status", 14, "etcdserver: no leader", None)]
    assert stream.told[1:] == [("message", b"answer", 11), ("end", "status", 14, "etcdserver: no leader")]


@pytest.mark.parametrize("how", ["empty", "with the message", "trailers without a status"])
def test_end_without_a_grpc_status(wire: Wire, how: str) -> None:
    told, stream = wire.unary(), wire.stream()
    for stream_id in (1, 3):
        wire.feed(wire.headers(stream_id))
        if how == "empty":
            last = f.data(stream_id, f.message(b"answer")) + f.data(stream_id, end=True)
        elif how == "with the message":
            last = f.data(stream_id, f.message(b"answer"), end=True)
        else:
            last = f.data(stream_id, f.message(b"answer")) + wire.trailers(stream_id, ((b"x", b"y"),))
        wire.feed(last)
    assert told.end is not None
    assert (told.end.kind, told.end.status, told.message) == ("missing-status", 2, None)
    assert stream.told[1:] == [("message", b"answer", 11), ("end", "missing-status", 2, told.end.message)]


def test_headers_alone_that_end_the_stream_without_a_status(wire: Wire) -> None:
    told = wire.unary()
    wire.feed(wire.trailers(1, OK_HEADERS))
    assert told.end is not None
    assert (told.end.kind, told.end.status) == ("missing-status", 2)


def test_the_server_ends_first(wire: Wire) -> None:
    """We had more to say: the server does not want it, so the stream is reset without an error (RFC 9113, 8.1)."""
    told = wire.stream()
    wire.sent()
    wire.feed(wire.trailers(1, (*OK_HEADERS, (b"grpc-status", b"8"))))
    assert told.told == [("end", "status", 8, "")]
    assert wire.sent() == [("RST_STREAM", 1, 0)]
    wire.engine.send(told, b"too late")
    wire.engine.half_close(told)
    wire.engine.cancel(told)
    assert wire.sent() == []


def test_nothing_is_sent_when_both_sides_ended_in_order(wire: Wire) -> None:
    wire.unary()
    wire.stream(end=True)
    wire.unary()
    wire.sent()
    wire.feed(
        wire.answer(1),
        wire.answer(3),
        wire.headers(5, ((b":status", b"404"),)),
        f.data(5, b"not found", end=True),
    )
    assert wire.engine.streams == {}
    assert wire.sent() == []


def test_a_bad_last_frame_needs_no_reset_either(wire: Wire) -> None:
    told = wire.stream(end=True)
    wire.sent()
    wire.feed(wire.headers(1), f.data(1, f.message(b"x", compressed=1), end=True))
    assert told.end is not None
    assert told.end.kind == "message"
    assert wire.sent() == []


def test_interleaved_answers_from_a_real_server(pair: Pair) -> None:
    told = [pair.unary(b"%d" % number) for number in range(5)]
    stream = pair.stream()
    pair.pump()
    for stream_id in (9, 1, 5):
        pair.answer(stream_id, b"to %d" % stream_id)
    pair.server.send_headers(11, OK_HEADERS)
    pair.server.send_data(11, f.message(b"event"))
    pair.pump()
    assert [one.message for one in told] == [b"to 1", None, b"to 5", None, b"to 9"]
    assert stream.told == [("headers", OK_HEADERS), ("message", b"event", 10)]
    pair.answer(3, b"to 3")
    pair.answer(7, b"to 7")
    pair.server.end_stream(11)
    pair.pump()
    assert [one.message for one in told] == [b"to 1", b"to 3", b"to 5", b"to 7", b"to 9"]
    assert stream.end is not None
    assert stream.end.kind == "missing-status"
    assert pair.engine.streams == {}


def test_a_new_told_is_asked_for_every_call(wire: Wire) -> None:
    """The same path over one connection a thousand times: nothing is left behind."""
    for number in range(1000):
        told = Told(unary=True)
        wire.engine.open(told, wire.head(), b"", end=True)
        wire.feed(wire.answer(2 * number + 1))
        assert told.message == b"answer"
    assert wire.engine.streams == {}
    assert wire.engine.waiting_streams == 0
