"""MAX_CONCURRENT_STREAMS: RPCs wait their turn, in order, and one that is cancelled meanwhile was never sent."""

from __future__ import annotations

import pytest

from engines import _frames as f
from engines._kit import EngineClass, Pair, Told, Wire


def limited(engine_class: EngineClass, streams: int) -> Wire:
    return Wire(engine_class, settings=[(f.MAX_STREAMS, streams)])


def heads(wire: Wire) -> list[object]:
    return [sent[1] for sent in wire.sent() if sent[0] == "HEADERS"]


@pytest.mark.parametrize("most", [1, 3])
def test_first_come_first_served(engine_class: EngineClass, most: int) -> None:
    wire = limited(engine_class, most)
    calls = [wire.unary(b"%d" % number) for number in range(10)]
    assert heads(wire) == [2 * number + 1 for number in range(most)]
    assert wire.engine.waiting_streams == 10 - most
    for number, call in enumerate(calls):
        assert call.stream_id == 2 * number + 1
        wire.feed(wire.answer(call.stream_id, b"%d" % number))
        assert call.message == b"%d" % number
        assert len(wire.engine.streams) <= most
    assert wire.engine.waiting_streams == 0


def test_the_request_goes_out_whole_when_its_turn_comes(engine_class: EngineClass) -> None:
    wire = limited(engine_class, 1)
    wire.unary(b"first")
    second = Told(unary=True)
    wire.engine.open(second, wire.head(), b"second", end=True, timeout=b"3S")
    wire.sent()
    wire.feed(wire.answer(1))
    head, data = wire.sent()
    assert isinstance(head[2], tuple)
    assert head[2][-1] == (b"grpc-timeout", b"3S")
    assert data == ("DATA", 3, f.message(b"second"), "end")


def test_none_at_all(engine_class: EngineClass) -> None:
    wire = limited(engine_class, 0)
    calls = [wire.unary() for _ in range(3)]
    assert wire.sent() == []
    assert wire.engine.waiting_streams == 3
    wire.feed(f.settings((f.MAX_STREAMS, 2)))
    assert heads(wire) == [1, 3]
    wire.feed(f.settings((f.MAX_STREAMS, 0)), wire.answer(1), wire.answer(3))
    assert heads(wire) == []
    assert [call.message for call in calls] == [b"answer", b"answer", None]
    wire.feed(f.settings((f.MAX_STREAMS, 1)))
    assert heads(wire) == [5]


def test_shrinking_below_what_is_open(engine_class: EngineClass) -> None:
    wire = limited(engine_class, 3)
    calls = [wire.unary() for _ in range(5)]
    wire.feed(f.settings((f.MAX_STREAMS, 1)))
    wire.sent()
    wire.feed(wire.answer(1), wire.answer(3))
    assert heads(wire) == []
    wire.feed(wire.answer(5))
    assert heads(wire) == [7]
    assert [call.end is not None for call in calls] == [True, True, True, False, False]


def test_cancel_in_the_queue_sends_nothing(engine_class: EngineClass) -> None:
    wire = limited(engine_class, 1)
    first, second, third = wire.unary(), wire.unary(), wire.unary()
    wire.sent()
    wire.engine.cancel(second)
    wire.engine.cancel(second)
    assert wire.sent() == []
    assert wire.engine.waiting_streams == 1
    wire.feed(wire.answer(1))
    assert heads(wire) == [3]
    wire.feed(wire.answer(3))
    assert (first.message, third.message) == (b"answer", b"answer")
    assert (second.told, second.stream_id) == ([], 0)


@pytest.mark.parametrize("how", ["cancel", "reset", "error", "garbage"])
def test_every_end_makes_room(engine_class: EngineClass, how: str) -> None:
    wire = limited(engine_class, 1)
    first, second = wire.unary(), wire.unary()
    wire.sent()
    if how == "cancel":
        wire.engine.cancel(first)
    elif how == "reset":
        wire.feed(f.rst(1, 2))
    elif how == "error":
        wire.feed(wire.trailers(1, ((b":status", b"503"),)))
    else:
        wire.feed(wire.headers(1), f.data(1, b"\x01\0\0\0\0"), f.data(1, b"\x01\0\0\0\0"))
    assert heads(wire) == [3]
    wire.feed(wire.answer(3))
    assert second.message == b"answer"


def test_a_stream_that_waits_keeps_its_messages(engine_class: EngineClass) -> None:
    wire = limited(engine_class, 1)
    wire.unary()
    stream = wire.stream(None)
    wire.engine.send(stream, b"one")
    wire.engine.send(stream, b"two")
    wire.engine.half_close(stream)
    wire.sent()
    wire.feed(wire.answer(1))
    head, *rest = wire.sent()
    assert head[:2] == ("HEADERS", 3)
    octets = b"".join(item[2] for item in rest if isinstance(item[2], bytes))
    assert octets == f.message(b"one") + f.message(b"two")
    assert {item[:2] for item in rest} == {("DATA", 3)}
    assert [item[-1] == "end" for item in rest] == [False] * (len(rest) - 1) + [True]
    assert stream.told == [("writable",)]


