"""The lean engine: HTTP/2 for a gRPC client and nothing else, as fast as Python goes. Pure. The default.

Why it is fast (measured in the design's `transport.md`): requests use header blocks that touch no table, so
they are made once per method; answers' blocks that only name table entries cannot change the table, so they
are decoded once and remembered; frames are read in place.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NoReturn

from hpack import Decoder
from hpack.exceptions import HPACKError, OversizedHeaderListError

from . import _frames as f
from ._deframe import MessageError, collect, feed, kill, unary_end
from ._grpc import HTTP_BODY_SHOWN, INTERNAL, HeaderBlock, StreamEnd, end_of_response, reset_end
from ._protocol import (
    BANDWIDTH_PROBE,
    CANCEL,
    COMPRESSION_ERROR,
    ENHANCE_YOUR_CALM,
    FLOW_CONTROL_ERROR,
    FRAME_SIZE_ERROR,
    MAX_STREAM_ID,
    MAX_WINDOW,
    NO_ERROR,
    PROTOCOL_ERROR,
    Engine,
    GoAway,
    Head,
    Limits,
    ProtocolViolation,
    Stream,
    goaway_end,
    lost_end,
    unsent_end,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._grpc import Field

_REMEMBERED_BLOCKS = 256
_UNLIMITED = 1 << 31
#: Request headers are shorter than this, so only a server that takes less makes :meth:`LeanEngine.open`
#: compare.
_ORDINARY_HEADERS = 64 << 10


class LeanHead(Head):
    """A request's HEADERS frame but for the stream id: what comes before it, and the block."""

    __slots__ = ("block", "list_size", "prefix")

    def __init__(self, block: bytes, list_size: int) -> None:
        self.block = block
        self.list_size = list_size
        self.prefix = len(block).to_bytes(3, "big") + bytes((f.HEADERS, f.END_HEADERS))


