"""What a user holds inside ``async with client.connect()``: all calls to etcd."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final, overload

from ._elections import Elections
from ._key_reads import KeyReads
from ._keys import RAW, TextT
from ._leases import Leases
from ._locks import Locks
from ._mirror import Mirror
from ._proto._methods import TXN
from ._ranges import Ranges
from ._reads import Reads
from ._recipes import Recipes
from ._settle import carry_out, find_guard
from ._statistics import ClientStatistics, client_statistics
from ._txn import TxnAction, TxnResult, build_txn
from ._types import INHERIT, Inherit
from ._watches import Watches
from ._writes import Writes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ._auth import Auth
    from ._cluster import Cluster
    from ._compare import Compare
    from ._keys import KeySpace
    from ._maintenance import Maintenance
    from .streams import GrpcChannel


@final
class EtcdCommunicator(
    Reads[TextT],
    KeyReads[TextT],
    Ranges[TextT],
    Writes[TextT],
    Watches[TextT],
    Recipes[TextT],
    Leases[TextT],
    Locks[TextT],
    Elections[TextT],
):
    """The calls to etcd over one client's connection; made by :meth:`EtcdClient.connect`.

    Any number of tasks may use it at once. Once the block is left, every call raises
    :exc:`trio.ClosedResourceError`.
    """

    __slots__ = ()

    def namespaced(self, prefix: str | bytes) -> EtcdCommunicator[TextT]:
        """The same connection below ``prefix``: put before every key, and removed from every answer.

        Args:
          prefix: What the keys begin with; inside another namespace it comes after that one's.
        """
        return EtcdCommunicator(self._endpoints, self._keys.nested(prefix))

    def statistics(self) -> ClientStatistics:
        """How the connections are doing, at this moment."""
        return client_statistics(self._endpoints)

    @property
    def channel(self) -> GrpcChannel:
        """A grpclib-compatible channel over this connection, for generated stubs (the extra ``stubs``)."""
        from .streams import GrpcChannel  # noqa: PLC0415 - brings grpclib, which only this needs

        return GrpcChannel(self._endpoints)

    @property
    def auth(self) -> Auth:
        """Users, roles and permissions."""
        from ._auth import Auth  # noqa: PLC0415 - brings betterproto2 and its messages, like the two below

        return Auth(self._endpoints)

    @property
    def cluster(self) -> Cluster:
        """The members of the cluster."""
        from ._cluster import Cluster  # noqa: PLC0415

        return Cluster(self._endpoints)

    @property
    def maintenance(self) -> Maintenance:
        """What keeps the cluster well: status, snapshots, alarms and the like."""
        from ._maintenance import Maintenance  # noqa: PLC0415

        return Maintenance(self._endpoints)

    @overload
    def mirror(self, prefix: str | bytes) -> Mirror[TextT]: ...
    @overload
    def mirror(self, prefix: str | bytes, *, encoding: str) -> Mirror[str]: ...
    @overload
    def mirror(self, prefix: str | bytes, *, encoding: None) -> Mirror[bytes]: ...
    def mirror(self, prefix: str | bytes, *, encoding: str | Inherit | None = INHERIT) -> Mirror[Any]:
        """Follow all keys that begin with ``prefix``, as a live mapping.

        Args:
          prefix: How the keys begin; an empty one is every key.
          encoding: The text codec of the mirror; None for bytes. The default is the client's.

        Returns:
          A :class:`Mirror`, to be entered.

        Raises:
          InvalidRequestError: a bad argument (or TypeError).
        """
        keys = self._key_space(encoding)
        return Mirror(self._endpoints, keys, keys.prefix(prefix))

    @overload
    async def txn(self, txn_builder: Callable[[TxnAction[TextT]], object]) -> TxnResult[TextT]: ...
    @overload
    async def txn(
        self, txn_builder: Callable[[TxnAction[str]], object], *, encoding: str
    ) -> TxnResult[str]: ...
    @overload
    async def txn(
        self, txn_builder: Callable[[TxnAction[bytes]], object], *, encoding: None
    ) -> TxnResult[bytes]: ...
    async def txn(
        self, txn_builder: Callable[[TxnAction[Any]], object], *, encoding: str | Inherit | None = INHERIT
    ) -> TxnResult[str] | TxnResult[bytes] | TxnResult[TextT]:
        """Carry out several operations at once: all of them, or none.

        Cancellation:
          As :meth:`txn_compare`.

        Args:
          txn_builder: A plain function that calls methods of the :class:`TxnAction` that it gets.
          encoding: The text codec of this transaction; None takes and gives bytes. The default is the
            client's.

        Returns:
          A list with one item for each operation: see :class:`TxnResult`.

        Raises:
          EtcdError: as :meth:`txn_compare`.
        """
        return await self._txn((), lambda success, _failure: txn_builder(success), self._key_space(encoding))

    @overload
    async def txn_compare(
        self,
        compares: Iterable[Compare],
        txn_builder: Callable[[TxnAction[TextT], TxnAction[TextT]], object],
        *,
        settle: bool = ...,
    ) -> TxnResult[TextT]: ...
    @overload
    async def txn_compare(
        self,
        compares: Iterable[Compare],
        txn_builder: Callable[[TxnAction[str], TxnAction[str]], object],
        *,
        encoding: str,
        settle: bool = ...,
    ) -> TxnResult[str]: ...
    @overload
    async def txn_compare(
        self,
        compares: Iterable[Compare],
        txn_builder: Callable[[TxnAction[bytes], TxnAction[bytes]], object],
        *,
        encoding: None,
        settle: bool = ...,
    ) -> TxnResult[bytes]: ...
    async def txn_compare(
        self,
        compares: Iterable[Compare],
        txn_builder: Callable[[TxnAction[Any], TxnAction[Any]], object],
        *,
        encoding: str | Inherit | None = INHERIT,
        settle: bool = False,
    ) -> TxnResult[str] | TxnResult[bytes] | TxnResult[TextT]:
        """Carry out the one or the other group of operations, at once, by whether all compares hold.

        Cancellation:
          May have happened. A transaction that only reads is left to the server to finish, and leaving the
          ``connect()`` block waits up to 1 s for it: etcd 3.5.0 to 3.5.6 crash when one is cancelled.

        Args:
          compares: Conditions such as ``CompareKey("k").version == 0``; all must hold.
          txn_builder: A plain function of two :class:`TxnAction`: what to do if they hold, and what if not.
          encoding: The text codec of this transaction; None takes and gives bytes. The default is the
            client's.
          settle: Find out what happened when that is unknown, and give the exact result. The transaction must write
            a key on the condition that it was not written since (``CompareKey("k").mod == m``) or does not exist
            (``.version == 0``); otherwise it may only put, and read where the condition does not hold. What it
            writes to that key must be its own: the same value with the same lease, written by somebody else at the
            same time, cannot be told from it. For a key that does not exist, it may happen twice if somebody
            deletes the key meanwhile. It costs a read before, and some more when the outcome is unknown.

        Returns:
          A list with one item for each operation of the group that was carried out; ``succeeded`` says which:
          see :class:`TxnResult`.

        Raises:
          InvalidRequestError: a bad argument, or a key that is written twice; nothing was sent.
          OutcomeUnknownError: the transaction may or may not have been carried out. Its ``__cause__`` says
            why. One that only reads raises that cause instead. With ``settle`` only where that cannot be found out
            any more, because no server answers or the key's history is compacted.
          TooManyOpsError: more operations than the server takes (128 unless it is set).
          CompactedError: a revision that is read was compacted.
          EncodingError: what was read is no text; the transaction was carried out.
          RpcError: what else the server says.
          ConnectionLostError: not sent, or never looked at (and ConnectionFailedError).
          trio.ClosedResourceError: the client is closed.
        """
        keys = self._key_space(encoding)
        if not settle:
            return await self._txn(compares, txn_builder, keys)
        txn = build_txn(keys, compares, txn_builder)
        txn.check()
        raw = EtcdCommunicator(self._endpoints, RAW)
        return await carry_out(self._endpoints, raw, txn, find_guard(txn.message))

    async def _txn(
        self,
        compares: Iterable[Compare],
        txn_builder: Callable[[TxnAction[TextT], TxnAction[TextT]], object],
        keys: KeySpace[TextT],
    ) -> TxnResult[TextT]:
        txn = build_txn(keys, compares, txn_builder)
        txn.check()
        return await self._endpoints.call(TXN, txn.message, txn.decode, write=txn.writes)
