"""The methods that read values: ``get``, ``get_prefix``, ``get_range``."""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

from ._calls import Calls
from ._keys import TextT
from ._kv import RangeOptions, ReadOptions, range_message
from ._proto import _codec as pb
from ._proto._methods import RANGE
from ._proto._projections import range_items, range_value
from ._types import INHERIT, Inherit, SortOrder, SortTarget

if TYPE_CHECKING:
    from typing import Unpack

    from ._keys import KeySpace


class Reads(Calls[TextT]):
    """Methods that read values.

    Every read takes these options, all of them keyword-only:

    * ``revision``: read the store as it was at this revision; 0 is now.
    * ``serializable``: take the answer of whatever member is asked, which may lag behind. The default is a
      linearizable read.
    * ``min_mod_revision``, ``max_mod_revision``, ``min_create_revision``, ``max_create_revision``: leave out
      keys whose revision is beyond these; 0 is no bound.
    * ``encoding``: the text codec of this call; None gives bytes. The default is the client's.

    Those that give several keys also take:

    * ``limit``: at most so many keys; 0 is no limit.
    * ``sort_order``, ``sort_target``: as :class:`SortOrder` and :class:`SortTarget` say; unsorted, keys come
      in the order of their bytes.

    They raise, besides what each one says: :exc:`InvalidRequestError` or TypeError for bad arguments, before
    anything is sent; :exc:`CompactedError` or :exc:`FutureRevisionError` for a revision that the store does
    not have any more, or yet; :exc:`EncodingError` when what was found is no text; :exc:`RpcError` for
    whatever else the server says; :exc:`ConnectionLostError`, :exc:`ConnectionFailedError`;
    :exc:`trio.ClosedResourceError` when the client is closed.
    """

    __slots__ = ()

    @overload
    async def get(self, key: str | bytes, **options: Unpack[ReadOptions]) -> TextT | None: ...
    @overload
    async def get(self, key: str | bytes, *, encoding: str, **options: Unpack[ReadOptions]) -> str | None: ...
    @overload
    async def get(
        self, key: str | bytes, *, encoding: None, **options: Unpack[ReadOptions]
    ) -> bytes | None: ...
    async def get(
        self,
        key: str | bytes,
        *,
        revision: int = 0,
        serializable: bool = False,
        min_mod_revision: int = 0,
        max_mod_revision: int = 0,
        min_create_revision: int = 0,
        max_create_revision: int = 0,
        encoding: str | Inherit | None = INHERIT,
    ) -> str | bytes | None:
        """Read one key.

        Cancellation:
          No effect.

        Args:
          key: The key.
          revision: and the other options: see :class:`Reads`.

        Returns:
          The value; None if there is no such key.

        Raises:
          EtcdError: see :class:`Reads`.
        """
        keys = self._keys if encoding is INHERIT else self._key_space(encoding)
        raw = keys.key(key)
        if (
            revision != 0
            or serializable
            or min_mod_revision != 0
            or max_mod_revision != 0
            or min_create_revision != 0
            or max_create_revision != 0
        ):
            message = range_message(
                raw,
                b"",
                revision=revision,
                serializable=serializable,
                min_mod_revision=min_mod_revision,
                max_mod_revision=max_mod_revision,
                min_create_revision=min_create_revision,
                max_create_revision=max_create_revision,
            )
        else:
            message = pb.range_request(raw)
        value = await self._endpoints.call(RANGE, message, range_value, leader=not serializable)
        return None if value is None else keys.text_value(value, raw)

    @overload
    async def get_prefix(
        self, prefix: str | bytes, **options: Unpack[RangeOptions]
    ) -> dict[TextT, TextT]: ...
    @overload
    async def get_prefix(
        self, prefix: str | bytes, *, encoding: str, **options: Unpack[RangeOptions]
    ) -> dict[str, str]: ...
    @overload
    async def get_prefix(
        self, prefix: str | bytes, *, encoding: None, **options: Unpack[RangeOptions]
    ) -> dict[bytes, bytes]: ...
    async def get_prefix(
        self,
        prefix: str | bytes,
        *,
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
    ) -> dict[bytes, bytes] | dict[str, str] | dict[TextT, TextT]:
        """Read all keys that begin with ``prefix``; with an empty prefix, all keys.

        Cancellation:
          No effect.

        Args:
          prefix: How the keys begin.
          limit: and the other options: see :class:`Reads`.

        Returns:
          Keys and values, in the order of the answer: that of the keys' bytes unless it is sorted.

        Raises:
          EtcdError: see :class:`Reads`.
        """
        keys = self._key_space(encoding)
        message = range_message(
            *keys.prefix(prefix),
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
        return await self._items(keys, message, serializable=serializable)

    @overload
    async def get_range(
        self, key: str | bytes, range_end: str | bytes, **options: Unpack[RangeOptions]
    ) -> dict[TextT, TextT]: ...
    @overload
    async def get_range(
        self, key: str | bytes, range_end: str | bytes, *, encoding: str, **options: Unpack[RangeOptions]
    ) -> dict[str, str]: ...
    @overload
    async def get_range(
        self, key: str | bytes, range_end: str | bytes, *, encoding: None, **options: Unpack[RangeOptions]
    ) -> dict[bytes, bytes]: ...
    async def get_range(
        self,
        key: str | bytes,
        range_end: str | bytes,
        *,
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
    ) -> dict[bytes, bytes] | dict[str, str] | dict[TextT, TextT]:
        r"""Read the keys from ``key`` to before ``range_end``.

        Cancellation:
          No effect.

        Args:
          key: The first key; ``"\0"`` is the first of all.
          range_end: The first key that is not meant any more; ``"\0"`` is after the last of all.
          limit: and the other options: see :class:`Reads`.

        Returns:
          As :meth:`get_prefix`.

        Raises:
          EtcdError: see :class:`Reads`.
        """
        keys = self._key_space(encoding)
        message = range_message(
            *keys.range(key, range_end),
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
        return await self._items(keys, message, serializable=serializable)

    async def _items(
        self, keys: KeySpace[TextT], message: bytes, *, serializable: bool
    ) -> dict[TextT, TextT]:
        pairs = await self._endpoints.call(RANGE, message, range_items, leader=not serializable)
        return keys.text_items(pairs)
