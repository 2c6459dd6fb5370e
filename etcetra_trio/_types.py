"""The values that calls return and the words they take. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import TYPE_CHECKING, Final, Generic, NamedTuple

from ._keys import TextT

if TYPE_CHECKING:
    from ._keys import KeySpace
    from ._proto import _codec as pb
    from ._proto._changes import Change


class SortOrder(IntEnum):
    """How a range is sorted."""

    NONE = 0
    ASCEND = 1
    DESCEND = 2


class SortTarget(IntEnum):
    """What a range is sorted by."""

    KEY = 0
    VERSION = 1
    CREATE = 2
    MOD = 3
    VALUE = 4


class Inherit(Enum):
    """The type of the default of ``encoding=``: the client's."""

    INHERIT = "the client's encoding"


INHERIT: Final = Inherit.INHERIT


class KeyValue(NamedTuple, Generic[TextT]):
    """A key with its value and its history, as of the revision it was read at."""

    #: The key, without the client's namespace.
    key: TextT
    #: Its value; empty with ``keys_only=True``.
    value: TextT
    #: The revision of the store at which the key came into being.
    create_revision: int
    #: The revision of the store at which the key was last written.
    mod_revision: int
    #: How often it was written since it came into being.
    version: int
    #: The id of the lease that it is attached to; 0 for none.
    lease: int


@dataclass(frozen=True, slots=True)  # not a tuple, whose ``count`` means something else
class RangeResult(Generic[TextT]):
    """The answer to a range."""

    #: The keys, in the order that was asked for.
    kvs: list[KeyValue[TextT]]
    #: How many keys lie in the range, however many were asked for.
    count: int
    #: Whether ``limit`` cut keys off.
    more: bool
    #: The revision of the store when it answered.
    revision: int


class PutResult(NamedTuple, Generic[TextT]):
    """The answer to a put."""

    #: The revision of the store after the write.
    revision: int
    #: With ``prev_kv=True``: the value before; None if there was no key.
    prev_value: TextT | None


class DeleteResult(NamedTuple, Generic[TextT]):
    """The answer to a delete."""

    #: The revision of the store after the deletion.
    revision: int
    #: How many keys were deleted.
    deleted: int
    #: With ``prev_kv=True``: the keys as they were.
    prev: list[KeyValue[TextT]]


def key_value(keys: KeySpace[TextT], kv: pb.KeyValue | Change) -> KeyValue[TextT]:
    """A record of the server as the user knows it."""
    return KeyValue(
        keys.text_key(kv.key),
        keys.text_value(kv.value, kv.key),
        kv.create_revision,
        kv.mod_revision,
        kv.version,
        kv.lease,
    )


def range_result(keys: KeySpace[TextT], response: pb.RangeResponse) -> RangeResult[TextT]:
    """A range's answer as the user knows it."""
    return RangeResult(
        [key_value(keys, kv) for kv in response.kvs], response.count, response.more, revision(response.header)
    )


def put_result(keys: KeySpace[TextT], response: pb.PutResponse) -> PutResult[TextT]:
    """A put's answer as the user knows it."""
    previous = response.prev_kv
    value = None if previous is None else keys.text_value(previous.value, previous.key)
    return PutResult(revision(response.header), value)


def delete_result(keys: KeySpace[TextT], response: pb.DeleteRangeResponse) -> DeleteResult[TextT]:
    """A delete's answer as the user knows it."""
    return DeleteResult(
        revision(response.header), response.deleted, [key_value(keys, kv) for kv in response.prev_kvs]
    )


def revision(header: pb.ResponseHeader | None) -> int:
    """The store's revision; the header of an operation inside a txn is left out by the server."""
    return 0 if header is None else header.revision
