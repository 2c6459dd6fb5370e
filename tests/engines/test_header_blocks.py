"""HEADERS and CONTINUATION: padding, priority, pieces, limits, and HPACK that is broken or a bomb."""

from __future__ import annotations

import pytest

from engines import _frames as f
from engines._kit import OK_HEADERS, OK_TRAILERS, EngineClass, Wire
from etcetra_trio.streams._protocol import COMPRESSION_ERROR, ENHANCE_YOUR_CALM, PROTOCOL_ERROR, Limits

PRIORITY_FIELDS = (0x80000000 | 3).to_bytes(4, "big") + b"\xff"


def test_padding_and_priority_bits(wire: Wire) -> None:
    told = wire.unary()
    flags = f.END_HEADERS | f.PADDED | f.PRIORITISED
    wire.feed(
        f.frame(f.HEADERS, flags, 1, b"\x05" + PRIORITY_FIELDS + wire.block(OK_HEADERS) + bytes(5)),
        f.data(1, f.message(b"answer"), pad=200),
        f.frame(f.HEADERS, flags | f.END_STREAM, 1, b"\x00" + PRIORITY_FIELDS + wire.block(OK_TRAILERS)),
    )
    assert told.told == [("end", "status", 0, "", b"answer")]
    assert told.headers is not None
    assert told.headers.fields == OK_HEADERS


@pytest.mark.parametrize("flag", [f.PADDED, f.PRIORITISED], ids=["padded", "priority"])
def test_each_alone(wire: Wire, flag: int) -> None:
    told = wire.unary()
    start, stop = (b"\x03", bytes(3)) if flag == f.PADDED else (PRIORITY_FIELDS, b"")
    wire.feed(
        f.frame(f.HEADERS, f.END_HEADERS | flag, 1, start + wire.block(OK_HEADERS) + stop),
        f.data(1, f.message(b"answer"), pad=0),
        wire.trailers(1),
    )
    assert told.message == b"answer"


def test_padding_in_the_first_piece_only(wire: Wire) -> None:
    told = wire.unary()
    block = wire.block(OK_HEADERS)
    wire.feed(
        f.frame(f.HEADERS, f.PADDED | f.PRIORITISED, 1, b"\x04" + PRIORITY_FIELDS + block[:3] + bytes(4)),
        f.frame(f.CONTINUATION, 0, 1, b""),
        f.frame(f.CONTINUATION, f.END_HEADERS, 1, block[3:]),
        f.data(1, f.message(b"answer")),
        wire.trailers(1),
    )
    assert told.message == b"answer"


def test_trailers_in_pieces_end_the_stream(wire: Wire) -> None:
    told = wire.unary()
    wire.feed(wire.headers(1), f.data(1, f.message(b"answer")))
    block = wire.block(OK_TRAILERS)
    wire.feed(f.frame(f.HEADERS, f.END_STREAM, 1, block[:1]))
    assert told.end is None
    wire.feed(f.frame(f.CONTINUATION, f.END_HEADERS, 1, block[1:]))
    assert told.told == [("end", "status", 0, "", b"answer")]


def test_an_empty_header_block_is_no_grpc_answer(wire: Wire) -> None:
    told = wire.unary()
    wire.feed(f.frame(f.HEADERS, f.END_HEADERS | f.END_STREAM, 1))
    assert told.end is not None
    assert (told.end.kind, told.end.status) == ("http", 2)


@pytest.mark.parametrize("pieces", [2, 63, 64])
def test_up_to_64_pieces(wire: Wire, pieces: int) -> None:
    told = wire.unary()
    block = wire.block([*OK_HEADERS, (b"x", b"y" * 100)])
    cuts = [block[at : at + 1] for at in range(pieces - 1)] + [block[pieces - 1 :]]
    frames = [f.frame(f.CONTINUATION, 0, 1, cut) for cut in cuts]
    frames[0] = f.frame(f.HEADERS, 0, 1, cuts[0])
    frames[-1] = f.frame(f.CONTINUATION, f.END_HEADERS, 1, cuts[-1])
    wire.feed(*frames, f.data(1, f.message(b"answer")), wire.trailers(1))
    assert told.message == b"answer"


