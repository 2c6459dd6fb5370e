"""What the holder of a lock and a leader have in common: a key that proves it, and writes that need that proof."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic

from ._compare import Compare, CompareKey
from ._keys import TextT
from ._lease import Lease
from ._txn import build_txn
from ._types import DeleteResult, PutResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._keys import KeySpace
    from ._kv import SupportsLease
    from ._tenure import Tenure
    from ._txn import TxnAction, TxnResult


class Held(Generic[TextT]):
    """Something that is held by the oldest key of a queue."""

    __slots__ = ("_key", "_keys", "_lease", "_tenure")

    def __init__(self, keys: KeySpace[TextT], tenure: Tenure) -> None:
        self._keys: KeySpace[TextT] = keys
        self._tenure = tenure
        self._key: TextT = keys.text_key(tenure.contender.key)
        self._lease = Lease(tenure.kept)

    @property
    def key(self) -> TextT:
        """The key that proves it."""
        return self._key

    @property
    def fence(self) -> int:
        """The create revision of the key, greater than that of every holder before: a fencing token."""
        return self._tenure.contender.fence

    @property
    def lease(self) -> Lease:
        """The lease that the key goes with; it is of no other use."""
        return self._lease

    @property
    def lost(self) -> bool:
        """Whether it was lost: not held any more, or not to be proved to be. What is released is not lost."""
        return self._tenure.kept.lost

    async def wait_lost(self) -> None:
        """Wait until it is lost or released.

        Cancellation:
          No effect.
        """
        await self._tenure.kept.wait_lost()

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

        Returns:
          As :meth:`EtcdCommunicator.put`.

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

        Returns:
          As :meth:`EtcdCommunicator.delete`.

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
        return await self._tenure.carry_out(txn)

    def __repr__(self) -> str:
        kept = self._tenure.kept
        state = f"lost: {kept.reason}" if self.lost else "released" if kept.over else "held"
        cls, contest = type(self).__name__, self._tenure.contest
        of = "" if cls.lower() == contest.what else f" of the {contest.what}"
        return f"<etcetra_trio.{cls}{of} {contest.name!r}: {state}>"
