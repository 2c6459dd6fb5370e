"""The methods about leases: ``lease``, ``grant_lease``, ``revoke_lease``, ``keepalive_once``, and what there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NamedTuple

from ._calls import Calls
from ._checks import check_number, check_ttl
from ._errors import InvalidRequestError
from ._keys import TextT
from ._lease import Lease, LeaseGrant, open_lease
from ._lease_calls import grant, keepalive_once, new_lease_id, not_found, revoke
from ._proto import _codec as pb
from ._proto._methods import LEASE_LEASES, LEASE_TIME_TO_LIVE

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from ._kv import SupportsLease


class LeaseTimeToLive(NamedTuple, Generic[TextT]):
    """What the server says about a lease."""

    #: Its id.
    id: int
    #: The seconds that it has left.
    ttl: int
    #: The seconds that it was granted, and gets anew each time that it is renewed.
    granted_ttl: int
    #: With ``keys=True``: the keys that go with it.
    keys: list[TextT]


class Leases(Calls[TextT]):
    """Methods about leases. A lease is something with an ``id``, such as a :class:`Lease`, or its id."""

    __slots__ = ()

    def lease(self, ttl: int) -> AbstractAsyncContextManager[Lease]:
        """Hold a lease for the length of a block: granted, kept alive by a background task, and revoked in the end.

        When it is lost (it expired since no server could be reached, or was revoked) the block is cancelled, before the
        server can have ended the lease. A nursery is behind this: do not ``yield`` in the block from an async
        generator. The block's own exception leaves it as the same object.

        Cancellation:
          Cleans up. Entering waits up to 1 s for a grant that is under way; leaving revokes, for which it waits up to
          1 s, or less if the lease ends sooner.

        Args:
          ttl: For how many seconds the lease lives on by itself if this program cannot renew it. The server may grant
            more, at least 2 s as a rule: see :attr:`Lease.ttl`.

        Returns:
          A context manager of the :class:`Lease`.

        Raises:
          InvalidRequestError: ``ttl`` is less than 1 (or TypeError).
          LeaseLostError: leaves the block when the lease was lost; what the body raised is its ``__cause__``.
          LeaseTTLTooLargeError: more than 9 000 000 000 s.
          EtcdError: on entering: it was not granted.
        """
        return open_lease(self._endpoints, check_ttl("ttl", ttl))

    async def grant_lease(self, ttl: int, *, lease_id: int = 0) -> LeaseGrant:
        """Grant a lease that nobody keeps alive: see :meth:`keepalive_once`, and :meth:`lease` for one that is.

        Cancellation:
          May have happened.

        Args:
          ttl: Its time to live in seconds.
          lease_id: The id that it shall have; 0 for one that no other lease has.

        Returns:
          Its id and the time to live that it got.

        Raises:
          LeaseExistsError: there is a lease of that id.
          LeaseTTLTooLargeError: more than 9 000 000 000 s.
          EtcdError: see :class:`Writes`.
        """
        chosen = check_number("lease_id", lease_id) or new_lease_id()
        granted = await grant(self._endpoints, check_ttl("ttl", ttl), chosen, unique=not lease_id)
        return LeaseGrant(chosen, granted)

    async def revoke_lease(self, lease: SupportsLease | int) -> None:
        """End a lease and delete the keys that go with it.

        Cancellation:
          May have happened.

        Args:
          lease: The lease or its id.

        Raises:
          LeaseNotFoundError: there is no such lease.
          EtcdError: see :class:`Writes`.
        """
        await revoke(self._endpoints, _id_of(lease))

    async def keepalive_once(self, lease: SupportsLease | int) -> int:
        """Renew a lease: it has its whole time to live again.

        Cancellation:
          May have happened.

        Args:
          lease: The lease or its id.

        Returns:
          Its time to live in seconds.

        Raises:
          LeaseNotFoundError: there is no such lease (any more).
          EtcdError: it was not renewed, or perhaps.
        """
        return await keepalive_once(self._endpoints, _id_of(lease))

    async def lease_time_to_live(
        self, lease: SupportsLease | int, *, keys: bool = False
    ) -> LeaseTimeToLive[TextT]:
        """How long a lease has left.

        Cancellation:
          No effect.

        Args:
          lease: The lease or its id.
          keys: Return its keys as well.

        Returns:
          The seconds it has left and what it was granted, and the keys; those outside of the namespace in full.

        Raises:
          LeaseNotFoundError: there is no such lease (any more).
          EncodingError: a key is no text.
          EtcdError: as every read.
        """
        lease_id = _id_of(lease)
        message = pb.lease_time_to_live_request(lease_id, keys)
        answer = await self._endpoints.call(
            LEASE_TIME_TO_LIVE, message, pb.decode_lease_time_to_live_response
        )
        if answer.ttl < 0:
            raise not_found(LEASE_TIME_TO_LIVE)
        found = [self._keys.text_key(key) for key in answer.keys]
        return LeaseTimeToLive(lease_id, answer.ttl, answer.granted_ttl, found)

    async def list_leases(self) -> list[int]:
        """The ids of all leases (etcd 3.3).

        Cancellation:
          No effect.

        Returns:
          The ids, in no order.

        Raises:
          EtcdError: as every read.
        """
        message = pb.lease_leases_request()
        answer = await self._endpoints.call(LEASE_LEASES, message, pb.decode_lease_leases_response)
        return [lease.id for lease in answer.leases]


def _id_of(lease: SupportsLease | int) -> int:
    if not check_number("lease", getattr(lease, "id", lease)):
        raise InvalidRequestError("the lease is 0, which is no lease")
    return lease if isinstance(lease, int) else lease.id
