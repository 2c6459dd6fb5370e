"""Bad arguments of what helps tests get a clear error, and at once."""

from __future__ import annotations

from collections.abc import Iterable

from .._checks import kind_of

__all__ = ["check", "check_flags", "check_kind", "check_number"]


def check(sensible: bool, what: str) -> None:
    """Raise ValueError unless it makes sense."""
    if not sensible:
        raise ValueError(f"{what}: this makes no sense")


def check_kind(name: str, value: object, kind: type, words: str) -> None:
    """Raise TypeError unless it is of this type; ``words`` say which."""
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be {words}, not {kind_of(value)}")


def check_number(name: str, value: object, *, whole: bool = False) -> None:
    """Raise TypeError unless it is a number, which bool is not."""
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
        raise TypeError(f"{name} must be {'an int' if whole else 'a number'}, not {kind_of(value)}")


def check_flags(flags: Iterable[str]) -> list[str]:
    """Raise TypeError unless it is a sequence of flags: a single one would become one for each of its letters."""
    words = "a sequence of flags"
    check_kind("extra_args", flags, Iterable, words)
    if isinstance(flags, str):
        raise TypeError(f"extra_args must be {words}, not str")
    return list(flags)
