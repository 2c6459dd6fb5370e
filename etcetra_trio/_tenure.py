"""The time for which something is held: whether it still is, what is carried out only while it is, and its end."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import trio

from ._errors import EtcdError
from ._lease import give_back
from ._proto._methods import TXN

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._contender import Contender, Contest
    from ._keys import TextT
    from ._lock_errors import LeaseLostError
    from ._txn import Txn, TxnResult
    from .streams._endpoints import Endpoints
    from .streams._kept_lease import KeptLease
    from .streams._service import Service


class Tenure:
    """See the module. Users know it as a lock or a leadership."""

    def __init__(
        self,
        endpoints: Endpoints,
        contest: Contest,
        contender: Contender,
        kept: KeptLease,
        error: Callable[[str | bytes, str], LeaseLostError],
    ) -> None:
        self.contest: Contest = contest
        self.contender: Contender = contender
        #: What is known of the lease; whatever ends the tenure is a loss of that.
        self.kept: KeptLease = kept
        self._endpoints = endpoints
        self._error = error
        self._releasing = trio.Lock()
        self._released = False

    def lost_error(self, reason: str) -> LeaseLostError:
        """What to raise when it is lost."""
        return self._error(self.contest.name, reason)

    def check(self) -> None:
        """Raise LeaseLostError if it is over."""
        if self.kept.lost or self.kept.over:
            raise self.lost_error(self.kept.reason or "it was released") from self.kept.trouble

    async def carry_out(self, txn: Txn[TextT]) -> TxnResult[TextT]:
        """Carry out a transaction that has the tenure for its condition.

        Cancellation:
          May have happened.

        Raises:
          LeaseLostError: it is over, and nothing was done.
          EtcdError: as every transaction.
        """
        self.check()
        live = self._endpoints.live
        if live is None or not live.engine.accepting:
            await self._endpoints.connection(write=txn.writes)
            self.check()  # and nothing waits between this and the sending
        result = await self._endpoints.call(TXN, txn.message, txn.decode, write=txn.writes)
        if not result.succeeded:
            self.kept.lose("its key was deleted")
            self.check()
        return result

    async def release(self, service: Service) -> None:
        """Give it up, once.

        Cancellation:
          May have happened; then the server does it when the lease is over.
        """
        self._endpoints.leases.remove(self.kept)
        async with self._releasing:
            if not self._released:
                # The next one need not wait for the revocation, nor this for one answer after the other.
                revoked = trio.Event()
                service.start_soon(self._revoke, revoked, name="lock release")
                with suppress(EtcdError, trio.ClosedResourceError):
                    await self.contender.leave()
                await revoked.wait()
                self._released = True

    async def release_when_lost(self, service: Service) -> None:
        """Give it up as soon as it is lost, whatever the body does."""
        await self.kept.wait_lost()
        await self.release(service)

    async def _revoke(self, revoked: trio.Event) -> None:
        await give_back(self._endpoints, self.kept)
        revoked.set()
