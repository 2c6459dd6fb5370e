"""What the holder of a lock and a leader have in common: a key that proves it, and writes that need that proof."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar, Generic

import trio

from ._compare import Compare, CompareKey
from ._errors import EtcdError
from ._keys import TextT
from ._lease import Lease, give_back
from ._lock_errors import LeaseLostError
from ._proto._methods import TXN
from ._txn import build_txn
from ._types import DeleteResult, PutResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._contender import Contender
    from ._keys import KeySpace
    from ._kv import SupportsLease
    from ._txn import TxnAction, TxnResult
    from .streams._endpoints import Endpoints
    from .streams._kept_lease import KeptLease
    from .streams._service import Service


class Held(Generic[TextT]):
    """Something that is held by the oldest key of a queue."""

    _error: ClassVar[type[LeaseLostError]]

    def __init__(
        self,
        endpoints: Endpoints,
        keys: KeySpace[TextT],
        name: str | bytes,
        contender: Contender,
        kept: KeptLease,
    ) -> None:
        self._endpoints = endpoints
        self._keys: KeySpace[TextT] = keys
        self._name = name
        self._contender = contender
        #: What is known of the lease.
        self.kept: KeptLease = kept
        self._key: TextT = keys.text_key(contender.key)
        self._lease = Lease(kept)
        self._releasing = trio.Lock()
        self._released = False

    @property
    def key(self) -> TextT:
        """The key that proves it."""
        return self._key

    @property
    def fence(self) -> int:
        """The create revision of the key, greater than that of every holder before: a fencing token."""
        return self._contender.fence

    @property
    def lease(self) -> Lease:
        """The lease that the key goes with; it is of no other use."""
        return self._lease

    @property
    def lost(self) -> bool:
        """Whether it was lost: not held any more, or not to be proved to be. What is released is not lost."""
        return self.kept.lost

    async def wait_lost(self) -> None:
        """Wait until it is lost or released.

        Cancellation:
          No effect.
        """
        await self.kept.wait_lost()

    def is_owner(self) -> Compare:
        """A condition for any transaction: that it is still held when the server carries that out."""
        return CompareKey(self._key).create == self.fence

    async def put(
        self,
        key: str | bytes,
        value: str | bytes | None = None,
        *,
        lease: SupportsLease | int = 0,
        prev_kv: bool = False,
        ignore_value: bool = False,
        ignore_lease: bool = False,
    ) -> PutResult[TextT]:
        """Write a key only if this is still held; otherwise as :meth:`EtcdCommunicator.put`.

        Cancellation:
          May have happened.

        Raises:
          LeaseLostError: it is lost, and nothing was written; its class says what was held.
          EtcdError: as :meth:`EtcdCommunicator.put`.
        """

        def build(action: TxnAction[TextT]) -> object:
            return action.put(
                key,
                value,
                lease=lease,
                prev_kv=prev_kv,
                ignore_value=ignore_value,
                ignore_lease=ignore_lease,
            )

        response = (await self.txn(build)).responses[0]
        assert isinstance(response, PutResult)
        return response

    async def delete(self, key: str | bytes, *, prev_kv: bool = False) -> DeleteResult[TextT]:
        """Delete a key only if this is still held; otherwise as :meth:`EtcdCommunicator.delete`.

        Cancellation:
          May have happened.

        Raises:
          LeaseLostError: it is lost, and nothing was deleted; its class says what was held.
          EtcdError: as :meth:`EtcdCommunicator.delete`.
        """
        response = (await self.txn(lambda action: action.delete(key, prev_kv=prev_kv))).responses[0]
        assert isinstance(response, DeleteResult)
        return response

    async def txn(self, txn_builder: Callable[[TxnAction[TextT]], object]) -> TxnResult[TextT]:
        """Carry out several operations at once, only if this is still held; else as :meth:`EtcdCommunicator.txn`.

        Conditions of your own: ``action.txn(compares, builder)``.

        Cancellation:
          May have happened.

        Raises:
          LeaseLostError: it is lost, and nothing was done; its class says what was held.
          EtcdError: as :meth:`EtcdCommunicator.txn`.
        """
        txn = build_txn(self._keys, [self.is_owner()], lambda success, _failure: txn_builder(success))
        txn.check()
        self.check()
        live = self._endpoints.live
        if live is None or not live.engine.accepting:
            await self._endpoints.connection(write=txn.writes)
            self.check()  # and nothing waits between this and the sending
        result = await self._endpoints.call(TXN, txn.message, txn.decode, write=txn.writes, reset=txn.writes)
        if not result.succeeded:
            self.kept.lose("its key was deleted")
            self.check()
        return result

    def lost_error(self, reason: str) -> LeaseLostError:
        """What to raise when it is lost."""
        return self._error(self._name, reason)

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
                    await self._contender.leave()
                await revoked.wait()
                self._released = True

    async def _revoke(self, revoked: trio.Event) -> None:
        await give_back(self._endpoints, self.kept)
        revoked.set()

    def check(self) -> None:
        """Raise LeaseLostError if it is not held."""
        if self.kept.lost or self.kept.over:
            raise self.lost_error(self.kept.reason or "it was released") from self.kept.trouble

    def __repr__(self) -> str:
        state = f"lost: {self.kept.reason}" if self.lost else "released" if self.kept.over else "held"
        return f"<etcetra_trio.{type(self).__name__} {self._name!r}: {state}>"
