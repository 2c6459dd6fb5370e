"""Streams that end out of order: the server's RST_STREAM, our cancel, and a connection that is lost."""

from __future__ import annotations

import pytest
from h2.events import StreamReset

from engines import _frames as f
from engines._kit import OK_HEADERS, EngineClass, Pair, Told, Wire
from etcetra_trio.streams._protocol import CANCEL, STREAM_CLOSED, Limits

STATUS = {7: 14, 8: 1, 11: 8, 12: 7}
NAMES = {0: "NO_ERROR", 7: "REFUSED_STREAM", 8: "CANCEL", 13: "HTTP_1_1_REQUIRED", 14: "error code 0xe"}


@pytest.mark.parametrize("when", ["before headers", "after headers", "mid-data", "after data"])
@pytest.mark.parametrize("code", [*range(15), 0xFFFFFFFF])
def test_every_code_at_every_time(wire: Wire, code: int, when: str) -> None:
    told, stream = wire.unary(), wire.stream()
    wire.sent()
    for stream_id in (1, 3):
        if when != "before headers":
            wire.feed(wire.headers(stream_id))
        if when == "mid-data":
            wire.feed(f.data(stream_id, f.message(b"answer")[:7]))
        if when == "after data":
            wire.feed(f.data(stream_id, f.message(b"answer")))
        wire.feed(f.rst(stream_id, code))
    refused = code == 7 and when == "before headers"  # later it has looked at the request
    kind, status = ("refused" if refused else "reset"), STATUS.get(code, 13)
    assert told.end is not None
    assert told.told == [("end", kind, status, told.end.message, None)]
    assert stream.told[-1] == ("end", kind, status, told.end.message)
    assert stream.messages == ([b"answer"] if when == "after data" else [])
    assert told.end.unprocessed == refused
    assert told.end.message.endswith(NAMES.get(code, ""))
    assert wire.engine.streams == {}
    assert wire.sent() == []


@pytest.mark.parametrize("code", [0, 2, 8])
def test_a_reset_after_complete_trailers_means_nothing(wire: Wire, code: int) -> None:
    told, stream = wire.unary(), wire.stream()
    wire.feed(wire.answer(1), f.rst(1, code), wire.answer(3), f.rst(3, code))
    assert told.told == [("end", "status", 0, "", b"answer")]
    assert [what[0] for what in stream.told] == ["headers", "message", "end"]


def test_cancel_resets_on_the_server(pair: Pair) -> None:
    told, other = pair.stream(), pair.unary()
    pair.pump()
    pair.events.clear()
    pair.engine.cancel(told)
    pair.pump()
    (event,) = pair.events
    assert isinstance(event, StreamReset)
    assert (event.stream_id, int(event.error_code)) == (1, CANCEL)
    assert told.told == []
    assert list(pair.engine.streams) == [3]
    pair.answer(3, b"answer")
    pair.pump()
    assert other.message == b"answer"


def test_cancel_with_another_code_and_twice(wire: Wire) -> None:
    told = wire.stream()
    wire.sent()
    wire.engine.cancel(told, STREAM_CLOSED)
    wire.engine.cancel(told)
    assert wire.sent() == [("RST_STREAM", 1, STREAM_CLOSED)]
    assert told.told == []


def test_cancel_after_the_end_does_nothing(wire: Wire) -> None:
    told = wire.unary()
    wire.sent()
    wire.feed(wire.answer(1))
    wire.engine.cancel(told)
    wire.engine.consumed(told, 5)
    assert wire.sent() == []
    assert told.message == b"answer"


def test_late_data_of_a_cancelled_stream_is_dropped_but_counted(engine_class: EngineClass) -> None:
    """The connection's window is whole again although nobody took the octets; padding counts (RFC 9113, 6.9.1)."""
    wire = Wire(engine_class, Limits(connection_window=200_000))
    told, other = wire.stream(), wire.unary()
    wire.feed(wire.headers(1))
    wire.engine.cancel(told)
    wire.sent()
    wire.feed(*[f.data(1, bytes(16_128), pad=255)] * 6)
    assert wire.sent() == []
    wire.feed(f.data(1, bytes(16_384)))
    assert wire.sent() == [("WINDOW_UPDATE", 0, 7 * 16_384)]
    wire.feed(wire.answer(3))
    assert other.message == b"answer"
    assert told.told == [("headers", OK_HEADERS)]


def test_late_small_frames_are_no_flood(wire: Wire) -> None:
    """A cancelled watch may have thousands of events on their way."""
    told = wire.stream()
    wire.feed(wire.headers(1))
    wire.engine.cancel(told)
    for _ in range(3 * wire.limits.control_frames):
        wire.feed(f.data(1, f.message(b"event")))
    other = wire.unary()
    wire.feed(wire.answer(3))
    assert other.message == b"answer"


def test_late_headers_keep_hpack_in_step(wire: Wire) -> None:
    told, other = wire.unary(), wire.unary()
    wire.engine.cancel(told)
    wire.sent()
    fields = (*OK_HEADERS, (b"x-new", b"into the table"))
    wire.feed(wire.headers(1, fields), wire.trailers(1), wire.headers(3, fields))
    if wire.excepted("late headers after cancel"):
        assert wire.sent() == [("RST_STREAM", 1, STREAM_CLOSED)] * 2
    else:
        assert wire.sent() == []
    assert other.headers is not None
    assert other.headers.fields == fields
    wire.feed(f.data(3, f.message(b"answer")), wire.trailers(3))
    assert other.message == b"answer"
    assert told.told == []


