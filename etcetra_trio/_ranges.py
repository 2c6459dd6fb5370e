"""The methods that read full records and counts: ``range``, ``iter_range``, ``count``."""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

from ._calls import Calls
from ._iter_range import RangeIterator
from ._keys import TextT
from ._kv import RangeOptions, ReadOptions, address, range_message
from ._proto import _codec as pb
from ._proto._methods import RANGE
from ._range_reader import RangeReader
from ._types import INHERIT, Inherit, RangeResult, SortOrder, SortTarget, range_result

if TYPE_CHECKING:
    from typing import Unpack


class Ranges(Calls[TextT]):
    """Methods that read full records, and counts. Their options, and what they raise, are those of :class:`Reads`."""

    __slots__ = ()

    @overload
    async def range(
        self,
        key: str | bytes,
        range_end: str | bytes | None = ...,
        *,
        prefix: bool = ...,
        keys_only: bool = ...,
        count_only: bool = ...,
        **options: Unpack[RangeOptions],
    ) -> RangeResult[TextT]: ...
    @overload
    async def range(
        self,
        key: str | bytes,
        range_end: str | bytes | None = ...,
        *,
        encoding: str,
        prefix: bool = ...,
        keys_only: bool = ...,
        count_only: bool = ...,
        **options: Unpack[RangeOptions],
    ) -> RangeResult[str]: ...
    @overload
    async def range(
        self,
        key: str | bytes,
        range_end: str | bytes | None = ...,
        *,
        encoding: None,
        prefix: bool = ...,
        keys_only: bool = ...,
        count_only: bool = ...,
        **options: Unpack[RangeOptions],
    ) -> RangeResult[bytes]: ...
    async def range(
        self,
        key: str | bytes,
        range_end: str | bytes | None = None,
        *,
        prefix: bool = False,
        keys_only: bool = False,
        count_only: bool = False,
        limit: int = 0,
        revision: int = 0,
        sort_order: SortOrder = SortOrder.NONE,
        sort_target: SortTarget = SortTarget.KEY,
        serializable: bool = False,
        min_mod_revision: int = 0,
        max_mod_revision: int = 0,
        min_create_revision: int = 0,
        max_create_revision: int = 0,
        encoding: str | Inherit | None = INHERIT,
    ) -> RangeResult[bytes] | RangeResult[str] | RangeResult[TextT]:
        r"""Read full records: values with their revisions, versions and leases.

        Cancellation:
          No effect.

        Args:
          key: The key; with ``range_end`` the first one, with ``prefix=True`` how they begin.
          range_end: The first key that is not meant any more; ``"\0"`` is after the last of all. None: one
            key.
          prefix: All keys that begin with ``key``.
          keys_only: Leave the values empty.
          count_only: Give only the count.
          limit: and the other options: see :class:`Reads`.

        Returns:
          The records, and how many there are in all.

        Raises:
          EtcdError: see :class:`Reads`.
        """
        keys = self._key_space(encoding)
        message = range_message(
            *address(keys, key, range_end, prefix=prefix),
            keys_only=keys_only,
            count_only=count_only,
            limit=limit,
            revision=revision,
            sort_order=sort_order,
            sort_target=sort_target,
            serializable=serializable,
            min_mod_revision=min_mod_revision,
            max_mod_revision=max_mod_revision,
            min_create_revision=min_create_revision,
            max_create_revision=max_create_revision,
        )
        response = await self._endpoints.call(
            RANGE, message, pb.decode_range_response, leader=not serializable
        )
        return range_result(keys, response)

    @overload
    def iter_range(
        self,
        key: str | bytes,
        range_end: str | bytes | None = ...,
        *,
        prefix: bool = ...,
        keys_only: bool = ...,
        **options: Unpack[ReadOptions],
    ) -> RangeIterator[TextT]: ...
    @overload
    def iter_range(
        self,
        key: str | bytes,
        range_end: str | bytes | None = ...,
        *,
        encoding: str,
        prefix: bool = ...,
        keys_only: bool = ...,
        **options: Unpack[ReadOptions],
    ) -> RangeIterator[str]: ...
    @overload
    def iter_range(
        self,
        key: str | bytes,
        range_end: str | bytes | None = ...,
        *,
        encoding: None,
        prefix: bool = ...,
        keys_only: bool = ...,
        **options: Unpack[ReadOptions],
    ) -> RangeIterator[bytes]: ...
    def iter_range(
        self,
        key: str | bytes,
        range_end: str | bytes | None = None,
        *,
        prefix: bool = False,
        keys_only: bool = False,
        revision: int = 0,
        serializable: bool = False,
        min_mod_revision: int = 0,
        max_mod_revision: int = 0,
        min_create_revision: int = 0,
        max_create_revision: int = 0,
        encoding: str | Inherit | None = INHERIT,
    ) -> RangeIterator[bytes] | RangeIterator[str] | RangeIterator[TextT]:
        r"""Read any number of keys, a part at a time, all as of one revision.

        Use it as ``async with communicator.iter_range("/logs/", prefix=True) as records: async for record in
        records: ...``, or directly in ``async for``. Servers that have RangeStream (etcd 3.7) stream the
        keys; from others they are read in pages. Memory stays bounded by about a page (1 MiB) or the stream's
        window (4 MiB), unless a single record is larger.

        Args:
          key: The key; with ``range_end`` the first one, with ``prefix=True`` how they begin.
          range_end: The first key that is not meant any more; ``"\0"`` is after the last of all. None: one
            key.
          prefix: All keys that begin with ``key``.
          keys_only: Leave the values empty.
          revision: and the other options: see :class:`Reads`.

        Returns:
          The records in the order of their keys' bytes; reading them raises what :class:`Reads` says.

        Raises:
          InvalidRequestError: a bad argument (or TypeError).
        """
        keys = self._key_space(encoding)
        first, end = address(keys, key, range_end, prefix=prefix)
        filtered = bool(min_mod_revision or max_mod_revision or min_create_revision or max_create_revision)

        def message(start: bytes, limit: int, revision: int) -> bytes:
            return range_message(
                start,
                end,
                limit=limit,
                keys_only=keys_only,
                revision=revision,
                serializable=serializable,
                min_mod_revision=min_mod_revision,
                max_mod_revision=max_mod_revision,
                min_create_revision=min_create_revision,
                max_create_revision=max_create_revision,
            )

        message(first, 0, revision)  # bad arguments get their error here
        reader = RangeReader(
            self._endpoints, first, message, revision, leader=not serializable, may_stream=not filtered
        )
        return RangeIterator(reader, keys)

    async def count(
        self,
        key: str | bytes,
        range_end: str | bytes | None = None,
        *,
        prefix: bool = False,
        revision: int = 0,
        serializable: bool = False,
    ) -> int:
        r"""Count keys without reading them.

        Cancellation:
          No effect.

        Args:
          key: The key; with ``range_end`` the first one, with ``prefix=True`` how they begin.
          range_end: The first key that is not meant any more; ``"\0"`` is after the last of all. None: one
            key.
          prefix: All keys that begin with ``key``; with an empty one, all keys.
          revision: and ``serializable``: see :class:`Reads`.

        Returns:
          How many keys there are.

        Raises:
          EtcdError: see :class:`Reads`.
        """
        first, end = address(self._keys, key, range_end, prefix=prefix)
        message = range_message(first, end, count_only=True, revision=revision, serializable=serializable)
        response = await self._endpoints.call(
            RANGE, message, pb.decode_range_response, leader=not serializable
        )
        return response.count
