# pyright: reportPrivateUsage=false
# This package stands on the insides of the Trio client.
"""Locks as etcetra's README has them: when ``ttl`` is over the lock is free, and the body runs on."""

from __future__ import annotations

import warnings
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import trio

from .._lease import _verdict
from ..streams._service import open_service

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from .._communicator import EtcdCommunicator
    from .._lock import Lock

#: What becomes of the block when its lock is lost. ``"readme"``: when ``ttl`` is over it runs on, with a
#: :class:`LockLostWarning`; any other loss cancels it. ``"cancel"``: any loss does. ``"flag"``: none does.
OnLost: TypeAlias = Literal["readme", "cancel", "flag"]


class LockLostWarning(UserWarning):
    """The ``ttl`` of a lock is over: it is free for others while the block that held it runs on."""


def hold_lock(
    communicator: EtcdCommunicator[Any],
    name: str | bytes,
    timeout: float | None,
    ttl: float | None,
    lease_ttl: int,
    on_lost: OnLost,
) -> AbstractAsyncContextManager[Lock[Any]]:
    """A lock of Trio's, for a Trio task."""
    if on_lost == "readme":
        return _readme_lock(communicator, name, timeout, ttl, lease_ttl)
    return communicator.lock(name, timeout, ttl, lease_ttl=lease_ttl, on_lost=on_lost)


@asynccontextmanager
async def _readme_lock(
    communicator: EtcdCommunicator[Any],
    name: str | bytes,
    timeout: float | None,  # noqa: ASYNC109 - it bounds the acquiring alone
    ttl: float | None,
    lease_ttl: int,
) -> AsyncGenerator[Lock[Any]]:
    refusal: LockLostWarning | None = None
    failure: BaseException | None = None

    async def judge() -> None:
        nonlocal refusal
        await lock.wait_lost()
        if _at_its_limit(lock):
            text = f"the ttl of {ttl:g} s of the lock {name!r} is over: it is free, and its block runs on"
            try:
                warnings.warn(text, LockLostWarning, stacklevel=1)
                return
            except LockLostWarning as error:  # warnings are errors
                refusal = error
        scope.cancel("the lock is lost")

    async with (
        communicator.lock(name, timeout, ttl, lease_ttl=lease_ttl, on_lost="flag") as lock,
        open_service() as service,
    ):
        with trio.CancelScope() as scope:
            service.start_soon(judge, name="loss of a lock")
            try:
                yield lock
            except Exception as error:  # noqa: BLE001 - raised below
                failure = error
        try:
            if refusal is not None:
                raise refusal from failure
            if lock.lost and not _at_its_limit(lock):
                kept = lock._tenure.kept
                failure = _verdict(failure, lock._tenure.lost_error(kept.reason or ""), kept.trouble)
            if failure is not None:
                raise failure
        finally:
            del failure  # no reference cycle with our own frame


def _at_its_limit(lock: Lock[Any]) -> bool:
    kept = lock._tenure.kept
    return kept.reason == kept._limit_reason
