"""The words and values of etcetra's ``types`` module."""

# pyright: reportPrivateUsage=false
# This package stands on the insides of the Trio client.

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, ClassVar, Generic, NoReturn, TypeAlias, Union

from .. import _compare
from .._addresses import EtcdCredential, HostPortPair
from .._compare import Compare
from .._errors import InvalidRequestError
from .._keys import TextT
from .._watch_events import WatchEventType
from ._txn import TxnResult
from ._words import RangeRequestSortOrder, RangeRequestSortTarget, WatchCreateRequestFilterType

if TYPE_CHECKING:
    from .._proto._messages.etcdserverpb import DeleteRangeRequest as DeleteRangeRequestType
    from .._proto._messages.etcdserverpb import PutRequest as PutRequestType
    from .._proto._messages.etcdserverpb import RangeRequest as RangeRequestType
    from ._locks import OnLost

    TransactionRequest: TypeAlias = PutRequestType | RangeRequestType | DeleteRangeRequestType

__all__ = [
    "CompareBuilder",
    "CompareCompareResult",
    "CompareCompareTarget",
    "CompareKey",
    "DeleteRangeRequestType",
    "EtcdCredential",
    "EtcdLockOption",
    "HostPortPair",
    "NoneType",
    "PutRequestType",
    "RangeRequestSortOrder",
    "RangeRequestSortTarget",
    "RangeRequestType",
    "TransactionRequest",
    "TxnReturnType",
    "TxnReturnValues",
    "WatchBatch",
    "WatchCreateRequestFilterType",
    "WatchEvent",
    "WatchEventType",
]

NoneType: type[None] = type(None)
TxnReturnValues = TxnResult
TxnReturnType = TxnResult


class CompareCompareResult(Enum):
    """How a :class:`CompareKey` compares."""

    EQUAL = 0
    GREATER = 1
    LESS = 2
    NOT_EQUAL = 3


class CompareCompareTarget(Enum):
    """What of a :class:`CompareKey` compares."""

    VERSION = 0
    CREATE = 1
    MOD = 2
    VALUE = 3
    LEASE = 4


@dataclass
class CompareKey:
    """What the conditions of a transaction are made of: ``CompareKey("k").value == "v"``.

    The properties ``value``, ``version``, ``create`` (create revision), ``mod`` (mod revision) and ``lease`` compare
    with ``==``, ``!=``, ``<`` and ``>``.

    Args:
      key: The key.
      target_lease: What ``.lease`` compares with where the right side is None.
      mod_revision: What ``.mod`` compares with where the right side is None.
      range_end: The condition must hold for every key from ``key`` to before this one.
      target_version: What ``.version`` compares with where the right side is None.
      encoding: The text codec of the key and the value; the default is the client's.
      prefix: The condition must hold for every key that begins with ``key``.
    """

    key: str | bytes
    target_lease: int | None = None
    mod_revision: int | None = None
    range_end: str | bytes | None = None
    target_version: int | None = None
    encoding: str = "utf-8"
    prefix: bool = field(default=False, kw_only=True)

    @property
    def version(self) -> CompareBuilder:
        """How often the key was written since it came into being; 0: there is no such key."""
        return CompareBuilder(self, CompareCompareTarget.VERSION)

    @property
    def create(self) -> CompareBuilder:
        """The revision at which the key came into being; 0: there is no such key."""
        return CompareBuilder(self, CompareCompareTarget.CREATE)

    @property
    def mod(self) -> CompareBuilder:
        """The revision at which the key was last written; 0: there is no such key."""
        return CompareBuilder(self, CompareCompareTarget.MOD)

    @property
    def value(self) -> CompareBuilder:
        """The key's value; compares with text or bytes."""
        return CompareBuilder(self, CompareCompareTarget.VALUE)

    @property
    def lease(self) -> CompareBuilder:
        """The id of the key's lease; 0: none."""
        return CompareBuilder(self, CompareCompareTarget.LEASE)

    def encoded(self, text: str | bytes) -> str | bytes:
        """In this encoding; what is in the default one stays text, for the client's may be another."""
        return text.encode(self.encoding) if isinstance(text, str) and self.encoding != "utf-8" else text


