"""The lean engine's sending half: requests, their flow control, and the queue for MAX_CONCURRENT_STREAMS."""

from __future__ import annotations

import struct
from collections import deque
from typing import TYPE_CHECKING, NoReturn

from . import _frames as f
from ._deframe import PREFIX, kill
from ._grpc import INTERNAL, StreamEnd
from ._lean_memory import ORDINARY, prepare_malloc
from ._protocol import (
    BANDWIDTH_PROBE,
    CANCEL,
    MAX_MESSAGE,
    MAX_STREAM_ID,
    NO_ERROR,
    Engine,
    Head,
    Limits,
    ProtocolViolation,
    Stream,
    goaway_end,
    lost_end,
    too_large_end,
    unsent_end,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._grpc import Field

UNLIMITED = 1 << 31
#: Frames that may still come for a stream after we reset it, without counting as a flood.
_LATE_FRAMES = 4


class LeanHead(Head):
    """A request's HEADERS frame but for the stream id: what comes before it, and the block."""

    __slots__ = ("block", "list_size", "pack", "prefix")

    def __init__(self, block: bytes, list_size: int) -> None:
        self.block = block
        self.list_size = list_size
        self.prefix = len(block).to_bytes(3, "big") + bytes((f.HEADERS, f.END_HEADERS))
        #: Both, and the header of the DATA frame with the one message, in one step: half the cost of joining them.
        self.pack = struct.Struct(f">5sI{len(block)}s{f.MESSAGE_FORMAT}").pack


class Requests(Engine):
    """What the client says. See :class:`Engine` for the public methods."""

    def __init__(
        self, authority: str, scheme: str = "http", limits: Limits | None = None, *, hold_probes: bool = True
    ) -> None:
        super().__init__(limits or Limits(), hold_probes=hold_probes)
        self._authority, self._scheme = authority, scheme
        self._out: list[bytes | memoryview] = [f.preface(self.limits)]
        self._next_id = 1
        # What the server allows.
        self._max_streams = self._max_header_list = UNLIMITED
        self._max_frame = f.DEFAULT_FRAME
        self._initial_window = self._send_window = f.DEFAULT_WINDOW
        #: Streams with data that the windows hold back.
        self._blocked: deque[Stream] = deque()
        #: RPCs that wait for MAX_CONCURRENT_STREAMS, first come first served.
        self._waiting: dict[Stream, tuple[LeanHead, bytes | None, bool, bytes | None]] = {}
        #: True when :meth:`open` must look twice.
        self._slow = self.limits.request < MAX_MESSAGE
        self._table_update = b""
        self._bulk = False  # much was sent since the last bandwidth probe
        self._acks = self._late = 0
        self._longest = ORDINARY

    def prepare(self, path: str, metadata: Sequence[Field] = ()) -> LeanHead:
        fields = f.request_fields(path, self._authority, self._scheme, metadata)
        return LeanHead(f.encode_fields(fields), sum(len(name) + len(value) + 32 for name, value in fields))

    def open(
        self, stream: Stream, head: Head, message: bytes | None, *, end: bool, timeout: bytes | None = None
    ) -> None:
        assert isinstance(head, LeanHead)
        if self._slow or len(self.streams) >= self._max_streams:
            self._open_slowly(stream, head, message, end, timeout)
        else:
            self._start(stream, head, message, end, timeout)

    def _open_slowly(
        self, stream: Stream, head: LeanHead, message: bytes | None, end: bool, timeout: bytes | None
    ) -> None:
        if not self.accepting:
            stream.on_end(goaway_end(self.goaway) if self.goaway else unsent_end("the connection is closed"))
        elif head.list_size + 64 > self._max_header_list:
            stream.on_end(
                StreamEnd("local", INTERNAL, "the request's headers are longer than the server takes")
            )
        elif message is not None and len(message) > self.limits.request:
            stream.on_end(too_large_end(message, self.limits.request))
        elif len(self.streams) >= self._max_streams:
            self._waiting[stream] = (head, message, end, timeout)
        else:
            self._start(stream, head, message, end, timeout)

    def _start(
        self, stream: Stream, head: LeanHead, message: bytes | None, end: bool, timeout: bytes | None
    ) -> None:
        stream_id = self._next_id
        self._next_id = stream_id + 2
        stream.stream_id = stream_id
        self.streams[stream_id] = stream
        stream.send_window = self._initial_window
        stream.receive_window = self.limits.stream_window
        plain = timeout is None and not self._table_update and len(head.block) <= self._max_frame
        length = 0 if message is None else len(message)
        size = length + PREFIX
        if (
            message is not None
            and stream.pending is None
            and size <= self._send_window
            and size <= stream.send_window
            and size <= self._max_frame
        ):
            self._send_window -= size
            stream.end_sent = end
            stream.send_window -= size
            flags = f.END_STREAM if end else 0
            start = (
                head.pack(
                    head.prefix,
                    stream_id,
                    head.block,
                    size >> 8,
                    size & 255,
                    f.DATA,
                    flags,
                    stream_id,
                    0,
                    length,
                )
                if plain
                else self._headers(stream_id, head, timeout)
                + f.pack_message_header(size >> 8, size & 255, f.DATA, flags, stream_id, 0, length)
            )
            self._out.append(start + message)
        else:
            self._out.append(
                head.prefix + stream_id.to_bytes(4, "big") + head.block
                if plain
                else self._headers(stream_id, head, timeout)
            )
            if stream.pending is not None:
                self._resume(stream, message, end)
            elif message is not None:
                self.send(stream, message, end=end)
            elif end:
                self.half_close(stream)
        if stream_id >= MAX_STREAM_ID - 2:
            self.accepting = False
            self._slow = True
            self._drop_waiting(unsent_end("the connection's stream ids are used up"))

    def _headers(self, stream_id: int, head: LeanHead, timeout: bytes | None) -> bytes:
        """The HEADERS frame of a request that has something of its own, with CONTINUATION frames if long."""
        block = self._table_update + head.block
        self._table_update = b""
        if timeout is not None:
            block += f.literal(b"grpc-timeout", timeout)
        frames: list[bytes] = []
        kind = f.HEADERS
        while True:
            part, block = block[: self._max_frame], block[self._max_frame :]
            flags = 0 if block else f.END_HEADERS
            frames.append(f.pack_header(len(part) >> 8, len(part) & 255, kind, flags, stream_id) + part)
            if not block:
                return b"".join(frames)
            kind = f.CONTINUATION

    def send(self, stream: Stream, message: bytes, *, end: bool = False) -> None:
        live = self.streams.get(stream.stream_id) is stream
        if not live and stream not in self._waiting:
            return
        length = len(message)
        size = length + 5
        if (
            live
            and stream.pending is None
            and size <= self._send_window
            and size <= stream.send_window
            and size <= self._max_frame
        ):
            self._send_window -= size
            stream.send_window -= size
            stream.end_sent = end
            header = f.pack_message_header(
                size >> 8, size & 255, f.DATA, 1 if end else 0, stream.stream_id, 0, length
            )
            self._out.append(header + message)
        else:
            self._keep(stream, message, end=end, live=live)

    def half_close(self, stream: Stream) -> None:
        live = self.streams.get(stream.stream_id) is stream
        if stream.end_sent or not (live or stream in self._waiting):
            return
        if stream.pending:
            stream.pending[-1] = (stream.pending[-1][0], True)
        elif live:
            stream.end_sent = True
            self._out.append(f.pack_header(0, 0, f.DATA, f.END_STREAM, stream.stream_id))
        else:
            head, message, _, timeout = self._waiting[stream]
            self._waiting[stream] = (head, message, True, timeout)

    def _framed(self, message: bytes, end: bool) -> list[tuple[memoryview, bool]]:
        """What goes onto the wire for a message: its first frame, and the rest, which is not copied."""
        cut = self._max_frame - PREFIX
        first = memoryview(b"\0" + len(message).to_bytes(4, "big") + message[:cut])
        rest = memoryview(message)[cut:]
        return [(first, False), (rest, end)] if rest else [(first, end)]

    def _keep(self, stream: Stream, message: bytes, *, end: bool, live: bool) -> None:
        """Keep what cannot go out yet."""
        if stream.pending is None:
            stream.pending = deque()
            if live:
                self._blocked.append(stream)
        stream.pending.extend(self._framed(message, end))
        if len(message) > self._longest:
            self._longest = prepare_malloc(len(message))
        if live:
            self._bulk = True
            self.release_probe()
            self._pump()

    def _pump(self) -> None:
        """Send what the windows let out, one frame of each stream in turn."""
        blocked = self._blocked
        idle = 0
        while self._send_window > 0 and idle < len(blocked):
            stream = blocked.popleft()
            assert stream.pending is not None
            data, end = stream.pending[0]
            size = min(len(data), self._send_window, stream.send_window, self._max_frame)
            if size <= 0:
                blocked.append(stream)
                idle += 1
                continue
            idle = 0
            last = size == len(data)
            stream.end_sent = last and end
            header = f.pack_header(
                size >> 8, size & 255, f.DATA, 1 if stream.end_sent else 0, stream.stream_id
            )
            self._out += (header, data[:size])
            self._send_window -= size
            stream.send_window -= size
            if last:
                stream.pending.popleft()
            else:
                stream.pending[0] = (data[size:], end)
            if stream.pending:
                blocked.append(stream)
            else:
                stream.pending = None
                stream.on_writable()

    def cancel(self, stream: Stream, error_code: int = CANCEL) -> None:
        if self._waiting.pop(stream, None) is not None:
            kill(stream)
        elif self.streams.get(stream.stream_id) is stream:
            self._forget(stream)
            self._late += _LATE_FRAMES
            self._out.append(f.rst_stream(stream.stream_id, error_code))
            self._start_waiting()

    def ping(self, payload: bytes) -> None:
        self._out.append(f.PING_HEADER + payload)

    def release_probe(self) -> None:
        if self.probe_held:
            self.probe_held = False
            self._bulk = False
            self._out.append(f.PING_ACK + BANDWIDTH_PROBE)

    def close(self, error_code: int = NO_ERROR, debug: bytes = b"") -> None:
        self.accepting = False
        self._slow = True
        self._out.append(f.goaway(error_code, debug))

    def lost(self, reason: str, *, violation: bool = False, unsent: int = MAX_STREAM_ID + 1) -> None:
        self.accepting = False
        self._slow = True
        end, never = lost_end(reason, violation=violation), unsent_end(reason)
        self._drop_waiting(never)
        for stream in list(self.streams.values()):
            self._drop(stream, end if stream.stream_id < unsent else never)

    def data_to_send(self) -> bytes:
        out = self._out
        self._acks = 0
        if len(out) == 1:
            data = out[0]
            assert isinstance(data, bytes)  # a part of a message has its header before it
            out.clear()
            return data
        self._out = []
        return b"".join(out)

    @property
    def wants_send(self) -> bool:
        return bool(self._out)

    @property
    def waiting_streams(self) -> int:
        return len(self._waiting)

    def _start_waiting(self) -> None:
        while self._waiting and len(self.streams) < self._max_streams:
            stream = next(iter(self._waiting))
            self._start(stream, *self._waiting.pop(stream))

    def _resume(self, stream: Stream, message: bytes | None, end: bool) -> None:
        """What was sent while the call waited follows its first message, all at once: nothing may overtake it."""
        assert stream.pending is not None
        if message is not None:
            stream.pending.extendleft(reversed(self._framed(message, end)))
        self._blocked.append(stream)
        self._pump()
        if stream in self._blocked:
            self._bulk = True
            self.release_probe()

    def _forget(self, stream: Stream) -> None:
        """Take a stream out of everything that is kept."""
        del self.streams[stream.stream_id]
        self._release_held(stream)
        if stream.pending is not None:
            self._blocked.remove(stream)
        stream.message = None
        kill(stream)

    def _drop(self, stream: Stream, end: StreamEnd) -> None:
        """The stream is over without our doing."""
        if self.streams.get(stream.stream_id) is stream:  # another one's end may have cancelled it
            self._forget(stream)
            stream.on_end(end)

    def _drop_waiting(self, end: StreamEnd) -> None:
        while self._waiting:
            stream = next(iter(self._waiting))
            del self._waiting[stream]
            kill(stream)
            stream.on_end(end)

    def _violation(self, error_code: int, message: str) -> NoReturn:
        self.close(error_code, message.encode())
        raise ProtocolViolation(error_code, message)
