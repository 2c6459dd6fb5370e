"""Arguments as etcetra takes them, for Trio's methods; and results the other way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._types import INHERIT, DeleteResult, Inherit, PutResult

if TYPE_CHECKING:
    from enum import Enum

    from .._keys import TextT


def as_number(value: int | str | None) -> int:
    """A revision, limit or id: etcetra's annotations say str, and None is none."""
    if value is None:
        return 0
    return int(value) if isinstance(value, str) else value


def as_sort(value: Enum) -> Any:  # noqa: ANN401 - of the one or the other enumeration, or refused later
    """A sort order or target of etcetra's or of ours."""
    return getattr(value, "value", value)


def as_filters(given: Any) -> Any:  # noqa: ANN401 - what is no list is refused later
    """Filters of etcetra's or of ours."""
    if given is None:
        return []
    if isinstance(given, str) or not hasattr(given, "__iter__"):
        return given
    return [getattr(kind, "value", kind) for kind in given]


def as_codec(encoding: str | type[bytes] | None) -> str | Inherit | None:
    """None is the client's encoding, ``bytes`` is none."""
    if encoding is None:
        return INHERIT
    return encoding if isinstance(encoding, str) else None


def previous(result: PutResult[TextT]) -> TextT | None:
    """What etcetra's ``put`` returns."""
    return result.prev_value


def deleted(result: DeleteResult[TextT]) -> TextT | None:
    """What etcetra's ``delete`` returns."""
    return result.prev[0].value if result.prev else None


def all_deleted(result: DeleteResult[TextT], *, asked: bool) -> list[TextT] | None:
    """What etcetra's other deletes return."""
    return [record.value for record in result.prev] if asked else None
