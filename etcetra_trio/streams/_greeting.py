"""How to tell in words, from what it says first, that a server does not speak HTTP/2. Pure; both engines share it."""

from __future__ import annotations

_SETTINGS, _ACK = 0x4, 0x1


def greeting_error(first: bytes) -> str | None:
    """Why these first octets cannot be a server's preface (RFC 9113, 3.4); None when they (still) can."""
    if first.startswith(b"HTTP/"):
        return f"the server speaks HTTP/1: {first[:60].splitlines()[0].decode('latin-1')!r}"
    if first.startswith(b"\x15\x03"):
        return "the server expects TLS (https://)"
    if len(first) >= 9 and (first[3] != _SETTINGS or first[4] & _ACK):
        return "the server does not speak HTTP/2: its first frame is not SETTINGS"
    return None
