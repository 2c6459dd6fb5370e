"""What depends on the server's version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import trio

from .._errors import EtcdError
from .._proto._methods import STATUS
from .._proto._wire import DecodeError, skip, uint64

if TYPE_CHECKING:
    from ._connection import Connection

# Before these, a progress answer could overtake events (etcd issues 15220 and 17507).
_TRUE_PROGRESS: Final = {(3, 4): 31, (3, 5): 13}


async def check_progress(connection: Connection) -> bool | None:
    """Whether progress answers of the server can be believed; asked once per connection. None: it did not say.

    Cancellation:
      No effect.
    """
    if connection.progress_is_true is None:
        try:
            version = _version(await connection.unary(STATUS, b"", write=False, leader=False))
        except (EtcdError, DecodeError, trio.ClosedResourceError):
            return None  # noqa: ASYNC910 - it was asked
        minor = version[:2]
        connection.progress_is_true = minor > (3, 5) or (
            minor in _TRUE_PROGRESS and version[2] >= _TRUE_PROGRESS[minor]
        )
    return connection.progress_is_true  # noqa: ASYNC910 - its callers wait besides


def _version(status: bytes) -> tuple[int, int, int]:
    """The version (field 2) in a StatusResponse."""
    at = 0
    try:
        while at < len(status):
            tag, at = uint64(status, at)
            if tag == 18:
                length, at = uint64(status, at)
                major, minor, patch = status[at : at + length].split(b"-")[0].split(b".")
                return int(major), int(minor), int(patch)
            at = skip(status, at, tag)
    except (IndexError, ValueError) as error:
        raise DecodeError(f"no version in the server's status: {error}") from error
    raise DecodeError("no version in the server's status")
