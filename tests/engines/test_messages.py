"""gRPC messages out of DATA frames: every cut, the caps, and what may go wrong in them."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines import _frames as f
from engines._kit import OK_HEADERS, EngineClass, Told, Wire
from etcetra_trio.streams._protocol import Limits

INTERNAL, RESOURCE_EXHAUSTED = 13, 8


def test_zero_length_messages(wire: Wire) -> None:
    told, stream = wire.unary(), wire.stream()
    wire.feed(wire.headers(1), f.data(1, f.message(b"")), wire.trailers(1))
    wire.feed(wire.headers(3), f.data(3, f.message(b"") * 3), wire.trailers(3))
    assert told.told == [("end", "status", 0, "", b"")]
    assert stream.told == [("headers", OK_HEADERS), *[("message", b"", 5)] * 3, ("end", "status", 0, "")]


def test_many_messages_in_one_frame(wire: Wire) -> None:
    stream = wire.stream()
    wire.feed(wire.headers(1), f.data(1, b"".join(f.message(b"m%d" % number) for number in range(10))))
    assert stream.told[1:] == [("message", b"m%d" % number, 7) for number in range(10)]


def test_a_message_over_many_frames_costs_only_its_last_part(wire: Wire) -> None:
    """What was incomplete has been credited already."""
    stream = wire.stream()
    whole = f.message(bytes(range(256)) * 10) + f.message(b"next")
    wire.feed(wire.headers(1))
    for start in range(0, len(whole), 100):
        wire.feed(f.data(1, whole[start : start + 100]))
    # 2565 octets of the first: 2500 were credited; 9 of the second, all in the last frame.
    assert stream.told[1:] == [("message", bytes(range(256)) * 10, 65), ("message", b"next", 9)]


@pytest.mark.parametrize("cut", range(1, 14))
def test_every_cut_of_two_messages(wire: Wire, cut: int) -> None:
    stream, told = wire.stream(), wire.unary()
    both = f.message(b"ab") + f.message(b"cd")
    wire.feed(wire.headers(1), f.data(1, both[:cut]), f.data(1, both[cut:]), wire.trailers(1))
    assert stream.messages == [b"ab", b"cd"]
    assert stream.end is not None
    assert stream.end.kind == "status"
    one = f.message(b"answered")
    wire.feed(wire.headers(3), f.data(3, one[:cut]), f.data(3, one[cut:]), wire.trailers(3))
    assert told.told == [("end", "status", 0, "", b"answered")]


@given(
    st.lists(st.binary(max_size=40), max_size=6),
    st.lists(st.integers(1, 30), min_size=1, max_size=40),
    st.booleans(),
)
def test_costs_and_credits_add_up(payloads: list[bytes], cuts: list[int], pad: bool) -> None:
    """However the octets are cut: the messages arrive, and no octet of the window is credited twice or lost."""
    for engine_class in _engine_classes():
        # A window small enough that every credit shows: half of it is one octet.
        wire = Wire(engine_class, Limits(stream_window=65_535))
        stream = wire.stream()
        octets = b"".join(f.message(payload) for payload in payloads)
        wire.feed(wire.headers(1))
        received, at = 0, 0
        for cut in _forever(cuts):
            if at >= len(octets):
                break
            frame = f.data(1, octets[at : at + cut], pad=3 if pad else None)
            received += len(frame) - 9
            at += cut
            wire.feed(frame)
        assert stream.messages == payloads
        cost = sum(told[2] for told in stream.told if told[0] == "message" and isinstance(told[2], int))
        assert stream.owed + cost == received
        wire.engine.consumed(stream, cost)
        assert stream.owed == received


def _engine_classes() -> tuple[EngineClass, ...]:
    from engines._kit import ENGINES

    return ENGINES


def _forever(cuts: list[int]) -> list[int]:
    return cuts * 300


@pytest.mark.parametrize("prefix", [b"\x01", b"\x02", b"\xff"])
def test_compressed_messages_were_not_offered(wire: Wire, prefix: bytes) -> None:
    told, stream = wire.unary(), wire.stream()
    wire.sent()
    for stream_id in (1, 3):
        wire.feed(wire.headers(stream_id), f.data(stream_id, prefix + f.message(b"zip")[1:]))
    wire.feed(wire.trailers(1))
    assert told.end is not None
    assert stream.end is not None
    assert (told.end.kind, told.end.status, told.message) == ("message", INTERNAL, None)
    assert (stream.end.kind, stream.end.status) == ("message", INTERNAL)
    assert stream.messages == []
    assert ("RST_STREAM", 3, 8) in wire.sent()
    assert wire.engine.streams == {}


@pytest.mark.parametrize("unary", [True, False], ids=["unary", "stream"])
def test_a_message_above_the_cap_is_refused_by_its_prefix(engine_class: EngineClass, unary: bool) -> None:
    wire = Wire(engine_class, Limits(message=1000))
    told = wire.unary() if unary else wire.stream()
    wire.feed(wire.headers(1), f.data(1, f.message(b"x" * 1001)[:20]), f.data(1, b"x"))
    assert told.end is not None
    assert (told.end.kind, told.end.status, told.message) == ("message", RESOURCE_EXHAUSTED, None)
    assert (
        "1,001 octets is larger than the client's max_receive_size of 1,000: ask for less" in told.end.message
    )
    assert wire.sent()[-1] == ("RST_STREAM", 1, 8)
    # What still comes is ignored.
    wire.feed(f.data(1, b"x" * 500))
    assert [what for what in told.told if what[0] != "headers"] == [told.told[-1]]


@pytest.mark.parametrize("unary", [True, False], ids=["unary", "stream"])
def test_a_message_of_exactly_the_cap_arrives(engine_class: EngineClass, unary: bool) -> None:
    wire = Wire(engine_class, Limits(message=1000))
    told = wire.unary() if unary else wire.stream()
    octets = f.message(b"x" * 1000)
    wire.feed(
        wire.headers(1), *(f.data(1, octets[at : at + 300]) for at in range(0, 1005, 300)), wire.trailers(1)
    )
    assert (told.message if unary else told.messages[0]) == b"x" * 1000
    assert told.end is not None
    assert told.end.kind == "status"


@pytest.mark.parametrize("unary", [True, False], ids=["unary", "stream"])
def test_nothing_is_allocated_by_a_prefix(wire: Wire, unary: bool) -> None:
    """64 MiB are announced a hundred times, and one octet of each comes."""
    tracemalloc.start()
    try:
        for number in range(100):
            told = wire.unary() if unary else wire.stream()
            wire.feed(
                wire.headers(told.stream_id),
                f.data(told.stream_id, b"\0" + (64 << 20).to_bytes(4, "big") + b"x"),
            )
            wire.feed(f.data(told.stream_id, b"x"))
            assert told.end is None
            assert told.stream_id == 2 * number + 1
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_more_than_one_message_on_a_unary_call_is_not_collected_for_ever(engine_class: EngineClass) -> None:
    wire = Wire(engine_class, Limits(message=10_000))
    told = wire.unary()
    wire.feed(wire.headers(1))
    for _ in range(10):
        wire.feed(f.data(1, f.message(b"x" * 1995)))
        if told.end is not None:
            break
    assert told.end is not None
    assert (told.end.kind, told.end.status, told.message) == ("message", INTERNAL, None)
    assert wire.sent()[-1] == ("RST_STREAM", 1, 8)


@pytest.mark.parametrize("size", range(1, 10))
def test_never_half_a_message(wire: Wire, size: int) -> None:
    """Status OK after a part of a message is no OK."""
    told, stream, late = wire.unary(), wire.stream(), wire.stream()
    part = f.message(b"answer")[:size]
    wire.feed(wire.headers(1), f.data(1, part), wire.trailers(1))
    wire.feed(wire.headers(3), f.data(3, part), wire.trailers(3))
    wire.feed(wire.headers(5), f.data(5, f.message(b"whole") + part), wire.trailers(5))
    for one in (told, stream, late):
        assert one.end is not None
        assert (one.end.kind, one.end.status, one.message) == ("message", INTERNAL, None)
    assert stream.messages == []
    assert late.messages == [b"whole"]


def test_an_error_status_wins_over_half_a_message(wire: Wire) -> None:
    told, stream = wire.unary(), wire.stream()
    for stream_id in (1, 3):
        wire.feed(
            wire.headers(stream_id),
            f.data(stream_id, b"\0\0\0"),
            wire.trailers(stream_id, ((b"grpc-status", b"14"),)),
        )
    assert told.told == [("end", "status", 14, "", None)]
    assert stream.told[1:] == [("end", "status", 14, "")]


def test_cancelling_inside_on_message_stops_the_rest(wire: Wire) -> None:
    def cancel_at_two(told: Told, what: str) -> None:
        if what == "message" and len(told.messages) == 2:
            wire.engine.cancel(told)

    stream = wire.stream(on=cancel_at_two)
    wire.sent()
    wire.feed(wire.headers(1), f.data(1, f.message(b"m") * 5 + b"\0\0"), f.data(1, f.message(b"m")))
    assert stream.messages == [b"m", b"m"]
    assert stream.end is None
    assert wire.sent() == [("RST_STREAM", 1, 8)]


def test_cancelling_inside_on_message_of_the_last_frame(wire: Wire) -> None:
    def cancel(told: Told, what: str) -> None:
        if what == "message":
            wire.engine.cancel(told)

    stream = wire.stream(on=cancel)
    wire.feed(wire.headers(1), f.data(1, f.message(b"m") * 2, end=True))
    assert stream.messages == [b"m"]
    assert stream.end is None
    assert wire.engine.streams == {}


def test_opening_inside_on_end(wire: Wire) -> None:
    """A call that ends may start the next one at once."""
    told: list[Told] = []

    def again(one: Told, what: str) -> None:
        if what == "end" and len(told) < 5:
            told.append(wire.stream(on=again))

    told.append(wire.stream(on=again))
    for stream_id in (1, 3, 5, 7, 9):
        wire.feed(wire.answer(stream_id))
    assert [one.messages for one in told] == [[b"answer"]] * 5
    assert wire.engine.streams == {}
