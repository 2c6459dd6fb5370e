"""What goes out: the preface, request heads, messages, and header blocks under the server's table settings."""

from __future__ import annotations

import pytest
from h2.events import DataReceived, RequestReceived, StreamEnded

from engines import _frames as f
from engines._kit import RANGE, EngineClass, Pair, Told, Wire
from etcetra_trio.streams._frames import USER_AGENT
from etcetra_trio.streams._protocol import Limits, check_metadata

FIELDS = (
    (b":method", b"POST"),
    (b":scheme", b"http"),
    (b":path", RANGE.encode()),
    (b":authority", b"etcd.example:2379"),
    (b"te", b"trailers"),
    (b"content-type", b"application/grpc"),
    (b"user-agent", USER_AGENT),
)


def test_preface_says_our_windows_and_no_push(engine_class: EngineClass) -> None:
    wire = Wire(
        engine_class,
        Limits(stream_window=70_000, connection_window=500_000, header_list=9_000),
        settings=None,
    )
    assert wire.preface.startswith(f.PREFACE)
    settings, credit = wire.reader.read(wire.preface.removeprefix(f.PREFACE))
    assert settings[0] == "SETTINGS"
    said = settings[1]
    assert isinstance(said, dict)
    assert said[f.ENABLE_PUSH] == 0
    assert said[f.INITIAL_WINDOW] == 70_000
    assert said[f.MAX_HEADER_LIST] == 9_000
    assert said.get(f.TABLE_SIZE, 4096) == 4096
    assert said.get(f.MAX_FRAME, 16_384) == 16_384
    assert credit == ("WINDOW_UPDATE", 0, 500_000 - 65_535)
    assert not wire.engine.ready


def test_ready_once_the_servers_settings_came(engine_class: EngineClass) -> None:
    wire = Wire(engine_class, settings=None)
    wire.feed(f.settings((f.MAX_STREAMS, 100)))
    assert wire.engine.ready
    assert wire.sent() == [("SETTINGS_ACK",)]


def test_a_unary_request_as_a_server_sees_it(pair: Pair) -> None:
    told = Told(unary=True)
    pair.engine.open(told, pair.head(), b"question", end=True, timeout=b"1500m")
    pair.pump()
    request, data, ended = pair.events
    assert isinstance(request, RequestReceived)
    assert isinstance(data, DataReceived)
    assert isinstance(ended, StreamEnded)
    assert tuple(request.headers) == (*FIELDS, (b"grpc-timeout", b"1500m"))
    assert data.data == f.message(b"question")
    assert told.stream_id == request.stream_id == 1
    pair.answer(1, b"answer")
    pair.pump()
    assert told.told == [("end", "status", 0, "", b"answer")]
    assert pair.engine.streams == {}


def test_metadata_follows_in_order(pair: Pair) -> None:
    metadata = check_metadata([("token", "secret.jwt"), ("hasleader", "true"), ("token", "again")])
    pair.engine.open(Told(unary=True), pair.head(metadata=metadata), b"", end=True)
    pair.pump()
    assert isinstance(pair.events[0], RequestReceived)
    assert tuple(pair.events[0].headers) == FIELDS + metadata
    assert metadata == ((b"token", b"secret.jwt"), (b"hasleader", b"true"), (b"token", b"again"))


def test_https_is_the_scheme_when_asked(engine_class: EngineClass) -> None:
    wire = Wire(engine_class)
    secure = engine_class("db:443", "https")
    secure.receive(f.settings())
    secure.data_to_send()
    secure.open(Told(unary=True), secure.prepare("/a/b"), None, end=False)
    ((name, _, fields),) = wire.reader.read(secure.data_to_send())
    assert name == "HEADERS"
    assert isinstance(fields, tuple)
    assert fields[1:4] == ((b":scheme", b"https"), (b":path", b"/a/b"), (b":authority", b"db:443"))


def test_one_head_serves_many_requests(wire: Wire) -> None:
    head = wire.head()
    for number in range(3):
        wire.engine.open(Told(unary=True), head, b"%d" % number, end=True)
        stream_id = 2 * number + 1
        assert wire.sent() == [
            ("HEADERS", stream_id, FIELDS),
            ("DATA", stream_id, f.message(b"%d" % number), "end"),
        ]


def test_messages_of_a_stream_go_out_as_they_come(wire: Wire) -> None:
    told = wire.stream(None)
    assert [sent[0] for sent in wire.sent()] == ["HEADERS"]
    wire.engine.send(told, b"one")
    wire.engine.send(told, b"")
    assert wire.sent() == [("DATA", 1, f.message(b"one")), ("DATA", 1, f.message(b""))]
    wire.engine.half_close(told)
    wire.engine.half_close(told)
    assert wire.sent() == [("DATA", 1, b"", "end")]
    assert told.end_sent
    assert told.told == []


