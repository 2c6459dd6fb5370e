"""Frames that cost the server nothing and us something: their number is limited (design: reliability.md, §4)."""

from __future__ import annotations

import pytest

from engines import _frames as f
from engines._kit import EngineClass, Wire
from etcetra_trio.streams._protocol import BANDWIDTH_PROBE, ENHANCE_YOUR_CALM, Limits, ProtocolViolation

LIMIT = 50


def limited(engine_class: EngineClass) -> Wire:
    wire = Wire(engine_class, Limits(control_frames=LIMIT))
    wire.stream(end=True)
    wire.feed(wire.headers(1))
    wire.unary()
    wire.feed(wire.answer(3))
    wire.sent()
    return wire


#: Answered: how many may wait for the writer. 1 is open, 3 is over.
ANSWERED = {
    "PING": f.ping(),
    "SETTINGS": f.settings((f.MAX_STREAMS, 100)),
    "empty SETTINGS": f.settings(),
}
#: Not answered: how many may come in a row.
USELESS = {
    "PRIORITY": f.frame(f.PRIORITY, 0, 1, bytes(4) + b"\x10"),
    "empty DATA": f.data(1),
    "padded empty DATA": f.data(1, pad=0),
    "empty DATA of a stream that is over": f.data(3),
    "RST_STREAM of a stream that is over": f.rst(3, 8),
    "unknown frames": f.frame(0xFA, 0, 0, b"grease"),
}


@pytest.mark.parametrize("octets", (ANSWERED | USELESS).values(), ids=ANSWERED | USELESS)
def test_a_flood_in_one_piece(engine_class: EngineClass, octets: bytes) -> None:
    wire = limited(engine_class)
    wire.feed(*[octets] * LIMIT)
    with pytest.raises(ProtocolViolation, match="flood"):
        wire.feed(octets)
    sent = wire.sent()
    assert sent[-1] == ("GOAWAY", 0, ENHANCE_YOUR_CALM)
    assert len(sent) <= LIMIT + 1


@pytest.mark.parametrize("octets", USELESS.values(), ids=USELESS)
def test_a_flood_in_drops(engine_class: EngineClass, octets: bytes) -> None:
    """Sending in between does not make the useless useful."""
    wire = limited(engine_class)
    for _ in range(LIMIT):
        wire.feed(octets)
        wire.sent()
    wire.breach(ENHANCE_YOUR_CALM, octets)


@pytest.mark.parametrize("octets", ANSWERED.values(), ids=ANSWERED)
def test_answered_pings_may_go_on_for_ever(engine_class: EngineClass, octets: bytes) -> None:
    """A server's own keepalive: the writer keeps up, so nothing is held."""
    wire = limited(engine_class)
    for _ in range(5 * LIMIT):
        wire.feed(octets)
        assert len(wire.sent()) == 1


@pytest.mark.parametrize("octets", USELESS.values(), ids=USELESS)
def test_useful_frames_start_the_count_anew(engine_class: EngineClass, octets: bytes) -> None:
    wire = limited(engine_class)
    for _ in range(5):
        wire.feed(*[octets] * LIMIT, f.data(1, f.message(b"event")))
    told = wire.unary()
    wire.feed(*[octets] * LIMIT, wire.answer(told.stream_id), *[octets] * LIMIT)
    assert told.message == b"answer"


def test_1xx_for_ever(engine_class: EngineClass) -> None:
    wire = limited(engine_class)
    told = wire.unary()
    early = ((b":status", b"103"),)
    for _ in range(LIMIT):
        wire.feed(wire.headers(5, early))
    wire.breach(ENHANCE_YOUR_CALM, wire.headers(5, early))
    assert told.told == []


def test_goaway_for_ever(engine_class: EngineClass) -> None:
    """One in a second would keep a call waiting: the server seems to live."""
    wire = limited(engine_class)
    for _ in range(1 + LIMIT):
        wire.feed(f.goaway(5))
    wire.breach(ENHANCE_YOUR_CALM, f.goaway(5))


def test_probes_are_limited_too(engine_class: EngineClass) -> None:
    wire = limited(engine_class)
    with pytest.raises(ProtocolViolation, match="flood"):
        wire.feed(*[f.ping(BANDWIDTH_PROBE)] * (LIMIT + 2))


def test_window_updates_are_no_flood(engine_class: EngineClass) -> None:
    """A server may open its windows octet by octet while we upload."""
    wire = limited(engine_class)
    wire.feed(*[f.window_update(0, 1) + f.window_update(1, 1)] * (20 * LIMIT))
    told = wire.unary()
    wire.feed(wire.answer(told.stream_id))
    assert told.message == b"answer"


def test_the_default_limit(engine_class: EngineClass) -> None:
    wire = Wire(engine_class)
    wire.feed(*[f.ping()] * 1000)
    wire.breach(ENHANCE_YOUR_CALM, f.ping())