class LeanEngine(Engine):
    """See :class:`Engine`."""

    def __init__(
        self, authority: str, scheme: str = "http", limits: Limits | None = None, *, hold_probes: bool = True
    ) -> None:
        super().__init__(limits or Limits(), hold_probes=hold_probes)
        self._authority, self._scheme = authority, scheme
        self._out: list[bytes] = [f.preface(self.limits)]
        self._in = b""
        self._next_id = 1
        # What the server allows.
        self._max_streams, self._max_frame, self._initial_window = (
            _UNLIMITED,
            f.DEFAULT_FRAME,
            f.DEFAULT_WINDOW,
        )
        self._max_header_list = _UNLIMITED
        self._send_window = f.DEFAULT_WINDOW
        self._blocked: deque[Stream] = deque()
        self._waiting: dict[Stream, tuple[LeanHead, bytes | None, bool, bytes | None]] = {}
        #: True when :meth:`open` must look twice.
        self._slow = False
        self._table_update = b""
        self._bulk = False  # much was sent since the last bandwidth probe
        # What we allow.
        self._message_limit = self.limits.message
        self._stream_half, self._connection_half = (
            self.limits.stream_window // 2,
            self.limits.connection_window // 2,
        )
        self._owed = 0
        self._decoder = Decoder(max_header_list_size=self.limits.header_list)
        self._blocks: dict[bytes, HeaderBlock] = {}
        self._open_block: tuple[int, int, list[bytes]] | None = None
        self._acks = self._useless = 0

    # -- requests
    # ------------------------------------------------------------------------------------------------

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
        if timeout is None and not self._table_update and len(head.block) <= self._max_frame:
            headers = head.prefix + stream_id.to_bytes(4, "big") + head.block
        else:
            headers = self._headers(stream_id, head, timeout)
        if message is None:
            self._out.append(headers)
            if end:
                self.half_close(stream)
        else:
            length = len(message)
            size = length + 5
            if size <= self._send_window and size <= stream.send_window and size <= self._max_frame:
                self._send_window -= size
                stream.send_window -= size
                stream.end_sent = end
                self._out.append(
                    headers
                    + f.pack_message_header(
                        size >> 8, size & 255, f.DATA, 1 if end else 0, stream_id, 0, length
                    )
                    + message
                )
            else:
                self._out.append(headers)
                self.send(stream, message, end=end)
        if stream_id >= MAX_STREAM_ID - 2:
            self.accepting = False
            self._slow = True

    def _headers(self, stream_id: int, head: LeanHead, timeout: bytes | None) -> bytes:
        """The HEADERS frame of a request that has something of its own, with CONTINUATION frames if it is long."""
        block = self._table_update + head.block
        self._table_update = b""
        if timeout is not None:
            block += f.literal(b"grpc-timeout", timeout)
        frames: list[bytes] = []
        kind = f.HEADERS
        while True:
            part, block = block[: self._max_frame], block[self._max_frame :]
            size = len(part)
            frames.append(
                f.pack_header(size >> 8, size & 255, kind, 0 if block else f.END_HEADERS, stream_id) + part
            )
            if not block:
                return b"".join(frames)
            kind = f.CONTINUATION

    def send(self, stream: Stream, message: bytes, *, end: bool = False) -> None:
        if self.streams.get(stream.stream_id) is not stream:
            return
        length = len(message)
        size = length + 5
        if (
            stream.pending is None
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
            return
        self._bulk = True
        self.release_probe()
        if stream.pending is None:
            stream.pending = deque()
            self._blocked.append(stream)
        stream.pending.append((memoryview(b"\0" + length.to_bytes(4, "big") + message), end))
        self._pump()

    def half_close(self, stream: Stream) -> None:
        if stream.end_sent or self.streams.get(stream.stream_id) is not stream:
            return
        if stream.pending:
            stream.pending[-1] = (stream.pending[-1][0], True)
        else:
            stream.end_sent = True
            self._out.append(f.pack_header(0, 0, f.DATA, f.END_STREAM, stream.stream_id))

    def _pump(self) -> None:
        """Send what the windows let out, one frame of each stream in turn."""
        blocked = self._blocked
        idle = 0
        while self._send_window > 0 and idle < len(blocked):
            stream = blocked.popleft()
            if stream.pending is None:  # it ended meanwhile
                continue
            room = min(self._send_window, stream.send_window, self._max_frame)
            if room <= 0:
                blocked.append(stream)
                idle += 1
                continue
            idle = 0
            data, end = stream.pending[0]
            size = min(len(data), room)
            last = size == len(data)
            stream.end_sent = last and end
            header = f.pack_header(
                size >> 8, size & 255, f.DATA, 1 if stream.end_sent else 0, stream.stream_id
            )
            self._out.append(header + data[:size])
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
        if self._waiting.pop(stream, None) is None and self.streams.get(stream.stream_id) is stream:
            del self.streams[stream.stream_id]
            self._out.append(f.rst_stream(stream.stream_id, error_code))
            self._start_waiting()
        kill(stream)

    def consumed(self, stream: Stream, cost: int) -> None:
        if self.streams.get(stream.stream_id) is stream:
            self._credit(stream, cost)

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

    def data_to_send(self) -> bytes:
        out = self._out
        self._acks = 0
        if len(out) == 1:
            data = out[0]
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

    # -- answers
    # -------------------------------------------------------------------------------------------------

    def receive(self, data: bytes) -> None:
        buf = self._in + data if self._in else data
        if not self.ready:
            self._check_greeting(buf)
        streams, blocks = self.streams, self._blocks
        at, size = 0, len(buf)
        while size - at >= 9:
            high, low, kind, flags, stream_id = f.unpack_header(buf, at)
            length = high << 8 | low
            stop = at + 9 + length
            if stop > size:
                if length > f.DEFAULT_FRAME:
                    self._violation(FRAME_SIZE_ERROR, f"a frame of {length} octets")
                break
            at += 9
            if self._open_block is not None and kind != f.CONTINUATION:
                self._violation(PROTOCOL_ERROR, "a header block was not continued")
            if kind == f.DATA:
                self._owed += length
                if self._owed >= self._connection_half:
                    self._out.append(f.window_update(0, self._owed))
                    self._owed = 0
                stream = streams.get(stream_id)
                if stream is None:
                    self._check_known(stream_id, "DATA")
                    self._count_useless()
                elif flags & f.PADDED:
                    if not length or buf[at] >= length:
                        self._violation(PROTOCOL_ERROR, "padding longer than its frame")
                    self._data(stream, buf[at + 1 : stop - buf[at]], flags, length)
                else:
                    self._data(stream, buf[at:stop], flags, length)
            elif kind == f.HEADERS:
                fragment = buf[at:stop]
                if flags & 0x2C != f.END_HEADERS:
                    fragment = self._fragment(fragment, flags)
                if not flags & f.END_HEADERS:
                    self._open_block = (stream_id, flags, [fragment])
                else:
                    block = blocks.get(fragment)
                    if block is None:
                        block = self._decode(fragment)
                    stream = streams.get(stream_id)
                    if stream is None:
                        self._check_known(stream_id, "HEADERS")
                        self._count_useless()
                    elif flags & f.END_STREAM:
                        self._end(stream, block)
                    else:
                        self._initial(stream, block)
            elif kind == f.WINDOW_UPDATE:
                self._window_update(stream_id, buf[at:stop])
            else:
                self._control(kind, flags, stream_id, buf[at:stop])
            at = stop
        self._in = buf[at:] if at < size else b""

    def _data(self, stream: Stream, data: bytes, flags: int, length: int) -> None:
        headers = stream.headers
        if headers is None:
            self._fail(
                stream, PROTOCOL_ERROR, StreamEnd("message", INTERNAL, "the server sent data before headers")
            )
            return
        if not headers.acceptable:
            self._foreign_body(stream, data, flags)
            return
        if data:
            self._useless = 0
        elif not flags & f.END_STREAM:
            self._count_useless()
        try:
            if stream.unary:
                if stream.message is None:
                    stream.message = data
                else:
                    collect(stream, data, self._message_limit)
                credit = length
            else:
                stream.receive_window -= length
                if stream.receive_window < 0:
                    end = StreamEnd(
                        "message", INTERNAL, "the server sent more than the stream's window allows"
                    )
                    self._fail(stream, FLOW_CONTROL_ERROR, end)
                    return
                credit = feed(stream, data, self._message_limit) + length - len(data)
        except MessageError as error:
            self._fail(stream, CANCEL, error.end)
            return
        if flags & f.END_STREAM:
            if self.streams.get(stream.stream_id) is stream:
                self._end(stream, None)
        elif credit:
            self._credit(stream, credit)

    def _credit(self, stream: Stream, octets: int) -> None:
        owed = stream.owed + octets
        if owed >= self._stream_half and self.streams.get(stream.stream_id) is stream:
            self._out.append(f.window_update(stream.stream_id, owed))
            stream.receive_window += owed
            owed = 0
        stream.owed = owed

    def _foreign_body(self, stream: Stream, data: bytes, flags: int) -> None:
        """The body of an answer that is no gRPC: its beginning belongs into the error."""
        body = (stream.message or b"") + data[:HTTP_BODY_SHOWN]
        stream.message = body
        if flags & f.END_STREAM or len(body) >= HTTP_BODY_SHOWN:
            self._fail(stream, CANCEL, end_of_response(stream.headers, None, body))

    def _initial(self, stream: Stream, block: HeaderBlock) -> None:
        if 100 <= block.http_status < 200:
            self._count_useless()
        elif stream.headers is not None:
            self._fail(
                stream, PROTOCOL_ERROR, StreamEnd("message", INTERNAL, "the server sent headers twice")
            )
        else:
            stream.headers = block
            if not stream.unary and block.acceptable:
                stream.on_headers()

    def _end(self, stream: Stream, block: HeaderBlock | None) -> None:
        """The server closed the stream in order."""
        del self.streams[stream.stream_id]
        if not stream.end_sent:
            self._out.append(f.rst_stream(stream.stream_id, NO_ERROR))
        self._useless = 0
        headers = stream.headers
        if block is not None and block.end is not None and headers is not None and headers.acceptable:
            end = block.end
        else:
            end = end_of_response(headers, block, stream.message or b"")
        if stream.unary:
            end = unary_end(stream, end, self._message_limit)
        stream.need, stream.pending = -1, None
        if self._waiting:
            self._start_waiting()
        stream.on_end(end)

    def _fail(self, stream: Stream, error_code: int, end: StreamEnd) -> None:
        """End a stream that the server spoiled; the connection lives on."""
        stream.message = None
        self.cancel(stream, error_code)
        stream.on_end(end)

    def _fragment(self, payload: bytes, flags: int) -> bytes:
        """A HEADERS frame's part of the block, without padding and priority."""
        start, stop = 0, len(payload)
        if flags & f.PADDED:
            if not payload:
                self._violation(FRAME_SIZE_ERROR, "a padded frame without its pad length")
            start, stop = 1, stop - payload[0]
        if flags & f.PRIORITISED:
            start += 5
        if stop < start:
            self._violation(PROTOCOL_ERROR, "padding longer than its frame")
        return payload[start:stop]

    def _decode(self, block: bytes) -> HeaderBlock:
        if len(block) > self.limits.header_list:
            self._violation(ENHANCE_YOUR_CALM, "a header block longer than we take")
        try:
            fields = self._decoder.decode(block, raw=True)
        except OversizedHeaderListError:
            self._violation(ENHANCE_YOUR_CALM, "a header list longer than we take")
        except (HPACKError, ValueError, IndexError) as error:
            self._violation(COMPRESSION_ERROR, f"a header block that does not decode: {error}")
        headers = HeaderBlock(tuple((bytes(name), bytes(value)) for name, value in fields))
        # Octets 0x81-0xFE are whole table entries: such a block cannot change the table, so while no other
        # block comes, the same octets mean the same fields.
        if (
            len(block) <= 16
            and all(0x80 < octet < 0xFF for octet in block)
            and len(self._blocks) < _REMEMBERED_BLOCKS
        ):
            self._blocks[block] = headers
        else:
            self._blocks.clear()
        return headers

    def _window_update(self, stream_id: int, payload: bytes) -> None:
        if len(payload) != 4:
            self._violation(FRAME_SIZE_ERROR, "a WINDOW_UPDATE that is not four octets long")
        octets = int.from_bytes(payload, "big") & MAX_WINDOW
        if not stream_id:
            if not octets:
                self._violation(PROTOCOL_ERROR, "a WINDOW_UPDATE of 0")
            self._send_window += octets
            if self._send_window > MAX_WINDOW:
                self._violation(FLOW_CONTROL_ERROR, "the connection's window overflowed")
        else:
            stream = self.streams.get(stream_id)
            if stream is None:
                self._check_known(stream_id, "WINDOW_UPDATE")
                return
            if not octets:
                self._fail(
                    stream,
                    PROTOCOL_ERROR,
                    StreamEnd("message", INTERNAL, "the server sent a WINDOW_UPDATE of 0"),
                )
                return
            stream.send_window += octets
            if stream.send_window > MAX_WINDOW:
                self._fail(
                    stream,
                    FLOW_CONTROL_ERROR,
                    StreamEnd("message", INTERNAL, "the server overflowed the stream's window"),
                )
                return
        if self._blocked:
            self._pump()

    # -- the rest
    # ------------------------------------------------------------------------------------------------

    def _control(self, kind: int, flags: int, stream_id: int, payload: bytes) -> None:
        if kind == f.PING:
            self._ping(flags, stream_id, payload)
        elif kind == f.SETTINGS:
            self._settings(flags, stream_id, payload)
        elif kind == f.RST_STREAM:
            self._reset(stream_id, payload)
        elif kind == f.GOAWAY:
            self._goaway(stream_id, payload)
        elif kind == f.CONTINUATION:
            self._continuation(flags, stream_id, payload)
        elif kind == f.PUSH_PROMISE:
            self._violation(PROTOCOL_ERROR, "a PUSH_PROMISE, though push is off")
        elif kind == f.PRIORITY and not stream_id:
            self._violation(PROTOCOL_ERROR, "PRIORITY without a stream")
        elif kind == f.PRIORITY and len(payload) != 5:
            self._violation(FRAME_SIZE_ERROR, "a PRIORITY that is not five octets long")
        else:  # unknown frames are to be ignored (RFC 9113, 4.1), but not without end
            self._count_useless()

    def _ping(self, flags: int, stream_id: int, payload: bytes) -> None:
        if stream_id:
            self._violation(PROTOCOL_ERROR, "a PING on a stream")
        if len(payload) != 8:
            self._violation(FRAME_SIZE_ERROR, "a PING that is not eight octets long")
        if flags & f.ACK:
            self.on_ping_ack(payload)
        elif (
            self.hold_probes
            and payload == BANDWIDTH_PROBE
            and not (self._blocked or self._bulk or self.probe_held)
        ):
            self.probe_held = True
        else:
            self._bulk = False
            self._ack(f.PING_ACK + payload)

    def _ack(self, frame: bytes) -> None:
        self._acks += 1
        if self._acks > self.limits.control_frames:
            self._violation(ENHANCE_YOUR_CALM, "a flood of PING or SETTINGS frames")
        self._out.append(frame)

    def _settings(self, flags: int, stream_id: int, payload: bytes) -> None:
        if stream_id:
            self._violation(PROTOCOL_ERROR, "SETTINGS on a stream")
        if len(payload) % 6 or (flags & f.ACK and payload):
            self._violation(FRAME_SIZE_ERROR, "SETTINGS of a wrong length")
        if flags & f.ACK:
            return
        for setting, value in f.unpack_setting(payload):
            self._setting(setting, value)
        self.ready = True
        self._ack(f.SETTINGS_ACK)
        self._start_waiting()
        self._pump()

    def _setting(self, setting: int, value: int) -> None:
        if setting == f.INITIAL_WINDOW_SIZE:
            if value > MAX_WINDOW:
                self._violation(FLOW_CONTROL_ERROR, "INITIAL_WINDOW_SIZE above 2^31-1")
            change = value - self._initial_window
            self._initial_window = value
            for stream in self.streams.values():
                stream.send_window += change
                if stream.send_window > MAX_WINDOW:
                    self._violation(FLOW_CONTROL_ERROR, "INITIAL_WINDOW_SIZE overflows a stream's window")
        elif setting == f.MAX_FRAME_SIZE:
            if not f.DEFAULT_FRAME <= value <= f.LARGEST_FRAME:
                self._violation(PROTOCOL_ERROR, f"MAX_FRAME_SIZE {value}")
            self._max_frame = value
        elif setting == f.MAX_CONCURRENT_STREAMS:
            self._max_streams = value
        elif setting == f.MAX_HEADER_LIST_SIZE:
            self._max_header_list = value
            if value <= _ORDINARY_HEADERS:
                self._slow = True
        elif setting == f.HEADER_TABLE_SIZE:
            if value < 4096:  # we keep no table, but have to say that it shrank (RFC 7541, 4.2)
                self._table_update = b"\x20"
        elif setting == f.ENABLE_PUSH and value:
            self._violation(PROTOCOL_ERROR, "a server cannot enable push")

    def _reset(self, stream_id: int, payload: bytes) -> None:
        if len(payload) != 4:
            self._violation(FRAME_SIZE_ERROR, "an RST_STREAM that is not four octets long")
        stream = self.streams.get(stream_id)
        if stream is None:
            self._check_known(stream_id, "RST_STREAM")
            self._count_useless()
            return
        del self.streams[stream_id]
        stream.message = None
        kill(stream)
        self._start_waiting()
        stream.on_end(reset_end(int.from_bytes(payload, "big")))

    def _goaway(self, stream_id: int, payload: bytes) -> None:
        if stream_id:
            self._violation(PROTOCOL_ERROR, "GOAWAY on a stream")
        if len(payload) < 8:
            self._violation(FRAME_SIZE_ERROR, "a GOAWAY shorter than eight octets")
        last, error_code = f.unpack_two(payload)
        last &= MAX_STREAM_ID
        if self.goaway is not None and last > self.goaway.last_stream_id:
            self._violation(PROTOCOL_ERROR, "a GOAWAY with a growing last stream id")
        self.goaway = GoAway(last, error_code, payload[8:])
        self.accepting = False
        self._slow = True
        end = goaway_end(self.goaway)
        for number in [number for number in self.streams if number > last]:
            self._drop(self.streams.pop(number), end)
        self._drop_waiting(end)

    def _continuation(self, flags: int, stream_id: int, payload: bytes) -> None:
        if self._open_block is None or self._open_block[0] != stream_id:
            self._violation(PROTOCOL_ERROR, "CONTINUATION without its HEADERS")
        _, first_flags, fragments = self._open_block
        fragments.append(payload)
        if len(fragments) > self.limits.continuations or sum(map(len, fragments)) > self.limits.header_list:
            self._violation(ENHANCE_YOUR_CALM, "a header block in too many pieces")
        if not flags & f.END_HEADERS:
            return
        self._open_block = None
        block = self._decode(b"".join(fragments))
        stream = self.streams.get(stream_id)
        if stream is None:
            self._check_known(stream_id, "HEADERS")
        elif first_flags & f.END_STREAM:
            self._end(stream, block)
        else:
            self._initial(stream, block)

    def lost(self, reason: str, *, violation: bool = False) -> None:
        self.accepting = False
        self._slow = True
        end = lost_end(reason, violation=violation)
        while self.streams:
            self._drop(self.streams.popitem()[1], end)
        self._drop_waiting(unsent_end(reason))
        self._blocked.clear()

    def _drop_waiting(self, end: StreamEnd) -> None:
        waiting, self._waiting = self._waiting, {}
        for stream in waiting:
            self._drop(stream, end)

    def _drop(self, stream: Stream, end: StreamEnd) -> None:
        stream.message = None
        kill(stream)
        stream.on_end(end)

    def _check_greeting(self, buf: bytes) -> None:
        """The server's first frame must be SETTINGS (RFC 9113, 3.4); say it in words when something else answers."""
        if buf.startswith(b"HTTP/"):
            self._violation(
                PROTOCOL_ERROR, f"the server speaks HTTP/1: {buf[:60].splitlines()[0].decode('latin-1')!r}"
            )
        if buf.startswith(b"\x15\x03"):
            self._violation(PROTOCOL_ERROR, "the server expects TLS")
        if len(buf) >= 9 and (buf[3] != f.SETTINGS or buf[4] & f.ACK):
            self._violation(
                PROTOCOL_ERROR, "the server does not speak HTTP/2: its first frame is not SETTINGS"
            )

    def _check_known(self, stream_id: int, what: str) -> None:
        """Frames may be late for a stream that is over, but not for one that never was."""
        if not stream_id & 1 or stream_id >= self._next_id:
            self._violation(PROTOCOL_ERROR, f"{what} on stream {stream_id}, which was never opened")

    def _count_useless(self) -> None:
        self._useless += 1
        if self._useless > self.limits.control_frames:
            self._violation(ENHANCE_YOUR_CALM, "a flood of frames that say nothing")

    def _violation(self, error_code: int, message: str) -> NoReturn:
        self.close(error_code, message.encode())
        raise ProtocolViolation(error_code, message)
