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
        raise TypeError(f"{name} must be an int, not {kind_of(value)}")
    if not 0 <= value <= _LARGEST:
        raise InvalidRequestError(f"{name} is {value}: it must be at least 0 and below 2**63")
    return value


def check_seconds(name: str, value: object, *, any_wait: bool = False) -> float:
    """A time in seconds.

    Args:
      name: That of the argument.
      value: What was given.
      any_wait: It says for how long to wait: 0 is not to wait at all, and infinity for ever.

    Raises:
      TypeError: not a number.
      InvalidRequestError: not one that makes sense.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} must be a number of seconds, not {kind_of(value)}")
    if any_wait:
        if not value >= 0:
            raise InvalidRequestError(f"{name} is {value}: it must be at least 0 seconds")
    elif not 0 < value < math.inf:
        raise InvalidRequestError(f"{name} is {value}: it must be more than 0 seconds, and finite")
    try:
        return float(value)
    except OverflowError:
        raise InvalidRequestError(f"{name} is too large a number of seconds") from None


def check_ttl(name: str, value: object) -> int:
    """The time to live of a lease: whole seconds, at least one.

    Raises:
      TypeError: not an int.
      InvalidRequestError: less than 1, or more than 63 bits.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value < 1:
        raise InvalidRequestError(f"{name} is {value}: a lease lives for at least 1 s")
    return check_number(name, value)


def kind_of(value: object) -> str:
    """What somebody gave instead of what was wanted."""
    return "None" if value is None else type(value).__name__
