"""What the server's windows let out: large requests, windows that shrink below zero, and windows that overflow."""

from __future__ import annotations

from collections import deque

import pytest
from h2.events import DataReceived

from engines import _frames as f
from engines._kit import EngineClass, Pair, Told, Wire
from etcetra_trio.streams._protocol import FLOW_CONTROL_ERROR, PROTOCOL_ERROR, Stream

WINDOW, FRAME, MOST = 65_535, 16_384, (1 << 31) - 1


def payload(wire: Wire, stream_id: int = 1) -> bytes:
    return b"".join(
        item[2] for item in wire.sent() if item[:2] == ("DATA", stream_id) and isinstance(item[2], bytes)
    )


def test_a_request_larger_than_the_windows(wire: Wire) -> None:
    """1.4 MB, as etcd takes at most, through 64 KiB: whole frames, the end on the last one only."""
    whole = f.message(bytes(range(256)) * 5_469)
    told = wire.unary(whole[5:])
    frames = [item for item in wire.sent() if item[0] == "DATA"]
    assert [len(item[2]) for item in frames if isinstance(item[2], bytes)] == [FRAME, FRAME, FRAME, FRAME - 1]
    got = b"".join(item[2] for item in frames if isinstance(item[2], bytes))
    while len(got) < len(whole):
        assert not told.end_sent
        assert wire.sent() == []
        wire.feed(f.window_update(0, 50_000), f.window_update(1, 50_000))
        frames = [item for item in wire.sent() if item[0] == "DATA"]
        assert all(len(item) == 3 for item in frames[:-1])
        got += b"".join(item[2] for item in frames if isinstance(item[2], bytes))
    assert frames[-1][-1] == "end"
    assert got == whole
    assert told.end_sent
    wire.feed(wire.answer(1))
    assert told.message == b"answer"


def test_the_connection_window_alone_blocks(wire: Wire) -> None:
    wire.feed(f.settings((f.INITIAL_WINDOW, 1 << 20)))
    wire.sent()
    wire.unary(b"x" * 100_000)
    assert len(payload(wire)) == WINDOW
    wire.feed(f.window_update(0, 10))
    assert len(payload(wire)) == 10
    wire.feed(f.window_update(0, 1 << 20))
    assert len(payload(wire)) == 100_005 - WINDOW - 10


