"""The seam: what an HTTP/2 engine must do for gRPC calls. Pure: bytes go in, bytes and method calls come out.

An engine never waits, never looks at a clock and knows nothing of etcd or Trio. The connection feeds it what
the socket gave (:meth:`Engine.receive`) and sends what it wants sent (:meth:`Engine.data_to_send`); calls
open :class:`Stream` objects on it and are told through their methods what happened. Everything an engine
tells comes out of the call that caused it, synchronously.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from typing import TYPE_CHECKING

from ._deframe import LESS, UNFINISHED, MessageError
from ._grpc import RESOURCE_EXHAUSTED, UNAVAILABLE, StreamEnd, error_name
from ._mypyc import mypyc_attr

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from io import BytesIO

    from ._grpc import Field, HeaderBlock

NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR = 0x0, 0x1, 0x2, 0x3
STREAM_CLOSED, FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL = 0x5, 0x6, 0x7, 0x8
COMPRESSION_ERROR, ENHANCE_YOUR_CALM = 0x9, 0xB

#: grpc-go's bandwidth probe: the payload of the PING that it sends along with its answers.
BANDWIDTH_PROBE = b"\x02\x04\x10\x10\t\x0e\x07\x07"
#: gRPC's prefix of a message has four octets for its length.
MAX_MESSAGE = (1 << 32) - 1
MAX_STREAM_ID = MAX_WINDOW = (1 << 31) - 1  # RFC 9113, 5.1.1 and 6.9.1


class Limits:
    """What a server may make us hold (design: `reliability.md` §4), and what we send it. Sizes in octets."""

    __slots__ = (
        "connection_window",
        "continuations",
        "control_frames",
        "header_list",
        "message",
        "request",
        "stream_window",
        "unfinished",
    )

    def __init__(
        self,
        *,
        message: int | None = None,
        unfinished: int = UNFINISHED,
        request: int = MAX_MESSAGE,
        header_list: int = 64 << 10,
        continuations: int = 64,
        control_frames: int = 1000,
        stream_window: int = 4 << 20,
        connection_window: int = 16 << 20,
    ) -> None:
        self.message: int = unfinished if message is None else message
        #: What a connection holds of messages that are not complete yet, all together.
        self.unfinished: int = max(unfinished, 2 * (message or 0))
        self.request: int = request
        self.header_list: int = header_list
        self.continuations: int = continuations
        self.control_frames: int = control_frames
        self.stream_window: int = stream_window
        self.connection_window: int = connection_window


class ProtocolViolation(Exception):  # noqa: N818 - internal: the connection turns it into RemoteProtocolError
    """The server broke HTTP/2's rules; the connection is unusable. The GOAWAY that says so is already queued."""

    def __init__(self, error_code: int, message: str) -> None:
        super().__init__(f"{message} ({error_name(error_code)})")
        self.error_code: int = error_code


class GoAway:
    """What the server's newest GOAWAY said."""

    __slots__ = ("debug", "error_code", "last_stream_id")

    def __init__(self, last_stream_id: int, error_code: int, debug: bytes) -> None:
        self.last_stream_id: int = last_stream_id
        self.error_code: int = error_code
        self.debug: bytes = debug

    def __str__(self) -> str:
        text = f"the server said goodbye (GOAWAY {error_name(self.error_code)}"
        return text + (f", {self.debug[:200].decode('utf-8', 'replace')!r})" if self.debug else ")")


