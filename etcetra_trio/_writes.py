"""The methods that write: ``put``, ``delete``, ``delete_prefix``, ``delete_range``, ``compact``."""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

from ._calls import Calls
from ._checks import check_number
from ._keys import TextT
from ._kv import put_message
from ._proto import _codec as pb
from ._proto._methods import COMPACT, DELETE_RANGE, PUT
from ._proto._projections import put_revision
from ._types import INHERIT, DeleteResult, Inherit, PutResult, delete_result, put_result

if TYPE_CHECKING:
    from ._keys import KeySpace
    from ._kv import SupportsLease


class Writes(Calls[TextT]):
    """Methods that write.

    None is ever sent twice. They raise, besides what each one says: :exc:`InvalidRequestError` or TypeError
    for bad arguments, before anything is sent; :exc:`OutcomeUnknownError` when the write may or may not have
    happened (its ``__cause__`` says why); :exc:`RpcError` for what the server refused,
    :exc:`ConnectionLostError`, :exc:`ConnectionFailedError` with ``outcome`` ``"not_applied"``;
    :exc:`trio.ClosedResourceError` when the client is closed.
    """

    __slots__ = ()

    @overload
    async def put(
        self,
        key: str | bytes,
        value: str | bytes | None = ...,
        *,
        lease: SupportsLease | int = ...,
        prev_kv: bool = ...,
        ignore_value: bool = ...,
        ignore_lease: bool = ...,
    ) -> PutResult[TextT]: ...
    @overload
    async def put(
        self,
        key: str | bytes,
        value: str | bytes | None = ...,
        *,
        lease: SupportsLease | int = ...,
        prev_kv: bool = ...,
        ignore_value: bool = ...,
        ignore_lease: bool = ...,
        encoding: str,
    ) -> PutResult[str]: ...
    @overload
    async def put(
        self,
        key: str | bytes,
        value: str | bytes | None = ...,
        *,
        lease: SupportsLease | int = ...,
        prev_kv: bool = ...,
        ignore_value: bool = ...,
        ignore_lease: bool = ...,
        encoding: None,
    ) -> PutResult[bytes]: ...
    async def put(
        self,
        key: str | bytes,
        value: str | bytes | None = None,
        *,
        lease: SupportsLease | int = 0,
        prev_kv: bool = False,
        ignore_value: bool = False,
        ignore_lease: bool = False,
        encoding: str | Inherit | None = INHERIT,
    ) -> PutResult[str] | PutResult[bytes] | PutResult[TextT]:
        """Write a key.

        Cancellation:
          May have happened.

        Args:
          key: The key.
          value: Its new value.
          lease: The lease, or the id of the lease, that the key goes with when it ends; 0 for none.
          prev_kv: Return the value before.
          ignore_value: Keep the value and change only the lease; give no ``value``.
          ignore_lease: Keep the lease and change only the value.
          encoding: The text codec of this call; None takes and gives bytes. The default is the client's.

        Returns:
          The store's revision, and the value before if it was asked for.

        Raises:
          LeaseNotFoundError: there is no such lease.
          KeyNotFoundError: there is no such key, though ``ignore_value`` or ``ignore_lease`` want one.
          EtcdError: see :class:`Writes`.
        """
        keys = self._keys if encoding is INHERIT else self._key_space(encoding)
        if value is None or lease != 0 or prev_kv or ignore_value or ignore_lease:
            message = put_message(
                keys,
                key,
                value,
                lease=lease,
                prev_kv=prev_kv,
                ignore_value=ignore_value,
                ignore_lease=ignore_lease,
            )
        else:
            message = pb.put_request(keys.key(key), keys.value(value, key))
        if prev_kv:
            return put_result(
                keys, await self._endpoints.call(PUT, message, pb.decode_put_response, write=True)
            )
        return PutResult(await self._endpoints.call(PUT, message, put_revision, write=True), None)

    @overload
    async def delete(self, key: str | bytes, *, prev_kv: bool = ...) -> DeleteResult[TextT]: ...
    @overload
    async def delete(self, key: str | bytes, *, prev_kv: bool = ..., encoding: str) -> DeleteResult[str]: ...
    @overload
    async def delete(
        self, key: str | bytes, *, prev_kv: bool = ..., encoding: None
    ) -> DeleteResult[bytes]: ...
    async def delete(
        self, key: str | bytes, *, prev_kv: bool = False, encoding: str | Inherit | None = INHERIT
    ) -> DeleteResult[str] | DeleteResult[bytes] | DeleteResult[TextT]:
        """Delete one key; it is no error if there is none.

        Cancellation:
          May have happened.

        Args:
          key: The key.
          prev_kv: Return the record as it was.
          encoding: The text codec of this call; None takes and gives bytes. The default is the client's.

        Returns:
          The store's revision, how many keys were deleted, and, if asked for, the records as they were.

        Raises:
          EtcdError: see :class:`Writes`.
        """
        keys = self._key_space(encoding)
        return await self._delete(keys, keys.key(key), b"", prev_kv=prev_kv)

    @overload
    async def delete_prefix(self, prefix: str | bytes, *, prev_kv: bool = ...) -> DeleteResult[TextT]: ...
    @overload
    async def delete_prefix(
        self, prefix: str | bytes, *, prev_kv: bool = ..., encoding: str
    ) -> DeleteResult[str]: ...
    @overload
    async def delete_prefix(
        self, prefix: str | bytes, *, prev_kv: bool = ..., encoding: None
    ) -> DeleteResult[bytes]: ...
    async def delete_prefix(
        self, prefix: str | bytes, *, prev_kv: bool = False, encoding: str | Inherit | None = INHERIT
    ) -> DeleteResult[str] | DeleteResult[bytes] | DeleteResult[TextT]:
        """Delete all keys that begin with ``prefix``; with an empty prefix, all keys (of the namespace).

        Cancellation:
          May have happened.

        Args:
          prefix: How the keys begin.
          prev_kv: Return the records as they were.
          encoding: As in :meth:`delete`.

        Returns:
          As :meth:`delete`.

        Raises:
          EtcdError: see :class:`Writes`.
        """
        keys = self._key_space(encoding)
        return await self._delete(keys, *keys.prefix(prefix), prev_kv=prev_kv)

    @overload
    async def delete_range(
        self, key: str | bytes, range_end: str | bytes, *, prev_kv: bool = ...
    ) -> DeleteResult[TextT]: ...
    @overload
    async def delete_range(
        self, key: str | bytes, range_end: str | bytes, *, prev_kv: bool = ..., encoding: str
    ) -> DeleteResult[str]: ...
    @overload
    async def delete_range(
        self, key: str | bytes, range_end: str | bytes, *, prev_kv: bool = ..., encoding: None
    ) -> DeleteResult[bytes]: ...
    async def delete_range(
        self,
        key: str | bytes,
        range_end: str | bytes,
        *,
        prev_kv: bool = False,
        encoding: str | Inherit | None = INHERIT,
    ) -> DeleteResult[str] | DeleteResult[bytes] | DeleteResult[TextT]:
        r"""Delete the keys from ``key`` to before ``range_end``.

        Cancellation:
          May have happened.

        Args:
          key: The first key; ``"\0"`` is the first of all.
          range_end: The first key that is not meant any more; ``"\0"`` is after the last of all.
          prev_kv: Return the records as they were.
          encoding: As in :meth:`delete`.

        Returns:
          As :meth:`delete`.

        Raises:
          EtcdError: see :class:`Writes`.
        """
        keys = self._key_space(encoding)
        return await self._delete(keys, *keys.range(key, range_end), prev_kv=prev_kv)

    async def compact(self, revision: int, *, physical: bool = False) -> None:
        """Forget the store's history before ``revision``.

        Cancellation:
          May have happened.

        Args:
          revision: The oldest revision that can still be read afterwards, the newest one at most.
          physical: Return only once the space is free.

        Raises:
          CompactedError: the history before ``revision`` is forgotten already.
          FutureRevisionError: the store has not come to ``revision`` yet.
          EtcdError: see :class:`Writes`.
        """
        message = pb.compaction_request(check_number("revision", revision), physical)
        await self._endpoints.call(COMPACT, message, pb.decode_compaction_response, write=True)

    async def _delete(
        self, keys: KeySpace[TextT], key: bytes, range_end: bytes, *, prev_kv: bool
    ) -> DeleteResult[TextT]:
        message = pb.delete_range_request(key, range_end, prev_kv)
        return delete_result(
            keys,
            await self._endpoints.call(DELETE_RANGE, message, pb.decode_delete_range_response, write=True),
        )
