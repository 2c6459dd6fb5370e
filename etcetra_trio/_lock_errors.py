"""What a lease, a lock or a leadership ends with when it is lost, and a lock that could not be had."""

from __future__ import annotations

from typing import ClassVar

import trio

from ._errors import EtcdError

__all__ = ["LeadershipLostError", "LeaseLostError", "LockLostError", "LockTimeoutError"]


class LeaseLostError(EtcdError):
    """A lease that was kept alive is lost: it expired, was revoked, or cannot be proved to live any more.

    Attributes:
      name: Which one: the lease's id in hex, or the name of the lock or the election.
      reason: Why.
    """

    _what: ClassVar[str] = "lease"

    def __init__(self, name: str | bytes, reason: str, what: str = "") -> None:
        super().__init__(name, reason, what)
        self.name = name
        self.reason = reason

    def __str__(self) -> str:
        return f"the {self.args[2] or self._what} {self.name!r} is lost: {self.reason}"


class LockLostError(LeaseLostError):
    """A lock is not held any more: its lease is lost, its key was deleted, or its time is over.

    It leaves the lock's block, and the calls of the :class:`Lock` raise it instead of writing.
    """

    _what: ClassVar[str] = "lock"


class LeadershipLostError(LeaseLostError):
    """An election is not won any more: the lease is lost, or the leader's key was deleted.

    It leaves the block of the campaign, and the calls of the :class:`Leadership` raise it instead of writing.
    """

    _what: ClassVar[str] = "leadership"


class LockTimeoutError(EtcdError, TimeoutError, trio.TooSlowError):
    """A lock, or what is held like one, was not acquired in time. Nothing of the attempt is left on the server.

    Attributes:
      name: The name of the lock.
      timeout: The time that there was, in seconds; 0: another holder was not waited for.
    """

    def __init__(self, name: str | bytes, timeout: float, what: str = "lock") -> None:
        super().__init__(name, timeout)
        self.name = name
        self.timeout = timeout
        self._kind = what

    def __str__(self) -> str:
        if self.timeout:
            return f"the {self._kind} {self.name!r} was not acquired within {self.timeout:g} s"
        return f"the {self._kind} {self.name!r} is held by somebody else"
