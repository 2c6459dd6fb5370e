"""What we let the server send: the connection is credited at once, a stream when its messages were taken."""

from __future__ import annotations

from engines import _frames as f
from engines._kit import OK_HEADERS, OK_TRAILERS, EngineClass, Pair, Wire
from etcetra_trio.streams._protocol import FLOW_CONTROL_ERROR, Limits

FRAME = 16_384


def connection_credit(wire: Wire) -> int:
    return sum(
        sent[2] for sent in wire.sent() if sent[:2] == ("WINDOW_UPDATE", 0) and isinstance(sent[2], int)
    )


class Sender:
    """h2's server sending a body as fast as our windows let it."""

    def __init__(self, pair: Pair, stream_id: int, octets: bytes) -> None:
        self.pair, self.stream_id, self.left = pair, stream_id, octets
        pair.server.send_headers(stream_id, OK_HEADERS)

    def push(self) -> int:
        """Send until stalled; how much is left."""
        server = self.pair.server
        while self.left:
            self.pair.pump()
            room = min(server.local_flow_control_window(self.stream_id), FRAME)
            if room <= 0:
                break
            server.send_data(self.stream_id, self.left[:room])
            self.left = self.left[room:]
        self.pair.pump()
        return len(self.left)

    def finish(self) -> None:
        self.pair.server.send_headers(self.stream_id, OK_TRAILERS, end_stream=True)
        self.pair.pump()


def test_ten_megabytes_on_a_unary_call(pair: Pair) -> None:
    told = pair.unary()
    pair.pump()
    body = bytes(10_000_000)
    sender = Sender(pair, 1, f.message(body))
    assert sender.push() == 0
    sender.finish()
    assert told.message == body


def test_a_slow_consumer_stalls_its_stream_only(engine_class: EngineClass) -> None:
    limits = Limits(stream_window=200_000, connection_window=300_000)
    pair = Pair(engine_class, limits)
    stream = pair.stream()
    pair.pump()
    events = f.message(b"e" * 995) * 1000
    sender = Sender(pair, 1, events)
    left = sender.push()
    assert left == 1_000_000 - 200_000
    assert len(stream.messages) == 200
    # The other streams, and large answers among them, go on.
    for _ in range(5):
        told = pair.unary()
        pair.pump()
        other = Sender(pair, told.stream_id, f.message(bytes(500_000)))
        assert other.push() == 0
        other.finish()
        assert told.message == bytes(500_000)
    assert sender.push() == left
    # The consumer wakes up.
    taken = 0
    while sender.left or taken < len(stream.messages):
        costs = [what[2] for what in stream.told if what[0] == "message"]
        for cost in costs[taken:]:
            assert isinstance(cost, int)
            pair.engine.consumed(stream, cost)
        taken = len(costs)
        sender.push()
    assert stream.messages == [b"e" * 995] * 1000
    sender.finish()
    assert stream.end is not None
    assert stream.end.status == 0


def test_a_message_larger_than_the_stream_window_arrives(engine_class: EngineClass) -> None:
    pair = Pair(engine_class, Limits(stream_window=100_000, connection_window=200_000))
    stream = pair.stream()
    pair.pump()
    body = bytes(range(256)) * 4000
    sender = Sender(pair, 1, f.message(b"small") + f.message(body))
    # While something waits to be taken the window holds for what comes behind it, whole or not.
    assert sender.push() == 10 + len(body) + 5 - 100_000
    pair.engine.consumed(stream, 10)
    assert sender.push() == 0
    assert stream.messages == [b"small", body]


def test_the_connection_is_credited_at_half_its_window(engine_class: EngineClass) -> None:
    wire = Wire(engine_class, Limits(connection_window=200_000, stream_window=1 << 20))
    wire.stream()
    wire.sent()
    wire.feed(wire.headers(1), *[f.data(1, f.message(bytes(FRAME - 5)))] * 6)
    assert wire.sent() == []
    wire.feed(f.data(1, f.message(bytes(FRAME - 5))))
    assert wire.sent() == [("WINDOW_UPDATE", 0, 7 * FRAME)]


def test_a_stream_is_credited_when_its_messages_are_taken(engine_class: EngineClass) -> None:
    wire = Wire(engine_class, Limits(stream_window=65_536))
    stream = wire.stream()
    wire.sent()
    wire.feed(wire.headers(1), *[f.data(1, f.message(bytes(FRAME - 5)))] * 4)
    assert wire.sent() == []
    wire.engine.consumed(stream, FRAME)
    assert wire.sent() == []
    wire.engine.consumed(stream, FRAME)
    assert wire.sent() == [("WINDOW_UPDATE", 1, 2 * FRAME)]
    wire.engine.consumed(stream, 2 * FRAME)
    assert wire.sent() == [("WINDOW_UPDATE", 1, 2 * FRAME)]


