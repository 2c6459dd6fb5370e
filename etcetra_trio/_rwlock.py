"""Locks that many readers hold together, or one writer alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, final

from ._keys import TextT
from ._turns import Turn

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from ._keys import KeySpace
    from ._lock import Lock
    from .streams._endpoints import Endpoints


@final
class RWLock(Generic[TextT]):
    """A lock in etcd that many readers hold together, or one writer alone; made by :meth:`EtcdCommunicator.rwlock`.

    Who comes first is served first: a reader waits for the writers that came before it, be they waiting themselves, and
    a writer for everybody who came before it. So neither readers nor writers starve. Its keys are in the layout of
    etcd's Go recipes: those programs and this one exclude each other.
    """

    __slots__ = ("_endpoints", "_keys", "_name")

    def __init__(self, endpoints: Endpoints, keys: KeySpace[TextT], name: str | bytes) -> None:
        keys.key(name, "name of the lock")
        self._endpoints = endpoints
        self._keys: KeySpace[TextT] = keys
        self._name = name

    def read(
        self, timeout: float | None = None, *, lease_ttl: int = 10
    ) -> AbstractAsyncContextManager[Lock[TextT]]:
        """Hold it together with other readers, for the length of a block.

        Cancellation:
          Cleans up, as :meth:`EtcdCommunicator.lock`.

        Args:
          timeout: and ``lease_ttl``: as :meth:`EtcdCommunicator.lock`.

        Returns:
          A context manager of the :class:`Lock`; while it is held no writer has the lock.

        Raises:
          InvalidRequestError: a bad argument (or TypeError).
          LockTimeoutError: on entering: not acquired in time.
          LockLostError: leaves the block when the lock was lost.
          EtcdError: as :meth:`EtcdCommunicator.lock`.
        """
        turn = Turn(self._endpoints, self._keys, self._name, "lock", "read/", "write/", 1)
        return turn.hold(timeout, lease_ttl)

    def write(
        self, timeout: float | None = None, *, lease_ttl: int = 10
    ) -> AbstractAsyncContextManager[Lock[TextT]]:
        """Hold it alone, for the length of a block.

        Cancellation:
          Cleans up, as :meth:`EtcdCommunicator.lock`.

        Args:
          timeout: and ``lease_ttl``: as :meth:`EtcdCommunicator.lock`.

        Returns:
          A context manager of the :class:`Lock`; while it is held nobody else has the lock.

        Raises:
          InvalidRequestError: a bad argument (or TypeError).
          LockTimeoutError: on entering: not acquired in time.
          LockLostError: leaves the block when the lock was lost.
          EtcdError: as :meth:`EtcdCommunicator.lock`.
        """
        turn = Turn(self._endpoints, self._keys, self._name, "lock", "write/", "", 1)
        return turn.hold(timeout, lease_ttl)