def test_calls_that_the_connection_window_blocks_do_not_slow_each_other(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at = 0

    class Counting(deque[Stream]):
        def popleft(self) -> Stream:
            nonlocal looked_at
            looked_at += 1
            return super().popleft()

    monkeypatch.setattr(wire.engine, "_blocked", Counting())
    wire.feed(f.settings((f.MAX_STREAMS, 10_000)))
    wire.unary(b"x" * WINDOW)  # blocks its stream, too
    for _ in range(300):
        wire.unary()
    wire.feed(f.window_update(1, 100), f.window_update(0, MOST - WINDOW))
    assert looked_at < 3 * 300
    assert payload(wire, 601) == f.message(b"question")


def test_the_stream_window_alone_blocks_only_its_stream(engine_class: EngineClass) -> None:
    wire = Wire(engine_class, settings=[(f.INITIAL_WINDOW, 20)])
    wire.unary(b"x" * 100)
    other = wire.unary(b"short")
    sent = wire.sent()
    assert ("DATA", 1, f.message(b"x" * 100)[:20]) in sent
    assert ("DATA", 3, f.message(b"short"), "end") in sent
    wire.feed(wire.answer(3))
    assert other.message == b"answer"
    wire.feed(f.window_update(1, 85))
    assert wire.sent() == [("DATA", 1, f.message(b"x" * 100)[20:], "end")]


def test_exactly_the_window_goes_out_at_once(engine_class: EngineClass) -> None:
    wire = Wire(engine_class, settings=[(f.INITIAL_WINDOW, 20)])
    told = wire.stream(b"x" * 15)
    assert wire.sent()[1:] == [("DATA", 1, f.message(b"x" * 15))]
    assert told.pending is None
    wire.engine.half_close(told)  # an empty frame needs no window
    assert wire.sent() == [("DATA", 1, b"", "end")]


def test_on_writable_once_everything_is_on_its_way(engine_class: EngineClass) -> None:
    wire = Wire(engine_class, settings=[(f.INITIAL_WINDOW, 20)])
    told = wire.stream(b"x" * 10)
    wire.engine.send(told, b"y" * 10)
    wire.engine.send(told, b"z")
    assert told.pending
    wire.engine.half_close(told)
    wire.engine.half_close(told)
    assert payload(wire) == (f.message(b"x" * 10) + f.message(b"y" * 10))[:20]
    wire.feed(f.window_update(1, 12))
    assert (told.told, told.end_sent) == ([], False)
    wire.feed(f.window_update(1, 100))
    assert told.told == [("writable",)]
    assert told.end_sent
    assert payload(wire) == (f.message(b"x" * 10) + f.message(b"y" * 10) + f.message(b"z"))[20:]


def test_sending_inside_on_writable_keeps_the_order(engine_class: EngineClass) -> None:
    wire = Wire(engine_class, settings=[(f.INITIAL_WINDOW, 4)])

    def more(told: Told, what: str) -> None:
        if what == "writable" and len(told.told) < 4:
            wire.engine.send(told, b"%d" % len(told.told))

    wire.stream(b"0", on=more)
    wire.feed(f.window_update(1, 1000))
    assert payload(wire) == b"".join(f.message(b"%d" % number) for number in range(2))
    wire.feed(f.settings((f.INITIAL_WINDOW, 0)))
    assert payload(wire) == b""


def test_blocked_streams_take_turns(wire: Wire) -> None:
    """The connection's window is shared frame by frame, so one large put does not hold up the others."""
    wire.feed(f.settings((f.INITIAL_WINDOW, 1 << 20)))
    wire.unary(b"a" * 300_000)
    wire.unary(b"b" * 300_000)
    wire.unary(b"c" * 20)
    wire.sent()
    wire.feed(f.window_update(0, 4 * FRAME))
    frames = [item for item in wire.sent() if item[0] == "DATA"]
    assert {item[1] for item in frames} == {1, 3, 5}
    assert abs(sum(item[1] == 1 for item in frames) - sum(item[1] == 3 for item in frames)) <= 1


def test_the_window_shrinks_below_zero_and_comes_back(wire: Wire) -> None:
    wire.unary(b"x" * 100_000)
    assert len(payload(wire)) == WINDOW
    wire.feed(f.window_update(0, 1 << 20), f.settings((f.INITIAL_WINDOW, 10)))  # the stream has -65525 now
    assert wire.sent() == [("SETTINGS_ACK",)]
    wire.feed(f.window_update(1, 65_525))
    assert wire.sent() == []
    wire.feed(f.window_update(1, 5))
    assert len(payload(wire)) == 5
    wire.feed(f.settings((f.INITIAL_WINDOW, 0)))  # -10
    assert payload(wire) == b""
    wire.feed(f.settings((f.INITIAL_WINDOW, 30)))  # +20
    assert len(payload(wire)) == 20
    wire.feed(f.settings((f.INITIAL_WINDOW, 1 << 20)))
    assert len(payload(wire)) == 100_005 - WINDOW - 25


def test_a_window_of_zero_from_the_start(engine_class: EngineClass) -> None:
    wire = Wire(engine_class, settings=[(f.INITIAL_WINDOW, 0)])
    told = wire.unary(b"")
    assert [sent[0] for sent in wire.sent()] == ["HEADERS"]
    assert not told.end_sent
    wire.feed(f.ping())
    wire.engine.ping(b"keepaliv")
    assert wire.sent() == [("PING_ACK", b"01234567"), ("PING", b"keepaliv")]
    wire.feed(f.window_update(1, 5))
    assert wire.sent() == [("DATA", 1, f.message(b""), "end")]


def test_new_streams_start_with_the_newest_window(wire: Wire) -> None:
    wire.feed(f.settings((f.INITIAL_WINDOW, 7)))
    wire.unary(b"abcdef")
    assert payload(wire) == f.message(b"abcdef")[:7]
    wire.feed(f.settings((f.INITIAL_WINDOW, 8)))
    wire.unary(b"abcdef")
    assert payload(wire, 3) == f.message(b"abcdef")[:8]


def test_two_values_in_one_frame_the_last_wins(wire: Wire) -> None:
    wire.feed(f.settings((f.INITIAL_WINDOW, 1), (f.INITIAL_WINDOW, 9)))
    assert wire.sent() == [("SETTINGS_ACK",)]
    wire.unary(b"abcdef")
    assert payload(wire) == f.message(b"abcdef")[:9]


def test_larger_frames_when_the_server_takes_them(wire: Wire) -> None:
    wire.feed(f.settings((f.MAX_FRAME, 20_000)))
    wire.sent()
    wire.unary(b"x" * 50_000)
    frames = [item for item in wire.sent() if item[0] == "DATA"]
    assert [len(item[2]) for item in frames if isinstance(item[2], bytes)] == [20_000, 20_000, 10_005]


def test_cancelling_a_blocked_request_frees_it(wire: Wire) -> None:
    told, other = wire.unary(b"x" * 100_000), wire.unary(b"y" * 10)
    wire.sent()
    wire.engine.cancel(told)
    assert told.pending is None
    assert wire.sent() == [("RST_STREAM", 1, 8)]
    wire.feed(f.window_update(0, 100_000))
    assert wire.sent() == [("DATA", 3, f.message(b"y" * 10), "end")]
    assert other.end_sent


def test_a_thousand_blocked_and_cancelled_requests_leave_nothing(engine_class: EngineClass) -> None:
    wire = Wire(engine_class, settings=[(f.INITIAL_WINDOW, 1 << 20)])
    wire.unary(b"x" * (WINDOW - 5))
    for _ in range(1000):
        wire.engine.cancel(wire.unary(b"y"))
    assert len(wire.engine._blocked) == 0
    # So a bandwidth probe does not find anything blocked either.
    wire.feed(f.ping(b"\x02\x04\x10\x10\t\x0e\x07\x07"))
    wire.feed(f.ping(b"\x02\x04\x10\x10\t\x0e\x07\x07"))
    wire.engine.release_probe()
    assert not wire.engine.probe_held


def test_the_answer_may_come_before_the_request_is_out(wire: Wire) -> None:
    """A refusal (too large, say): the rest is not sent, and the stream is reset."""
    told = wire.unary(b"x" * 100_000)
    wire.sent()
    wire.feed(
        wire.trailers(
            1, ((b":status", b"200"), (b"content-type", b"application/grpc"), (b"grpc-status", b"8"))
        )
    )
    assert told.end is not None
    assert told.end.status == 8
    assert wire.sent() == [("RST_STREAM", 1, 0)]
    wire.feed(f.window_update(0, 100_000), f.window_update(1, 100_000))
    assert wire.sent() == []


@pytest.mark.parametrize("how", ["update", "updates", "settings"])
def test_a_stream_window_that_overflows(wire: Wire, how: str) -> None:
    told, other = wire.stream(), wire.unary()
    wire.sent()
    if how == "settings":
        wire.feed(f.window_update(1, MOST - WINDOW))
        wire.breach(FLOW_CONTROL_ERROR, f.settings((f.INITIAL_WINDOW, WINDOW + 1000)))
        return
    wire.feed(*[f.window_update(1, MOST - 1000)] * (2 if how == "updates" else 1))
    if how == "update":
        wire.feed(f.window_update(1, WINDOW))
    assert told.end is not None
    assert (told.end.kind, told.end.status) == ("message", 13)
    assert wire.sent() == [("RST_STREAM", 1, FLOW_CONTROL_ERROR)]
    wire.feed(wire.answer(3))
    assert other.message == b"answer"


def test_a_stream_window_of_exactly_the_most(wire: Wire) -> None:
    told = wire.stream(None)
    wire.feed(f.window_update(1, MOST - WINDOW), f.window_update(0, MOST - WINDOW))
    wire.engine.send(told, b"fine")
    assert wire.sent()[1:] == [("DATA", 1, f.message(b"fine"))]
    assert told.end is None


def test_the_connection_window_overflows(wire: Wire) -> None:
    wire.feed(f.window_update(0, MOST - WINDOW))
    wire.breach(FLOW_CONTROL_ERROR, f.window_update(0, 1))


def test_a_window_update_of_0_on_the_connection(wire: Wire) -> None:
    wire.breach(PROTOCOL_ERROR, f.window_update(0, 0))


def test_a_window_update_of_0_on_a_stream(wire: Wire) -> None:
    told, other = wire.stream(), wire.unary()
    wire.sent()
    if wire.excepted("stream window update of 0"):
        wire.breach(PROTOCOL_ERROR, f.window_update(1, 0))
        assert told.end is None
    else:
        wire.feed(f.window_update(1, 0), wire.answer(3))
        assert told.end is not None
        assert (told.end.kind, told.end.status) == ("message", 13)
        assert wire.sent() == [("RST_STREAM", 1, PROTOCOL_ERROR)]
        assert other.message == b"answer"


def test_the_reserved_bit_of_an_increment_is_ignored(engine_class: EngineClass) -> None:
    wire = Wire(engine_class, settings=[(f.INITIAL_WINDOW, 0)])
    wire.unary(b"")
    wire.sent()
    frame = f.window_update(1, 0x80000000 | 5)
    if wire.excepted("reserved bit of an increment"):
        wire.breach(PROTOCOL_ERROR, frame)
    else:
        wire.feed(frame)
        assert wire.sent() == [("DATA", 1, f.message(b""), "end")]


def test_a_real_server_takes_ten_large_requests(pair: Pair) -> None:
    bodies = [bytes((number,)) * 300_000 for number in range(10)]
    calls = [pair.unary(body) for body in bodies]
    got: dict[int, bytes] = {call.stream_id: b"" for call in calls}
    for _ in range(1000):
        pair.pump()
        for event in pair.events:
            if isinstance(event, DataReceived):
                got[event.stream_id] += event.data
                pair.server.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        done = not pair.events
        pair.events.clear()
        if done:
            break
    assert [got[call.stream_id] for call in calls] == [f.message(body) for body in bodies]
    assert all(call.end_sent for call in calls)