def test_a_unary_call_is_credited_at_once(engine_class: EngineClass) -> None:
    wire = Wire(engine_class, Limits(stream_window=65_536))
    told = wire.unary()
    wire.sent()
    whole = f.message(bytes(4 * FRAME))
    wire.feed(wire.headers(1), f.data(1, whole[:FRAME]), f.data(1, whole[FRAME : 2 * FRAME]))
    assert wire.sent() == [("WINDOW_UPDATE", 1, 2 * FRAME)]
    wire.feed(f.data(1, whole[2 * FRAME : 3 * FRAME]), f.data(1, whole[3 * FRAME : 4 * FRAME]))
    assert wire.sent() == [("WINDOW_UPDATE", 1, 2 * FRAME)]
    wire.feed(f.data(1, whole[4 * FRAME :]), wire.trailers(1))
    assert told.message == bytes(4 * FRAME)


def test_octets_of_an_incomplete_message_are_credited_at_once(engine_class: EngineClass) -> None:
    wire = Wire(engine_class, Limits(stream_window=65_536))
    stream = wire.stream()
    wire.sent()
    whole = f.message(bytes(3 * FRAME - 5))
    wire.feed(wire.headers(1), f.data(1, whole[:FRAME]), f.data(1, whole[FRAME : 2 * FRAME]))
    assert wire.sent() == [("WINDOW_UPDATE", 1, 2 * FRAME)]
    wire.feed(f.data(1, whole[2 * FRAME :]))
    assert stream.told[-1] == ("message", bytes(3 * FRAME - 5), FRAME)
    assert wire.sent() == []


def test_padding_is_credited_at_once(engine_class: EngineClass) -> None:
    """Nobody consumes padding, so a stream of padded messages would stall for ever on the debt."""
    wire = Wire(engine_class, Limits(stream_window=65_536))
    stream = wire.stream()
    wire.sent()
    wire.feed(wire.headers(1), *[f.data(1, f.message(b"m"), pad=255)] * 127)
    assert wire.sent() == []
    wire.feed(f.data(1, f.message(b"m"), pad=255))
    assert wire.sent() == [("WINDOW_UPDATE", 1, 128 * 256)]
    assert stream.told[1:] == [("message", b"m", 6)] * 128


def test_a_body_that_is_no_grpc_does_not_stall_the_connection(engine_class: EngineClass) -> None:
    wire = Wire(engine_class, Limits(connection_window=200_000))
    wire.unary()
    wire.sent()
    wire.feed(wire.headers(1, ((b":status", b"500"),)), *[f.data(1, bytes(FRAME))] * 7)
    assert connection_credit(wire) == 7 * FRAME


def test_ended_streams_are_not_credited(engine_class: EngineClass) -> None:
    wire = Wire(engine_class, Limits(stream_window=65_536))
    stream = wire.stream(end=True)
    wire.sent()
    wire.feed(wire.headers(1), *[f.data(1, f.message(bytes(FRAME - 5)))] * 4, wire.trailers(1))
    wire.engine.consumed(stream, 4 * FRAME)
    assert wire.sent() == []


def test_the_server_overruns_a_streams_window(engine_class: EngineClass) -> None:
    wire = Wire(engine_class, Limits(stream_window=65_536))
    stream, other = wire.stream(), wire.unary()
    wire.sent()
    full = [wire.headers(1), *[f.data(1, f.message(bytes(FRAME - 5)))] * 4]
    if wire.excepted("stream window overrun"):
        wire.breach(FLOW_CONTROL_ERROR, *full, f.data(1, b"\0"))
        assert len(stream.messages) == 4
        assert stream.end is None
    else:
        wire.feed(*full)
        assert [what[0] for what in stream.told] == ["headers", *["message"] * 4]
        wire.feed(f.data(1, b"\0"))
        assert stream.end is not None
        assert (stream.end.kind, stream.end.status) == ("message", 13)
        assert wire.sent() == [("RST_STREAM", 1, FLOW_CONTROL_ERROR)]
        wire.feed(wire.answer(3))
        assert other.message == b"answer"


def test_padding_counts_against_the_window(engine_class: EngineClass) -> None:
    wire = Wire(engine_class, Limits(stream_window=65_536))
    stream = wire.stream()
    wire.feed(
        wire.headers(1),
        *[f.data(1, f.message(bytes(FRAME - 5)))] * 3,
        f.data(1, f.message(bytes(FRAME - 5 - 256)), pad=255),
    )
    assert len(stream.messages) == 4
    # 256 octets of padding were credited, but that is not sent yet: the window is used up.
    if wire.excepted("stream window overrun"):
        wire.breach(FLOW_CONTROL_ERROR, f.data(1, b"\0"))
    else:
        wire.feed(f.data(1, b"\0"))
        assert stream.end is not None
        assert stream.end.kind == "message"
