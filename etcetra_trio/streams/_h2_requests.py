"""The half of the h2 engine that talks to the server: calls, what waits for its turn or a window, and their end."""

from __future__ import annotations

import contextlib
from collections import deque
from typing import TYPE_CHECKING, NoReturn, cast

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.exceptions import ProtocolError, StreamClosedError
from h2.settings import SettingCodes, Settings
from hpack import Encoder

from . import _frames as f
from ._deframe import give_back, kill
from ._grpc import INTERNAL, StreamEnd
from ._protocol import (
    BANDWIDTH_PROBE,
    CANCEL,
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

    from h2.events import Event

    from ._grpc import Field

# What h2 would check and rewrite of headers costs a third of a call; gRPC's headers are made and read by us.
_CONFIG = H2Configuration(
    client_side=True,
    header_encoding=None,
    validate_outbound_headers=False,
    normalize_outbound_headers=False,
    validate_inbound_headers=False,
    normalize_inbound_headers=False,
)


class _Encoder(Encoder):
    """Blocks without a table: no token is kept in one, and hpack's encoder loses size updates that come in a row."""

    table_changed = False

    def encode(self, headers: object, huffman: bool = False) -> bytes:  # noqa: ARG002 - h2 asks for none
        update = b"\x20" if self.table_changed else b""
        self.table_changed = False
        return update + f.encode_fields(cast("list[Field]", headers))


class H2Head(Head):
    """A request's header fields, and what they count for the server's MAX_HEADER_LIST_SIZE."""

    __slots__ = ("fields", "list_size")

    def __init__(self, fields: list[Field]) -> None:
        self.fields = fields
        self.list_size = sum(len(name) + len(value) + 32 for name, value in fields)


def _framed(message: bytes) -> memoryview:
    return memoryview(b"\0" + len(message).to_bytes(4, "big") + message)


class H2Requests(Engine):
    """What calls ask of the engine."""

    def __init__(
        self, authority: str, scheme: str = "http", limits: Limits | None = None, *, hold_probes: bool = True
    ) -> None:
        super().__init__(limits or Limits(), hold_probes=hold_probes)
        self._authority, self._scheme = authority, scheme
        self._out = bytearray()
        self._next_id = 1
        self._waiting: dict[Stream, tuple[H2Head, bytes | None, bool]] = {}
        self._blocked: deque[Stream] = deque()
        self._bulk = self._broken = False
        self._owed = self._late = self._acks = 0
        self._conn = H2Connection(_CONFIG)
        self._conn.encoder = self._encoder = _Encoder()
        self._conn.local_settings = Settings(
            client=True,
            initial_values={
                SettingCodes.ENABLE_PUSH: 0,
                SettingCodes.INITIAL_WINDOW_SIZE: self.limits.stream_window,
                SettingCodes.MAX_HEADER_LIST_SIZE: self.limits.header_list,
            },
        )
        self._conn.decoder.max_header_list_size = self.limits.header_list
        self._conn.initiate_connection()
        self._conn.increment_flow_control_window(self.limits.connection_window - f.DEFAULT_WINDOW)

    def prepare(self, path: str, metadata: Sequence[Field] = ()) -> H2Head:
        return H2Head(f.request_fields(path, self._authority, self._scheme, metadata))

    def open(
        self, stream: Stream, head: Head, message: bytes | None, *, end: bool, timeout: bytes | None = None
    ) -> None:
        assert isinstance(head, H2Head)
        largest = self._conn.remote_settings.max_header_list_size
        if not self.accepting:
            stream.on_end(goaway_end(self.goaway) if self.goaway else unsent_end("the connection is closed"))
            return
        if largest is not None and head.list_size + 64 > largest:
            stream.on_end(
                StreamEnd("local", INTERNAL, "the request's headers are longer than the server takes")
            )
            return
        if message is not None and len(message) > self.limits.request:
            stream.on_end(too_large_end(message, self.limits.request))
            return
        if timeout is not None:
            head = H2Head([*head.fields, (b"grpc-timeout", timeout)])
        if self._has_room():
            self._start(stream, head, message, end)
        else:
            self._waiting[stream] = (head, message, end)

    def _has_room(self) -> bool:
        return len(self.streams) < self._conn.remote_settings.max_concurrent_streams

    def _start(self, stream: Stream, head: H2Head, message: bytes | None, end: bool) -> None:
        stream.stream_id = self._next_id
        self._next_id += 2
        self.streams[stream.stream_id] = stream
        self._conn.send_headers(stream.stream_id, head.fields)
        if self._next_id >= MAX_STREAM_ID:
            self.accepting = False
            self._drop_waiting(unsent_end("the connection's stream ids are used up"))
        if stream.pending is not None:  # sent while the stream waited, so after its first message
            if message is not None:
                stream.pending.appendleft((_framed(message), end))
            self._blocked.append(stream)
            self._pump()
            if stream in self._blocked:
                self._note_bulk()
        elif message is not None:
            self.send(stream, message, end=end)
        elif end:
            self.half_close(stream)

    def _start_waiting(self) -> None:
        while self._waiting and self._has_room() and not self._broken:
            stream = next(iter(self._waiting))
            self._start(stream, *self._waiting.pop(stream))

    def send(self, stream: Stream, message: bytes, *, end: bool = False) -> None:
        data, waits = _framed(message), stream in self._waiting
        if not waits and not self._is_live(stream):
            return
        if not waits and stream.pending is None and len(data) <= self._room(stream):
            self._conn.send_data(stream.stream_id, data, end_stream=end)
            stream.end_sent = end
            return
        blocked = stream.pending is not None
        stream.pending = stream.pending or deque()
        stream.pending.append((data, end))
        if not waits:
            self._note_bulk()
            if not blocked:
                self._blocked.append(stream)
                self._pump()

    def _note_bulk(self) -> None:
        """The server is measuring its bandwidth, and now there is something to measure it with."""
        self._bulk = True
        self.release_probe()

    def half_close(self, stream: Stream) -> None:
        if stream.pending:
            stream.pending[-1] = (stream.pending[-1][0], True)
        elif stream in self._waiting:
            head, message, _ = self._waiting[stream]
            self._waiting[stream] = (head, message, True)
        elif self._is_live(stream) and not stream.end_sent:
            self._conn.end_stream(stream.stream_id)
            stream.end_sent = True

    def _room(self, stream: Stream) -> int:
        return min(self._conn.local_flow_control_window(stream.stream_id), self._conn.max_outbound_frame_size)

    def _pump(self) -> None:
        """Send what the windows let out, one frame of each stream in turn."""
        idle = 0
        while not self._broken and idle < len(self._blocked) and self._conn.outbound_flow_control_window > 0:
            stream = self._blocked.popleft()
            assert stream.pending
            room = self._room(stream)
            if room <= 0:
                self._blocked.append(stream)
                idle += 1
                continue
            idle = 0
            data, end = stream.pending.popleft()
            if len(data) > room:
                stream.pending.appendleft((data[room:], end))
                end = False
            self._conn.send_data(stream.stream_id, data[:room], end_stream=end)
            stream.end_sent = end
            if stream.pending:
                self._blocked.append(stream)
            else:
                stream.pending = None
                stream.on_writable()

    def cancel(self, stream: Stream, error_code: int = CANCEL) -> None:
        if self._waiting.pop(stream, None) is None and self.streams.get(stream.stream_id) is stream:
            self._forget(stream)
            if not self._broken:
                with contextlib.suppress(StreamClosedError):  # both sides have ended it
                    self._conn.reset_stream(stream.stream_id, error_code)
            self._start_waiting()
        kill(stream)

    def _forget(self, stream: Stream) -> None:
        del self.streams[stream.stream_id]
        self._release_held(stream)
        if stream.pending is not None:
            self._blocked.remove(stream)

    def _is_live(self, stream: Stream) -> bool:
        return self.streams.get(stream.stream_id) is stream and not self._broken

    def consumed(self, stream: Stream, cost: int) -> None:
        if self._is_live(stream):
            self._credit(stream, give_back(stream, cost))

    def _credit(self, stream: Stream, octets: int) -> None:
        stream.owed += octets
        if stream.owed >= self.limits.stream_window // 2:
            self._conn.increment_flow_control_window(stream.owed, stream.stream_id)
            stream.owed = 0

    def _credit_connection(self) -> None:
        if self._owed + self._late >= self.limits.connection_window // 2:
            if self._owed:
                self._conn.increment_flow_control_window(self._owed)
            if self._late:
                self._say(f.window_update(0, self._late))
            self._owed = self._late = 0

    def ping(self, payload: bytes) -> None:
        if not self._broken:
            self._conn.ping(payload)

    def release_probe(self) -> None:
        if self.probe_held:
            self.probe_held = self._bulk = False
            self._feed(f.PING_HEADER + BANDWIDTH_PROBE)

    def close(self, error_code: int = NO_ERROR, debug: bytes = b"") -> None:
        self.accepting = False
        self._say(f.goaway(error_code, debug))  # past h2, which would be of no use afterwards

    def _say(self, frame: bytes) -> None:
        self._out += self._conn.data_to_send() + frame

    def data_to_send(self) -> bytes:
        self._acks = 0
        self._say(b"")
        data = bytes(self._out)
        self._out.clear()
        return data

    @property
    def wants_send(self) -> bool:
        self._say(b"")
        return bool(self._out)

    @property
    def waiting_streams(self) -> int:
        return len(self._waiting)

    def _feed(self, frame: bytes) -> list[Event]:
        try:
            return self._conn.receive_data(frame)
        except ProtocolError as error:  # h2 has queued the GOAWAY
            self._broken = True
            self.accepting = False
            raise ProtocolViolation(int(error.error_code), str(error)) from error

    def lost(self, reason: str, *, violation: bool = False, unsent: int = MAX_STREAM_ID + 1) -> None:
        self.accepting = False
        self._broken = True
        end, never = lost_end(reason, violation=violation), unsent_end(reason)
        self._drop_waiting(never)
        for stream in list(self.streams.values()):
            self._drop(stream, end if stream.stream_id < unsent else never)

    def _drop(self, stream: Stream, end: StreamEnd) -> None:
        if self.streams.get(stream.stream_id) is stream:  # what was told the one before may have cancelled it
            self._forget(stream)
            stream.message = None
            kill(stream)
            stream.on_end(end)

    def _drop_waiting(self, end: StreamEnd) -> None:
        while self._waiting:
            stream = next(iter(self._waiting))
            del self._waiting[stream]
            kill(stream)
            stream.on_end(end)

    def _violation(self, error_code: int, message: str) -> NoReturn:
        self._broken = True
        self.close(error_code, message.encode())
        raise ProtocolViolation(error_code, message)