@dataclass(eq=False)
class CompareBuilder:
    """One property of a key, to be compared with ``==``, ``!=``, ``<`` or ``>``; gives a :class:`Compare`."""

    key: CompareKey
    target: CompareCompareTarget
    __hash__: ClassVar[None]  # type: ignore[assignment]  # as everything whose == means something else

    def build_request(self, other: str | bytes | int | None, result: CompareCompareResult) -> Compare:
        """The condition.

        Raises:
          TypeError: a value is compared with something else than text or bytes, or a number with something else than
            an int.
          InvalidRequestError: a number is below zero, or contradicts what the key was made with.
        """
        key = self.key
        given = {
            CompareCompareTarget.LEASE: key.target_lease,
            CompareCompareTarget.MOD: key.mod_revision,
            CompareCompareTarget.VERSION: key.target_version,
        }.get(self.target)
        operand = given if other is None else other
        if operand is None:
            raise TypeError("a compare needs something to compare with, not None")
        if given is not None and operand != given:
            raise InvalidRequestError(f"{key!r} compares with {given}, not with {operand!r}")
        if not isinstance(operand, int):
            operand = key.encoded(operand)
        end = None if key.range_end is None else key.encoded(key.range_end)
        trio_key = _compare.CompareKey(key.encoded(key.key), range_end=end, prefix=key.prefix)
        prop: _compare.CompareBuilder = getattr(trio_key, self.target.name.lower())
        match result:
            case CompareCompareResult.EQUAL:
                return prop == operand
            case CompareCompareResult.NOT_EQUAL:
                return prop != operand
            case CompareCompareResult.GREATER:
                return prop > operand
            case CompareCompareResult.LESS:
                return prop < operand

    def __eq__(self, other: str | bytes | int | None) -> Compare:  # type: ignore[override]
        return self.build_request(other, CompareCompareResult.EQUAL)

    def __ne__(self, other: str | bytes | int | None) -> Compare:  # type: ignore[override]
        return self.build_request(other, CompareCompareResult.NOT_EQUAL)

    def __gt__(self, other: str | bytes | int | None) -> Compare:
        return self.build_request(other, CompareCompareResult.GREATER)

    def __lt__(self, other: str | bytes | int | None) -> Compare:
        return self.build_request(other, CompareCompareResult.LESS)

    def __ge__(self, other: object) -> NoReturn:
        _compare.refuse_or_equal(">", other)

    def __le__(self, other: object) -> NoReturn:
        _compare.refuse_or_equal("<", other)


@dataclass
class EtcdLockOption:
    """How :class:`EtcdConnectionManager` takes a lock: see :meth:`EtcdClient.with_lock`."""

    lock_name: str | bytes
    timeout: float | None
    ttl: float | None
    lease_ttl: int = field(default=10, kw_only=True)
    on_lost: OnLost = field(default="readme", kw_only=True)


@dataclass(unsafe_hash=True)
class WatchEvent(Generic[TextT]):
    """One change of one key; two are equal when the first four fields are."""

    key: TextT
    #: The new value; empty for a DELETE.
    value: TextT | None
    #: With ``prev_kv=True``: the value before; None if there was no key, or its history is compacted.
    prev_value: TextT | None
    event: WatchEventType
    #: The revision of the store that the change made.
    revision: int = field(default=0, compare=False)
    #: The revision at which the key came into being; 0 for a DELETE.
    create_revision: int = field(default=0, compare=False)
    #: How often the key was written since it came into being; 0 for a DELETE.
    version: int = field(default=0, compare=False)
    #: The id of the lease that the key is attached to; 0 for none.
    lease: int = field(default=0, compare=False)
    #: With ``on_lag="coalesce"``: older events of the key were left out.
    coalesced: bool = field(default=False, compare=False)
    #: With ``resync=True``: no event of the server, but a difference found after its history was compacted.
    synthetic: bool = field(default=False, compare=False)


@dataclass
class WatchBatch(Generic[TextT]):
    """All events of one revision; with ``resync=True`` also all differences found at once."""

    revision: int
    events: list[WatchEvent[TextT]]


def __getattr__(name: str) -> object:
    """The classes of etcd's messages, which few need and which take long to import."""
    names = {"PutRequestType": "PutRequest", "RangeRequestType": "RangeRequest"}
    names["DeleteRangeRequestType"] = "DeleteRangeRequest"
    if name not in {*names, "TransactionRequest"}:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .._proto._messages import etcdserverpb  # noqa: PLC0415 - see above

    if name == "TransactionRequest":
        messages: tuple[type, ...] = tuple(getattr(etcdserverpb, message) for message in names.values())
        return Union[messages]  # noqa: UP007 - made of a tuple
    return getattr(etcdserverpb, names[name])