def test_65_pieces_are_a_flood(wire: Wire) -> None:
    told = wire.unary()
    wire.feed(f.frame(f.HEADERS, 0, 1), *[f.frame(f.CONTINUATION, 0, 1)] * 63)
    wire.breach(ENHANCE_YOUR_CALM, f.frame(f.CONTINUATION, f.END_HEADERS, 1, wire.block(OK_HEADERS)))
    assert told.told == []


def test_a_header_list_of_the_limit_and_above(engine_class: EngineClass) -> None:
    """RFC 9113, 6.5.2: a field counts its octets and 32."""
    room = 1000 - sum(len(name) + len(value) + 32 for name, value in OK_HEADERS) - 32 - 1
    wire = Wire(engine_class, Limits(header_list=1000))
    told = wire.unary()
    wire.feed(wire.headers(1, (*OK_HEADERS, (b"x", b"y" * room))))
    assert told.headers is not None
    wire.feed(f.data(1, f.message(b"answer")), wire.trailers(1))
    assert told.message == b"answer"
    wire.unary()
    wire.breach(ENHANCE_YOUR_CALM, wire.headers(3, (*OK_HEADERS, (b"x", b"y" * (room + 1)))))


def test_an_hpack_bomb(wire: Wire) -> None:
    """One 4000-octet field in the table, then named 60 times: 240 KB out of 4 KB."""
    wire.unary()
    wire.unary()
    wire.feed(wire.headers(1, (*OK_HEADERS, (b"x", b"y" * 3900))))
    bomb = wire.block([(b"x", b"y" * 3900)] * 60)
    assert len(bomb) < 100
    wire.breach(ENHANCE_YOUR_CALM, f.frame(f.HEADERS, f.END_HEADERS, 3, bomb))


BROKEN = {
    "index 0": b"\x80",
    "index beyond the tables": b"\xff\x80\x01",
    "an integer without its end": b"\xff\xff\xff",
    "a string without its end": b"\x40\x05ab",
    "a table larger than allowed": b"\x3f\xff\xff\x7f\x88",
    "huffman rubbish": b"\x40\x84\xff\xff\xff\xff\x00",
    "what hpack's own message quotes at length": b"\x7f" + b"\x80" * 5 + bytes(300),
}


@pytest.mark.parametrize("block", BROKEN.values(), ids=BROKEN)
def test_blocks_that_do_not_decode(wire: Wire, block: bytes) -> None:
    told = wire.unary()
    code = PROTOCOL_ERROR if wire.excepted("undecodable header block") else COMPRESSION_ERROR
    wire.breach(code, f.frame(f.HEADERS, f.END_HEADERS, 1, block))
    assert told.told == []
    wire.engine.lost("broken", violation=True)
    assert told.told == [("end", "protocol", 14, "broken", None)]


def test_a_very_long_integer_is_refused(wire: Wire) -> None:
    """An index of 10 000 octets is a huge number, not a long computation."""
    wire.unary()
    code = PROTOCOL_ERROR if wire.excepted("undecodable header block") else COMPRESSION_ERROR
    wire.breach(code, f.frame(f.HEADERS, f.END_HEADERS, 1, b"\xff" * 10_000 + b"\x00"))


def test_the_table_survives_its_changes(wire: Wire) -> None:
    """The same octets mean something else once the table moved: a cache of blocks must not be fooled."""
    wire.unary()
    one = ((b"x", b"1"), *OK_HEADERS)
    two = ((b"y", b"2"), *OK_HEADERS)
    for number, fields in enumerate([one, one, one, two, one, two, two, one] * 3):
        told = wire.unary() if number else None
        stream_id = 2 * number + 1
        wire.feed(
            wire.headers(stream_id, fields), f.data(stream_id, f.message(b"m")), wire.trailers(stream_id)
        )
        if told is not None:
            assert told.headers is not None
            assert told.headers.fields == fields
            assert told.message == b"m"


