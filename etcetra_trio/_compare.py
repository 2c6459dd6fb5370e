"""Conditions of transactions: ``CompareKey("k").version > 1``. Pure."""

# pyright: reportPrivateUsage=false
# What a condition is made of is nothing for users, but for the functions here.

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, NoReturn

from ._checks import check_number
from ._errors import InvalidRequestError
from ._proto import _codec as pb

if TYPE_CHECKING:
    from ._keys import KeySpace, TextT

_Target = Literal["version", "create", "mod", "value", "lease"]
# The numbers of Compare.CompareTarget and of Compare.CompareResult in etcd's API.
_TARGETS: dict[_Target, int] = {"version": 0, "create": 1, "mod": 2, "value": 3, "lease": 4}
_EQUAL, _GREATER, _LESS, _NOT_EQUAL = 0, 1, 2, 3
_SIGNS = {_EQUAL: "==", _GREATER: ">", _LESS: "<", _NOT_EQUAL: "!="}


class CompareKey:
    """What the conditions of a transaction are made of.

    ``CompareKey("k").value == "v"``: the properties ``value``, ``version``, ``create`` (create revision),
    ``mod`` (mod revision) and ``lease`` compare with ``==``, ``!=``, ``<`` and ``>``. A key that is not there
    has version, revisions and lease 0, and a condition on its value does not hold.

    Args:
      key: The key.
      range_end: The condition must hold for every key from ``key`` to before this one (etcd 3.3).
      prefix: The condition must hold for every key that begins with ``key``.

    Raises:
      InvalidRequestError: both ``range_end`` and ``prefix`` are given.
    """

    __slots__ = ("_key", "_prefix", "_range_end")

    def __init__(
        self, key: str | bytes, *, range_end: str | bytes | None = None, prefix: bool = False
    ) -> None:
        if prefix and range_end is not None:
            msg = "give range_end or prefix=True, not both"
            raise InvalidRequestError(msg)
        self._key = key
        self._range_end = range_end
        self._prefix = prefix

    @property
    def value(self) -> CompareBuilder:
        """The key's value; compares with text or bytes."""
        return CompareBuilder(self, "value")

    @property
    def version(self) -> CompareBuilder:
        """How often the key was written since it came into being; 0: there is no such key."""
        return CompareBuilder(self, "version")

    @property
    def create(self) -> CompareBuilder:
        """The revision at which the key came into being; 0: there is no such key."""
        return CompareBuilder(self, "create")

    @property
    def mod(self) -> CompareBuilder:
        """The revision at which the key was last written; 0: there is no such key."""
        return CompareBuilder(self, "mod")

    @property
    def lease(self) -> CompareBuilder:
        """The id of the key's lease; 0: none (etcd 3.3)."""
        return CompareBuilder(self, "lease")

    def __repr__(self) -> str:
        more = (
            ", prefix=True"
            if self._prefix
            else ""
            if self._range_end is None
            else f", range_end={self._range_end!r}"
        )
        return f"CompareKey({self._key!r}{more})"


class CompareBuilder:
    """One property of a key, to be compared with ``==``, ``!=``, ``<`` or ``>``; gives a :class:`Compare`."""

    __slots__ = ("_key", "_target")
    __hash__: ClassVar[None]  # type: ignore[assignment]  # as everything whose == means something else

    def __init__(self, key: CompareKey, target: _Target) -> None:
        self._key = key
        self._target: _Target = target

    def __eq__(self, other: str | bytes | int) -> Compare:  # type: ignore[override]
        return Compare(self._key, self._target, _EQUAL, other)

    def __ne__(self, other: str | bytes | int) -> Compare:  # type: ignore[override]
        return Compare(self._key, self._target, _NOT_EQUAL, other)

    def __lt__(self, other: str | bytes | int) -> Compare:
        return Compare(self._key, self._target, _LESS, other)

    def __gt__(self, other: str | bytes | int) -> Compare:
        return Compare(self._key, self._target, _GREATER, other)

    def __le__(self, other: object) -> NoReturn:
        refuse_or_equal("<", other)

    def __ge__(self, other: object) -> NoReturn:
        refuse_or_equal(">", other)

    def __repr__(self) -> str:
        return f"{self._key!r}.{self._target}"


def refuse_or_equal(sign: Literal["<", ">"], other: object) -> NoReturn:
    """Say what to write where etcd has no sign for it: ``<=`` or ``>=``."""
    if isinstance(other, str | bytes):
        instead = f"with text write {'>' if sign == '<' else '<'}, and exchange the two branches"
    else:
        instead = f"with a whole number n write {sign} n {'+' if sign == '<' else '-'} 1"
    raise TypeError(f"etcd has no {sign}=: {instead}")


class Compare:
    """One condition of a transaction; made by comparing a property of a :class:`CompareKey`.

    Raises:
      TypeError: a value is compared with something else than text or bytes, or a number with something else
        than an int.
      InvalidRequestError: a number is below zero.
    """

    __slots__ = ("_key", "_operand", "_result", "_target")

    def __init__(self, key: CompareKey, target: _Target, result: int, operand: str | bytes | int) -> None:
        if target == "value":
            if not isinstance(operand, str | bytes):
                msg = f"a key's value compares with str or bytes, not with {type(operand).__name__}"
                raise TypeError(msg)
        elif isinstance(operand, str | bytes):
            msg = f"a key's {target} compares with an int, not with {type(operand).__name__}"
            raise TypeError(msg)
        else:
            operand = check_number(target, operand)
        self._key = key
        self._target: _Target = target
        self._result = result
        self._operand = operand

    def __bool__(self) -> NoReturn:
        raise TypeError(
            "a compare is for the server to decide: pass it to txn_compare, "
            "in a list and not joined by 'and', 'or' or 'not'"
        )

    def __repr__(self) -> str:
        return f"{self._key!r}.{self._target} {_SIGNS[self._result]} {self._operand!r}"


def encode_compare(compare: Compare, keys: KeySpace[TextT]) -> bytes:
    """A condition as etcd takes it."""
    key, range_end = _address(compare._key, keys)
    operand, target = compare._operand, compare._target
    if not isinstance(operand, int):
        return pb.compare(
            compare._result, _TARGETS["value"], key, value=keys.value(operand, key), range_end=range_end
        )
    return pb.compare(
        compare._result,
        _TARGETS[target],
        key,
        version=operand if target == "version" else None,
        create_revision=operand if target == "create" else None,
        mod_revision=operand if target == "mod" else None,
        lease=operand if target == "lease" else None,
        range_end=range_end,
    )


def _address(key: CompareKey, keys: KeySpace[TextT]) -> tuple[bytes, bytes]:
    """The ``(key, range_end)`` that a condition is about."""
    if key._prefix:
        return keys.prefix(key._key)
    if key._range_end is not None:
        return keys.range(key._key, key._range_end)
    return keys.key(key._key), b""
