"""Holding, like a lock, what several may hold at the same time: by how many older keys there are."""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Generic

import trio

from ._acquire import check_terms, hold
from ._blocks import to_enter
from ._contender import Contest, below
from ._keys import RAW, TextT
from ._lock import Lock
from ._lock_errors import LockLostError, LockTimeoutError
from ._server_errors import CompactedError
from ._types import SortOrder, SortTarget
from ._watch_events import WatchFilter
from ._watches import Watches

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from contextlib import AbstractAsyncContextManager

    from ._acquire import Terms
    from ._keys import KeySpace
    from .streams._endpoints import Endpoints


class _OwnKey(Contest):
    """A key that nobody contends for, so that a lock is had at once: when its turn has come is decided here.

    It is good for one contender.
    """

    def __init__(self, keys: KeySpace[TextT], name: str | bytes, what: str, place: str) -> None:
        super().__init__(keys, name, what)
        self._place = place

    def key_of(self, lease_id: int) -> bytes:
        """The only key of its queue, so that there is never one before it."""
        key = self.key(below(self.name, f"{self._place}{lease_id:x}"))
        self.range = key, b""
        return key


class Turn(Generic[TextT]):
    """One try to hold something, whose turn has come once there are fewer than ``n`` older keys of a kind.

    Args:
      name: What is to be held.
      what: What that is the name of.
      place: What comes between ``name/`` and the lease in the own key.
      older: How the keys that count go on after ``name/``.
      n: So many of them are too many.

    Raises:
      InvalidRequestError: a bad name (or TypeError).
    """

    def __init__(
        self,
        endpoints: Endpoints,
        keys: KeySpace[TextT],
        name: str | bytes,
        what: str,
        place: str,
        older: str,
        n: int,
    ) -> None:
        self._endpoints = endpoints
        self._keys: KeySpace[TextT] = keys
        self._contest = _OwnKey(keys, name, what, place)
        self._range = keys.prefix(below(name, older))
        self._n = n

    def hold(self, timeout: float | None, lease_ttl: int) -> AbstractAsyncContextManager[Lock[TextT]]:
        """Hold it for the length of a block.

        Raises:
          InvalidRequestError: a bad argument (or TypeError).
        """
        return self._hold(check_terms(lease_ttl, "cancel", timeout))

    @to_enter
    @asynccontextmanager
    @trio.lowlevel.enable_ki_protection
    async def _hold(self, terms: Terms) -> AsyncGenerator[Lock[TextT]]:
        begin = trio.current_time()
        what = self._contest.what
        lost = partial(LockLostError, what=what)
        async with hold(self._endpoints, self._contest, b"", lost, lambda tenure: tenure, terms) as tenure:
            # The key is in line and cared for; what is left is to wait.
            line = Lock(RAW, tenure)
            came = False
            with trio.CancelScope() as scope:
                if terms.timeout:
                    scope.deadline = begin + terms.timeout
                came = await self._has_come(line)
                if not came and terms.timeout != 0:
                    await self._wait(line)
                    came = True
            if not came:
                raise LockTimeoutError(self._contest.name, terms.timeout or 0, what)
            tenure.check()
            yield Lock(self._keys, tenure)

    async def _has_come(self, line: Lock[bytes]) -> bool:
        return len(await self._older(line, self._n)) < self._n

    async def _wait(self, line: Lock[bytes]) -> None:
        """Wait for the turn.

        Any of the older keys may go first, so all of them are followed; the server is asked only when enough have gone.
        """
        while True:
            with suppress(CompactedError):  # then nobody knows what has happened: look again
                gone = Watches(self._endpoints, RAW).watch_range(*self._range, filters=[WatchFilter.NOPUT])
                async with gone:
                    older = await self._older(line, 0)
                    while len(older) >= self._n:
                        older.discard((await gone.receive()).key)
            if await self._has_come(line):
                return

    async def _older(self, line: Lock[bytes], limit: int) -> set[bytes]:
        """So many of the older keys (0: all), if the own one still is there.

        Raises:
          LockLostError: it is not.
          EtcdError: as every read.
        """
        result = await line.txn(
            lambda action: action.get_range(
                *self._range,
                limit=limit,
                sort_order=SortOrder.DESCEND,
                sort_target=SortTarget.CREATE,
                max_create_revision=line.fence - 1,
            )
        )
        [older] = result
        assert isinstance(older, dict)
        return set(older)
