"""The method ``lock``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._acquire import check_terms, hold
from ._calls import Calls
from ._contender import Contest
from ._keys import TextT
from ._lock import Lock
from ._lock_errors import LockLostError

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from ._lease import OnLost


class Locks(Calls[TextT]):
    """The method that locks."""

    __slots__ = ()

    @property
    def held_lock(self) -> Lock[TextT] | None:
        """The lock of :meth:`EtcdClient.with_lock`; None where this came from elsewhere."""
        return self._held_lock

    def lock(
        self,
        name: str | bytes,
        timeout: float | None = None,
        ttl: float | None = None,
        *,
        lease_ttl: int = 10,
        on_lost: OnLost = "cancel",
    ) -> AbstractAsyncContextManager[Lock[TextT]]:
        """Hold a lock for the length of a block.

        Locks of the same name exclude each other, those of ``etcdctl lock``, of Go's client and of etcd's Lock service
        as well: whoever came first has it, the others wait in line. Its keys are those below ``name/``, so no other
        lock's name may begin with that.

        The lock has a lease of its own, which a background task keeps alive. When it is lost (no server could be
        reached for so long that it may have expired, it was revoked, somebody deleted the lock's key) the block is
        cancelled, before anybody else can have the lock. What was already sent, and what the block does without a
        checkpoint, it cannot take back: for that there are ``put``, ``delete`` and ``txn`` of the lock itself, which
        the server carries out only while it is held.

        A nursery is behind this: do not ``yield`` in the block from an async generator. The block's own exception
        leaves it as the same object.

        Cancellation:
          Cleans up. Entering takes its key and its lease back, leaving releases the lock. Both wait up to 1 s for the
          server, or less if the lease ends sooner; then the server does it when the lease ends.

        Args:
          name: What is locked.
          timeout: For how many seconds to try; connecting counts. 0: try once, and do not wait if it is held. None: for
            ever. (An outer ``trio.fail_after`` would bound the block as well.)
          ttl: Hold it for so many seconds at most: then it is released, and lost, whatever the block does. None: no
            limit.
          lease_ttl: After so many seconds it frees itself if this program dies. (With ``ttl``: not later than that.)
          on_lost: ``"cancel"`` the block when the lock is lost, or only ``"flag"`` it: see :attr:`Lock.lost`.

        Returns:
          A context manager of the :class:`Lock`.

        Raises:
          InvalidRequestError: a bad argument (or TypeError).
          LockTimeoutError: on entering: not acquired in time; it is a :exc:`TimeoutError` and a
            :exc:`trio.TooSlowError`.
          LockLostError: leaves the block when the lock was lost; what the body raised is its ``__cause__``. On
            entering: its lease was lost while it waited.
          EtcdError: on entering: it could not be acquired.
        """
        keys = self._keys
        return hold(
            self._endpoints,
            Contest(keys, name, "lock"),
            b"",
            LockLostError,
            lambda tenure: Lock(keys, tenure),
            check_terms(lease_ttl, on_lost, timeout, ttl),
        )
