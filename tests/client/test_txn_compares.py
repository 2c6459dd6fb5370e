"""Compares: all targets, all operators, keys that are not there, ranges and prefixes."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from client._kit import grant
from etcetra_trio import Compare, CompareBuilder, CompareKey, EtcdCommunicator

Communicator = EtcdCommunicator[str]


async def holds(communicator: Communicator, *compares: Compare) -> bool:
    result = await communicator.txn_compare(compares, lambda _success, _failure: None)
    return result.succeeded


def all_operators(
    builder: CompareBuilder, low: str | int, same: str | int, high: str | int
) -> Iterable[tuple[Compare, bool]]:
    """Compares of a property that is ``same``, and whether they hold."""
    for operand, less, equal, greater in (
        (high, True, False, False),
        (same, False, True, False),
        (low, False, False, True),
    ):
        yield builder < operand, less
        yield builder == operand, equal
        yield builder > operand, greater
        yield builder != operand, not equal


Pick = Callable[[CompareKey], CompareBuilder]


@pytest.mark.parametrize("target", ["value", "version", "create", "mod", "lease"])
async def test_all_targets_and_operators(communicator: Communicator, target: str) -> None:
    lease = await grant(communicator)
    create = (await communicator.put("k", "m")).revision
    await communicator.put("k", "m")
    mod = (await communicator.put("k", "m", lease=lease)).revision
    bounds: dict[str, tuple[str | int, str | int, str | int]] = {
        "value": ("l", "m", "n"),
        "version": (2, 3, 4),
        "create": (create - 1, create, create + 1),
        "mod": (mod - 1, mod, mod + 1),
        "lease": (lease - 1, lease, lease + 1),
    }
    builder: CompareBuilder = getattr(CompareKey("k"), target)
    for compare, expected in all_operators(builder, *bounds[target]):
        assert await holds(communicator, compare) is expected, repr(compare)


async def test_integers_compare_as_integers(communicator: Communicator) -> None:
    for _ in range(10):
        await communicator.put("k", "v")
    assert await holds(communicator, CompareKey("k").version > 9, CompareKey("k").version == 10)


async def test_values_compare_as_bytes(communicator: Communicator) -> None:
    await communicator.put("k", "9")
    assert await holds(communicator, CompareKey("k").value > "10", CompareKey(b"k").value == b"9")
    await communicator.put("k", "ü")
    assert await holds(communicator, CompareKey("k").value == "ü", CompareKey("k").value > "z")
    await communicator.put("k", "")
    assert await holds(communicator, CompareKey("k").value == "", CompareKey("k").value < "\0")


async def test_a_key_that_is_not_there(communicator: Communicator) -> None:
    key = CompareKey("nothing")
    assert await holds(communicator, key.version == 0, key.create == 0, key.mod == 0, key.lease == 0)
    assert not await holds(communicator, key.version > 0)
    for compare in (key.value == "", key.value != "x", key.value < "x", key.value > ""):
        assert not await holds(communicator, compare), "a condition on its value never holds"


async def test_all_must_hold(communicator: Communicator) -> None:
    await communicator.put("a", "1")
    await communicator.put("b", "2")
    right, wrong = CompareKey("a").value == "1", CompareKey("b").value == "1"
    assert await holds(communicator)
    assert await holds(communicator, right)
    assert not await holds(communicator, right, wrong)
    assert not await holds(communicator, wrong, right)


async def test_ranges_and_prefixes(communicator: Communicator) -> None:
    for key, value in (("d/1", "same"), ("d/2", "same"), ("d0", "other")):
        await communicator.put(key, value)
    assert await holds(communicator, CompareKey("d/", prefix=True).value == "same")
    assert not await holds(communicator, CompareKey("d", prefix=True).value == "same")
    assert await holds(communicator, CompareKey("d/1", range_end="d0").version == 1)
    assert not await holds(communicator, CompareKey("d/1", range_end="\0").value == "same")
    assert await holds(communicator, CompareKey("d0", range_end="\0").value == "other")
    assert await holds(communicator, CompareKey("", prefix=True).version == 1)
    # A range without keys counts as one key that is not there.
    assert await holds(communicator, CompareKey("x/", prefix=True).version == 0)
    assert not await holds(communicator, CompareKey("x/", prefix=True).version == 1)
    assert not await holds(communicator, CompareKey("x/", prefix=True).value == "same")


def test_a_compare_is_not_true_or_false() -> None:
    compare = CompareKey("k").version == 0
    uses: tuple[Callable[[], object], ...] = (
        lambda: bool(compare),
        lambda: not compare,
        lambda: compare and compare,  # type: ignore[redundant-expr,unreachable]
        lambda: compare in [CompareKey("k").version == 1, compare] and not compare,
    )
    for use in uses:
        with pytest.raises(TypeError, match="pass it to txn_compare"):
            use()


def test_what_is_seen_of_them() -> None:
    assert repr(CompareKey("k").version == 0) == "CompareKey('k').version == 0"
    assert repr(CompareKey("k", prefix=True).value != "v") == "CompareKey('k', prefix=True).value != 'v'"
    assert repr(CompareKey("k", range_end="l").mod) == "CompareKey('k', range_end='l').mod"
    with pytest.raises(ValueError, match="not both"):
        CompareKey("k", range_end="l", prefix=True)
    with pytest.raises(TypeError, match="unhashable"):
        hash(CompareKey("k").value)


def test_the_other_way_round_means_the_same() -> None:
    """Python turns ``0 < x`` into ``x > 0``."""
    assert repr(0 < CompareKey("k").version) == "CompareKey('k').version > 0"  # noqa: SIM300
    assert repr("v" == CompareKey("k").value) == "CompareKey('k').value == 'v'"  # noqa: SIM300
    with pytest.raises(TypeError, match="etcd has no >="):
        0 <= CompareKey("k").version  # noqa: B015, SIM300
