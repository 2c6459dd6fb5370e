"""PING: acknowledged at once, but for grpc-go's bandwidth probe (design: transport.md, "The BDP ping")."""

from __future__ import annotations

import pytest
from h2.events import PingAckReceived

from engines import _frames as f
from engines._kit import EngineClass, Pair, Wire
from etcetra_trio.streams._protocol import BANDWIDTH_PROBE

PROBE, PROBE_ACK = f.ping(BANDWIDTH_PROBE), ("PING_ACK", BANDWIDTH_PROBE)


@pytest.mark.parametrize(
    "payload", [b"01234567", bytes(8), b"\x01\x06\x01\x08\x00\x03\x03\x09", BANDWIDTH_PROBE[::-1]]
)
def test_every_other_ping_is_acknowledged_at_once(wire: Wire, payload: bytes) -> None:
    wire.feed(f.ping(payload))
    assert wire.sent() == [("PING_ACK", payload)]
    assert not wire.engine.probe_held


def test_pings_are_acknowledged_while_we_are_stalled(engine_class: EngineClass) -> None:
    wire = Wire(engine_class, settings=[(f.INITIAL_WINDOW, 0)])
    wire.unary(b"x" * 1000)
    wire.sent()
    wire.feed(f.ping())
    assert wire.sent() == [("PING_ACK", b"01234567")]


def test_our_ping_comes_back(pair: Pair) -> None:
    got: list[bytes] = []
    pair.engine.on_ping_ack = got.append
    pair.engine.ping(b"keepaliv")
    assert pair.engine.wants_send
    pair.pump()
    assert got == [b"keepaliv"]
    pair.server.ping(b"fromserv")
    pair.pump()
    assert [event.ping_data for event in pair.events if isinstance(event, PingAckReceived)] == [b"fromserv"]
    assert got == [b"keepaliv"]


def test_an_ack_that_nobody_asked_for_is_told_too(wire: Wire) -> None:
    got: list[bytes] = []
    wire.engine.on_ping_ack = got.append
    wire.feed(f.ping(b"whatever", ack=True), f.ping(BANDWIDTH_PROBE, ack=True))
    assert got == [b"whatever", BANDWIDTH_PROBE]
    assert wire.sent() == []


def test_the_probe_is_held_and_released(wire: Wire) -> None:
    wire.unary()
    wire.sent()
    wire.feed(PROBE)
    assert (wire.engine.probe_held, wire.engine.wants_send) == (True, False)
    wire.engine.release_probe()
    assert (wire.engine.probe_held, wire.engine.wants_send) == (False, True)
    assert wire.sent() == [PROBE_ACK]
    wire.engine.release_probe()
    assert wire.sent() == []
    wire.feed(PROBE)
    assert wire.engine.probe_held


def test_a_second_probe_while_one_is_held_is_not_lost(wire: Wire) -> None:
    wire.feed(PROBE, PROBE)
    assert wire.engine.probe_held
    assert wire.sent() == [PROBE_ACK]
    wire.engine.release_probe()
    assert wire.sent() == [PROBE_ACK]


def test_other_pings_overtake_a_held_probe(wire: Wire) -> None:
    wire.feed(PROBE, f.ping())
    assert wire.sent() == [("PING_ACK", b"01234567")]
    assert wire.engine.probe_held


def test_nothing_is_held_when_switched_off(engine_class: EngineClass) -> None:
    wire = Wire(engine_class, hold_probes=False)
    wire.feed(PROBE)
    assert not wire.engine.probe_held
    assert wire.sent() == [PROBE_ACK]


def test_nothing_is_held_while_data_is_blocked(wire: Wire) -> None:
    wire.unary(b"x" * 100_000)
    wire.sent()
    wire.feed(PROBE)
    assert not wire.engine.probe_held
    assert wire.sent() == [PROBE_ACK]
    wire.feed(PROBE)  # still blocked
    assert wire.sent() == [PROBE_ACK]


def test_nothing_is_held_after_much_was_sent(wire: Wire) -> None:
    """The probe that measures a large request is answered at once; the next one, after small ones, is held."""
    wire.unary(b"x" * 30_000)
    wire.sent()
    wire.feed(PROBE)
    assert wire.sent() == [PROBE_ACK]
    wire.unary(b"small")
    wire.sent()
    wire.feed(PROBE)
    assert wire.engine.probe_held


def test_other_pings_do_not_end_the_measurement(wire: Wire) -> None:
    wire.unary(b"x" * 30_000)
    wire.feed(f.ping())
    wire.sent()
    wire.feed(PROBE)
    assert wire.sent() == [PROBE_ACK]


def test_a_large_request_releases_the_held_probe(wire: Wire) -> None:
    wire.feed(PROBE)
    wire.unary(b"x" * 100_000)
    assert not wire.engine.probe_held
    assert PROBE_ACK in wire.sent()


def test_a_held_probe_is_released_by_what_waited_and_is_blocked(engine_class: EngineClass) -> None:
    wire = Wire(engine_class, settings=[(f.MAX_STREAMS, 1)])
    wire.unary()
    stream = wire.stream(b"small")
    wire.engine.send(stream, b"small too")
    third = wire.stream(b"small")
    wire.engine.send(third, b"x" * 70_000)
    wire.feed(PROBE, wire.answer(1))
    assert PROBE_ACK not in wire.sent()
    wire.feed(f.rst(3, 8))
    assert PROBE_ACK in wire.sent()
    assert not wire.engine.probe_held


def test_small_requests_do_not(wire: Wire) -> None:
    wire.feed(PROBE)
    for _ in range(10):
        wire.unary(b"x" * 1000)
    assert wire.engine.probe_held
    assert PROBE_ACK not in wire.sent()


def test_a_probe_on_a_stream_is_no_probe(wire: Wire) -> None:
    wire.unary()
    wire.breach(1, f.frame(f.PING, 0, 1, BANDWIDTH_PROBE))
