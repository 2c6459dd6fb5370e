"""What a connection holds of unfinished messages is bounded, however many calls wait for them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engines import _frames as f
from engines._kit import EngineClass, Told, Wire
from etcetra_trio.streams._deframe import UNFINISHED
from etcetra_trio.streams._grpc import RESOURCE_EXHAUSTED
from etcetra_trio.streams._protocol import Limits

MESSAGE = 50_000
PART = 10_000


def begin(wire: Wire, told: Told) -> bytes:
    """Headers and the first part of a message."""
    return wire.headers(told.stream_id) + f.data(told.stream_id, f.message(b"x" * MESSAGE)[:PART])


def go_on(told: Told, parts: int) -> bytes:
    return f.data(told.stream_id, b"x" * PART) * parts


@pytest.mark.parametrize("unary", [True, False], ids=["unary", "stream"])
def test_together_they_are_bounded(engine_class: EngineClass, unary: bool) -> None:
    """The one that would be too much is told so, and reset; the others arrive, and then there is room again."""
    wire = Wire(engine_class, Limits(unfinished=100_000))
    calls = [wire.unary() if unary else wire.stream() for _ in range(12)]
    wire.feed(*(begin(wire, told) for told in calls[:10]))
    assert wire.engine.held == 100_000
    wire.feed(begin(wire, calls[10]))
    end = calls[10].end
    assert end is not None
    assert (end.kind, end.status) == ("message", RESOURCE_EXHAUSTED)
    assert "more than 100,000 octets: ask for less at once, as iter_range" in end.message
    assert "raise max_receive_size" in end.message
    assert wire.sent()[-1] == ("RST_STREAM", calls[10].stream_id, 8)
    assert wire.engine.held == 100_000
    for told in calls[:5]:
        wire.engine.cancel(told)
    for told in calls[5:10]:
        wire.feed(go_on(told, 4) + f.data(told.stream_id, b"x" * 5) + wire.trailers(told.stream_id))
        assert (told.message if unary else told.messages[0]) == b"x" * MESSAGE
    assert wire.engine.held == 0
    wire.feed(begin(wire, calls[11]))
    assert wire.engine.held == PART


def test_whole_messages_do_not_count(engine_class: EngineClass) -> None:
    wire = Wire(engine_class, Limits(unfinished=20_000))
    stream, unary = wire.stream(), [wire.unary() for _ in range(10)]
    wire.feed(wire.headers(stream.stream_id))
    for told in unary:
        wire.feed(
            f.data(stream.stream_id, f.message(b"x" * 15_000)), wire.answer(told.stream_id, b"x" * 15_000)
        )
        assert told.message == b"x" * 15_000
    assert len(stream.messages) == 10
    assert wire.engine.held == 0


@pytest.mark.parametrize("unary", [True, False], ids=["unary", "stream"])
def test_nothing_is_held_for_the_dead(wire: Wire, unary: bool) -> None:
    ways: dict[str, Callable[[Told], None]] = {
        "cancelled": wire.engine.cancel,
        "reset": lambda told: wire.feed(f.rst(told.stream_id, 2)),
        "a second message": lambda told: wire.feed(go_on(told, 5) + f.data(told.stream_id, b"\1" * 10)),
        "an early end": lambda told: wire.feed(wire.trailers(told.stream_id)),
        "a stop": lambda told: wire.feed(f.goaway(0, 0)),
    }
    for way in ways.values():
        told = wire.unary() if unary else wire.stream()
        wire.feed(begin(wire, told))
        assert wire.engine.held == PART
        way(told)
        assert wire.engine.held == 0


def test_nothing_is_held_by_a_lost_connection(wire: Wire) -> None:
    for _ in range(3):
        wire.feed(begin(wire, wire.unary()))
    wire.engine.lost("the cable")
    assert wire.engine.held == 0


def test_what_the_limits_are() -> None:
    assert (Limits().message, Limits().unfinished) == (UNFINISHED, UNFINISHED)
    assert (Limits(message=1000).message, Limits(message=1000).unfinished) == (1000, UNFINISHED)
    assert Limits(message=UNFINISHED).unfinished == 2 * UNFINISHED
