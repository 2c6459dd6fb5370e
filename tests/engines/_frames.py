"""Raw frames as a server writes them, and what a client sent, read by an independent parser."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from hpack import Decoder
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = (
    range(10)
)
END_STREAM = ACK = 0x1
END_HEADERS, PADDED, PRIORITISED = 0x4, 0x8, 0x20
TABLE_SIZE, ENABLE_PUSH, MAX_STREAMS, INITIAL_WINDOW, MAX_FRAME, MAX_HEADER_LIST = range(1, 7)
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

#: What a client sent, one tuple per frame: its name, its stream (where it has one), what matters of it.
Sent = tuple[object, ...]


def frame(kind: int, flags: int = 0, stream_id: int = 0, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream_id.to_bytes(4, "big") + payload


def data(stream_id: int, payload: bytes = b"", *, end: bool = False, pad: int | None = None) -> bytes:
    flags = END_STREAM if end else 0
    if pad is not None:
        flags |= PADDED
        payload = bytes((pad,)) + payload + bytes(pad)
    return frame(DATA, flags, stream_id, payload)


def rst(stream_id: int, code: int) -> bytes:
    return frame(RST_STREAM, 0, stream_id, code.to_bytes(4, "big"))


def window_update(stream_id: int, octets: int) -> bytes:
    return frame(WINDOW_UPDATE, 0, stream_id, octets.to_bytes(4, "big"))


def settings(*pairs: tuple[int, int]) -> bytes:
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *pair) for pair in pairs))


def goaway(last: int, code: int = 0, debug: bytes = b"") -> bytes:
    return frame(GOAWAY, 0, 0, struct.pack(">II", last, code) + debug)


def ping(payload: bytes = b"01234567", *, ack: bool = False) -> bytes:
    return frame(PING, ACK if ack else 0, 0, payload)


def message(payload: bytes, *, compressed: int = 0) -> bytes:
    """A gRPC message with its prefix."""
    return bytes((compressed,)) + len(payload).to_bytes(4, "big") + payload


SETTINGS_ACK = frame(SETTINGS, ACK)


class ClientReader:
    """Reads a client's octets: keeps the state of its HPACK encoder, and nothing else."""

    def __init__(self) -> None:
        self.decoder = Decoder()
        self._block = b""

    def read(self, octets: bytes) -> list[Sent]:
        """Everything in ``octets``, which must be whole frames."""
        return list(self._read(octets))

    def _read(self, octets: bytes) -> Iterator[Sent]:
        view = memoryview(octets)
        while view:
            parsed, length = Frame.parse_frame_header(view[:9], strict=True)
            assert len(view) >= 9 + length, "the engine sent a part of a frame"
            parsed.parse_body(view[9 : 9 + length])
            view = view[9 + length :]
            told = self._tell(parsed)
            if told is not None:
                yield told

    def _tell(self, parsed: Frame) -> Sent | None:
        end = ("end",) if "END_STREAM" in parsed.flags else ()
        ack = "_ACK" if "ACK" in parsed.flags else ""
        match parsed:
            case HeadersFrame() | ContinuationFrame():
                self._block += parsed.data
                if "END_HEADERS" not in parsed.flags:
                    return None
                block, self._block = self._block, b""
                fields = tuple((bytes(k), bytes(v)) for k, v in self.decoder.decode(block, raw=True))
                return ("HEADERS", parsed.stream_id, fields, *end)
            case DataFrame():
                return ("DATA", parsed.stream_id, parsed.data, *end)
            case RstStreamFrame():
                return ("RST_STREAM", parsed.stream_id, parsed.error_code)
            case SettingsFrame():
                return ("SETTINGS_ACK",) if ack else ("SETTINGS", dict(parsed.settings))
            case PingFrame():
                return ("PING" + ack, parsed.opaque_data)
            case WindowUpdateFrame():
                return ("WINDOW_UPDATE", parsed.stream_id, parsed.window_increment)
            case GoAwayFrame():
                return ("GOAWAY", parsed.last_stream_id, parsed.error_code)
        raise AssertionError(parsed)
