"""Leases that are kept alive for the length of a block."""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Literal, NamedTuple, final

import trio

from ._blocks import to_enter
from ._errors import EtcdError
from ._lease_calls import grant, keepalive_once, new_lease_id, revoke
from ._lock_errors import LeaseLostError
from .streams._kept_lease import CLEAN_UP, RENEW_AFTER, KeptLease, lease_time
from .streams._pursued import Pursued

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from .streams._endpoints import Endpoints

OnLost = Literal["cancel", "flag"]


class LeaseGrant(NamedTuple):
    """A lease as it was granted."""

    #: Its id.
    id: int
    #: Its time to live in seconds, which may be longer than what was asked for.
    ttl: int


@final
class Lease:
    """A lease that is kept alive; made by :meth:`EtcdCommunicator.lease`. ``put`` and transactions take it.

    Its times are Trio's clock, in seconds.
    """

    __slots__ = ("_kept",)

    def __init__(self, kept: KeptLease) -> None:
        self._kept = kept

    @property
    def id(self) -> int:
        """Its id, which was chosen here."""
        return self._kept.id

    @property
    def ttl(self) -> int:
        """Its time to live, as granted: this may be longer than what was asked for."""
        return self._kept.ttl

    @property
    def deadline(self) -> float:
        """When it is lost unless it is renewed before: 2 % less than its TTL after the last renewal was **sent**."""
        return self._kept.deadline

    @property
    def lost(self) -> bool:
        """Whether it was lost: it cannot be proved that it lives. One that was given back is not lost."""
        return self._kept.lost

    async def wait_lost(self) -> None:
        """Wait until it is lost or given back.

        Cancellation:
          No effect.
        """
        await self._kept.wait_lost()

    def __repr__(self) -> str:
        left = "given back" if self._kept.over else f"{self._kept.remaining:.1f} s left"
        state = f"lost: {self._kept.reason}" if self.lost else left
        return f"<etcetra_trio.Lease {self.id:x} of {self.ttl} s: {state}>"


async def keep_lease(endpoints: Endpoints, ttl: int) -> KeptLease:
    """Grant a lease and keep it alive.

    Cancellation:
      Cleans up: waits up to :data:`CLEAN_UP` for the server.

    Raises:
      EtcdError: it was not granted.
    """
    endpoints.service.check_open()
    granting = Pursued(endpoints.service, lambda: _grant(endpoints, ttl), "lease grant")
    try:
        await granting.over.wait()
    except BaseException:
        with trio.move_on_after(CLEAN_UP, shield=True):
            await granting.over.wait()
            if granting.result is not None:
                await give_back(endpoints, granting.result)
        granting.scope.cancel("nobody waits for this lease any more")
        raise
    if granting.result is None:
        endpoints.service.check_open()
    kept = granting.outcome()
    endpoints.leases.add(kept)
    return kept


async def _grant(endpoints: Endpoints, wanted: int) -> KeptLease:
    lease_id = new_lease_id()
    sent = lease_time()
    ttl = await grant(endpoints, wanted, lease_id)
    if lease_time() > sent + ttl * RENEW_AFTER:
        # It took several tries, or one for long: who knows since when it has been running out?
        sent = lease_time()
        ttl = await keepalive_once(endpoints, lease_id)
    return KeptLease(lease_id, ttl, sent)


async def give_back(endpoints: Endpoints, lease: KeptLease) -> None:  # noqa: ASYNC910 - the call is one
    """Revoke a lease of ours; what cannot be done now, the server does when its time is over.

    Cancellation:
      May have happened.
    """
    endpoints.leases.remove(lease)
    with suppress(EtcdError, trio.ClosedResourceError):
        await revoke(endpoints, lease.id)


@asynccontextmanager
@trio.lowlevel.enable_ki_protection
async def body_of(
    kept: KeptLease,
    on_lost: OnLost,
    release: Callable[[], Awaitable[None]],
    lost_error: Callable[[str], LeaseLostError],
) -> AsyncGenerator[None]:
    """Around a body that depends on a lease: ends it when the lease is lost, and releases in the end.

    Cancellation:
      Cleans up: the release may take :data:`CLEAN_UP`, or less where the lease ends sooner.

    Raises:
      LeaseLostError: it was lost; what the body raised is the ``__cause__``.
    """
    raised: BaseException | None = None
    failure: BaseException | None = None
    scope = trio.CancelScope()
    try:
        with scope:
            if on_lost == "cancel":
                kept.attach(scope)
            try:
                yield
            except BaseException as exc:
                raised = exc
                raise
    except BaseException as exc:  # noqa: ASYNC103, BLE001 - raised below
        # A scope makes a new group of what is no cancellation of its own, even where that is all.
        failure = raised if isinstance(raised, Exception) else exc
    try:
        kept.detach(scope)
        if scope.cancelled_caught:
            kept.expire()  # if nobody has noticed yet
        if kept.lost and on_lost == "cancel":
            failure = _verdict(failure, lost_error(kept.reason or ""), kept.trouble)
        with trio.move_on_after(kept.clean_up, shield=True):
            await release()
        if failure is not None:
            raise failure
    finally:
        del failure, raised  # no reference cycle with our own frame


def _verdict(
    failure: BaseException | None, error: LeaseLostError, trouble: Exception | None
) -> BaseException:
    """What leaves a body that has lost what it depends on."""
    if failure is not None:
        # An outer cancellation and an interrupt stay what they are; a call in the body may have said it already.
        told = type(failure) is type(error) and failure.args == error.args
        if told or not isinstance(failure, Exception):
            return failure
    error.__cause__ = failure or trouble
    return error


@to_enter
@asynccontextmanager
@trio.lowlevel.enable_ki_protection
async def open_lease(endpoints: Endpoints, ttl: int) -> AsyncGenerator[Lease]:
    """See :meth:`EtcdCommunicator.lease`."""
    kept = await keep_lease(endpoints, ttl)

    async def release() -> None:
        await give_back(endpoints, kept)

    async with body_of(kept, "cancel", release, partial(LeaseLostError, f"{kept.id:x}")):
        yield Lease(kept)
