"""Writes the encoders of the hot requests: functions with the fields as arguments, `bytes` as the result.

A message inside a message is passed as the bytes that its own function made, so that nothing is built twice.
"""

from __future__ import annotations

from .decoders import indent, snake
from .model import REQUESTS, Field, Message, Model

# Without these a request makes no sense, so they have no default.
_REQUIRED = {
    "RangeRequest": {"key"},
    "PutRequest": {"key", "value"},
    "DeleteRangeRequest": {"key"},
    "Compare": {"result", "target", "key"},
    "CompactionRequest": {"revision"},
    "WatchCreateRequest": {"key"},
    "WatchCancelRequest": {"watch_id"},
    "LeaseGrantRequest": {"ttl"},
    "LeaseRevokeRequest": {"id"},
    "LeaseKeepAliveRequest": {"id"},
    "LeaseTimeToLiveRequest": {"id"},
}


def varint(number: int) -> bytes:
    """As on the wire."""
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def write(model: Model, docs: dict[str, str]) -> list[str]:
    """The lines of the encoding half of `_codec.py`."""
    lines = []
    for name in REQUESTS:
        lines += _encoder(model.message(name), docs[name])
    return lines


def _encoder(message: Message, doc: str) -> list[str]:
    required = _REQUIRED.get(message.name, set())
    head = [
        f"def {snake(message.name)}({', '.join(_parameter(field, required) for field in message.fields)}) -> bytes:",
        f'    """{doc or message.name}"""',
    ]
    if not message.fields:
        return [*head, '    return b""', ""]
    if all(field.repeated and field.type == "message" for field in message.fields):
        body = [line for field in message.fields for line in _each(field)]
        return [*head, "    parts: list[bytes] = []", *indent(body), '    return b"".join(parts)', ""]
    first, *others = message.fields
    body = [line for field in others for line in _field(field)]
    return [*head, *indent(_first(first)), *indent(body), "    return out", ""]


def _parameter(field: Field, required: set[str]) -> str:
    if field.repeated:
        return f"{field.name}: Sequence[{'bytes' if field.type == 'message' else 'int'}] = ()"
    kind = {"bytes": "bytes", "message": "bytes", "bool": "bool"}.get(field.type, "int")
    if field.name in required:
        return f"{field.name}: {kind}"
    if field.oneof or field.type == "message":
        return f"{field.name}: {kind} | None = None"
    default = {"bytes": 'b""', "bool": "False"}.get(kind, "0")
    return f"{field.name}: {kind} = {default}"


def _first(field: Field) -> list[str]:
    """The first field makes `out`; a key, which nearly every request begins with, in one go."""
    if field.type == "bytes" and not field.oneof:
        assert field.tag == 10
        return [
            f"n = len({field.name})",
            f"out = (LENGTH_10[n] if n < 128 else {varint(field.tag)!r} + varint(n)) + {field.name} if n else b''",
        ]
    return ["out = b''", *_field(field)]


def _field(field: Field) -> list[str]:
    name, tag = field.name, varint(field.tag)
    if field.repeated:
        assert field.type == "enum"
        return [
            f"if {name}:",
            f"    packed = b''.join([varint(number) for number in {name}])",
            f"    out += {varint(field.number << 3 | 2)!r} + varint(len(packed)) + packed",
        ]
    test = f"if {name} is not None:" if field.oneof or field.type == "message" else f"if {name}:"
    if field.type == "bool":
        true = tag + b"\1"
        return [test, f"    out += {true!r}"]
    if field.type in {"bytes", "message"}:
        return [
            test,
            f"    n = len({name})",
            f"    out += {tag!r} + (VARINT[n] if n < 128 else varint(n))",
            f"    out += {name}",
        ]
    return [test, f"    out += {tag!r} + (VARINT[{name}] if 0 <= {name} < 128 else varint({name}))"]


def _each(field: Field) -> list[str]:
    return [
        f"for item in {field.name}:",
        "    n = len(item)",
        f"    parts.append({varint(field.tag)!r} + (VARINT[n] if n < 128 else varint(n)))",
        "    parts.append(item)",
    ]
