"""etcd's two faces as they were recorded: grpc-go's own transport, and Go's net/http2 behind TLS."""

from __future__ import annotations

from engines import _frames as f
from engines._kit import OK_HEADERS, EngineClass, Wire
from etcetra_trio.streams._protocol import BANDWIDTH_PROBE


def etcd_plain(wire: Wire, stream_id: int) -> list[bytes]:
    """grpc-go's own transport: the answer comes with a window update and a bandwidth probe."""
    return [
        f.window_update(0, 13),
        f.ping(BANDWIDTH_PROBE),
        wire.headers(stream_id),
        f.data(stream_id, f.message(b"kv")),
        wire.trailers(stream_id),
    ]


def test_etcd_plain_style(engine_class: EngineClass) -> None:
    wire = Wire(engine_class, settings=[(f.MAX_FRAME, 16384)], hold_probes=False)
    for call in range(4):
        told = wire.unary()
        wire.sent()
        wire.feed(*etcd_plain(wire, 2 * call + 1))
        assert told.told == [("end", "status", 0, "", b"kv")]
        assert wire.sent() == [("PING_ACK", BANDWIDTH_PROBE)]
    told = wire.unary()
    error = ((b"grpc-status", b"3"), (b"grpc-message", b"etcdserver: key is not provided"))
    wire.feed(wire.trailers(9, (*OK_HEADERS, *error)))
    assert told.told == [("end", "status", 3, "etcdserver: key is not provided", None)]


def test_etcd_tls_style(engine_class: EngineClass) -> None:
    """Go's net/http2 behind etcd's TLS port: 1 MiB windows, announced trailers, errors as headers and then trailers."""
    settings = [
        (f.MAX_FRAME, 1 << 20),
        (f.MAX_STREAMS, 250),
        (f.MAX_HEADER_LIST, 1 << 20 | 320),
        (f.INITIAL_WINDOW, 1 << 20),
        (9, 1),
    ]
    wire = Wire(engine_class, settings=settings)
    wire.feed(f.window_update(0, (1 << 20) - 65_535))
    headers = (
        *OK_HEADERS,
        (b"trailer", b"Grpc-Status"),
        (b"trailer", b"Grpc-Message"),
        (b"trailer", b"Grpc-Status-Details-Bin"),
        (b"date", b"Tue, 24 Nov 2026 03:00:00 GMT"),
    )
    good, bad, watch = wire.unary(), wire.unary(), wire.stream()
    wire.feed(wire.headers(1, headers), f.data(1, f.message(b"kv")), wire.trailers(1))
    wire.feed(
        wire.headers(3, headers), wire.trailers(3, ((b"grpc-status", b"11"), (b"grpc-message", b"compacted")))
    )
    assert good.told == [("end", "status", 0, "", b"kv")]
    assert bad.told == [("end", "status", 11, "compacted", None)]
    # A shutdown ends watches without a word.
    wire.feed(wire.headers(5, headers), f.data(5, f.message(b"created")), f.data(5, end=True), f.rst(5, 0))
    assert [what[:3] for what in watch.told[1:]] == [
        ("message", b"created", 12),
        ("end", "missing-status", 2),
    ]
