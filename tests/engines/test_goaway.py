"""GOAWAY: who is unprocessed, who may finish, and what comes after. etcd sends 2^31-1, a PING, the real last id."""

from __future__ import annotations

import pytest

from engines import _frames as f
from engines._kit import EngineClass, Pair, Wire
from etcetra_trio.streams._protocol import FRAME_SIZE_ERROR, PROTOCOL_ERROR

ALL = (1 << 31) - 1


def test_streams_above_the_last_id_are_unprocessed_and_the_rest_finish(wire: Wire) -> None:
    calls = [wire.unary(b"%d" % number) for number in range(4)]
    wire.sent()
    wire.feed(f.goaway(3, 0, b"graceful_stop"))
    text = "the server said goodbye (GOAWAY NO_ERROR, 'graceful_stop')"
    assert [call.told for call in calls] == [
        [],
        [],
        [("end", "goaway", 14, text, None)],
        [("end", "goaway", 14, text, None)],
    ]
    assert all(call.end.unprocessed for call in calls[2:] if call.end)
    assert list(wire.engine.streams) == [1, 3]
    assert not wire.engine.accepting
    wire.feed(wire.answer(3), wire.answer(1))
    assert [call.message for call in calls] == [b"answer", b"answer", None, None]
    assert wire.engine.streams == {}


def test_etcds_graceful_stop(wire: Wire) -> None:
    """Everything must go on between the two GOAWAYs and after: messages, windows, pings, cancels."""
    call, watch, doomed = wire.unary(), wire.stream(), wire.unary()
    wire.feed(wire.headers(3))
    wire.sent()
    wire.feed(f.goaway(ALL, 0, b"graceful_stop"), f.ping(b"\x01\x06\x01\x08\x00\x03\x03\x09"))
    assert wire.engine.goaway is not None
    assert wire.engine.goaway.last_stream_id == ALL
    assert [one.end for one in (call, watch, doomed)] == [None, None, None]
    assert wire.sent() == [("PING_ACK", b"\x01\x06\x01\x08\x00\x03\x03\x09")]
    wire.engine.send(watch, b"progress")
    assert wire.sent() == [("DATA", 3, f.message(b"progress"))]
    wire.feed(f.goaway(3, 0, b"graceful_stop"))
    assert doomed.end is not None
    assert doomed.end.kind == "goaway"
    assert wire.engine.goaway.last_stream_id == 3
    wire.feed(f.data(3, f.message(b"event")), wire.answer(1))
    assert watch.messages == [b"event"]
    assert call.message == b"answer"
    wire.engine.consumed(watch, 10)
    wire.engine.cancel(watch)
    assert wire.sent() == [("RST_STREAM", 3, 8)]
    wire.engine.ping(b"12345678")
    assert wire.sent() == [("PING", b"12345678")]


def test_new_calls_end_at_once_as_unprocessed(wire: Wire) -> None:
    wire.feed(f.goaway(ALL))
    told = wire.unary()
    assert told.end is not None
    assert (told.end.kind, told.end.unprocessed, told.stream_id) == ("goaway", True, 0)
    assert wire.sent() == []


def test_waiting_calls_end_as_unprocessed(engine_class: EngineClass) -> None:
    wire = Wire(engine_class, settings=[(f.MAX_STREAMS, 1)])
    first, second = wire.unary(), wire.unary()
    wire.sent()
    wire.feed(f.goaway(1))
    assert first.end is None
    assert second.end is not None
    assert (second.end.kind, second.end.unprocessed) == ("goaway", True)
    wire.feed(wire.answer(1))
    assert first.message == b"answer"
    assert wire.engine.waiting_streams == 0
    assert wire.sent() == []


def test_a_growing_last_id_is_a_breach(wire: Wire) -> None:
    wire.unary()
    wire.feed(f.goaway(3))
    wire.breach(PROTOCOL_ERROR, f.goaway(5))


def test_the_same_or_smaller_ids_are_fine(wire: Wire) -> None:
    calls = [wire.unary() for _ in range(3)]
    wire.feed(f.goaway(5), f.goaway(5), f.goaway(1), f.goaway(0))
    assert [call.end.kind for call in calls if call.end] == ["goaway"] * 3


@pytest.mark.parametrize(
    ("code", "name"),
    [(1, "PROTOCOL_ERROR"), (2, "INTERNAL_ERROR"), (11, "ENHANCE_YOUR_CALM"), (99, "error code 0x63")],
)
def test_other_codes_keep_their_name_and_debug(wire: Wire, code: int, name: str) -> None:
    call, doomed = wire.unary(), wire.unary()
    wire.feed(f.goaway(1, code, b"too_many_pings"))
    assert wire.engine.goaway is not None
    assert (wire.engine.goaway.error_code, wire.engine.goaway.debug) == (code, b"too_many_pings")
    assert doomed.told == [
        ("end", "goaway", 14, f"the server said goodbye (GOAWAY {name}, 'too_many_pings')", None)
    ]
    assert call.end is None


def test_debug_data_is_shown_to_200_octets_whatever_it_is(wire: Wire) -> None:
    wire.feed(f.goaway(0, 0, b"\xff" * 10_000))
    assert len(str(wire.engine.goaway)) < 300


def test_the_reserved_bit_of_the_last_id_is_ignored(wire: Wire) -> None:
    call, doomed = wire.unary(), wire.unary()
    wire.feed(f.frame(f.GOAWAY, 0, 0, b"\x80\x00\x00\x01" + bytes(4)))
    assert (call.end is None, doomed.end is None) == (True, False)


def test_goaway_on_a_stream_or_too_short(engine_class: EngineClass) -> None:
    Wire(engine_class).breach(PROTOCOL_ERROR, f.frame(f.GOAWAY, 0, 1, bytes(8)))
    Wire(engine_class).breach(FRAME_SIZE_ERROR, f.frame(f.GOAWAY, 0, 0, bytes(7)))


def test_frames_of_dropped_streams_are_ignored(wire: Wire) -> None:
    call, doomed = wire.unary(), wire.stream()
    wire.feed(f.goaway(1), wire.headers(3), f.data(3, f.message(b"x")), wire.trailers(3), wire.answer(1))
    assert call.message == b"answer"
    assert [what[0] for what in doomed.told] == ["end"]
    wire.engine.send(doomed, b"x")
    wire.engine.cancel(doomed)
    assert ("DATA", 3, f.message(b"x")) not in wire.sent()


def test_blocked_requests_go_on_after_goaway(engine_class: EngineClass) -> None:
    wire = Wire(engine_class, settings=[(f.INITIAL_WINDOW, 8)])
    call = wire.unary(b"longer than eight")
    wire.sent()
    wire.feed(f.goaway(ALL), f.window_update(1, 100))
    assert wire.sent() == [("DATA", 1, f.message(b"longer than eight")[8:], "end")]
    wire.feed(wire.answer(1))
    assert call.message == b"answer"


def test_a_real_server_that_leaves(pair: Pair) -> None:
    """h2's server sends its GOAWAY as the last thing it ever says."""
    call = pair.unary()
    pair.pump()
    pair.answer(1, b"answer")
    pair.server.close_connection(last_stream_id=1)
    pair.pump()
    assert call.message == b"answer"
    assert pair.engine.goaway is not None
    assert not pair.engine.accepting