@mypyc_attr(allow_interpreted_subclasses=True)
class Stream:
    """One RPC on an engine: what the engine keeps for it, and, through the methods, what the engine tells it.

    A ``unary`` stream gets its one message in :attr:`message` before :meth:`on_end`; the others get each
    message by :meth:`on_message`. :meth:`on_end` comes exactly once, last, and never after
    :meth:`Engine.cancel`.
    """

    __slots__ = (
        "counted",
        "credited",
        "end_sent",
        "have",
        "headers",
        "lent",
        "max_message",
        "message",
        "need",
        "owed",
        "parts",
        "pending",
        "receive_window",
        "send_window",
        "stream_id",
        "unary",
    )

    def __init__(self, *, unary: bool) -> None:
        self.unary: bool = unary
        self.stream_id: int = 0  # 0: not on the wire yet
        self.headers: HeaderBlock | None = None
        self.message: bytes | None = None
        #: The longest message to take, in octets; 0: the engine's limit.
        self.max_message: int = 0
        # The engine's own accounts.
        self.send_window: int = 0
        self.receive_window: int = 0
        self.owed: int = 0
        self.parts: BytesIO | None = None
        self.have: int = 0
        self.counted: int = 0
        self.need: int = 0
        self.credited: int = 0
        self.lent: int = 0
        self.pending: deque[tuple[memoryview, bool]] | None = None
        self.end_sent: bool = False

    def on_headers(self) -> None:
        """Initial metadata arrived in :attr:`headers` (streams that are not unary)."""

    def on_message(self, message: bytes, cost: int) -> None:
        """One message arrived; give ``cost`` octets back by :meth:`Engine.consumed` once it was taken."""

    def on_writable(self) -> None:
        """Everything that :meth:`Engine.send` had to keep back is on its way now."""

    def on_end(self, end: StreamEnd) -> None:
        """The RPC is over."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Head:
    """A request's header block, prepared once per method (and set of metadata)."""

    __slots__ = ()


@mypyc_attr(allow_interpreted_subclasses=True)
class Engine(ABC):
    """One client connection's HTTP/2 state."""

    _next_id: int

    def __init__(self, limits: Limits, *, hold_probes: bool = True) -> None:
        self.limits = limits
        #: Streams on the wire, by their id.
        self.streams: dict[int, Stream] = {}
        #: True once the server's SETTINGS came.
        self.ready = False
        self.goaway: GoAway | None = None
        #: False when new calls belong on another connection (GOAWAY came, ids are used up, or it is lost).
        self.accepting = True
        #: grpc-go's bandwidth probe is answered late (see `transport.md`, "The BDP ping"): True while an
        #: answer is owed.
        self.probe_held = False
        self.hold_probes = hold_probes
        #: Octets of messages that are not complete yet.
        self.held: int = 0
        self.on_ping_ack: Callable[[bytes], None] = _ignore

    @abstractmethod
    def prepare(self, path: str, metadata: Sequence[Field] = ()) -> Head:
        """Make the header block of a request. ``metadata`` has been checked by :func:`check_metadata`."""

    @abstractmethod
    def open(
        self, stream: Stream, head: Head, message: bytes | None, *, end: bool, timeout: bytes | None = None
    ) -> None:
        """Start an RPC; it waits its turn while the server's MAX_CONCURRENT_STREAMS is reached.

        Args:
          stream: A new stream.
          head: From :meth:`prepare` of this engine.
          message: The first (for unary RPCs the only) message; None to send it later.
          end: No message follows.
          timeout: The value of ``grpc-timeout``.
        """

    @abstractmethod
    def send(self, stream: Stream, message: bytes, *, end: bool = False) -> None:
        """Queue one more message; what the windows hold back is kept, and ``on_writable`` tells when it went."""

    @abstractmethod
    def half_close(self, stream: Stream) -> None:
        """No further message."""

    @abstractmethod
    def cancel(self, stream: Stream, error_code: int = CANCEL) -> None:
        """Forget the stream and reset it on the server; nothing further is told to it. Does nothing to an ended one."""

    @abstractmethod
    def consumed(self, stream: Stream, cost: int) -> None:
        """The application took messages that cost this many octets of the stream's window."""

    @abstractmethod
    def ping(self, payload: bytes) -> None:
        """Queue a PING with eight octets; ``on_ping_ack`` gets them back."""

    @abstractmethod
    def release_probe(self) -> None:
        """Answer the bandwidth probe that is held, if one is."""

    @abstractmethod
    def close(self, error_code: int = NO_ERROR, debug: bytes = b"") -> None:
        """Queue a GOAWAY. Nothing new is accepted."""

    @abstractmethod
    def receive(self, data: bytes) -> None:
        """Take what the socket gave.

        Raises:
          ProtocolViolation: the connection is unusable; :meth:`lost` is for the caller to call.
        """

    @abstractmethod
    def lost(self, reason: str, *, violation: bool = False, unsent: int = MAX_STREAM_ID + 1) -> None:
        """The connection is gone: end every stream.

        Args:
          reason: How it ended.
          violation: Because the server broke the protocol.
          unsent: Nothing was sent of this stream and of those after it.
        """

    @abstractmethod
    def data_to_send(self) -> bytes:
        """Everything to send, whole frames; empty when there is nothing."""

    @property
    @abstractmethod
    def wants_send(self) -> bool:
        """True when :meth:`data_to_send` has something."""

    def _count_held(self, stream: Stream) -> None:
        """The stream holds more or less than before.

        Raises:
          MessageError: so all of them hold too much; it is told to the one that grew.
        """
        self.held += stream.have - stream.counted
        stream.counted = stream.have
        if self.held > self.limits.unfinished:
            text = f"the unfinished answers of this connection take more than {self.limits.unfinished:,} octets: {LESS}"
            raise MessageError(StreamEnd("message", RESOURCE_EXHAUSTED, text))

    def _release_held(self, stream: Stream) -> None:
        """The stream is over."""
        self.held -= stream.counted
        stream.counted = 0

    @property
    def started(self) -> int:
        """How many RPCs went onto the wire so far."""
        return self._next_id // 2

    @property
    @abstractmethod
    def waiting_streams(self) -> int:
        """How many RPCs wait for MAX_CONCURRENT_STREAMS."""