def test_late_headers_after_the_end(wire: Wire) -> None:
    wire.unary()
    other = wire.unary()
    wire.feed(wire.answer(1))
    late = wire.headers(1, (*OK_HEADERS, (b"x", b"y")))
    if wire.excepted("late headers after the end"):
        wire.breach(STREAM_CLOSED, late)
    else:
        wire.feed(
            late,
            wire.headers(3, (*OK_HEADERS, (b"x", b"y"))),
            f.data(3, f.message(b"answer")),
            wire.trailers(3),
        )
        assert other.message == b"answer"


@pytest.mark.parametrize("late", ["data", "reset", "window", "end"])
def test_other_late_frames(wire: Wire, late: str) -> None:
    told, ended = wire.unary(), wire.unary()
    wire.engine.cancel(told)
    wire.feed(wire.answer(3))
    wire.sent()
    for stream_id in (1, 3):
        if late == "data":
            wire.feed(f.data(stream_id, b"what else"))
        elif late == "reset":
            wire.feed(f.rst(stream_id, 8))
        elif late == "window":
            wire.feed(f.window_update(stream_id, 100))
        else:
            wire.feed(f.data(stream_id, end=True))
    assert wire.sent() == []
    assert told.told == []
    assert ended.message == b"answer"


def test_a_thousand_streams_leave_nothing(pair: Pair) -> None:
    for number in range(1000):
        told = pair.stream(b"go", end=True) if number % 2 else pair.unary()
        if number % 5 == 4:
            pair.engine.cancel(told)
        elif number % 5 == 3:
            pair.pump()
            pair.server.reset_stream(told.stream_id, 8)
        else:
            pair.pump()
            pair.answer(told.stream_id, b"answer")
        if number % 10 == 9:
            pair.pump()
    pair.pump()
    assert pair.engine.streams == {}
    assert pair.engine.waiting_streams == 0


@pytest.mark.parametrize("violation", [False, True])
def test_lost_ends_everything_once(engine_class: EngineClass, violation: bool) -> None:
    wire = Wire(engine_class, settings=[(f.MAX_STREAMS, 2)])
    told, stream, waiting = wire.unary(), wire.stream(), wire.unary()
    wire.feed(
        wire.headers(1), f.data(1, f.message(b"answer")), wire.headers(3), f.data(3, f.message(b"event"))
    )
    wire.engine.lost("the peer reset it", violation=violation)
    kind = "protocol" if violation else "connection"
    assert told.told == [("end", kind, 14, "the peer reset it", None)]
    assert stream.told[-1] == ("end", kind, 14, "the peer reset it")
    assert waiting.told == [("end", "local", 14, "the peer reset it", None)]
    assert (told.end is not None, waiting.end is not None) == (True, True)
    assert wire.engine.streams == {}
    assert wire.engine.waiting_streams == 0
    assert not wire.engine.accepting
    # Nothing further is told, whatever is called.
    wire.engine.lost("again")
    for one in (told, stream, waiting):
        wire.engine.cancel(one)
        wire.engine.consumed(one, 10)
        wire.engine.send(one, b"more")
        wire.engine.half_close(one)
    late = wire.unary()
    assert late.end is not None
    assert (late.end.kind, late.end.unprocessed) == ("local", True)


def test_lost_before_anything_came(engine_class: EngineClass) -> None:
    wire = Wire(engine_class, settings=None)
    told = wire.unary()
    wire.engine.lost("connect timeout")
    assert told.told == [("end", "connection", 14, "connect timeout", None)]


@pytest.mark.parametrize("how", ["lost", "goaway"])
def test_an_end_may_cancel_the_other_calls(engine_class: EngineClass, how: str) -> None:
    """A task that dies of the loss takes others with it: what it cancelled is told nothing any more."""
    wire = Wire(engine_class, settings=[(f.MAX_STREAMS, 3), (f.INITIAL_WINDOW, 10)])
    calls: list[Told] = []

    def cancel_all(told: Told, what: str) -> None:
        if what == "end":
            for call in calls:
                wire.engine.cancel(call)

    calls += [wire.stream(b"blocked by the window", on=cancel_all) for _ in range(5)]
    if how == "lost":
        wire.engine.lost("gone")
    else:
        wire.feed(f.goaway(0))
    assert sorted(len(call.told) for call in calls) == [0, 0, 0, 0, 1]
    assert wire.engine.streams == {}
    assert wire.engine.waiting_streams == 0
    assert len(wire.engine._blocked) == 0


def test_calls_after_a_breach_are_harmless(wire: Wire) -> None:
    """Between the breach and lost() tasks may still cancel, send and consume."""
    told, stream = wire.unary(), wire.stream()
    wire.feed(wire.headers(3))
    wire.breach(1, f.frame(f.PUSH_PROMISE, f.END_HEADERS, 3, bytes(4)))
    wire.engine.send(stream, b"more")
    wire.engine.consumed(stream, 5_000_000)
    wire.engine.half_close(stream)
    wire.engine.ping(b"12345678")
    wire.engine.release_probe()
    wire.engine.cancel(stream)
    late = wire.unary()
    assert late.end is not None
    assert late.end.unprocessed
    wire.engine.lost("broken", violation=True)
    assert told.told == [("end", "protocol", 14, "broken", None)]
    assert stream.end is None
