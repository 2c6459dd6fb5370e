"""The lean engine's control frames: SETTINGS, PING, GOAWAY, RST_STREAM, WINDOW_UPDATE, and limits on floods of them."""

from __future__ import annotations

from . import _frames as f
from ._grpc import INTERNAL, StreamEnd, reset_end
from ._lean_requests import Requests
from ._protocol import (
    BANDWIDTH_PROBE,
    ENHANCE_YOUR_CALM,
    FLOW_CONTROL_ERROR,
    FRAME_SIZE_ERROR,
    MAX_STREAM_ID,
    MAX_WINDOW,
    PROTOCOL_ERROR,
    GoAway,
    Stream,
    goaway_end,
)

#: Request headers are shorter than this, so only a server that takes less makes ``open`` compare.
_ORDINARY_HEADERS = 64 << 10
_OWN_TABLE = 4096  # RFC 7541: the table that a peer may expect us to keep


class Control(Requests):
    """What the server says about the connection and its streams, rather than in them."""

    _useless = 0

    def _control(self, kind: int, flags: int, stream_id: int, payload: bytes) -> None:
        if kind == f.WINDOW_UPDATE:
            self._window_update(stream_id, payload)
        elif kind == f.PING:
            self._ping(flags, stream_id, payload)
        elif kind == f.SETTINGS:
            self._settings(flags, stream_id, payload)
        elif kind == f.RST_STREAM:
            self._reset(stream_id, payload)
        elif kind == f.GOAWAY:
            self._goaway(stream_id, payload)
        elif kind == f.PUSH_PROMISE:
            self._violation(PROTOCOL_ERROR, "a PUSH_PROMISE, though push is off")
        elif kind == f.PRIORITY and not stream_id:
            self._violation(PROTOCOL_ERROR, "PRIORITY without a stream")
        elif kind == f.PRIORITY and len(payload) != 5:
            self._violation(FRAME_SIZE_ERROR, "a PRIORITY that is not five octets long")
        else:  # unknown frames are to be ignored (RFC 9113, 4.1), but not without end
            self._count_useless()

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
                self._spoiled(stream, PROTOCOL_ERROR, "the server sent a WINDOW_UPDATE of 0")
                return
            stream.send_window += octets
            if stream.send_window > MAX_WINDOW:
                self._spoiled(stream, FLOW_CONTROL_ERROR, "the server overflowed the stream's window")
                return
        if self._blocked:
            self._pump()

    def _ping(self, flags: int, stream_id: int, payload: bytes) -> None:
        if stream_id:
            self._violation(PROTOCOL_ERROR, "a PING on a stream")
        if len(payload) != 8:
            self._violation(FRAME_SIZE_ERROR, "a PING that is not eight octets long")
        if flags & f.ACK:
            self.on_ping_ack(payload)
        elif payload != BANDWIDTH_PROBE:
            self._ack(f.PING_ACK + payload)
        elif self.hold_probes and not (self._blocked or self._bulk or self.probe_held):
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
            self._slow = self._slow or value <= _ORDINARY_HEADERS
        elif setting == f.HEADER_TABLE_SIZE:
            if value < _OWN_TABLE:  # we keep no table, but have to say that it shrank (RFC 7541, 4.2)
                self._table_update = b"\x20"
        elif setting == f.ENABLE_PUSH and value:
            self._violation(PROTOCOL_ERROR, "a server cannot enable push")

    def _reset(self, stream_id: int, payload: bytes) -> None:
        if len(payload) != 4:
            self._violation(FRAME_SIZE_ERROR, "an RST_STREAM that is not four octets long")
        stream = self.streams.get(stream_id)
        if stream is None:
            self._check_known(stream_id, "RST_STREAM")
            self._count_late()
        else:
            self._forget(stream)
            self._start_waiting()
            stream.on_end(reset_end(int.from_bytes(payload, "big"), answering=stream.headers is not None))

    def _goaway(self, stream_id: int, payload: bytes) -> None:
        if stream_id:
            self._violation(PROTOCOL_ERROR, "GOAWAY on a stream")
        if len(payload) < 8:
            self._violation(FRAME_SIZE_ERROR, "a GOAWAY shorter than eight octets")
        last, error_code = f.unpack_two(payload)
        last &= MAX_STREAM_ID
        if self.goaway is not None:
            self._count_useless()
        if self.goaway is not None and last > self.goaway.last_stream_id:
            self._violation(PROTOCOL_ERROR, "a GOAWAY with a growing last stream id")
        self.goaway = GoAway(last, error_code, payload[8:])
        self.accepting = False
        self._slow = True
        end = goaway_end(self.goaway)
        self._drop_waiting(end)
        for stream in [stream for number, stream in self.streams.items() if number > last]:
            self._drop(stream, end)

    def _spoiled(self, stream: Stream, error_code: int, what: str) -> None:
        """End a stream on which the server broke the rules; the connection lives on."""
        self.cancel(stream, error_code)
        stream.on_end(StreamEnd("message", INTERNAL, what))

    def _check_known(self, stream_id: int, what: str) -> None:
        """Frames may be late for a stream that is over, but not for one that never was."""
        if not stream_id & 1 or stream_id >= self._next_id:
            self._violation(PROTOCOL_ERROR, f"{what} on stream {stream_id}, which was never opened")

    def _count_late(self) -> None:
        """A frame came for a stream that is over: expected for some time after we reset it."""
        if self._late:
            self._late -= 1
        else:
            self._count_useless()

    def _count_useless(self) -> None:
        self._useless += 1
        if self._useless > self.limits.control_frames:
            self._violation(ENHANCE_YOUR_CALM, "a flood of frames that say nothing")
