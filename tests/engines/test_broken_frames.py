"""Frames that no server may send: wrong lengths, wrong streams, wrong settings; and servers that are none."""

from __future__ import annotations

import pytest

from engines import _frames as f
from engines._kit import EngineClass, Wire
from etcetra_trio.streams._protocol import (
    FLOW_CONTROL_ERROR,
    FRAME_SIZE_ERROR,
    PROTOCOL_ERROR,
    ProtocolViolation,
)

BAD_LENGTHS = {
    "PRIORITY of 4": f.frame(f.PRIORITY, 0, 1, bytes(4)),
    "PRIORITY of 6": f.frame(f.PRIORITY, 0, 1, bytes(6)),
    "RST_STREAM of 3": f.frame(f.RST_STREAM, 0, 1, bytes(3)),
    "RST_STREAM of 5": f.frame(f.RST_STREAM, 0, 1, bytes(5)),
    "SETTINGS of 5": f.frame(f.SETTINGS, 0, 0, bytes(5)),
    "SETTINGS of 7": f.frame(f.SETTINGS, 0, 0, bytes(7)),
    "PING of 7": f.frame(f.PING, 0, 0, bytes(7)),
    "PING of 9": f.frame(f.PING, 0, 0, bytes(9)),
    "PING ACK of 0": f.frame(f.PING, f.ACK, 0),
    "GOAWAY of 7": f.frame(f.GOAWAY, 0, 0, bytes(7)),
    "WINDOW_UPDATE of 3": f.frame(f.WINDOW_UPDATE, 0, 0, b"\0\0\1"),
    "WINDOW_UPDATE of 5": f.frame(f.WINDOW_UPDATE, 0, 1, bytes(4) + b"\1"),
    "HEADERS too short for its priority": f.frame(f.HEADERS, f.END_HEADERS | f.PRIORITISED, 1, bytes(4)),
}


@pytest.mark.parametrize("octets", BAD_LENGTHS.values(), ids=BAD_LENGTHS)
def test_bad_lengths(wire: Wire, octets: bytes) -> None:
    told = wire.unary()
    wire.breach(FRAME_SIZE_ERROR, octets)
    assert told.told == []


def test_settings_ack_with_a_payload(wire: Wire) -> None:
    code = PROTOCOL_ERROR if wire.excepted("settings ack with a payload") else FRAME_SIZE_ERROR
    wire.breach(code, f.frame(f.SETTINGS, f.ACK, 0, bytes(6)))


BAD_PADDING = {
    "DATA, all of it": f.frame(f.DATA, f.PADDED, 1, b"\x05" + bytes(5)),
    "DATA, one too many": f.frame(f.DATA, f.PADDED, 1, b"\x06" + bytes(5)),
    "HEADERS, one too many": f.frame(f.HEADERS, f.PADDED | f.END_HEADERS, 1, b"\x06" + bytes(5)),
    "HEADERS, the priority's room": f.frame(
        f.HEADERS, f.PADDED | f.PRIORITISED | f.END_HEADERS, 1, b"\x03" + bytes(7)
    ),
}


@pytest.mark.parametrize("name", BAD_PADDING)
def test_padding_longer_than_its_frame(wire: Wire, name: str) -> None:
    told = wire.unary()
    if name.startswith("DATA"):
        wire.feed(wire.headers(1))
    if name == "DATA, all of it":  # nothing but padding is legal
        wire.feed(BAD_PADDING[name])
        wire.feed(f.data(1, f.message(b"answer")), wire.trailers(1))
        assert told.message == b"answer"
    elif name == "HEADERS, the priority's room" and wire.excepted("padding over the priority fields"):
        wire.feed(BAD_PADDING[name])
        assert told.end is None
        assert told.headers is not None
        assert told.headers.fields == ()
    else:
        wire.breach(PROTOCOL_ERROR, BAD_PADDING[name])
        assert told.end is None


@pytest.mark.parametrize("kind", [f.DATA, f.HEADERS], ids=["DATA", "HEADERS"])
def test_padded_without_a_pad_length(wire: Wire, kind: int) -> None:
    wire.unary()
    wire.feed(wire.headers(1))
    with pytest.raises(ProtocolViolation) as caught:
        wire.feed(f.frame(kind, f.PADDED | f.END_HEADERS if kind else f.PADDED, 1))
    assert caught.value.error_code in {FRAME_SIZE_ERROR, PROTOCOL_ERROR}  # RFC 9113 has a case for both


ON_STREAM_0 = {
    "DATA": f.frame(f.DATA, 0, 0, b"x"),
    "HEADERS": f.frame(f.HEADERS, f.END_HEADERS, 0, b"\x88"),
    "PRIORITY": f.frame(f.PRIORITY, 0, 0, bytes(5)),
    "RST_STREAM": f.frame(f.RST_STREAM, 0, 0, bytes(4)),
    "PUSH_PROMISE": f.frame(f.PUSH_PROMISE, f.END_HEADERS, 0, b"\0\0\0\2\x82"),
    "CONTINUATION": f.frame(f.CONTINUATION, f.END_HEADERS, 0, b"\x88"),
}


