"""The calls of etcd's Lease service that change something."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from ._errors import OutcomeUnknownError, StatusCode
from ._proto import _codec as pb
from ._proto._methods import LEASE_GRANT, LEASE_KEEP_ALIVE, LEASE_REVOKE
from ._server_errors import LeaseExistsError, LeaseNotFoundError

if TYPE_CHECKING:
    from ._errors import Outcome
    from ._proto._methods import Method
    from .streams._endpoints import Endpoints


def new_lease_id() -> int:
    """A lease id that nobody else has: a repeated grant then cannot leave a second lease behind."""
    return secrets.randbelow((1 << 63) - 1) + 1


async def grant(endpoints: Endpoints, ttl: int, lease_id: int, *, unique: bool = True) -> int:
    """Have a lease granted; the TTL that it got. ``unique``: nobody else can have a lease of this id.

    Cancellation:
      May have happened.

    Raises:
      EtcdError: it was not granted, or perhaps.
    """
    message = pb.lease_grant_request(ttl, lease_id)
    try:
        return (await endpoints.call(LEASE_GRANT, message, pb.decode_lease_grant_response, write=True)).ttl
    except OutcomeUnknownError as error:
        # It was asked for more than once, and an earlier try was carried out.
        if not unique or not isinstance(error.__cause__, LeaseExistsError):
            raise
    return await keepalive_once(endpoints, lease_id)


async def revoke(endpoints: Endpoints, lease_id: int) -> None:  # noqa: ASYNC910 - the call is one
    """End a lease and delete its keys.

    Cancellation:
      May have happened.

    Raises:
      LeaseNotFoundError: there is no such lease.
      EtcdError: it was not ended, or perhaps.
    """
    message = pb.lease_revoke_request(lease_id)
    try:
        await endpoints.call(LEASE_REVOKE, message, pb.decode_lease_revoke_response, write=True)
    except OutcomeUnknownError as error:
        # It was asked for more than once, and an earlier try was carried out.
        if not isinstance(error.__cause__, LeaseNotFoundError):
            raise


async def keepalive_once(endpoints: Endpoints, lease_id: int) -> int:
    """Renew a lease; its TTL.

    Cancellation:
      May have happened.

    Raises:
      LeaseNotFoundError: there is no such lease.
      EtcdError: it was not renewed, or perhaps.
    """
    # On the wire, a stream of one request and one answer is the same as a unary call.
    message = pb.lease_keep_alive_request(lease_id)
    answer = await endpoints.call(LEASE_KEEP_ALIVE, message, pb.decode_lease_keep_alive_response, write=True)
    if answer.ttl <= 0:
        raise not_found(LEASE_KEEP_ALIVE)
    return answer.ttl


def not_found(method: Method) -> LeaseNotFoundError:
    """What etcd tells with a number that there is no such lease."""
    outcome: Outcome | None = "not_applied" if method.mutates else None
    return LeaseNotFoundError(
        StatusCode.NOT_FOUND, "etcdserver: requested lease not found", method.path, outcome=outcome
    )
