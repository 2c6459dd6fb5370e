"""Getting what only one can have, and holding it for the length of a block."""

from __future__ import annotations

import math
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar, get_args

import trio

from ._blocks import to_enter
from ._checks import check_seconds, check_ttl
from ._contender import Contender
from ._errors import InvalidRequestError
from ._lease import OnLost, body_of, give_back, keep_lease
from ._lease_calls import keepalive_once
from ._lock_errors import LockTimeoutError
from ._server_errors import LeaseNotFoundError
from ._tenure import Tenure
from .streams._kept_lease import lease_time
from .streams._service import open_service

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from ._contender import Contest
    from ._lock_errors import LeaseLostError
    from .streams._endpoints import Endpoints
    from .streams._kept_lease import KeptLease
    from .streams._service import Service

HeldT = TypeVar("HeldT")


class Terms(NamedTuple):
    """How something is to be acquired and held."""

    lease_ttl: int
    on_lost: OnLost
    #: None: wait for ever; 0: do not wait for other holders.
    timeout: float | None = None
    ttl: float | None = None


def check_terms(
    lease_ttl: int, on_lost: OnLost, timeout: float | None = None, ttl: float | None = None
) -> Terms:
    """Terms that make sense.

    Raises:
      TypeError: a number is none.
      InvalidRequestError: a number is too small, or ``on_lost`` is unknown.
    """
    if on_lost not in get_args(OnLost):
        raise InvalidRequestError(
            f"on_lost is {on_lost!r}: use one of {', '.join(map(repr, get_args(OnLost)))}"
        )
    if timeout is not None:
        timeout = check_seconds("timeout", timeout, any_wait=True)
    lease_ttl = check_ttl("lease_ttl", lease_ttl)
    if ttl is not None:
        ttl = check_seconds("ttl", ttl)
        lease_ttl = min(lease_ttl, math.ceil(ttl))
    return Terms(lease_ttl, on_lost, timeout, ttl)


@to_enter
@asynccontextmanager
@trio.lowlevel.enable_ki_protection
async def hold(
    endpoints: Endpoints,
    contest: Contest,
    value: bytes,
    error: Callable[[str | bytes, str], LeaseLostError],
    make: Callable[[Tenure], HeldT],
    terms: Terms,
) -> AsyncGenerator[HeldT]:
    """Acquire, let the body run, release.

    Cancellation:
      Cleans up.

    Raises:
      LockTimeoutError: not in time.
      LeaseLostError: lost, before or after it was acquired.
      EtcdError: not acquired.
    """
    async with open_service() as service:
        tenure: Tenure | None = None
        with trio.CancelScope() as scope:
            if terms.timeout:
                scope.deadline = trio.current_time() + terms.timeout
            tenure = await _acquire(service, endpoints, contest, value, error, terms)
        if tenure is None:
            raise LockTimeoutError(contest.name, terms.timeout or 0, contest.what)
        release = partial(tenure.release, service)
        async with body_of(tenure.kept, terms.on_lost, release, tenure.lost_error):
            yield make(tenure)


async def _acquire(
    service: Service,
    endpoints: Endpoints,
    contest: Contest,
    value: bytes,
    error: Callable[[str | bytes, str], LeaseLostError],
    terms: Terms,
) -> Tenure:
    kept = await keep_lease(endpoints, terms.lease_ttl)
    try:
        contender = Contender(endpoints, contest, kept)
        tenure = Tenure(endpoints, contest, contender, kept, error)
        with trio.CancelScope() as alive:  # noqa: ASYNC912 - entering the queue is one
            kept.attach(alive)
            try:
                before = await contender.enter(value)
                service.start_soon(contender.guard, name="lock key")
                if before is not None and terms.timeout == 0:
                    raise LockTimeoutError(contest.name, 0, contest.what)
                await contender.wait_turn(before)
                if terms.ttl is not None:
                    await _limit(endpoints, kept, terms.ttl)
                    service.start_soon(tenure.release_when_lost, service, name="lock ttl")
            except LeaseNotFoundError:
                kept.renewed(lease_time(), 0)
        kept.detach(alive)
        if alive.cancelled_caught:
            kept.expire()
        tenure.check()
        return tenure
    except BaseException:
        with trio.move_on_after(kept.clean_up, shield=True):
            await give_back(endpoints, kept)
        raise


async def _limit(endpoints: Endpoints, kept: KeptLease, ttl: float) -> None:
    """Let the lease end after so many seconds from now."""
    sent = lease_time()
    kept.renewed(sent, await keepalive_once(endpoints, kept.id))
    kept.end_at(sent + ttl, f"its ttl of {ttl:g} s is over")
