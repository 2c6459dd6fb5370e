"""Random servers that keep to the rules: both engines tell their streams the same, and send the same."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from engines import _frames as f
from engines._kit import ENGINES, OK_HEADERS, EngineClass, Told, Wire
from etcetra_trio.streams._protocol import BANDWIDTH_PROBE, Limits

# What one step of a script may be: (its name, numbers that say more).
Step = tuple[str, int, int, int]
OPEN = ["open unary", "open stream", "open large"]
NAMES = [
    "send", "half-close", "cancel", "consume", "ping us", "close", "release",
    "headers", "early", "data", "padded", "trailers", "trailers only", "http error", "bare end", "reset",
    "reset after end", "update", "update all", "window", "streams", "frames", "table", "ping", "probe", "goaway",
    "unknown", "priority",
]  # fmt: skip


@st.composite
def scripts(draw: st.DrawFn) -> list[Step]:
    """Few kinds of steps per script: they meet each other more often than if all were in it."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=2, max_size=9, unique=True))
    numbers = st.tuples(st.integers(0, 7), st.integers(0, 3), st.integers(0, 200) | st.integers(0, 70_000))
    some = st.lists(st.tuples(st.sampled_from(OPEN + names + names), numbers), min_size=5, max_size=60)
    return [(name, *more) for name, more in draw(some)]


OTHER_HEADERS = ((b":status", b"200"), (b"content-type", b"application/grpc+proto"), (b"x-more", b"of it"))
SETTINGS = {
    "window": f.INITIAL_WINDOW,
    "streams": f.MAX_STREAMS,
    "frames": f.MAX_FRAME,
    "table": f.TABLE_SIZE,
}


