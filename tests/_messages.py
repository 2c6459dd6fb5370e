"""Random messages, as trees `{field number: value}`, and random bytes that say the same thing in unusual ways.

A tree leaves nothing out: absent scalars have their default, absent messages and oneof members are None. Trees of
upb's, betterproto2's and our own objects can be compared with one another.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import _upb
import betterproto2
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from etcetra_trio._proto import _wire
from etcetra_trio._proto._messages import (  # noqa: F401  they fill the pool
    authpb,
    etcdserverpb,
    mvccpb,
    v3electionpb,
    v3lockpb,
)
from etcetra_trio._proto._messages.message_pool import default_message_pool

Tree: TypeAlias = dict[int, Any]

GROUP = "group"  # the one thing that upb takes and we do not: proto3 cannot have any

NAMES = sorted(url.removeprefix("type.googleapis.com/") for url in default_message_pool.url_to_type)

# protobuf's numbers of field types.
INT64, UINT64, BOOL, STRING, MESSAGE, BYTES, UINT32, ENUM = 3, 4, 8, 9, 11, 12, 13, 14

_EDGES = [0, 1, 127, 128, 2**14 - 1, 2**14, 2**21 - 1, 2**21, 2**28 - 1, 2**28, 2**35, 2**56, 2**63 - 1]
_blobs = st.binary(max_size=6) | st.binary(min_size=126, max_size=130)
_SCALARS: dict[int, st.SearchStrategy[Any]] = {
    INT64: st.sampled_from(_EDGES) | st.integers(-(2**63), 2**63 - 1),
    UINT64: st.sampled_from([2**63, 2**56]) | st.integers(0, 2**64 - 1),  # IDs seen before, and new ones
    UINT32: st.integers(0, 2**32 - 1),
    BOOL: st.booleans(),
    STRING: st.text(max_size=6),
    BYTES: _blobs,
    ENUM: st.integers(-1, 6),
}


def betterproto2_class(name: str) -> type[betterproto2.Message]:
    return default_message_pool.url_to_type[f"type.googleapis.com/{name}"]


def attributes(name: str) -> dict[int, str]:
    """What betterproto2 (and so our codec) calls the fields."""
    return betterproto2.ProtoClassMetadata(betterproto2_class(name)).field_name_by_number


def fields(name: str) -> Any:
    """upb's descriptors of the fields."""
    return _upb.message(name).DESCRIPTOR.fields


# Trees of objects.


def tree_of_upb(message: Any) -> Tree:
    def value(field: Any) -> Any:
        if field.is_repeated:
            return [tree_of_upb(x) if field.type == MESSAGE else x for x in getattr(message, field.name)]
        if field.has_presence and not message.HasField(field.name):
            return None
        found = getattr(message, field.name)
        return tree_of_upb(found) if field.type == MESSAGE else found

    return {field.number: value(field) for field in message.DESCRIPTOR.fields}


def tree_of_object(message: Any, name: str) -> Tree:
    """Of one of betterproto2's objects or one of ours."""

    def value(field: Any) -> Any:
        found = getattr(message, known[field.number])
        if field.type != MESSAGE or found is None:
            return found
        inner = field.message_type.full_name
        return (
            [tree_of_object(x, inner) for x in found] if field.is_repeated else tree_of_object(found, inner)
        )

    known = attributes(name)
    return {field.number: value(field) for field in fields(name)}


# Objects of trees.


def upb_of(tree: Tree, name: str) -> Any:
    def value(field: Any, found: Any) -> Any:
        if field.type != MESSAGE:
            return found
        inner = field.message_type.full_name
        return [upb_of(x, inner) for x in found] if field.is_repeated else upb_of(found, inner)

    given = {
        field.name: (field, tree[field.number]) for field in fields(name) if tree[field.number] is not None
    }
    return _upb.message(name)(**{key: value(*pair) for key, pair in given.items()})


def betterproto2_of(tree: Tree, name: str) -> betterproto2.Message:
    def value(field: Any) -> Any:
        found = tree[field.number]
        if field.type != MESSAGE or found is None:
            return found
        inner = field.message_type.full_name
        return (
            [betterproto2_of(x, inner) for x in found] if field.is_repeated else betterproto2_of(found, inner)
        )

    known = attributes(name)
    return betterproto2_class(name)(**{known[field.number]: value(field) for field in fields(name)})


# Strategies.


@st.composite
def trees(draw: st.DrawFn, name: str, depth: int = 3) -> Tree:
    """Any message of that type, nested at most `depth` deep."""

    def one(field: Any) -> Any:
        if field.type != MESSAGE:
            return draw(_SCALARS[field.type])
        return draw(trees(field.message_type.full_name, depth - 1))

    def value(field: Any) -> Any:
        too_deep = field.type == MESSAGE and not depth
        if field.is_repeated:
            return [] if too_deep else [one(field) for _ in range(draw(st.integers(0, 3)))]
        oneof = field.containing_oneof
        if too_deep or (oneof and members[oneof.name] != field.number):
            return None
        if oneof or not field.has_presence or draw(st.booleans()):
            return one(field)
        return None

    members = {
        oneof.name: draw(st.sampled_from([None, *(field.number for field in oneof.fields)]))
        for oneof in _upb.message(name).DESCRIPTOR.oneofs
    }
    return {field.number: value(field) for field in fields(name)}