@pytest.mark.parametrize("octets", ON_STREAM_0.values(), ids=ON_STREAM_0)
def test_frames_that_need_a_stream(wire: Wire, octets: bytes) -> None:
    wire.unary()
    wire.breach(PROTOCOL_ERROR, octets)


@pytest.mark.parametrize(
    "octets",
    [
        f.frame(f.SETTINGS, 0, 1),
        f.frame(f.SETTINGS, f.ACK, 1),
        f.frame(f.PING, 0, 1, bytes(8)),
        f.frame(f.GOAWAY, 0, 1, bytes(8)),
    ],
    ids=["SETTINGS", "SETTINGS ACK", "PING", "GOAWAY"],
)
def test_frames_that_need_none(wire: Wire, octets: bytes) -> None:
    wire.unary()
    wire.breach(PROTOCOL_ERROR, octets)


@pytest.mark.parametrize("stream_id", [3, 5, 2, 4, (1 << 31) - 1], ids=str)
@pytest.mark.parametrize(
    "kind", ["DATA", "HEADERS", "HEADERS in pieces", "RST_STREAM", "WINDOW_UPDATE", "CONTINUATION"]
)
def test_frames_of_streams_that_never_were(wire: Wire, kind: str, stream_id: int) -> None:
    told = wire.unary()
    frames = {
        "DATA": f.data(stream_id, b"x"),
        "HEADERS": wire.headers(stream_id),
        "HEADERS in pieces": f.frame(f.HEADERS, 0, stream_id, b"\x88")
        + f.frame(f.CONTINUATION, f.END_HEADERS, stream_id),
        "RST_STREAM": f.rst(stream_id, 8),
        "WINDOW_UPDATE": f.window_update(stream_id, 5),
        "CONTINUATION": f.frame(f.CONTINUATION, f.END_HEADERS, stream_id, b"\x88"),
    }
    wire.breach(PROTOCOL_ERROR, frames[kind])
    assert told.told == []


def test_priority_of_any_stream_is_fine(wire: Wire) -> None:
    """Even of one that is idle (RFC 9113, 6.3)."""
    told = wire.unary()
    for stream_id in (1, 2, 7, 1001):
        wire.feed(f.frame(f.PRIORITY, 0, stream_id, bytes(5)))
    wire.feed(wire.answer(1))
    assert told.message == b"answer"


def test_a_priority_of_itself(wire: Wire) -> None:
    told = wire.unary()
    frames = f.frame(f.PRIORITY, 0, 1, b"\0\0\0\1\x10")
    if wire.excepted("priority of itself"):
        wire.breach(PROTOCOL_ERROR, frames)
        assert told.told == []
    else:
        wire.feed(frames, wire.answer(1))
        assert told.message == b"answer"


@pytest.mark.parametrize("flags", [f.END_HEADERS, 0])
def test_push_is_off(wire: Wire, flags: int) -> None:
    wire.unary()
    wire.feed(wire.headers(1))
    frames = f.frame(f.PUSH_PROMISE, flags, 1, b"\0\0\0\2\x82")
    wire.breach(PROTOCOL_ERROR, frames + (b"" if flags else f.frame(f.CONTINUATION, f.END_HEADERS, 1)))


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "only its header"])
@pytest.mark.parametrize(
    "kind",
    [f.DATA, f.HEADERS, f.SETTINGS, f.GOAWAY, 0xFA],
    ids=["DATA", "HEADERS", "SETTINGS", "GOAWAY", "unknown"],
)
def test_a_frame_larger_than_we_take(wire: Wire, kind: int, whole: bool) -> None:
    """Known from its header: nothing of 16 MB is collected first. And the same however the octets are cut."""
    wire.unary()
    wire.feed(wire.headers(1))
    octets = f.frame(kind, 0, 1 if kind < 2 else 0, bytes(16_386))
    wire.breach(FRAME_SIZE_ERROR, octets if whole else octets[:9])


def test_a_frame_of_exactly_the_size_we_take(wire: Wire) -> None:
    told = wire.unary()
    wire.feed(wire.headers(1), f.data(1, f.message(bytes(16_379))), wire.trailers(1))
    assert told.message == bytes(16_379)


def test_the_reserved_bit_of_a_stream_id_is_ignored(wire: Wire) -> None:
    told = wire.unary()
    answer = wire.headers(1) + f.data(1, f.message(b"answer")) + wire.trailers(1)
    parts = []
    while answer:
        size = 9 + int.from_bytes(answer[:3], "big")
        parts.append(answer[:5] + bytes((answer[5] | 0x80,)) + answer[6:size])
        answer = answer[size:]
    wire.feed(*parts)
    assert told.message == b"answer"


