"""Writes `_codec.py`: enums, decoders, encoders."""

from __future__ import annotations

from . import decoders, encoders
from .model import Model
from .schema import Schema

# The numbers that requests and events are made of.
_ENUMS = (
    "Event.EventType",
    "RangeRequest.SortOrder",
    "RangeRequest.SortTarget",
    "Compare.CompareResult",
    "Compare.CompareTarget",
    "WatchCreateRequest.FilterType",
)

_HEAD = '''\
"""The hot messages, as straight-line code: `decode_x_response(data)` and `x_request(…) -> bytes`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ._wire import LENGTH_10, MAX_DEPTH, VARINT, DecodeError, int32, int64, length, skip, tag, uint64, varint
'''


def write(model: Model, schema: Schema, etcd: str) -> list[str]:
    """The lines of `_codec.py`."""
    docs = {type_.name: type_.comment for type_ in schema.types if not type_.is_enum}
    lines = [*_HEAD.split("\n"), f'ETCD_VERSION: Final = "{etcd}"', ""]
    for type_ in schema.types:
        if type_.name in _ENUMS:
            lines += [
                f"class {type_.name.split('.')[1]}:",
                f'    """{type_.comment or "Numbers of " + type_.name}"""',
                *(f"    {value.name}: Final = {value.number}" for value in type_.fields),
                "",
            ]
    lines += [
        "# (cluster_id, member_id) by the bytes that say so in a header.",
        "HEADER_IDS: Final[dict[bytes, tuple[int, int]]] = {}",
        "",
    ]
    return [*lines, *decoders.write(model, docs), *encoders.write(model, docs)]
