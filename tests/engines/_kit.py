"""Streams that write down what they are told, and the two kinds of servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from hpack import Encoder

from engines import _frames as f
from engines._exceptions import EXCEPTIONS
from etcetra_trio.streams._h2 import H2Engine
from etcetra_trio.streams._lean import LeanEngine
from etcetra_trio.streams._protocol import Limits, ProtocolViolation, Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from h2.events import Event

    from etcetra_trio.streams._grpc import Field, StreamEnd
    from etcetra_trio.streams._protocol import Head

EngineClass = type[LeanEngine] | type[H2Engine]
ENGINES: tuple[EngineClass, ...] = (LeanEngine, H2Engine)

RANGE = "/etcdserverpb.KV/Range"
WATCH = "/etcdserverpb.Watch/Watch"
OK_HEADERS = ((b":status", b"200"), (b"content-type", b"application/grpc"))
OK_TRAILERS = ((b"grpc-status", b"0"), (b"grpc-message", b""))


class Told(Stream):
    """Writes down, as tuples, what the engine tells it."""

    __slots__ = ("end", "on", "told")

    def __init__(self, *, unary: bool, on: Callable[[Told, str], None] | None = None) -> None:
        super().__init__(unary=unary)
        self.told: list[tuple[object, ...]] = []
        self.end: StreamEnd | None = None
        self.on = on

    def on_headers(self) -> None:
        assert self.headers is not None
        self._tell("headers", self.headers.fields)

    def on_message(self, message: bytes, cost: int) -> None:
        self._tell("message", message, cost)

    def on_writable(self) -> None:
        self._tell("writable")

    def on_end(self, end: StreamEnd) -> None:
        assert self.end is None, "told its end twice"
        self.end = end
        self._tell("end", end.kind, end.status, end.message, *((self.message,) if self.unary else ()))

    def _tell(self, what: str, *more: object) -> None:
        assert what == "end" or self.end is None, "told something after its end"
        self.told.append((what, *more))
        if self.on is not None:
            self.on(self, what)

    @property
    def messages(self) -> list[bytes]:
        return [told[1] for told in self.told if told[0] == "message" and isinstance(told[1], bytes)]


class Client:
    """An engine under test, and shorthands for what a call does with it."""

    def __init__(
        self, engine_class: EngineClass, limits: Limits | None = None, *, hold_probes: bool = True
    ) -> None:
        self.engine = engine_class("etcd.example:2379", limits=limits, hold_probes=hold_probes)
        self.limits = self.engine.limits

    def excepted(self, case: str) -> bool:
        """True when this is the h2 engine and the case one of its exceptions."""
        assert case in EXCEPTIONS
        return isinstance(self.engine, H2Engine)

    def head(self, path: str = RANGE, metadata: Sequence[Field] = ()) -> Head:
        return self.engine.prepare(path, metadata)

    def unary(self, message: bytes = b"question") -> Told:
        told = Told(unary=True)
        self.engine.open(told, self.head(), message, end=True)
        return told

    def stream(
        self,
        message: bytes | None = b"watch",
        *,
        end: bool = False,
        on: Callable[[Told, str], None] | None = None,
    ) -> Told:
        told = Told(unary=False, on=on)
        self.engine.open(told, self.head(WATCH), message, end=end)
        return told


class Wire(Client):
    """The server is a script of raw frames."""

    def __init__(
        self,
        engine_class: EngineClass,
        limits: Limits | None = None,
        *,
        settings: Sequence[tuple[int, int]] | None = (),
        hold_probes: bool = True,
    ) -> None:
        super().__init__(engine_class, limits, hold_probes=hold_probes)
        self.hpack = Encoder()
        self.reader = f.ClientReader()
        self.preface = self.engine.data_to_send()
        if settings is not None:
            self.feed(f.settings(*settings), f.SETTINGS_ACK)
            assert self.sent() == [("SETTINGS_ACK",)]

    def feed(self, *frames: bytes) -> None:
        self.engine.receive(b"".join(frames))
        assert self.engine.held == sum(stream.have for stream in self.engine.streams.values())

    def feed_anything(self, octets: bytes, cut: int) -> None:
        """Octets of any kind, in two pieces: where they break the protocol, the server is told, nothing begins."""
        try:
            self.feed(octets[:cut])
            self.feed(octets[cut:])
        except ProtocolViolation as violation:
            assert ("GOAWAY", 0, violation.error_code) in self.sent()
            assert not self.engine.accepting

    def sent(self) -> list[f.Sent]:
        """What the engine sent since the last time."""
        assert self.engine.held == sum(stream.have for stream in self.engine.streams.values())
        octets = self.engine.data_to_send()
        assert not self.engine.wants_send
        return self.reader.read(octets)

    def block(self, fields: Sequence[Field]) -> bytes:
        return self.hpack.encode(list(fields))

    def headers(self, stream_id: int, fields: Sequence[Field] = OK_HEADERS, *, end: bool = False) -> bytes:
        return f.frame(f.HEADERS, f.END_HEADERS | (f.END_STREAM if end else 0), stream_id, self.block(fields))

    def trailers(self, stream_id: int, fields: Sequence[Field] = OK_TRAILERS) -> bytes:
        return self.headers(stream_id, fields, end=True)

    def answer(self, stream_id: int, payload: bytes = b"answer") -> bytes:
        """A whole good answer to a unary call."""
        return self.headers(stream_id) + f.data(stream_id, f.message(payload)) + self.trailers(stream_id)

    def breach(self, code: int, *frames: bytes) -> str:
        """Feed something that must break the connection with this error code; says what the engine said."""
        with pytest.raises(ProtocolViolation) as caught:
            self.feed(*frames)
        assert caught.value.error_code == code
        assert not self.engine.accepting
        goodbyes = [sent for sent in self.sent() if sent[0] == "GOAWAY"]
        assert goodbyes == [("GOAWAY", 0, code)]
        return str(caught.value)


class Pair(Client):
    """The package h2's server side, back to back with the engine."""

    def __init__(self, engine_class: EngineClass, limits: Limits | None = None) -> None:
        super().__init__(engine_class, limits)
        self.server = H2Connection(H2Configuration(client_side=False, header_encoding=None))
        self.server.initiate_connection()
        self.events: list[Event] = []
        self.pump()
        self.events.clear()

    def pump(self) -> None:
        """Carry octets both ways until both are quiet."""
        while True:
            if octets := self.engine.data_to_send():
                self.events += self.server.receive_data(octets)
            back = self.server.data_to_send()
            if back:
                self.engine.receive(back)
            if not octets and not back:
                return

    def answer(self, stream_id: int, *payloads: bytes) -> None:
        self.server.send_headers(stream_id, OK_HEADERS)
        for payload in payloads:
            self.server.send_data(stream_id, f.message(payload))
        self.server.send_headers(stream_id, OK_TRAILERS, end_stream=True)