def test_sends_while_waiting_come_after_the_first_message(engine_class: EngineClass) -> None:
    """And nothing that on_writable sends may overtake them."""
    wire = limited(engine_class, 1)
    wire.unary()

    def more(told: Told, what: str) -> None:
        if what == "writable" and len(told.told) == 1:
            wire.engine.send(told, b"last", end=True)

    stream = wire.stream(b"first" * 5000, on=more)
    wire.engine.send(stream, b"second" * 5000)
    wire.engine.send(stream, b"third")
    wire.sent()
    wire.feed(wire.answer(1))
    octets = b"".join(
        item[2] for item in wire.sent() if item[:2] == ("DATA", 3) and isinstance(item[2], bytes)
    )
    wire.feed(f.window_update(3, 65_535))
    octets += b"".join(
        item[2] for item in wire.sent() if item[:2] == ("DATA", 3) and isinstance(item[2], bytes)
    )
    whole = [b"first" * 5000, b"second" * 5000, b"third", b"last"]
    assert octets == b"".join(f.message(part) for part in whole)
    assert stream.end_sent
    assert stream.told == [("writable",)]


def test_cancelling_in_on_writable_drops_the_rest(engine_class: EngineClass) -> None:
    wire = limited(engine_class, 1)
    wire.unary()

    def give_up(told: Told, what: str) -> None:
        wire.engine.cancel(told)

    stream = wire.stream(None, on=give_up)
    wire.engine.send(stream, b"one")
    wire.engine.send(stream, b"two")
    next_one = wire.unary()
    wire.sent()
    wire.feed(wire.answer(1))
    sent = wire.sent()
    assert sent.index(("RST_STREAM", 3, 8)) > max(
        at for at, item in enumerate(sent) if item[:2] == ("DATA", 3)
    )
    assert stream.told == [("writable",)]
    wire.feed(wire.answer(5))
    assert next_one.message == b"answer"


def test_a_stream_that_waits_may_only_half_close(engine_class: EngineClass) -> None:
    wire = Wire(engine_class, settings=[(f.MAX_STREAMS, 1), (f.INITIAL_WINDOW, 0)])
    wire.unary(b"")
    stream, silent = wire.stream(None), wire.stream(None, end=True)
    wire.engine.half_close(stream)
    wire.sent()
    wire.feed(wire.answer(1))
    assert [item[:2] for item in wire.sent()] == [("RST_STREAM", 1), ("HEADERS", 3), ("DATA", 3)]
    assert stream.end_sent
    wire.feed(wire.answer(3))
    assert silent.end_sent


def test_a_call_that_waits_may_be_half_closed_again(engine_class: EngineClass) -> None:
    wire = limited(engine_class, 1)
    wire.unary()
    second, stream = wire.unary(b"second"), wire.stream(b"watch")
    for _ in range(2):
        wire.engine.half_close(second)
        wire.engine.half_close(stream)
    wire.sent()
    wire.feed(wire.answer(1))
    assert wire.sent()[1:] == [("DATA", 3, f.message(b"second"), "end")]
    wire.feed(wire.answer(3))
    data = [item for item in wire.sent() if item[0] == "DATA"]
    assert b"".join(item[2] for item in data if isinstance(item[2], bytes)) == f.message(b"watch")
    assert [item[-1] == "end" for item in data] == [False] * (len(data) - 1) + [True]


def test_a_stream_that_waits_and_is_cancelled_keeps_nothing(engine_class: EngineClass) -> None:
    wire = limited(engine_class, 1)
    wire.unary()
    stream = wire.stream(b"one")
    wire.engine.send(stream, b"two")
    wire.engine.cancel(stream)
    assert stream.pending is None
    wire.sent()
    wire.feed(wire.answer(1))
    assert wire.sent() == []


def test_a_large_request_waits_for_its_turn_and_then_for_the_window(engine_class: EngineClass) -> None:
    wire = limited(engine_class, 1)
    wire.unary()
    large = wire.unary(b"x" * 200_000)
    wire.feed(wire.answer(1))
    sent = b"".join(item[2] for item in wire.sent() if item[:2] == ("DATA", 3) and isinstance(item[2], bytes))
    assert len(sent) == 65_535 - len(f.message(b"question"))
    wire.feed(f.window_update(0, 1 << 20), f.window_update(3, 1 << 20))
    items = [item for item in wire.sent() if item[0] == "DATA"]
    sent += b"".join(item[2] for item in items if isinstance(item[2], bytes))
    assert sent == f.message(b"x" * 200_000)
    assert items[-1][-1] == "end"
    assert large.end_sent


def test_before_the_servers_settings_there_is_no_limit(engine_class: EngineClass) -> None:
    """RFC 9113, 6.5.2: it is what the server says; until then a client may go ahead."""
    wire = Wire(engine_class, settings=None)
    for _ in range(200):
        wire.unary()
    assert len(heads(wire)) == 200
    wire.feed(f.settings((f.MAX_STREAMS, 100)))
    wire.unary()
    assert wire.engine.waiting_streams == 1


def test_a_real_server_that_takes_three(engine_class: EngineClass) -> None:
    pair = Pair(engine_class)
    pair.server.update_settings({f.MAX_STREAMS: 3})
    pair.pump()
    calls = [pair.unary(b"%d" % number) for number in range(50)]
    pair.pump()
    done = 0
    while done < 50:
        assert pair.server.open_inbound_streams <= 3
        pair.answer(calls[done].stream_id, b"%d" % done)
        pair.pump()
        assert calls[done].message == b"%d" % done
        done += 1
    assert pair.engine.waiting_streams == 0
