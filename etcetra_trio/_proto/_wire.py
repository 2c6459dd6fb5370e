"""What the codec is made of: varints, tags, and how to pass over what is unknown.

All readers take the buffer and a position and move on from there. Reading past the end of the buffer raises
IndexError, which the entrances of `_codec` and `_projections` turn into `DecodeError`; running past the end of a
message inside the buffer is noticed by its decoder, which must end exactly where the message does.
"""

from __future__ import annotations

from typing import Final


class DecodeError(ValueError):
    """These bytes are not the message that they should be."""


MAX_DEPTH: Final = 100  # of messages inside messages; protobuf's own limit

VARINT: Final = tuple(bytes((n,)) for n in range(128))
LENGTH_10: Final = tuple(bytes((10, n)) for n in range(128))  # tag of a first bytes field, and its length

_MASK: Final = 0xFFFF_FFFF_FFFF_FFFF


def varint(number: int) -> bytes:
    """Encodes an int64."""
    if not -0x8000_0000_0000_0000 <= number <= 0x7FFF_FFFF_FFFF_FFFF:
        raise ValueError(f"{number} does not fit into 64 bits")
    number &= _MASK
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def uint64(buf: bytes, i: int) -> tuple[int, int]:
    """The varint at i, and where it ends."""
    number = shift = 0
    while shift < 70:
        byte = buf[i]
        i += 1
        if byte < 128:
            return (number | byte << shift) & _MASK, i
        number |= (byte & 127) << shift
        shift += 7
    raise DecodeError("a number of more than ten bytes")


def int64(buf: bytes, i: int) -> tuple[int, int]:
    """The same, signed."""
    number, i = uint64(buf, i)
    return (number if number < 0x8000_0000_0000_0000 else number - 0x1_0000_0000_0000_0000), i


def int32(buf: bytes, i: int) -> tuple[int, int]:
    """The same, cut to 32 bits, signed."""
    number, i = uint64(buf, i)
    number &= 0xFFFF_FFFF
    return (number if number < 0x8000_0000 else number - 0x1_0000_0000), i


def tag(buf: bytes, i: int) -> tuple[int, int]:
    """The tag at i, and where its value begins."""
    start = i
    number, i = uint64(buf, i)
    if i - start > 5 or number > 0xFFFF_FFFF or number < 8:
        raise DecodeError("an impossible field number")
    return number, i


def length(buf: bytes, i: int) -> tuple[int, int]:
    """The length at i, and where the value begins."""
    start = i
    number, i = uint64(buf, i)
    if i - start > 5 or number > 0x7FFF_FFFF:
        raise DecodeError("an impossible length")
    return number, i


def skip(buf: bytes, i: int, t: int) -> int:
    """Where the value at i ends, whose tag is t."""
    kind = t & 7
    if kind == 0:
        return uint64(buf, i)[1]
    if kind == 1:
        return i + 8
    if kind == 2:
        number, i = length(buf, i)
        return i + number
    if kind == 5:
        return i + 4
    raise DecodeError("a group or an impossible wire type")
