"""Header blocks that touch no table, so that no encoder need know of them."""

from __future__ import annotations

from engines import _frames as f


def _string(octets: bytes) -> bytes:
    """A string as RFC 7541, 5.2 has it, not Huffman-coded."""
    if len(octets) < 127:
        return bytes((len(octets),)) + octets
    rest, out = len(octets) - 127, b"\x7f"
    while rest > 127:
        out += bytes((rest & 127 | 128,))
        rest >>= 7
    return out + bytes((rest,)) + octets


def block(*fields: tuple[str, str | bytes]) -> bytes:
    """Literal fields that are not indexed (RFC 7541, 6.2.2)."""
    return b"".join(
        b"\0" + _string(name.encode()) + _string(value.encode() if isinstance(value, str) else value)
        for name, value in fields
    )


def headers(stream_id: int, octets: bytes, *, end: bool = False, flags: int = f.END_HEADERS) -> bytes:
    """A HEADERS frame."""
    return f.frame(f.HEADERS, flags | (f.END_STREAM if end else 0), stream_id, octets)


def pieces(stream_id: int, octets: bytes, count: int, *, end: bool = False) -> list[bytes]:
    """The same as HEADERS and so many CONTINUATIONs."""
    size = len(octets) // (count + 1) + 1
    parts = [octets[place : place + size] for place in range(0, size * (count + 1), size)]
    frames = [headers(stream_id, parts[0], end=end, flags=0)]
    frames += [f.frame(f.CONTINUATION, 0, stream_id, part) for part in parts[1:-1]]
    return [*frames, f.frame(f.CONTINUATION, f.END_HEADERS, stream_id, parts[-1])]


HEADERS_BLOCK = block((":status", "200"), ("content-type", "application/grpc"))
OK_BLOCK = block(("grpc-status", "0"), ("grpc-message", ""))


def status_block(code: str | bytes, message: str | bytes = "") -> bytes:
    """Trailers."""
    return block(("grpc-status", code), ("grpc-message", message))