def test_the_last_message_may_carry_the_end(wire: Wire) -> None:
    told = wire.stream(b"first")
    wire.engine.send(told, b"last", end=True)
    wire.engine.half_close(told)
    assert wire.sent()[1:] == [("DATA", 1, f.message(b"first")), ("DATA", 1, f.message(b"last"), "end")]


def test_a_request_without_any_message(wire: Wire) -> None:
    told = wire.stream(None, end=True)
    sent = wire.sent()
    assert sent[-1][-1] == "end"
    assert b"".join(bytes(str(item[2]), "ascii") for item in sent if item[0] == "DATA" and item[2]) == b""
    assert told.end_sent


def test_long_metadata_needs_continuation(wire: Wire) -> None:
    value = b"v" * 40_000
    wire.engine.open(Told(unary=True), wire.head(metadata=((b"long", value),)), b"q", end=True)
    octets = wire.engine.data_to_send()
    lengths = []
    rest = octets
    while rest:
        size = int.from_bytes(rest[:3], "big")
        lengths.append((rest[3], size))
        rest = rest[9 + size :]
    assert [kind for kind, _ in lengths] == [f.HEADERS, f.CONTINUATION, f.CONTINUATION, f.DATA]
    assert max(size for _, size in lengths) <= 16_384
    assert wire.reader.read(octets)[0] == ("HEADERS", 1, (*FIELDS, (b"long", value)))


@pytest.mark.parametrize("sizes", [(0,), (100,), (0, 4096), (0, 100_000), (100_000,), (50, 0, 60)], ids=str)
def test_blocks_are_legal_after_the_table_size_changed(wire: Wire, sizes: tuple[int, ...]) -> None:
    """RFC 7541, 4.2: the first block after a smaller table must say so; hpack's decoder insists on it."""
    wire.unary()
    wire.sent()
    for size in sizes:
        wire.feed(f.settings((f.TABLE_SIZE, size)))
        wire.reader.decoder.max_allowed_table_size = size
    wire.sent()
    for stream_id in (3, 5):
        told = Told(unary=True)
        wire.engine.open(told, wire.head(metadata=((b"token", b"abc"),)), b"", end=True, timeout=b"7S")
        headers, _ = wire.sent()
        assert headers == ("HEADERS", stream_id, (*FIELDS, (b"token", b"abc"), (b"grpc-timeout", b"7S")))
        assert wire.reader.decoder.header_table.maxsize <= min(sizes[-1], 4096)


def test_headers_longer_than_the_server_takes_are_not_sent(engine_class: EngineClass) -> None:
    wire = Wire(engine_class, settings=[(f.MAX_HEADER_LIST, 600)])
    fits = wire.unary()
    told = Told(unary=True)
    wire.engine.open(told, wire.head(metadata=((b"token", b"t" * 600),)), b"", end=True)
    assert told.end is not None
    assert (told.end.kind, told.end.status, told.end.unprocessed) == ("local", 13, True)
    assert fits.end is None
    assert [sent[1] for sent in wire.sent()] == [1, 1]


def test_stream_ids_run_out(engine_class: EngineClass) -> None:
    """No client makes a thousand million calls in a test, so this one starts near the end."""
    wire = Wire(engine_class, settings=[(f.MAX_STREAMS, 1)])
    wire.engine._next_id = (1 << 31) - 3
    last = wire.unary()
    assert not wire.engine.accepting
    late = wire.unary()
    assert late.end is not None
    assert late.end.kind == "local"
    wire.feed(wire.answer(last.stream_id))
    assert last.message == b"answer"
    assert wire.engine.waiting_streams == 0


def test_waiting_rpcs_end_when_the_ids_run_out(engine_class: EngineClass) -> None:
    wire = Wire(engine_class, settings=[(f.MAX_STREAMS, 1)])
    wire.engine._next_id = (1 << 31) - 5
    first, second, third = wire.unary(), wire.unary(), wire.unary()
    wire.feed(wire.answer(first.stream_id))
    assert second.stream_id == (1 << 31) - 3
    assert third.stream_id == 0
    assert third.end is not None
    assert third.end.kind == "local"
    assert wire.engine.waiting_streams == 0
    assert second.end is None


def test_close_says_goodbye_and_lets_calls_finish(wire: Wire) -> None:
    told = wire.unary()
    wire.sent()
    wire.engine.close()
    assert wire.sent() == [("GOAWAY", 0, 0)]
    assert not wire.engine.accepting
    late = wire.unary()
    assert late.end is not None
    assert (late.end.kind, late.end.unprocessed) == ("local", True)
    wire.feed(wire.answer(1))
    assert told.message == b"answer"
    assert wire.sent() == []
