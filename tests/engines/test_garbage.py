"""Whatever a server sends: nothing but :class:`ProtocolViolation` comes out, and every call ends exactly once."""

from __future__ import annotations

import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from engines import _frames as f
from engines._kit import ENGINES, OK_HEADERS, OK_TRAILERS, EngineClass, Told, Wire
from engines.test_fragments import Session
from etcetra_trio.streams._protocol import ProtocolViolation

BLOCKS = [
    b"",
    b"\x88",
    b"\x82",
    b"\xbe",
    b"\x20",
    b"\x3f\xe1\x1f",
    b"\x40\x01a\x01b",
    b"\x10\x0bgrpc-status\x010",
    b"\xff\xff",
]
NUMBERS = st.sampled_from([0, 1, 2, 255, 16_384, 65_535, 1 << 20, (1 << 31) - 1, 1 << 31, (1 << 32) - 1])
PAYLOADS = (
    st.binary(max_size=40)
    | st.sampled_from([*BLOCKS, f.message(b"m"), f.message(b"")[:3], b"\0\0\0\0\x80" + bytes(128)])
    | NUMBERS.map(lambda number: number.to_bytes(4, "big"))
    | st.tuples(st.integers(0, 9), NUMBERS).map(lambda pair: struct.pack(">HI", *pair))
    | st.tuples(NUMBERS, NUMBERS).map(lambda pair: struct.pack(">II", *pair))
)
FRAMES = st.builds(f.frame, st.integers(0, 10), st.integers(0, 255), st.integers(0, 8), PAYLOADS)


def feed(engine_class: EngineClass, octets: bytes, cut: int) -> list[Told]:
    wire = Wire(engine_class, hold_probes=False)
    calls = [wire.unary(), wire.stream(), wire.stream(end=True)]
    wire.feed_anything(octets, cut)
    wire.engine.lost("it is over")
    assert wire.engine.streams == {}
    return calls


@settings(max_examples=300, deadline=None)
@given(st.lists(FRAMES, max_size=12), st.integers(0, 300))
def test_random_frames(frames: list[bytes], cut: int) -> None:
    for engine_class in ENGINES:
        for call in feed(engine_class, b"".join(frames), cut):
            assert call.end is not None


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_random_octets(octets: bytes) -> None:
    for engine_class in ENGINES:
        for call in feed(engine_class, octets, len(octets) // 2):
            assert call.end is not None


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 600), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_recorded_session_with_wrong_octets(changes: list[tuple[int, int]]) -> None:
    for engine_class in ENGINES:
        session = Session(engine_class)
        octets = bytearray(session.octets())
        for at, octet in changes:
            octets[at % len(octets)] = octet
        try:
            session.wire.feed(bytes(octets))
        except ProtocolViolation:
            assert not session.wire.engine.accepting
        session.wire.engine.lost("it is over")
        assert all(call.end is not None for call in session.calls)


@settings(max_examples=200, deadline=None)
@given(st.lists(PAYLOADS, max_size=4), st.lists(PAYLOADS, max_size=8), st.booleans())
def test_random_blocks_and_bodies(blocks: list[bytes], bodies: list[bytes], good: bool) -> None:
    """Past the frame layer: header blocks and messages of any content."""
    for engine_class in ENGINES:
        wire = Wire(engine_class)
        calls = [wire.unary(), wire.stream()]
        start = [wire.block(OK_HEADERS) if good else b"".join(blocks)] * 2
        try:
            for call, block in zip(calls, start, strict=True):
                wire.feed(f.frame(f.HEADERS, f.END_HEADERS, call.stream_id, block))
                wire.feed(*[f.data(call.stream_id, body) for body in bodies])
                wire.feed(wire.trailers(call.stream_id, OK_TRAILERS))
        except ProtocolViolation:
            pass
        wire.engine.lost("it is over")
        assert all(call.end is not None for call in calls)
