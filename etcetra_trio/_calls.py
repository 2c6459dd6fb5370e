"""What every group of the communicator's methods stands on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, cast

from ._keys import TextT, key_space
from ._types import INHERIT, Inherit

if TYPE_CHECKING:
    from ._keys import KeySpace
    from ._lock import Lock
    from .streams._endpoints import Endpoints


class Calls(Generic[TextT]):
    """Base of the groups of methods; a communicator is all of them."""

    __slots__ = ("_endpoints", "_held_lock", "_keys")

    def __init__(
        self, endpoints: Endpoints, keys: KeySpace[TextT], held_lock: Lock[TextT] | None = None
    ) -> None:
        self._endpoints = endpoints
        self._keys: KeySpace[TextT] = keys
        self._held_lock: Lock[TextT] | None = held_lock

    def _key_space(self, encoding: str | Inherit | None) -> KeySpace[TextT]:
        """The keys and values of one call; the overloads of the public methods say of which type they are."""
        if encoding is INHERIT:
            return self._keys
        return cast("KeySpace[TextT]", key_space(encoding, self._keys.namespace))
