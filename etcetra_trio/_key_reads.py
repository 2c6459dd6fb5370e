"""The methods that list keys: ``keys_prefix``, ``keys_range``."""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

from ._calls import Calls
from ._keys import TextT
from ._kv import RangeOptions, range_message
from ._proto._methods import RANGE
from ._proto._projections import range_keys
from ._types import INHERIT, Inherit, SortOrder, SortTarget

if TYPE_CHECKING:
    from typing import Unpack

    from ._keys import KeySpace


class KeyReads(Calls[TextT]):
    """Methods that list keys without their values. Their options, and what they raise, are those of :class:`Reads`."""

    __slots__ = ()

    @overload
    async def keys_prefix(self, prefix: str | bytes, **options: Unpack[RangeOptions]) -> list[TextT]: ...
    @overload
    async def keys_prefix(
        self, prefix: str | bytes, *, encoding: str, **options: Unpack[RangeOptions]
    ) -> list[str]: ...
    @overload
    async def keys_prefix(
        self, prefix: str | bytes, *, encoding: None, **options: Unpack[RangeOptions]
    ) -> list[bytes]: ...
    async def keys_prefix(
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
    ) -> list[bytes] | list[str] | list[TextT]:
        """List the keys that begin with ``prefix``; with an empty prefix, all keys.

        Cancellation:
          No effect.

        Args:
          prefix: How the keys begin.
          limit: and the other options: see :class:`Reads`.

        Returns:
          The keys, in the order of their bytes unless sorted.

        Raises:
          EtcdError: see :class:`Reads`.
        """
        keys = self._key_space(encoding)
        message = range_message(
            *keys.prefix(prefix),
            keys_only=True,
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
        return await self._key_list(keys, message, serializable=serializable)

    @overload
    async def keys_range(
        self, key: str | bytes, range_end: str | bytes, **options: Unpack[RangeOptions]
    ) -> list[TextT]: ...
    @overload
    async def keys_range(
        self, key: str | bytes, range_end: str | bytes, *, encoding: str, **options: Unpack[RangeOptions]
    ) -> list[str]: ...
    @overload
    async def keys_range(
        self, key: str | bytes, range_end: str | bytes, *, encoding: None, **options: Unpack[RangeOptions]
    ) -> list[bytes]: ...
    async def keys_range(
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
    ) -> list[bytes] | list[str] | list[TextT]:
        r"""List the keys from ``key`` to before ``range_end``.

        Cancellation:
          No effect.

        Args:
          key: The first key; ``"\0"`` is the first of all.
          range_end: The first key that is not meant any more; ``"\0"`` is after the last of all.
          limit: and the other options: see :class:`Reads`.

        Returns:
          As :meth:`keys_prefix`.

        Raises:
          EtcdError: see :class:`Reads`.
        """
        keys = self._key_space(encoding)
        message = range_message(
            *keys.range(key, range_end),
            keys_only=True,
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
        return await self._key_list(keys, message, serializable=serializable)

    async def _key_list(self, keys: KeySpace[TextT], message: bytes, *, serializable: bool) -> list[TextT]:
        found = await self._endpoints.call(RANGE, message, range_keys, leader=not serializable)
        return [keys.text_key(key) for key in found]