@dataclass
class Run:
    """One engine, and what a lawful server knows: its own streams, our windows, and what it has said already."""

    engine_class: EngineClass
    told: list[Told] = field(default_factory=list)
    sent: list[f.Sent] = field(default_factory=list)
    #: RPCs whose last message has been sent: nobody sends more on those.
    closed: set[Told] = field(default_factory=set)
    #: Streams whose request head the server has seen, and what it has answered to each: "", "headers".
    live: dict[int, str] = field(default_factory=dict)
    over: list[int] = field(default_factory=list)
    last: int = (1 << 31) - 1

    def __post_init__(self) -> None:
        self.wire = Wire(self.engine_class, Limits(stream_window=1 << 20, connection_window=1 << 21))
        self.taken: dict[Told, int] = {}

    def step(self, step: Step) -> None:
        name, which, how, size = step
        if name.startswith("open"):
            told = Told(unary=name != "open stream")
            message = bytes(size) if name == "open large" else b"m" * (size % 100)
            self.told.append(told)
            if how > 0:
                self.closed.add(told)
            self.wire.engine.open(
                told, self.wire.head(), message, end=how > 0, timeout=b"5S" if how == 3 else None
            )
        elif name in {"send", "half-close", "cancel", "consume"}:
            if self.told:
                self.ours(name, self.told[which % len(self.told)], size)
        elif name == "ping us":
            self.wire.engine.ping(b"12345678")
        elif name == "close":
            if how == 3 and which == 7:
                self.wire.engine.close()
        elif name == "release":
            self.wire.engine.release_probe()
        else:
            self.wire.feed(self.theirs(name, which, how, size))
            if name == "table":
                self.wire.reader.decoder.max_allowed_table_size = size % 5000
        self.collect()

    def ours(self, name: str, told: Told, size: int) -> None:
        engine = self.wire.engine
        if name == "send":
            if told not in self.closed:
                engine.send(told, b"s" * size)
        elif name == "half-close":
            self.closed.add(told)
            engine.half_close(told)
        elif name == "cancel":
            engine.cancel(told)
        else:
            costs = [what[2] for what in told.told if what[0] == "message" and isinstance(what[2], int)]
            engine.consumed(told, sum(costs[self.taken.get(told, 0) :]))
            self.taken[told] = len(costs)

    def collect(self) -> None:
        for sent in self.wire.sent():
            self.sent.append(sent)
            if sent[0] == "HEADERS":
                assert isinstance(sent[1], int)
                self.live[sent[1]] = ""
            elif sent[0] == "RST_STREAM":
                assert isinstance(sent[1], int)
                self.live.pop(sent[1], None)

    def theirs(self, name: str, which: int, how: int, size: int) -> bytes:
        if name in {"window", "streams", "frames", "table"}:
            return f.settings(
                (
                    SETTINGS[name],
                    {"streams": which, "frames": 16_384 + size, "table": size % 5000}.get(name, size),
                )
            )
        if name == "update all":
            return f.window_update(0, size + 1)
        if name == "ping":
            return f.ping(struct.pack(">Q", size))
        if name == "probe":
            return f.ping(BANDWIDTH_PROBE)
        if name == "unknown":
            return f.frame(0x20 + which, size & 0xFF, which, bytes(how))
        if name == "goaway":
            if how:
                return b""
            self.last = min(self.last, 2 * which + 1)
            self.live = {stream_id: state for stream_id, state in self.live.items() if stream_id <= self.last}
            return f.goaway(self.last, which, b"bye")
        if name == "reset after end":
            return f.rst(self.over[which % len(self.over)], how) if self.over else b""
        if not self.live:
            return b""
        return self.on_stream(name, sorted(self.live)[which % len(self.live)], how, size)

    def on_stream(self, name: str, stream_id: int, how: int, size: int) -> bytes:
        wire, state = self.wire, self.live[stream_id]
        if name == "priority":
            return f.frame(f.PRIORITY, 0, stream_id, struct.pack(">IB", 0, how))
        if name == "update":
            return f.window_update(stream_id, size + 1)
        if name == "reset":
            self.end(stream_id)
            return f.rst(stream_id, how + which_code(size))
        if state == "" and name == "early":
            return wire.headers(stream_id, ((b":status", b"103"),))
        if state == "" and name == "headers":
            self.live[stream_id] = "headers"
            return wire.headers(stream_id, OTHER_HEADERS if how == 3 else OK_HEADERS)
        if state == "" and name in {"trailers only", "http error"}:
            self.end(stream_id)
            fields = (*OK_HEADERS, (b"grpc-status", b"%d" % how), (b"grpc-message", b"m%%20%d" % size))
            return wire.trailers(
                stream_id, fields if name == "trailers only" else ((b":status", b"50%d" % how),)
            )
        if state == "headers" and name in {"data", "padded"}:
            payload = f.message(b"d" * min(size, 15_000)) * (1 if size > 5000 else how)
            if how == 3:
                payload = payload[: len(payload) // 2 + 1]
            return f.data(stream_id, payload[:16_000], pad=how * 50 if name == "padded" else None)
        if state == "headers" and name == "trailers":
            self.end(stream_id)
            return wire.trailers(stream_id, ((b"grpc-status", b"%d" % (how % 3)), (b"grpc-message", b"bad%")))
        if state == "headers" and name == "bare end":
            self.end(stream_id)
            return f.data(stream_id, end=True)
        return b""

    def end(self, stream_id: int) -> None:
        del self.live[stream_id]
        self.over.append(stream_id)

    def without_credit(self) -> list[f.Sent]:
        """What was sent but for WINDOW_UPDATEs of the connection, whose batches engines may cut as they like."""
        return [sent for sent in self.sent if sent[:2] != ("WINDOW_UPDATE", 0)]


def which_code(size: int) -> int:
    return size % 14


@settings(max_examples=400, deadline=None)
@given(scripts())
def test_both_engines_say_the_same(steps: list[Step]) -> None:
    lean, h2 = (Run(engine_class) for engine_class in ENGINES)
    for number, step in enumerate(steps):
        lean.step(step)
        h2.step(step)
        assert [told.told for told in lean.told] == [told.told for told in h2.told], (
            f"after step {number}: {step}"
        )
        assert lean.without_credit() == h2.without_credit(), f"after step {number}: {step}"
        assert list(lean.wire.engine.streams) == list(h2.wire.engine.streams)
        assert lean.wire.engine.waiting_streams == h2.wire.engine.waiting_streams
        assert lean.wire.engine.probe_held == h2.wire.engine.probe_held
        assert lean.wire.engine.accepting == h2.wire.engine.accepting
    for run in (lean, h2):
        run.wire.engine.lost("the end")
    assert [told.told for told in lean.told] == [told.told for told in h2.told]
    assert lean.wire.engine.streams == h2.wire.engine.streams == {}
