"""A lease that is kept alive, as the streams see it: until when it is proved to live, and whose body depends on it."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Final

import trio

if TYPE_CHECKING:
    from collections.abc import Callable

#: The part of its TTL by which a lease counts as lost before the server could end it: for clocks that do not run alike,
#: and for the time that a body takes to notice.
MARGIN: Final = 0.02
#: A lease is renewed after this part of its TTL, and an answer that takes as long again is sought elsewhere.
RENEW_AFTER: Final = 1 / 3
#: How long leaving a block may wait for the server, in seconds; less where the lease ends sooner.
CLEAN_UP: Final = 1.0


def suspended() -> float:
    """For how many seconds this system has slept since it was started: Trio's clock stands still then."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)
    return 0.0


def lease_time() -> float:
    """Trio's time and what the system has slept: the clock of leases, which go on running out meanwhile."""
    return trio.current_time() + suspended()


class KeptLease:
    """What is known of a lease. Its times are :func:`lease_time`, in seconds.

    It is lost at the moment at which it cannot be proved alive any more, whether or not anybody looks at it then: its
    deadline is that of the bodies that depend on it.
    """

    __slots__ = (
        "_ended",
        "_limit",
        "_limit_reason",
        "_proved_until",
        "_scopes",
        "id",
        "on_lost",
        "over",
        "reason",
        "renewed_at",
        "trouble",
        "ttl",
    )

    def __init__(self, lease_id: int, ttl: int, sent: float) -> None:
        self.id: int = lease_id
        #: As granted, in seconds; it may be longer than what was asked for.
        self.ttl: int = ttl
        #: When the last request that the server answered was sent.
        self.renewed_at: float = sent
        #: Told once that it is lost, and why.
        self.on_lost: Callable[[KeptLease, str], object] = _ignore
        #: Why it is lost; None while nobody has noticed that it is.
        self.reason: str | None = None
        #: Whether it is given back: it cannot be lost any more.
        self.over: bool = False
        #: What kept it from being renewed the last time.
        self.trouble: Exception | None = None
        self._proved_until = sent + ttl * (1 - MARGIN)
        self._limit = math.inf
        self._limit_reason = ""
        self._scopes: set[trio.CancelScope] = set()
        self._ended = trio.Event()

    @property
    def expires(self) -> float:
        """When it is lost, unless it is renewed before."""
        return min(self._proved_until, self._limit)

    @property
    def deadline(self) -> float:
        """The same on Trio's clock."""
        return self.expires - suspended()

    @property
    def remaining(self) -> float:
        """For how long it is proved to live, be it lost to those who depend on it or not."""
        return max(0.0, self._proved_until - lease_time())

    @property
    def clean_up(self) -> float:
        """How long to wait for the server when it is given back: not for one that ends by itself before."""
        return CLEAN_UP if self._at_limit else min(CLEAN_UP, self.remaining)

    @property
    def due(self) -> float:
        """When to renew it next; never where the server would keep it for longer than its limit."""
        if self._limit == math.inf:
            return self.renewed_at + self.ttl * RENEW_AFTER
        last = self._limit - self.ttl * (1 + MARGIN)
        if self.renewed_at >= last or lease_time() > self._limit - self.ttl:
            return math.inf
        return min(self.renewed_at + self.ttl * RENEW_AFTER, last)

    @property
    def lost(self) -> bool:
        """Whether it cannot be proved alive any more."""
        if self.reason is None and not self.over and lease_time() >= self.expires:
            self.expire()
        return self.reason is not None

    def expire(self) -> None:
        """Its time is over."""
        self.lose(self._limit_reason if self._at_limit else "it could not be renewed in time")

    def lose(self, reason: str) -> None:
        """It is lost: cancel the bodies that depend on it."""
        if self.reason is None and not self.over:
            self.reason = reason
            self._ended.set()
            for scope in self._scopes:
                scope.cancel(f"etcd lease {self.id:x} is lost: {reason}")
            self.on_lost(self, reason)

    def let_go(self) -> None:
        """It is given back."""
        self.over = True
        self._ended.set()

    def renewed(self, sent: float, ttl: int) -> None:
        """The server answered a request that was sent then: that it lives, or (0) that it does not."""
        if ttl <= 0:
            self._proved_until = -math.inf
            self.lose("the server does not know it any more: it expired there, or was revoked")
        elif not self.lost and sent > self.renewed_at:
            self.renewed_at = sent
            self.ttl = ttl
            self.trouble = None
            self._proved_until = sent + ttl * (1 - MARGIN)
            self.move_scopes()

    def end_at(self, limit: float, reason: str) -> None:
        """Let it end then at the latest, on the server as well as far as its TTL allows."""
        self._limit = limit
        self._limit_reason = reason
        self.move_scopes()

    def attach(self, scope: trio.CancelScope) -> None:
        """Cancel this scope when the lease is lost."""
        self._scopes.add(scope)
        scope.deadline = self.deadline
        if self.lost:
            scope.cancel(f"etcd lease {self.id:x} is lost: {self.reason}")

    def detach(self, scope: trio.CancelScope) -> None:
        """Its body has left."""
        self._scopes.discard(scope)

    def move_scopes(self) -> None:
        """Let the bodies' scopes end when it does, on Trio's clock as it stands to the clock of leases now."""
        for scope in self._scopes:
            scope.deadline = self.deadline

    async def wait_lost(self) -> None:
        """Wait until it is lost or given back.

        Cancellation:
          No effect.
        """
        await trio.lowlevel.checkpoint()
        while not (self.lost or self.over):
            with trio.move_on_at(self.deadline):
                await self._ended.wait()

    @property
    def _at_limit(self) -> bool:
        """Whether it is not renewed any more."""
        return self.due == math.inf


def _ignore(_lease: KeptLease, _reason: str) -> None:
    """Nobody is to be told."""
