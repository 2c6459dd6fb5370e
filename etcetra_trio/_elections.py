"""The methods about elections: ``campaign``, ``leader``, ``observe``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._acquire import check_terms, hold
from ._calls import Calls
from ._contender import Contest
from ._election import LeaderObserver, Leadership
from ._keys import TextT
from ._lock_errors import LeadershipLostError
from ._proto import _codec as pb
from ._proto._methods import RANGE
from ._types import KeyValue, SortOrder, SortTarget, key_value

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from ._lease import OnLost


class Elections(Calls[TextT]):
    """Methods about elections, which are those of ``etcdctl elect`` and of Go's client as well."""

    __slots__ = ()

    def campaign(
        self, name: str | bytes, value: str | bytes, *, lease_ttl: int = 10, on_lost: OnLost = "cancel"
    ) -> AbstractAsyncContextManager[Leadership[TextT]]:
        """Stand for election: the block runs only while this program leads, and leaving it resigns.

        All candidates of a name wait in line; whoever came first leads. Like a lock (:meth:`lock` says how), the
        leadership has a lease of its own, and when it is lost the block is cancelled before anybody else can lead.

        A nursery is behind this: do not ``yield`` in the block from an async generator. The block's own exception
        leaves it as the same object.

        Cancellation:
          Cleans up, as :meth:`lock`.

        Args:
          name: What the leader is elected for.
          value: What others shall know of this program when it leads, such as where to reach it.
          lease_ttl: After so many seconds another one leads if this program dies.
          on_lost: ``"cancel"`` the block when the leadership is lost, or only ``"flag"`` it: see
            :attr:`Leadership.lost`.

        Returns:
          A context manager of the :class:`Leadership`.

        Raises:
          InvalidRequestError: a bad argument (or TypeError).
          LeadershipLostError: leaves the block when the leadership was lost; what the body raised is its
            ``__cause__``. On entering: the lease was lost while it waited.
          EtcdError: on entering: it could not stand.
        """
        keys = self._keys
        return hold(
            self._endpoints,
            Contest(keys, name, "election"),
            keys.value(value, name),
            LeadershipLostError,
            lambda tenure: Leadership(keys, tenure),
            check_terms(lease_ttl, on_lost),
        )

    async def leader(self, name: str | bytes) -> KeyValue[TextT] | None:
        """Who leads.

        Cancellation:
          No effect.

        Args:
          name: The name of the election.

        Returns:
          The key of the leader, with its value; None if nobody leads.

        Raises:
          InvalidRequestError: a bad name (or TypeError).
          EncodingError: the value is no text.
          EtcdError: as every read.
        """
        message = pb.range_request(
            *Contest(self._keys, name, "election").range, 1, 0, SortOrder.ASCEND, SortTarget.CREATE
        )
        found = (await self._endpoints.call(RANGE, message, pb.decode_range_response)).kvs
        return key_value(self._keys, found[0]) if found else None

    def observe(self, name: str | bytes) -> LeaderObserver[TextT]:
        """Follow who leads.

        Args:
          name: The name of the election.

        Returns:
          A channel of leaders, to be entered.

        Raises:
          InvalidRequestError: a bad name (or TypeError).
        """
        return LeaderObserver(self._endpoints, self._keys, Contest(self._keys, name, "election"))
