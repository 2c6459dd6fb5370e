"""gRPC's length-prefixed messages out of the octets of DATA frames. Pure; both engines share it."""

from __future__ import annotations

import struct
from io import BytesIO
from typing import TYPE_CHECKING

from ._grpc import INTERNAL, OK, RESOURCE_EXHAUSTED, StreamEnd

if TYPE_CHECKING:
    from ._protocol import Stream

#: What a connection holds of unfinished messages if nobody says otherwise, in octets: hundreds of large answers at
#: once, and less than a small machine has.
UNFINISHED = 96 << 20
PREFIX = 5  # one octet "compressed", four of length (PROTOCOL-HTTP2, "Length-Prefixed-Message")
unpack_prefix = struct.Struct(">BI").unpack_from
#: What to do about messages that are too long.
LESS = "ask for less at once, as iter_range and iter_prefix do, or raise max_receive_size"
_DEAD = -1
_TOO_MANY = StreamEnd("message", INTERNAL, "the server sent more than one message to a unary call")


class MessageError(Exception):
    """A message we do not take; the stream ends with :attr:`end`."""

    def __init__(self, end: StreamEnd) -> None:
        super().__init__(end.message)
        self.end = end


def feed(stream: Stream, data: bytes, limit: int) -> int:
    """Give ``data`` to a stream that is not unary; complete messages come out of its ``on_message``.

    The octets of complete messages are the ``cost`` that the application gives back. Those of a message that is still
    incomplete are credited at once while it has nothing to give back, or one larger than the window could never arrive.

    Returns:
      The octets to credit now.

    Raises:
      MessageError: a compressed message, or one longer than ``limit`` (seen from its prefix, before it is here).
    """
    credited = 0
    if stream.parts is not None:
        stream.have += stream.parts.write(data)
        if stream.have < stream.need:
            return _credit_early(stream)
        credited = stream.credited
        data = stream.parts.getvalue()
        stream.parts, stream.have = None, 0
    start, size = 0, len(data)
    need = PREFIX
    while size - start >= PREFIX:
        need = PREFIX + message_length(data, start, limit)
        if start + need > size:
            break
        stop = start + need
        cost = need - credited
        stream.lent += cost
        stream.on_message(data[start + PREFIX : stop], cost)
        if stream.need == _DEAD:
            return 0
        start, credited, need = stop, 0, PREFIX
    left = size - start
    if not left:
        return 0
    stream.parts = BytesIO()
    stream.parts.write(data[start:])
    stream.have, stream.need, stream.credited = left, need, credited
    return _credit_early(stream)


def give_back(stream: Stream, cost: int) -> int:
    """The application gives the cost of messages back; says how many octets to credit."""
    stream.lent -= cost
    return cost if stream.parts is None else cost + _credit_early(stream)


def _credit_early(stream: Stream) -> int:
    if stream.lent:
        return 0
    octets = stream.have - stream.credited
    stream.credited = stream.have
    return octets


def kill(stream: Stream) -> None:
    """The stream is over: drop what it holds; :func:`feed` tells it nothing further."""
    stream.need = _DEAD
    stream.parts = stream.pending = None


def collect(stream: Stream, data: bytes, limit: int) -> None:
    """Keep ``data`` for a unary stream. The first chunk stays in ``message``: mostly it is the only one.

    Of a longer one only the prefix does: the rest is gathered in ``parts``, without a copy at the end.

    Raises:
      MessageError: as :func:`feed`; or it is more than one message.
    """
    parts = stream.parts
    stream.have += len(data)
    if parts is None:
        if stream.message is None:
            stream.message = data
            return
        data = stream.message + data
        if stream.have < PREFIX:
            stream.message = data
            return
        stream.message, data = data[:PREFIX], data[PREFIX:]
        stream.need = PREFIX + message_length(stream.message, 0, limit)
        parts = stream.parts = BytesIO()
    parts.write(data)
    if stream.have > stream.need:
        raise MessageError(_TOO_MANY)


def final_end(stream: Stream, end: StreamEnd, limit: int) -> StreamEnd:
    """What the end is once it is known which messages came: OK wants whole ones, a unary call exactly one.

    Leaves the one message of a unary stream in its ``message``.
    """
    data, parts = stream.message, stream.parts
    stream.message = None
    if end.status != OK:
        return end
    if not stream.unary:
        return _cut_short(end) if parts is not None else end
    if data is None:
        return StreamEnd("message", INTERNAL, "the server sent status OK without a message", end.trailers)
    if stream.have < PREFIX:
        return _cut_short(end)
    try:
        need = PREFIX + message_length(data, 0, limit)
    except MessageError as error:
        return error.end
    if stream.have != need:
        return _cut_short(end) if stream.have < need else _TOO_MANY
    stream.message = data[PREFIX:] if parts is None else parts.getvalue()
    return end


def _cut_short(end: StreamEnd) -> StreamEnd:
    return StreamEnd(
        "message", INTERNAL, "the server ended the stream in the middle of a message", end.trailers
    )


def message_length(data: bytes, start: int, limit: int) -> int:
    """The length in the prefix at ``start``.

    Raises:
      MessageError: the message is compressed, or too long.
    """
    length: int
    compressed, length = unpack_prefix(data, start)
    if compressed:
        raise MessageError(
            StreamEnd("message", INTERNAL, "the server sent a compressed message, which was not offered")
        )
    if length > limit:
        most = (
            "96 MiB, which a client takes unless max_receive_size says more"
            if limit == UNFINISHED
            else f"the client's max_receive_size of {limit:,}"
        )
        text = f"the server's message of {length:,} octets is larger than {most}: {LESS}"
        raise MessageError(StreamEnd("message", RESOURCE_EXHAUSTED, text))
    return length
