"""The messages of etcd's KV service, made from checked arguments. Pure; calls and transactions share them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypedDict

from ._checks import check_number
from ._errors import InvalidRequestError
from ._proto import _codec as pb

if TYPE_CHECKING:
    from ._keys import KeySpace, TextT
    from ._types import SortOrder, SortTarget

_SORTS = {
    "sort_order": "a SortOrder, such as SortOrder.DESCEND",
    "sort_target": "a SortTarget, such as SortTarget.MOD",
}


class SupportsLease(Protocol):
    """Whatever has a lease's id."""

    @property
    def id(self) -> int:
        """The lease's id."""
        ...


class ReadOptions(TypedDict, total=False):
    """The options of every read; the methods say what they mean."""

    revision: int
    serializable: bool
    min_mod_revision: int
    max_mod_revision: int
    min_create_revision: int
    max_create_revision: int


class RangeOptions(ReadOptions, total=False):
    """The options of reads that give several keys."""

    limit: int
    sort_order: SortOrder
    sort_target: SortTarget


def address(
    keys: KeySpace[TextT], key: str | bytes, range_end: str | bytes | None, *, prefix: bool
) -> tuple[bytes, bytes]:
    """The ``(key, range_end)`` of one key, of a range, or of a prefix.

    Raises:
      InvalidRequestError: both ``range_end`` and ``prefix`` are given, or the key is empty.
    """
    if prefix:
        if range_end is not None:
            msg = "give range_end or prefix=True, not both"
            raise InvalidRequestError(msg)
        return keys.prefix(key)
    if range_end is not None:
        return keys.range(key, range_end)
    return keys.key(key), b""


def range_message(
    key: bytes,
    range_end: bytes,
    *,
    limit: int = 0,
    revision: int = 0,
    sort_order: SortOrder | int = 0,
    sort_target: SortTarget | int = 0,
    serializable: bool = False,
    keys_only: bool = False,
    count_only: bool = False,
    min_mod_revision: int = 0,
    max_mod_revision: int = 0,
    min_create_revision: int = 0,
    max_create_revision: int = 0,
) -> bytes:
    """A RangeRequest.

    Raises:
      TypeError: a number is not an int.
      InvalidRequestError: a number is below zero, or a sort order or target is unknown.
    """
    return pb.range_request(
        key,
        range_end,
        check_number("limit", limit),
        check_number("revision", revision),
        _check_sort("sort_order", sort_order, 2),
        _check_sort("sort_target", sort_target, 4),
        serializable,
        keys_only,
        count_only,
        check_number("min_mod_revision", min_mod_revision),
        check_number("max_mod_revision", max_mod_revision),
        check_number("min_create_revision", min_create_revision),
        check_number("max_create_revision", max_create_revision),
    )


def put_message(
    keys: KeySpace[TextT],
    key: str | bytes,
    value: str | bytes | None,
    *,
    lease: SupportsLease | int,
    prev_kv: bool,
    ignore_value: bool,
    ignore_lease: bool,
) -> bytes:
    """A PutRequest.

    Raises:
      InvalidRequestError: a value with ``ignore_value`` or none without it; a lease with ``ignore_lease``; a
        bad key or lease.
    """
    raw = keys.key(key)
    if (value is None) is not ignore_value:
        msg = (
            "ignore_value=True keeps the old value: give no value"
            if ignore_value
            else "give a value, or ignore_value=True"
        )
        raise InvalidRequestError(msg)
    lease_id = check_number("lease", getattr(lease, "id", lease))
    if lease_id and ignore_lease:
        msg = "ignore_lease=True keeps the old lease: give no lease"
        raise InvalidRequestError(msg)
    raw_value = b"" if value is None else keys.value(value, key)
    return pb.put_request(raw, raw_value, lease_id, prev_kv, ignore_value, ignore_lease)


def _check_sort(name: str, value: object, largest: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be {_SORTS[name]}, not {value!r}")
    # Older servers take any number and do what they like (3.4 and 3.5 do not sort).
    if not 0 <= value <= largest:
        raise InvalidRequestError(f"{name} is {value}: use {_SORTS[name]}")
    return int(value)