def goaway_end(goaway: GoAway) -> StreamEnd:
    """The end of an RPC that the server's GOAWAY says it never looked at."""
    return StreamEnd("goaway", UNAVAILABLE, str(goaway))


def lost_end(reason: str, *, violation: bool) -> StreamEnd:
    """The end of an RPC that was on the wire when the connection was lost."""
    return StreamEnd("protocol" if violation else "connection", UNAVAILABLE, reason)


def unsent_end(reason: str) -> StreamEnd:
    """The end of an RPC that never went onto the wire."""
    return StreamEnd("local", UNAVAILABLE, reason)


def too_large_end(message: bytes, limit: int) -> StreamEnd:
    """The end of an RPC whose request is longer than we send (:attr:`Limits.request`)."""
    text = f"the request of {len(message):,} octets is larger than the client's max_send_size of {limit:,}"
    return StreamEnd("local", RESOURCE_EXHAUSTED, text)


_NAME_OCTETS = frozenset(b"0123456789abcdefghijklmnopqrstuvwxyz_-.")
_RESERVED = frozenset({"te", "content-type", "user-agent", "host", "connection"})


def check_metadata(metadata: Sequence[tuple[str, str | bytes]]) -> tuple[Field, ...]:
    """Metadata as header fields; refuses what would break out of its field (PROTOCOL-HTTP2, "Custom-Metadata").

    Raises:
      ValueError: a bad name, or a value that is not printable ASCII (``-bin`` values are for the caller to
        encode).
    """
    fields: list[Field] = []
    for name, value in metadata:
        raw = name.encode("latin-1", "replace")
        if not raw or not _NAME_OCTETS.issuperset(raw) or name.startswith("grpc-") or name in _RESERVED:
            raise ValueError(
                f"bad metadata name {name!r}: use a-z, 0-9, '_', '-', '.', and no name that gRPC keeps for itself"
            )
        data = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
        if data != data.strip() or any(octet < 0x20 or octet > 0x7E for octet in data):
            raise ValueError(f"bad value of metadata {name!r}: use printable ASCII without blanks around it")
        fields.append((raw, data))
    return tuple(fields)


def _ignore(_payload: bytes) -> None:
    pass
