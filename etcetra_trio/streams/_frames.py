"""HTTP/2 frames as octets (RFC 9113, 4.1 and 6) and header blocks that need no table (RFC 7541). Pure."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from .._version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._grpc import Field
    from ._protocol import Limits

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = (
    range(10)
)
END_STREAM = ACK = 0x1
END_HEADERS, PADDED, PRIORITISED = 0x4, 0x8, 0x20
(
    HEADER_TABLE_SIZE,
    ENABLE_PUSH,
    MAX_CONCURRENT_STREAMS,
    INITIAL_WINDOW_SIZE,
    MAX_FRAME_SIZE,
    MAX_HEADER_LIST_SIZE,
) = range(1, 7)
DEFAULT_WINDOW, DEFAULT_FRAME, LARGEST_FRAME = 65_535, 16_384, 16_777_215

USER_AGENT = f"grpc-python-etcetra-trio/{__version__}".encode()
FRAME_HEADER = 9
#: The length as its high octet pair and its low octet, type, flags, stream id.
unpack_header = struct.Struct(">HBBBI").unpack_from
#: The same, with type and flags as one number.
unpack_frame = struct.Struct(">HBHI").unpack_from
#: That with a message's prefix behind it.
unpack_message = struct.Struct(">HBHIBI").unpack_from
pack_header = struct.Struct(">HBBBI").pack
#: A DATA frame's header with the message's prefix behind it.
MESSAGE_FORMAT = "HBBBIBI"
pack_message_header = struct.Struct(f">{MESSAGE_FORMAT}").pack
unpack_setting = struct.Struct(">HI").iter_unpack
unpack_two = struct.Struct(">II").unpack_from

#: Words of a GOAWAY, in octets: they may quote what a server sent.
GOAWAY_DEBUG = 128
#: With this every client begins.
MAGIC = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS_ACK = pack_header(0, 0, SETTINGS, ACK, 0)
PING_ACK = pack_header(0, 8, PING, ACK, 0)
PING_HEADER = pack_header(0, 8, PING, 0, 0)


def first_stream(frames: bytes, start: int = 0) -> int:
    """The first stream to begin at ``start`` or behind it in a client's frames; 2^31, which is none, if none does."""
    at = len(MAGIC) if frames.startswith(MAGIC) else 0
    while at < len(frames):
        high, low, kind, _, stream_id = unpack_header(frames, at)
        if kind == HEADERS and at >= start:
            found: int = stream_id
            return found
        at += FRAME_HEADER + (high << 8 | low)
    return 1 << 31


def preface(limits: Limits) -> bytes:
    """What a client says first (RFC 9113, 3.4), with our windows."""
    settings = b"".join(
        struct.pack(">HI", setting, value)
        for setting, value in (
            (ENABLE_PUSH, 0),
            (INITIAL_WINDOW_SIZE, limits.stream_window),
            (MAX_HEADER_LIST_SIZE, limits.header_list),
        )
    )
    greeting = MAGIC + pack_header(0, len(settings), SETTINGS, 0, 0) + settings
    return greeting + window_update(0, limits.connection_window - DEFAULT_WINDOW)


def window_update(stream_id: int, octets: int) -> bytes:
    """A WINDOW_UPDATE frame."""
    return pack_header(0, 4, WINDOW_UPDATE, 0, stream_id) + octets.to_bytes(4, "big")


def rst_stream(stream_id: int, error_code: int) -> bytes:
    """An RST_STREAM frame."""
    return pack_header(0, 4, RST_STREAM, 0, stream_id) + error_code.to_bytes(4, "big")


def goaway(error_code: int, debug: bytes) -> bytes:
    """A client's GOAWAY, with the beginning of ``debug``: the server opens no streams, so the last one is 0."""
    debug = debug[:GOAWAY_DEBUG]
    return pack_header(0, 8 + len(debug), GOAWAY, 0, 0) + bytes(4) + error_code.to_bytes(4, "big") + debug


def request_fields(path: str, authority: str, scheme: str, metadata: Sequence[Field]) -> list[Field]:
    """The header fields of a gRPC request (PROTOCOL-HTTP2, "Requests")."""
    return [
        (b":method", b"POST"),
        (b":scheme", scheme.encode()),
        (b":path", path.encode()),
        (b":authority", authority.encode()),
        (b"te", b"trailers"),
        (b"content-type", b"application/grpc"),
        (b"user-agent", USER_AGENT),
        *metadata,
    ]


def literal(name: bytes, value: bytes) -> bytes:
    """A field that no table keeps (RFC 7541, 6.2.3, never indexed): stateless, and right for credentials."""
    return b"\x10" + _string(name) + _string(value)


def encode_fields(fields: Sequence[Field]) -> bytes:
    """A header block that neither reads nor writes the dynamic table."""
    return b"".join(_INDEXED.get(field) or literal(*field) for field in fields)


# RFC 7541, appendix A: the whole fields of the static table that requests use.
_INDEXED = {(b":method", b"POST"): b"\x83", (b":scheme", b"http"): b"\x86", (b":scheme", b"https"): b"\x87"}


def _string(octets: bytes) -> bytes:
    """A string literal without Huffman coding (RFC 7541, 5.2)."""
    length = len(octets)
    if length < 127:
        return bytes((length,)) + octets
    length -= 127
    more = bytearray((127,))
    while length > 127:
        more.append(length & 127 | 128)
        length >>= 7
    more.append(length)
    return bytes(more) + octets
