"""Any protobuf message as its fields, for the few that no generated decoder is needed for. Pure."""

from __future__ import annotations

from .._proto._wire import DecodeError, length, skip, tag


def number_tag(field: int) -> int:
    """The tag of a field that holds a number."""
    return field << 3


def bytes_tag(field: int) -> int:
    """The tag of a field that holds bytes, text or a message."""
    return field << 3 | 2


def fields(message: bytes) -> list[tuple[int, bytes]]:
    """The fields in order: their tags, and what they hold; a number as the octets that it is on the wire.

    Raises:
      DecodeError: it is no message.
    """
    found: list[tuple[int, bytes]] = []
    at = 0
    try:
        while at < len(message):
            number, at = tag(message, at)
            if number == bytes_tag(number >> 3):
                size, at = length(message, at)
                end = at + size
            else:
                end = skip(message, at, number)
            if end > len(message):
                raise DecodeError("a field is longer than its message")
            found.append((number, message[at:end]))
            at = end
    except IndexError as error:
        raise DecodeError("the message ends within a field") from error
    return found
