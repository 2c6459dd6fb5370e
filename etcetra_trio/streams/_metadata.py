"""grpclib's metadata as header fields, and back."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import TYPE_CHECKING

from grpclib.encoding.proto import ProtoStatusDetailsCodec
from multidict import MultiDict

from ._protocol import check_metadata

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from grpclib import Status

    from ._grpc import Field, StreamEnd

    MetadataLike = Mapping[str, str | bytes] | Collection[tuple[str, str | bytes]]

_BINARY = "-bin"
_DETAILS = b"grpc-status-details-bin"
_NOT_METADATA = frozenset({b"te", b"content-type", b"user-agent"})


def encode_metadata(metadata: MetadataLike) -> tuple[Field, ...]:
    """Metadata as header fields.

    Raises:
      ValueError: a name or a value that no header can carry.
      TypeError: a value that is not bytes under a name that ends in ``-bin``, or not text under another.
    """
    return check_metadata([(name, _encode(name, value)) for name, value in MultiDict(metadata).items()])


def _encode(name: str, value: str | bytes) -> str | bytes:
    binary = name.endswith(_BINARY)
    if isinstance(value, bytes) != binary:
        raise TypeError(f"metadata {name!r}: use {'bytes' if binary else 'str'}, not {type(value).__name__}")
    return b64encode(value).rstrip(b"=") if isinstance(value, bytes) else value


def decode_metadata(fields: tuple[Field, ...]) -> MultiDict[str | bytes]:
    """The metadata among header fields; a binary value that does not decode is left out."""
    metadata: MultiDict[str | bytes] = MultiDict()
    for raw, value in fields:
        if raw.startswith((b":", b"grpc-")) or raw in _NOT_METADATA:
            continue
        name = raw.decode("ascii", "replace")
        if not name.endswith(_BINARY):
            metadata.add(name, value.decode("utf-8", "replace"))
            continue
        for part in value.split(b","):  # several values may share a field (PROTOCOL-HTTP2, "Binary headers")
            decoded = _decode_binary(part)
            if decoded is not None:
                metadata.add(name, decoded)
    return metadata


def _decode_binary(value: bytes) -> bytes | None:
    try:
        return b64decode(value + b"==")
    except ValueError:
        return None


def status_details(status: Status, end: StreamEnd) -> object:
    """What ``grpc-status-details-bin`` holds, where googleapis-common-protos is installed; else None."""
    value = dict(end.trailers).get(_DETAILS)
    data = None if value is None else _decode_binary(value)
    if data is None:
        return None
    try:
        return ProtoStatusDetailsCodec().decode(status, end.message, data)
    except Exception:  # noqa: BLE001 - not installed, or not decodable: the status says enough
        return None