def serialized(name: str) -> st.SearchStrategy[bytes]:
    """What upb makes of any message of that type."""
    return trees(name).map(lambda tree: bytes(upb_of(tree, name).SerializeToString()))


def records(data: bytes) -> list[tuple[int, bytes]]:
    """(tag, value) of each field; of a field with a length the value is without it."""
    found, i = [], 0
    while i < len(data):
        tag, i = _wire.uint64(data, i)
        end = _wire.uint64(data, i)[1] if tag & 7 == 0 else 0
        if tag & 7 == 2:
            size, i = _wire.uint64(data, i)
            end = i + size
        found.append((tag, data[i:end]))
        i = end
    return found


def _long(number: int, extra: int) -> bytes:
    """A varint with up to `extra` needless bytes, five bytes at most."""
    plain = bytearray(_wire.varint(number))
    extra = max(0, min(extra, 5 - len(plain)))
    if extra:
        plain[-1] |= 128
        plain += bytes([128] * (extra - 1) + [0])
    return bytes(plain)


def joined(parts: list[tuple[int, bytes]], extra: int = 0) -> bytes:
    """The opposite of `records`."""
    return b"".join(
        _long(tag, extra) + (_long(len(value), extra) if tag & 7 == 2 else b"") + value
        for tag, value in parts
    )


_unknown = st.one_of(
    st.tuples(st.just(1000 << 3), st.integers(0, 2**63 - 1).map(_wire.varint)),
    st.tuples(st.just(15 << 3 | 1), st.binary(min_size=8, max_size=8)),
    st.tuples(st.just(2**29 - 1 << 3 | 2), st.binary(max_size=9)),
    st.tuples(st.just(99 << 3 | 5), st.binary(min_size=4, max_size=4)),
)
# Needlessly long, longer than 64 bits, or more than a bool or an enum holds.
_odd_numbers = st.sampled_from(
    [b"\x02", b"\x81\x80\x00", b"\xff" * 9 + b"\x7f", b"\x80" * 9 + b"\x02", b"\x80" * 5 + b"\x01"]
)


@st.composite
def scrambled(draw: st.DrawFn, name: str, depth: int = 4) -> bytes:
    """Well-formed, but as no encoder writes it.

    Fields in any order, at every level; fields twice; both members of a oneof; unknown fields; known fields with
    another wire type; tags, lengths and numbers longer than they need be.
    """
    inner = {field.number: field.message_type.full_name for field in fields(name) if field.type == MESSAGE}
    numbers = [field.number for field in fields(name)]
    parts = [
        part for data in draw(st.lists(serialized(name), min_size=1, max_size=2)) for part in records(data)
    ]
    for n, (tag, _) in enumerate(parts):
        if depth and tag >> 3 in inner and draw(st.booleans()):
            parts[n] = tag, draw(scrambled(inner[tag >> 3], depth - 1))
        elif tag & 7 == 0 and draw(st.booleans()):
            parts[n] = tag, draw(_odd_numbers)
    parts += draw(st.lists(_unknown, max_size=2))
    if draw(st.booleans()) and numbers:
        parts.append((draw(st.sampled_from(numbers)) << 3 | 5, b"1234"))
    return joined(draw(st.permutations(parts)), draw(st.sampled_from([0, 0, 1, 4])))


@st.composite
def ill_measured(draw: st.DrawFn, name: str, data: bytes) -> bytes:
    """One length in the message, at any level, is wrong."""
    inner = {field.number: field.message_type.full_name for field in fields(name) if field.type == MESSAGE}
    parts = records(data)
    at = draw(st.sampled_from([n for n, (tag, _) in enumerate(parts) if tag & 7 == 2] or [-1]))
    if at < 0:
        return data
    tag, value = parts[at]
    if tag >> 3 in inner and value and draw(st.booleans()):
        parts[at] = tag, draw(ill_measured(inner[tag >> 3], value))
        return joined(parts)
    wrong = max(0, len(value) + draw(st.sampled_from([-1, 1, 2, 7])))
    return joined(parts[:at]) + _wire.varint(tag) + _wire.varint(wrong) + value + joined(parts[at + 1 :])


@st.composite
def damaged(draw: st.DrawFn, name: str) -> bytes:
    """Bytes that were a message once, or never."""
    if draw(st.booleans()):
        return draw(ill_measured(name, draw(serialized(name))))
    data = bytearray(draw(serialized(name) | scrambled(name, 1) | st.binary(max_size=40)))
    if data:
        at = draw(st.integers(0, len(data) - 1))
        how = draw(st.sampled_from(["cut", "flip", "insert", "remove", "grow"]))
        if how == "cut":
            del data[at:]
        elif how == "flip":
            data[at] ^= 1 << draw(st.integers(0, 7))
        elif how == "insert":
            data[at:at] = draw(st.binary(min_size=1, max_size=3))
        elif how == "remove":
            del data[at]
        else:
            data[at] = 255
    return bytes(data)


# How the tests use all this.


def examples(count: int) -> settings:
    return settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck))


def attempt(call: Callable[[bytes], Any], data: bytes) -> tuple[Any, str]:
    """(the result, "") or (None, the words of the DecodeError)."""
    try:
        return call(data), ""
    except _wire.DecodeError as error:
        return None, str(error)
