"""gRPC's words over HTTP/2: status, trailers, time-outs. Pure; both engines share them.

Sources: the gRPC documents PROTOCOL-HTTP2 and "HTTP to gRPC status code mapping".
"""

from __future__ import annotations

from typing import Literal
from urllib.parse import unquote_to_bytes

Field = tuple[bytes, bytes]

#: How an RPC ended. ``status``: the server answered with a grpc-status. The others end it without one.
EndKind = Literal[
    "status",
    "http",
    "missing-status",
    "message",
    "reset",
    "refused",
    "goaway",
    "connection",
    "protocol",
    "local",
]

OK, CANCELLED, UNKNOWN, RESOURCE_EXHAUSTED, INTERNAL, UNAVAILABLE = 0, 1, 2, 8, 13, 14
PERMISSION_DENIED, UNIMPLEMENTED, UNAUTHENTICATED = 7, 12, 16

# PROTOCOL-HTTP2, "Errors": the RST_STREAM codes with a meaning of their own; the rest are INTERNAL.
_RESET_STATUS = {0x7: UNAVAILABLE, 0x8: CANCELLED, 0xB: RESOURCE_EXHAUSTED, 0xC: PERMISSION_DENIED}
_HTTP_STATUS = {
    400: INTERNAL,
    401: UNAUTHENTICATED,
    403: PERMISSION_DENIED,
    404: UNIMPLEMENTED,
    429: UNAVAILABLE,
    502: UNAVAILABLE,
    503: UNAVAILABLE,
    504: UNAVAILABLE,
}
# RFC 9113, 7, in the order of their codes.
_ERROR_NAMES = (
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
)
#: How much of an HTTP error's body goes into the message, in octets.
HTTP_BODY_SHOWN = 200
_MAX_STATUS = 16


class StreamEnd:
    """How one RPC ended; immutable, so ends that look the same may be one object."""

    __slots__ = ("kind", "message", "status", "trailers")

    def __init__(
        self, kind: EndKind, status: int, message: str = "", trailers: tuple[Field, ...] = ()
    ) -> None:
        self.kind: EndKind = kind
        self.status: int = status
        self.message: str = message
        self.trailers: tuple[Field, ...] = trailers

    @property
    def unprocessed(self) -> bool:
        """True when the server provably never looked at the request, so that even a write may be sent again."""
        return self.kind in {"refused", "goaway", "local"}

    def __repr__(self) -> str:
        return f"<StreamEnd {self.kind} status={self.status} {self.message!r}>"


class HeaderBlock:
    """One decoded header block with what gRPC needs to know of it."""

    __slots__ = ("acceptable", "end", "fields", "http_status")

    def __init__(self, fields: tuple[Field, ...]) -> None:
        self.fields: tuple[Field, ...] = fields
        http_status = status = content_type = None
        message = b""
        for name, value in fields:
            if name == b":status":
                http_status = value
            elif name == b"content-type":
                content_type = value
            elif name == b"grpc-status":
                status = value
            elif name == b"grpc-message":
                message = value
        digits = http_status or b""
        # More digits than an HTTP status has: int() raises for thousands.
        self.http_status: int = int(digits) if digits.isdigit() and len(digits) == 3 else 0
        self.acceptable: bool = self.http_status == 200 and is_grpc(content_type)
        self.end: StreamEnd | None = None
        if status is not None:
            code = int(status) if status.isdigit() and len(status) < 4 else UNKNOWN
            self.end = StreamEnd(
                "status", code if code <= _MAX_STATUS else UNKNOWN, percent_decode(message), fields
            )


def is_grpc(content_type: bytes | None) -> bool:
    """``application/grpc``, ``application/grpc+proto``, ``application/grpc;…``, but not ``application/grpc-web``."""
    if content_type is None:
        return False
    return content_type == b"application/grpc" or content_type.lower().startswith(
        (b"application/grpc+", b"application/grpc;")
    )


def percent_decode(message: bytes) -> str:
    """grpc-message as text; this never raises (PROTOCOL-HTTP2: what is invalid is shown as it is)."""
    if b"%" in message:
        message = unquote_to_bytes(message)
    return message.decode("utf-8", "replace")


def end_of_response(headers: HeaderBlock | None, last: HeaderBlock | None, body: bytes = b"") -> StreamEnd:
    """The end of a stream that the server closed in order.

    Args:
      headers: The initial header block, if it came apart from the last one.
      last: The block that carried END_STREAM; None when a DATA frame carried it.
      body: The first octets of the body where the answer is not gRPC.
    """
    first = headers if headers is not None else last
    if (
        first is not None
        and not first.acceptable
        and not (first is last and first.end and first.http_status == 200)
    ):
        return http_end(first, body)
    if last is None or last.end is None:
        return StreamEnd(
            "missing-status",
            UNKNOWN,
            "the server ended the stream without a grpc-status",
            last.fields if last else (),
        )
    return last.end


def http_end(headers: HeaderBlock, body: bytes) -> StreamEnd:
    """The end of an RPC that something else than a gRPC server answered."""
    what = f"the server answered HTTP {headers.http_status}"
    content_type = dict(headers.fields).get(b"content-type")
    if content_type is not None:
        what += f" ({content_type.decode('latin-1')})"
    if body:
        what += f": {body[:HTTP_BODY_SHOWN].decode('utf-8', 'replace').strip()}"
    return StreamEnd("http", _HTTP_STATUS.get(headers.http_status, UNKNOWN), what, headers.fields)


def reset_end(error_code: int, *, answering: bool) -> StreamEnd:
    """The end of an RPC whose stream the server reset. ``answering``: after it had begun to answer."""
    name = error_name(error_code)
    status = _RESET_STATUS.get(error_code, INTERNAL)
    # Who answers has looked at the request, whatever the code says.
    refused = error_code == 0x7 and not answering
    return StreamEnd("refused" if refused else "reset", status, f"the server reset the stream: {name}")


def error_name(code: int) -> str:
    """The name of an HTTP/2 error code (RFC 9113, 7)."""
    return _ERROR_NAMES[code] if code < len(_ERROR_NAMES) else f"error code 0x{code:x}"


def timeout_value(seconds: float) -> bytes:
    """The value of ``grpc-timeout``: at most eight digits and a unit (PROTOCOL-HTTP2).

    Never zero, never less than asked.
    """
    milliseconds = int(seconds * 1000) + 1
    if milliseconds < 100_000_000:
        return b"%dm" % milliseconds
    return b"%dS" % min(milliseconds // 1000 + 1, 99_999_999)
