"""The lean engine: HTTP/2 for a gRPC client and nothing else, as fast as Python goes. Pure. The default.

Why it is fast (measured in the design's `transport.md`): requests use header blocks that touch no table, so they are
made once per method; answers' blocks that only name table entries cannot change the table, so they are decoded once
and remembered; frames are read in place. Here is how they are read; `_lean_answers`, `_lean_control` and
`_lean_requests` have what follows from them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import _frames as f
from ._deframe import PREFIX
from ._frames import (  # those of the loop by their names alone, which costs less
    CONTINUATION,
    DEFAULT_FRAME,
    END_HEADERS,
    FRAME_HEADER,
    HEADERS,
    PADDED,
    unpack_frame,
    unpack_message,
)
from ._greeting import greeting_error
from ._grpc import OK
from ._lean_answers import Answers
from ._protocol import FRAME_SIZE_ERROR, MAX_STREAM_ID, MAX_WINDOW, PROTOCOL_ERROR

if TYPE_CHECKING:
    from ._protocol import Limits

# Types with their flags.
_WHOLE_HEADERS = HEADERS << 8 | END_HEADERS
_WHOLE_TRAILERS = _WHOLE_HEADERS | f.END_STREAM
_WINDOW_UPDATE = f.WINDOW_UPDATE << 8
_ANY_DATA = f.DATA << 8 | 0xFF
_MESSAGE_HEADER = FRAME_HEADER + PREFIX


class LeanEngine(Answers):
    """See :class:`Engine`."""

    def __init__(
        self, authority: str, scheme: str = "http", limits: Limits | None = None, *, hold_probes: bool = True
    ) -> None:
        super().__init__(authority, scheme, limits, hold_probes=hold_probes)
        self._in = b""
        self._connection_half = self.limits.connection_window // 2
        self._owed = 0

    def receive(self, data: bytes) -> None:
        buf = self._in + data if self._in else data
        if not self.ready:
            wrong = greeting_error(buf)
            if wrong is not None:
                self._violation(PROTOCOL_ERROR, wrong)
        at, size = 0, len(buf)
        if size > _MESSAGE_HEADER and not buf[3] and self._usual_message(buf, size):
            return
        streams, blocks, in_block = self.streams, self._blocks, self._open_block is not None
        last = size - FRAME_HEADER
        while at <= last:
            high, low, what, stream_id = unpack_frame(buf, at)
            length = high << 8 | low
            if length > DEFAULT_FRAME:
                self._violation(FRAME_SIZE_ERROR, f"a frame of {length} octets")
            at += FRAME_HEADER
            stop = at + length
            if stop > size:
                at -= FRAME_HEADER
                break
            if in_block and what >> 8 != CONTINUATION:
                self._violation(PROTOCOL_ERROR, "a header block was not continued")
            if what == _WHOLE_HEADERS:
                fragment = buf[at:stop]
                if size - stop > 22 and not buf[stop + 3]:  # a DATA frame follows
                    answered = self._usual_answer(buf, stop, size, stream_id, fragment)
                    if answered:
                        at = answered
                        continue
                stream, block = streams.get(stream_id), blocks.get(fragment)
                if (
                    stream is not None
                    and block is not None
                    and stream.headers is None
                    and stream.unary
                    and block.acceptable
                ):
                    stream.headers = block
                else:
                    self._header_frame(END_HEADERS, stream_id & MAX_STREAM_ID, fragment)
            elif what <= _ANY_DATA:
                self._owed += length
                if self._owed >= self._connection_half:
                    self._out.append(f.window_update(0, self._owed))
                    self._owed = 0
                payload = buf[at:stop]
                if what & PADDED:
                    payload = self._unpadded(payload)
                stream = streams.get(stream_id & MAX_STREAM_ID)
                if stream is not None:
                    held = self.held + length
                    if (
                        not what
                        and stream.unary
                        and stream.message is None
                        and stream.headers is not None
                        and stream.headers.acceptable
                        and length > PREFIX
                        and held <= self._unfinished
                    ):  # mostly it is the whole message
                        stream.message = payload
                        self.held = held
                        stream.have = stream.counted = length
                        stream.owed += length
                        self._useless = 0
                    else:
                        self._data(stream, payload, what, length)
                else:
                    self._check_known(stream_id & MAX_STREAM_ID, "DATA")
                    if not payload:
                        self._count_late()
            elif what == _WHOLE_TRAILERS:
                fragment = buf[at:stop]
                stream, block = streams.get(stream_id), blocks.get(fragment)
                if stream is not None and block is not None:
                    self._end(stream, block)
                else:
                    self._header_frame(what & 0xFF, stream_id & MAX_STREAM_ID, fragment)
            elif (
                what == _WINDOW_UPDATE
                and not stream_id
                and length == 4
                and 0 < (octets := int.from_bytes(buf[at:stop], "big")) <= MAX_WINDOW - self._send_window
            ):  # net/http sends one for each request
                self._send_window += octets
                if self._blocked:
                    self._pump()
            else:
                self._rarer(what >> 8, what & 0xFF, stream_id & MAX_STREAM_ID, buf[at:stop])
                in_block = self._open_block is not None
            at = stop
        self._in = buf[at:] if at < size else b""

    def _rarer(self, kind: int, flags: int, stream_id: int, payload: bytes) -> None:
        if kind == HEADERS:
            self._header_frame(flags, stream_id, payload)
        elif kind == CONTINUATION:
            self._continuation(flags, stream_id, payload)
        else:
            self._control(kind, flags, stream_id, payload)

    def _usual_message(self, buf: bytes, size: int) -> bool:
        """What a watch mostly gets: one message in one DATA frame, and nothing else. False if it is anything else."""
        high, low, what, stream_id, compressed, announced = unpack_message(buf)
        if what or compressed or announced != size - _MESSAGE_HEADER:
            return False
        stream, length = self.streams.get(stream_id), size - FRAME_HEADER
        if (
            stream is None
            or stream.unary
            or stream.parts is not None
            or stream.headers is None
            or not stream.headers.acceptable
            or not high << 8 | low == length <= DEFAULT_FRAME
            or not announced <= (stream.max_message or self._message_limit)
            or stream.receive_window < length
            or self._open_block is not None
        ):
            return False
        self._in = b""
        self._owed += length
        if self._owed >= self._connection_half:
            self._out.append(f.window_update(0, self._owed))
            self._owed = 0
        stream.receive_window -= length
        stream.lent += length
        self._useless = 0
        stream.on_message(buf[_MESSAGE_HEADER:], length)
        return True

    def _usual_answer(self, buf: bytes, at: int, size: int, stream_id: int, fragment: bytes) -> int:
        """What nearly every call gets: HEADERS, one message in one DATA frame, trailers with status OK, all here.

        Without a detour it costs a third less. `at` is behind the HEADERS, at a DATA frame.

        Returns:
          Where the next frame begins; 0 if it is anything else: then nothing was done.
        """
        high, low, what, of, compressed, announced = unpack_message(buf, at)
        length = high << 8 | low
        start = at + FRAME_HEADER
        stop = start + length
        if what or of != stream_id or stop + FRAME_HEADER > size or length > DEFAULT_FRAME:
            return 0
        high, low, what, of = unpack_frame(buf, stop)
        at = stop + FRAME_HEADER
        behind: int = at + (high << 8 | low)
        if what != _WHOLE_TRAILERS or of != stream_id or behind > size:
            return 0
        blocks, stream = self._blocks, self.streams.get(stream_id)
        headers, trailers = blocks.get(fragment), blocks.get(buf[at:behind])
        if (
            stream is None
            or headers is None
            or trailers is None
            or not stream.unary
            or not stream.end_sent
            or stream.headers is not None
            or not headers.acceptable
            or trailers.end is None
            or trailers.end.status != OK
            or compressed
            or not announced == length - PREFIX <= self._message_limit
        ):
            return 0
        self._owed += length
        if self._owed >= self._connection_half:
            self._out.append(f.window_update(0, self._owed))
            self._owed = 0
        del self.streams[stream_id]
        stream.headers = headers
        stream.message = buf[start + PREFIX : stop]
        self._useless = 0
        if self._waiting:
            self._start_waiting()
        stream.on_end(trailers.end)
        return behind