def test_evictions_keep_both_sides_in_step(wire: Wire) -> None:
    """Fields of 500 octets push each other out of a table of 4096; each comes back in turn."""
    for number in range(60):
        told = wire.unary()
        fields = (*OK_HEADERS, (b"x-%d" % (number % 11), b"%03d" % (number % 11) * 150))
        wire.feed(wire.headers(told.stream_id, fields), wire.trailers(told.stream_id))
        assert told.headers is not None
        assert told.headers.fields == fields


def test_the_servers_table_may_shrink(wire: Wire) -> None:
    for number, size in enumerate([4096, 0, 100, 4096, 64, 2000]):
        wire.hpack.header_table_size = size
        told = wire.unary()
        wire.feed(wire.headers(2 * number + 1), wire.trailers(2 * number + 1, ((b"grpc-status", b"5"),)))
        assert told.told == [("end", "status", 5, "", None)]


@pytest.mark.parametrize(
    "between",
    [
        f.data(1, b"x"),
        f.ping(),
        f.settings(),
        f.goaway(1),
        f.window_update(0, 1),
        f.frame(0xFA),
        f.data(3, b"x"),
        f.rst(1, 8),
    ],
    ids=["data", "ping", "settings", "goaway", "window", "unknown", "late data", "reset"],
)
def test_nothing_may_come_between_the_pieces(wire: Wire, between: bytes) -> None:
    wire.unary()
    wire.engine.cancel(wire.unary())
    wire.sent()
    wire.breach(PROTOCOL_ERROR, f.frame(f.HEADERS, 0, 1, wire.block(OK_HEADERS)), between)


def test_nor_pieces_of_another_stream(wire: Wire) -> None:
    wire.unary()
    wire.unary()
    wire.breach(
        PROTOCOL_ERROR,
        f.frame(f.HEADERS, 0, 1, wire.block(OK_HEADERS)),
        f.frame(f.CONTINUATION, f.END_HEADERS, 3),
    )


def test_a_probe_between_the_pieces_is_not_held_either(wire: Wire) -> None:
    wire.unary()
    probe = f.ping(b"\x02\x04\x10\x10\t\x0e\x07\x07")
    wire.breach(PROTOCOL_ERROR, f.frame(f.HEADERS, 0, 1, wire.block(OK_HEADERS)), probe)
    assert not wire.engine.probe_held


def test_continuation_out_of_the_blue(wire: Wire) -> None:
    wire.unary()
    wire.breach(PROTOCOL_ERROR, wire.headers(1), f.frame(f.CONTINUATION, f.END_HEADERS, 1))


def test_headers_twice(wire: Wire) -> None:
    told, other = wire.unary(), wire.unary()
    wire.sent()
    if wire.excepted("headers twice"):
        wire.breach(PROTOCOL_ERROR, wire.headers(1), wire.headers(1))
        assert told.told == []
    else:
        wire.feed(wire.headers(1), wire.headers(1), wire.answer(3))
        assert told.end is not None
        assert (told.end.kind, told.end.status) == ("message", 13)
        assert wire.sent() == [("RST_STREAM", 1, PROTOCOL_ERROR)]
        assert other.message == b"answer"


def test_data_before_headers(wire: Wire) -> None:
    told, other = wire.unary(), wire.unary()
    wire.sent()
    if wire.excepted("data before headers"):
        wire.breach(PROTOCOL_ERROR, f.data(1, f.message(b"x")))
        assert told.told == []
    else:
        wire.feed(f.data(1, f.message(b"x")), wire.answer(3))
        assert told.end is not None
        assert (told.end.kind, told.end.status, told.message) == ("message", 13, None)
        assert wire.sent() == [("RST_STREAM", 1, PROTOCOL_ERROR)]
        assert other.message == b"answer"
