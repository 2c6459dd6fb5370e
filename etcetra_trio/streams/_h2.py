"""The engine over the package h2: the reference that the lean engine is measured against (``http2="h2"``).

Pure. h2 is given one frame at a time, so that what came before a broken frame is told before the breach is. A few
frames never reach it: GOAWAY, after which it would drop what is in flight (python-hyper/h2 #1181); grpc-go's
bandwidth probe until it may be answered, since h2 answers every PING at once; and DATA of streams that are over,
which it would answer with one more RST_STREAM each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from h2.events import (
    DataReceived,
    InformationalResponseReceived,
    PingAckReceived,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamReset,
    TrailersReceived,
    WindowUpdated,
)
from h2.settings import SettingCodes

from . import _frames as f
from ._deframe import MessageError, collect, feed, final_end
from ._greeting import greeting_error
from ._grpc import INTERNAL, HeaderBlock, StreamEnd, end_of_response, reset_end
from ._h2_requests import H2Requests
from ._protocol import (
    BANDWIDTH_PROBE,
    CANCEL,
    ENHANCE_YOUR_CALM,
    FRAME_SIZE_ERROR,
    MAX_STREAM_ID,
    NO_ERROR,
    PROTOCOL_ERROR,
    GoAway,
    Limits,
    Stream,
    goaway_end,
)

if TYPE_CHECKING:
    from h2.events import Event

_STREAM_FRAMES = frozenset({f.DATA, f.HEADERS, f.RST_STREAM, f.WINDOW_UPDATE, f.CONTINUATION})


class H2Engine(H2Requests):
    """See :class:`Engine`."""

    def __init__(
        self, authority: str, scheme: str = "http", limits: Limits | None = None, *, hold_probes: bool = True
    ) -> None:
        super().__init__(authority, scheme, limits, hold_probes=hold_probes)
        self._in = bytearray()
        self._in_block = False
        self._useless = self._fragments = 0

    def receive(self, data: bytes) -> None:
        self._in += data
        if not self.ready:
            error = greeting_error(bytes(self._in[:64]))
            if error is not None:
                self._violation(PROTOCOL_ERROR, error)
        while len(self._in) >= f.FRAME_HEADER:
            high, low, kind, flags, stream_id = f.unpack_header(self._in)
            length = high << 8 | low
            if length > f.DEFAULT_FRAME:
                self._violation(FRAME_SIZE_ERROR, f"a frame of {length} octets")
            size = f.FRAME_HEADER + length
            if len(self._in) < size:
                return
            frame = bytes(self._in[:size])
            del self._in[:size]
            self._take(kind, flags, stream_id & MAX_STREAM_ID, frame)

    def _take(self, kind: int, flags: int, stream_id: int, frame: bytes) -> None:
        empty = len(frame) == f.FRAME_HEADER
        if self._in_block and kind != f.CONTINUATION:
            self._violation(PROTOCOL_ERROR, "a header block was not continued")
        if kind in _STREAM_FRAMES and stream_id and (not stream_id & 1 or stream_id >= self._next_id):
            self._violation(PROTOCOL_ERROR, f"a frame on stream {stream_id}, which was never opened")
        if kind in {f.PING, f.SETTINGS} and not flags & f.ACK:
            if kind == f.PING and not stream_id and self._hold(frame):
                return
            self._acks += 1
            if self._acks > self.limits.control_frames:
                self._violation(ENHANCE_YOUR_CALM, "a flood of PING or SETTINGS frames")
        elif kind == f.GOAWAY:
            self._goaway(stream_id, frame[f.FRAME_HEADER :])
            return
        elif kind == f.DATA and stream_id and stream_id not in self.streams:
            # Neither the octets nor their credit are known to h2, so its account of the window stays right.
            self._count_useless(empty)
            self._late += len(frame) - f.FRAME_HEADER
            self._credit_connection()
            return
        elif kind == f.CONTINUATION:
            self._fragments += 1
            if self._fragments > self.limits.continuations:
                self._violation(ENHANCE_YOUR_CALM, "a header block in too many pieces")
            self._in_block = not flags & f.END_HEADERS
        elif kind == f.HEADERS:
            self._fragments = 1
            self._in_block = not flags & f.END_HEADERS
            self._count_useless(stream_id not in self.streams)
        elif (
            kind == f.PRIORITY
            or kind > f.CONTINUATION
            or (kind == f.RST_STREAM and stream_id not in self.streams)
        ):
            self._count_useless(True)
        for event in self._feed(frame):
            self._tell(event)

    def _hold(self, frame: bytes) -> bool:
        if frame[f.FRAME_HEADER :] == BANDWIDTH_PROBE:
            if self.hold_probes and not (self._blocked or self._bulk or self.probe_held):
                self.probe_held = True
                return True
            self._bulk = False
        return False

    def _tell(self, event: Event) -> None:
        if isinstance(event, RemoteSettingsChanged):
            self.ready = True
            self._encoder.table_changed |= SettingCodes.HEADER_TABLE_SIZE in event.changed_settings
            self._start_waiting()
            self._pump()
        elif isinstance(event, WindowUpdated):
            self._pump()
        elif isinstance(event, PingAckReceived):
            self.on_ping_ack(event.ping_data)
        elif isinstance(event, InformationalResponseReceived):
            self._count_useless(True)
        elif isinstance(event, DataReceived | ResponseReceived | TrailersReceived | StreamReset):
            stream = self.streams.get(event.stream_id)
            if stream is None:
                pass  # GOAWAY ended it; h2 was not told
            elif isinstance(event, DataReceived):
                self._data(stream, event)
            elif isinstance(event, StreamReset):
                self._reset(stream, event)
            else:
                self._headers(stream, event)

    def _data(self, stream: Stream, event: DataReceived) -> None:
        octets = event.flow_controlled_length
        self._owed += octets
        self._credit_connection()
        headers = stream.headers
        assert headers is not None  # h2 sees to it
        data, ended = event.data, event.stream_ended is not None
        if not headers.acceptable:
            # The body of an answer that is no gRPC: its beginning belongs into the error; more may never come.
            if data or ended:
                self._fail(stream, CANCEL, end_of_response(headers, None, data))
            return
        if data:
            self._useless = 0
        else:
            self._count_useless(not ended)
        try:
            if not stream.unary:
                octets += feed(stream, data, stream.max_message or self.limits.message) - len(data)
            else:
                collect(stream, data, stream.max_message or self.limits.message)
            if self._is_live(stream):
                self._count_held(stream)
        except MessageError as error:
            self._fail(stream, CANCEL, error.end)
            return
        if self._is_live(stream):
            if ended:
                self._end(stream, None)
            else:
                self._credit(stream, octets)

    def _headers(self, stream: Stream, event: ResponseReceived | TrailersReceived) -> None:
        block = HeaderBlock(tuple((bytes(name), bytes(value)) for name, value in event.headers))
        if event.stream_ended is not None:
            self._end(stream, block)
            return
        stream.headers = block
        if not stream.unary and block.acceptable:
            stream.on_headers()

    def _reset(self, stream: Stream, event: StreamReset) -> None:
        if event.remote_reset:
            end = reset_end(int(event.error_code), answering=stream.headers is not None)
        else:
            end = StreamEnd("message", INTERNAL, "the server overflowed the stream's window")
        self._fail(stream, NO_ERROR, end)

    def _end(self, stream: Stream, block: HeaderBlock | None) -> None:
        """The server closed the stream in order."""
        self._useless = 0
        end = end_of_response(stream.headers, block, stream.message or b"")
        end = final_end(stream, end, stream.max_message or self.limits.message)
        self.cancel(stream, NO_ERROR)
        stream.on_end(end)

    def _fail(self, stream: Stream, error_code: int, end: StreamEnd) -> None:
        """End a stream that the server spoiled or gave up; the connection lives on."""
        stream.message = None
        self.cancel(stream, error_code)
        stream.on_end(end)

    def _goaway(self, stream_id: int, payload: bytes) -> None:
        if stream_id:
            self._violation(PROTOCOL_ERROR, "GOAWAY on a stream")
        if len(payload) < 8:
            self._violation(FRAME_SIZE_ERROR, "a GOAWAY shorter than eight octets")
        last, error_code = f.unpack_two(payload)
        last &= MAX_STREAM_ID
        self._count_useless(self.goaway is not None)
        if self.goaway is not None and last > self.goaway.last_stream_id:
            self._violation(PROTOCOL_ERROR, "a GOAWAY with a growing last stream id")
        self.goaway = GoAway(last, error_code, payload[8:])
        self.accepting = False
        end = goaway_end(self.goaway)
        self._drop_waiting(end)
        for stream in [stream for number, stream in self.streams.items() if number > last]:
            self._drop(stream, end)

    def _count_useless(self, useless: bool) -> None:
        self._useless += useless
        if self._useless > self.limits.control_frames:
            self._violation(ENHANCE_YOUR_CALM, "a flood of frames that say nothing")
