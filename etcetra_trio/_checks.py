"""Bad arguments get a clear error before anything is sent. Pure."""

from __future__ import annotations

import math

from ._errors import InvalidRequestError

_LARGEST = (1 << 63) - 1  # etcd's numbers are int64


def check_number(name: str, value: object) -> int:
    """A revision, limit or lease id.

    Raises:
      TypeError: not an int.
      InvalidRequestError: below zero, or more than 63 bits.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an int, not {type(value).__name__}")
    if not 0 <= value <= _LARGEST:
        raise InvalidRequestError(f"{name} is {value}: it must be at least 0 and below 2**63")
    return value


def check_seconds(name: str, value: object) -> float:
    """A time to wait.

    Raises:
      TypeError: not a number.
      InvalidRequestError: not more than zero, or not finite.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} must be a number of seconds, not {type(value).__name__}")
    if not 0 < value < math.inf:
        raise InvalidRequestError(f"{name} is {value}: it must be more than 0 seconds, and finite")
    return float(value)
