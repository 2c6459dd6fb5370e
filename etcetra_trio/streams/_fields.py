"""Any protobuf message as its fields, for the few that no generated decoder is needed for. Pure."""

from __future__ import annotations

from typing import Final

from .._proto._wire import DecodeError, length, skip, uint64

_BYTES: Final = 2  # the wire type


def fields(message: bytes) -> list[tuple[int, bytes]]:
    """The fields in order: their numbers, and what they hold; a number as the octets that it is on the wire.

    Raises:
      DecodeError: it is no message.
    """
    found: list[tuple[int, bytes]] = []
    at = 0
    try:
        while at < len(message):
            tag, at = uint64(message, at)
            if tag & 7 == _BYTES:
                size, at = length(message, at)
                end = at + size
            else:
                end = skip(message, at, tag)
            if end > len(message):
                raise DecodeError("a field is longer than its message")
            found.append((tag >> 3, message[at:end]))
            at = end
    except IndexError as error:
        raise DecodeError("the message ends within a field") from error
    return found
