"""The methods for programs that work together: ``stm``, ``queue``, ``barrier``, ``semaphore``, ``rwlock``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, overload

from ._barrier import Barrier
from ._calls import Calls
from ._checks import check_number
from ._errors import InvalidRequestError
from ._keys import TextT
from ._queue import Queue
from ._rwlock import RWLock
from ._stm import Isolation, StmTransaction, run_stm
from ._turns import Turn
from ._types import INHERIT, Inherit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

    from ._lock import Lock

ResultT = TypeVar("ResultT")


class Recipes(Calls[TextT]):
    """Methods for programs that work together."""

    __slots__ = ()

    @overload
    async def stm(
        self, function: Callable[[StmTransaction[TextT]], Awaitable[ResultT]], *, isolation: Isolation = ...
    ) -> ResultT: ...
    @overload
    async def stm(
        self,
        function: Callable[[StmTransaction[str]], Awaitable[ResultT]],
        *,
        isolation: Isolation = ...,
        encoding: str,
    ) -> ResultT: ...
    @overload
    async def stm(
        self,
        function: Callable[[StmTransaction[bytes]], Awaitable[ResultT]],
        *,
        isolation: Isolation = ...,
        encoding: None,
    ) -> ResultT: ...
    async def stm(
        self,
        function: Callable[[StmTransaction[Any]], Awaitable[ResultT]],
        *,
        isolation: Isolation = "serializable_snapshot",
        encoding: str | Inherit | None = INHERIT,
    ) -> ResultT:
        """Run an async function that reads and writes keys, all in one transaction.

        The function gets a :class:`StmTransaction`. What it writes is sent when it returns, in one transaction that is
        carried out only if nothing that the function has read was written in the meantime. If something was, the
        function is run again with the new values, as often as it takes: it should do nothing else that must not
        happen twice. When it raises, nothing is written, and the exception leaves as it is. Each time that one is run
        again, another transaction has been carried out; put a :func:`trio.fail_after` around it for a limit.

        Cancellation:
          May have happened; no effect if the function writes nothing.

        Args:
          function: ``async def function(transaction)``; what it returns is returned.
          isolation: ``"serializable_snapshot"``: all reads show the store at one revision, and a key that is written
            without having been read must not have been written since then either. ``"serializable"``: all reads show
            the store at one revision. ``"repeatable_reads"``: reading a key again gives the same value, but different
            keys may be read at different revisions; so the function may see values that never were there at the same
            time, and then is run again.
          encoding: The text codec of this call; None takes and gives bytes. The default is the client's.

        Returns:
          What the function returned.

        Raises:
          InvalidRequestError: a bad argument (or TypeError); nothing was sent.
          OutcomeUnknownError: the writes may or may not have been carried out. It is safe to repeat it with a function
            that looks first whether a key it wrote is there.
          TooManyOpsError: more keys than the server takes in a transaction (128 unless it is set).
          EtcdError: as every transaction.
          trio.ClosedResourceError: the client is closed.
        """
        return await run_stm(self._endpoints, self._key_space(encoding), function, isolation)

    @overload
    def queue(self, name: str | bytes) -> Queue[TextT]: ...
    @overload
    def queue(self, name: str | bytes, *, encoding: str) -> Queue[str]: ...
    @overload
    def queue(self, name: str | bytes, *, encoding: None) -> Queue[bytes]: ...
    def queue(self, name: str | bytes, *, encoding: str | Inherit | None = INHERIT) -> Queue[Any]:
        """A queue that many programs put items into and take items from; opens nothing.

        Args:
          name: Its name; its items are the keys below ``name/``.
          encoding: The text codec of the queue; None takes and gives bytes. The default is the client's.

        Raises:
          InvalidRequestError: a bad argument (or TypeError).
        """
        return Queue(self._endpoints, self._key_space(encoding), name)

    def barrier(self, name: str | bytes) -> Barrier:
        """A barrier that programs wait at; opens nothing.

        Args:
          name: Its name; it is closed while there is a key of this name.

        Raises:
          InvalidRequestError: a bad argument (or TypeError).
        """
        return Barrier(self._endpoints, self._keys.key(name, "name of the barrier"))

    def semaphore(
        self, name: str | bytes, n: int, timeout: float | None = None, *, lease_ttl: int = 10
    ) -> AbstractAsyncContextManager[Lock[TextT]]:
        """Hold one of ``n`` permits for the length of a block.

        As :meth:`lock`, which is this with one permit: whoever came first is served first, a permit that is lost ends
        the block, and the :class:`Lock` that stands for it writes only while it is held. Everybody should give the same
        ``n``: a permit is given to whoever finds fewer than ``n`` before it.

        Cancellation:
          Cleans up, as :meth:`lock`.

        Args:
          name: Its name. Its keys are those below ``name/``, as those of the lock of that name.
          n: How many can hold a permit at the same time; at least 1.
          timeout: and ``lease_ttl``: as :meth:`lock`.

        Returns:
          A context manager of the :class:`Lock` that stands for the permit.

        Raises:
          InvalidRequestError: a bad argument (or TypeError).
          LockTimeoutError: on entering: no permit in time.
          LockLostError: leaves the block when the permit was lost.
          EtcdError: as :meth:`lock`.
        """
        if check_number("n", n) < 1:
            raise InvalidRequestError("n is 0: a semaphore has at least one permit")
        return Turn(self._endpoints, self._keys, name, "semaphore", "", "", n).hold(timeout, lease_ttl)

    def rwlock(self, name: str | bytes) -> RWLock[TextT]:
        """A lock that many readers hold together, or one writer alone; opens nothing.

        Args:
          name: Its name; its keys are those below ``name/read/`` and ``name/write/``.

        Raises:
          InvalidRequestError: a bad argument (or TypeError).
        """
        return RWLock(self._endpoints, self._keys, name)