@pytest.mark.parametrize("kind", [0x0A, 0x0C, 0x10, 0xFA, 0xFF])
@pytest.mark.parametrize("stream_id", [0, 1, 2, 99])
def test_unknown_frames_are_ignored(wire: Wire, kind: int, stream_id: int) -> None:
    told = wire.unary()
    wire.sent()
    payload = b"\0\0" + b"whatever" if kind == 0x0A else b"whatever"  # 0x0A is ALTSVC, which some know
    wire.feed(f.frame(kind, 0xFF, stream_id, payload), wire.answer(1))
    assert told.message == b"answer"
    assert wire.sent() == []


@pytest.mark.parametrize("flags", [0x2, 0x10, 0x40, 0x80])
def test_undefined_flags_are_ignored(wire: Wire, flags: int) -> None:
    told = wire.unary()
    block = wire.block(((b":status", b"200"), (b"content-type", b"application/grpc")))
    wire.feed(
        f.frame(f.HEADERS, f.END_HEADERS | flags, 1, block),
        f.frame(f.DATA, flags, 1, f.message(b"answer")),
        f.frame(f.PING, flags, 0, bytes(8)),
        f.frame(f.SETTINGS, flags, 0),
        f.frame(f.WINDOW_UPDATE, flags, 0, b"\0\0\0\1"),
        wire.trailers(1),
    )
    assert told.message == b"answer"


BAD_SETTINGS = {
    "INITIAL_WINDOW_SIZE 2^31": ((f.INITIAL_WINDOW, 1 << 31), FLOW_CONTROL_ERROR),
    "INITIAL_WINDOW_SIZE 2^32-1": ((f.INITIAL_WINDOW, (1 << 32) - 1), FLOW_CONTROL_ERROR),
    "MAX_FRAME_SIZE 16383": ((f.MAX_FRAME, 16_383), PROTOCOL_ERROR),
    "MAX_FRAME_SIZE 2^24": ((f.MAX_FRAME, 1 << 24), PROTOCOL_ERROR),
    "ENABLE_PUSH 1": ((f.ENABLE_PUSH, 1), PROTOCOL_ERROR),
    "ENABLE_PUSH 2": ((f.ENABLE_PUSH, 2), PROTOCOL_ERROR),
}


@pytest.mark.parametrize("name", BAD_SETTINGS)
def test_bad_settings(wire: Wire, name: str) -> None:
    pair, code = BAD_SETTINGS[name]
    wire.unary()
    wire.breach(code, f.settings(pair))


@pytest.mark.parametrize(
    "pair",
    [
        (f.INITIAL_WINDOW, (1 << 31) - 1),
        (f.MAX_FRAME, (1 << 24) - 1),
        (f.ENABLE_PUSH, 0),
        (f.MAX_STREAMS, (1 << 32) - 1),
        (7, 1),
        (9, 1),
        (65_027, 1),
        (0xFFFF, (1 << 32) - 1),
        (f.TABLE_SIZE, (1 << 32) - 1),
        (f.MAX_HEADER_LIST, (1 << 32) - 1),
    ],
    ids=str,
)
def test_extreme_and_unknown_settings(wire: Wire, pair: tuple[int, int]) -> None:
    wire.unary()
    wire.sent()
    wire.feed(f.settings(pair), f.settings())
    assert wire.sent() == [("SETTINGS_ACK",)] * 2
    told = wire.unary()
    wire.feed(wire.answer(1), wire.answer(3))
    assert told.message == b"answer"


GREETINGS = {
    "HTTP/1": (
        b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n\r\nClient sent an HTTP request",
        "HTTP/1.1 400 Bad Request",
    ),
    "a TLS alert": (b"\x15\x03\x01\x00\x02\x02\x46", "TLS"),
    "SSH": (b"SSH-2.0-OpenSSH_9.2\r\n", "SETTINGS"),
    "a ping first": (f.ping(), "SETTINGS"),
    "an ack first": (f.SETTINGS_ACK, "SETTINGS"),
    "goaway first": (f.goaway(0), "SETTINGS"),
    "zeros": (bytes(100), "SETTINGS"),
}


@pytest.mark.parametrize("name", GREETINGS)
def test_servers_that_are_none(engine_class: EngineClass, name: str) -> None:
    octets, word = GREETINGS[name]
    wire = Wire(engine_class, settings=None)
    told = wire.unary()
    wire.sent()
    assert word in wire.breach(PROTOCOL_ERROR, octets)
    assert not wire.engine.ready
    assert told.told == []


def drip(wire: Wire, octets: bytes) -> None:
    for octet in octets:
        wire.engine.receive(bytes((octet,)))


@pytest.mark.parametrize("name", GREETINGS)
def test_and_octet_by_octet(engine_class: EngineClass, name: str) -> None:
    wire = Wire(engine_class, settings=None)
    with pytest.raises(ProtocolViolation):
        drip(wire, GREETINGS[name][0])


def test_what_came_before_the_breach_is_told(wire: Wire) -> None:
    """In one piece with the broken frame: the answer in front of it counts."""
    told, other = wire.unary(), wire.unary()
    wire.breach(PROTOCOL_ERROR, wire.answer(1), f.window_update(0, 0), wire.answer(3))
    assert told.told == [("end", "status", 0, "", b"answer")]
    assert other.told == []
