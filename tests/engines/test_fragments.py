"""The same session, cut in every way: what is told and what is sent never depends on the cuts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engines import _frames as f
from engines._kit import ENGINES, OK_HEADERS, EngineClass, Wire

Outcome = tuple[list[list[tuple[object, ...]]], list[f.Sent]]


class Session:
    """A recorded server: every kind of frame, three calls and two streams."""

    def __init__(self, engine_class: EngineClass) -> None:
        self.wire = wire = Wire(engine_class, settings=None, hold_probes=False)
        self.calls = [
            wire.unary(b"1"),
            wire.unary(b"3"),
            wire.stream(b"5"),
            wire.stream(b"7"),
            wire.unary(b"9"),
        ]
        wire.sent()

    def octets(self) -> bytes:
        wire = self.wire
        long = wire.block([*OK_HEADERS, (b"x-long", b"abcdefgh" * 4)])
        third = len(long) // 3
        return b"".join(
            [
                f.settings((f.MAX_STREAMS, 100), (f.INITIAL_WINDOW, 70_000), (9, 1)),
                f.SETTINGS_ACK,
                f.window_update(0, 1000),
                f.frame(f.HEADERS, 0, 5, long[:third]),
                f.frame(f.CONTINUATION, 0, 5, long[third : 2 * third]),
                f.frame(f.CONTINUATION, f.END_HEADERS, 5, long[2 * third :]),
                f.ping(b"\x02\x04\x10\x10\t\x0e\x07\x07"),
                wire.headers(1),
                f.data(5, f.message(b"created")[:8], pad=7),
                f.data(1, f.message(b"answer")),
                f.data(5, f.message(b"created")[8:] + f.message(b"")),
                f.frame(0xFA, 0xFF, 0, b"unknown"),
                wire.trailers(1),
                f.frame(f.PRIORITY, 0, 5, bytes(4) + b"\x10"),
                wire.trailers(3, (*OK_HEADERS, (b"grpc-status", b"5"), (b"grpc-message", b"not%20here"))),
                f.window_update(5, 5),
                f.ping(b"keepaliv"),
                f.rst(7, 7),
                f.goaway(7, 0, b"graceful_stop"),
                wire.trailers(5),
            ]
        )

    def outcome(self) -> Outcome:
        return [call.told for call in self.calls], self.wire.sent()


EXPECTED = [
    [("end", "status", 0, "", b"answer")],
    [("end", "status", 5, "not here", None)],
    [
        ("headers", (*OK_HEADERS, (b"x-long", b"abcdefgh" * 4))),
        ("message", b"created", 4),
        ("message", b"", 5),
        ("end", "status", 0, ""),
    ],
    [("end", "refused", 14, "the server reset the stream: REFUSED_STREAM")],
    [("end", "goaway", 14, "the server said goodbye (GOAWAY NO_ERROR, 'graceful_stop')", None)],
]
SENT = [
    ("SETTINGS_ACK",),
    ("PING_ACK", b"\x02\x04\x10\x10\t\x0e\x07\x07"),
    ("PING_ACK", b"keepaliv"),
    ("RST_STREAM", 5, 0),
]


def test_in_one_piece(engine_class: EngineClass) -> None:
    session = Session(engine_class)
    session.wire.feed(session.octets())
    assert session.outcome() == (EXPECTED, SENT)
    assert session.wire.engine.streams == {}


def test_octet_by_octet(engine_class: EngineClass) -> None:
    session = Session(engine_class)
    for octet in session.octets():
        session.wire.feed(bytes((octet,)))
    assert session.outcome() == (EXPECTED, SENT)


def test_every_split_in_two(engine_class: EngineClass) -> None:
    length = len(Session(engine_class).octets())
    for split in range(length + 1):
        session = Session(engine_class)
        octets = session.octets()
        session.wire.feed(octets[:split])
        session.wire.feed(octets[split:])
        assert session.outcome() == (EXPECTED, SENT), f"split at {split}"


@given(st.lists(st.integers(0, 60), min_size=1, max_size=30))
def test_random_splits(cuts: list[int]) -> None:
    for engine_class in ENGINES:
        session = Session(engine_class)
        octets = session.octets()
        for cut in cuts:
            session.wire.feed(octets[:cut])
            octets = octets[cut:]
        session.wire.feed(octets)
        assert session.outcome() == (EXPECTED, SENT)
