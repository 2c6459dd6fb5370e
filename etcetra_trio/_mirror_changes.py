"""What changed in a mirror, as a Trio channel."""

# pyright: reportPrivateUsage=false
# A mirror and the channels of its changes know each other's insides, which are nothing for users.

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NamedTuple

import trio

from ._errors import EncodingError
from ._keys import TextT

if TYPE_CHECKING:
    from ._mirror import Mirror


class MirrorChange(NamedTuple, Generic[TextT]):
    """What changed in a mirror since the last look."""

    #: The mirror's revision after these changes.
    revision: int
    #: The new value of each key that changed; None for one that was deleted.
    values: dict[TextT, TextT | None]


class MirrorChanges(trio.abc.ReceiveChannel[MirrorChange[TextT]]):
    """The changes of a mirror, from when it was made: each key's newest value, however slow the reader is.

    Made by :meth:`Mirror.changes`.
    """

    def __init__(self, mirror: Mirror[TextT]) -> None:
        self._mirror: Mirror[TextT] = mirror
        self._closed = False
        # Keys that changed since the last look, in the order of their changes.
        self._changed: dict[bytes, None] = {}
        self._waiting = trio.lowlevel.ParkingLot()

    def _note(self, key: bytes) -> None:
        """A key changed."""
        self._changed.pop(key, None)
        self._changed[key] = None

    def _wake(self) -> None:
        """Something changed, or the mirror failed."""
        self._waiting.unpark_all()

    async def receive(self) -> MirrorChange[TextT]:
        """Wait until something has changed.

        Cancellation:
          No effect.

        Raises:
          EncodingError: a key or its value is no text; that change counts as told, the others do not.
          trio.ClosedResourceError: this, the mirror or the client was closed.
          EtcdError: the mirror failed.
        """
        await trio.lowlevel.checkpoint()
        self._check()
        while not self._changed:
            await self._waiting.park()
            self._check()
        values: dict[TextT, TextT | None] = {}
        for raw in self._changed:
            try:
                key, value = self._mirror._change(raw)
            except EncodingError:
                del self._changed[raw]
                raise
            values[key] = value
        self._changed = {}
        return MirrorChange(self._mirror.revision, values)

    def _check(self) -> None:
        if self._closed:
            raise trio.ClosedResourceError("this channel was closed")
        self._mirror._check()

    async def aclose(self) -> None:
        """Stop.

        Cancellation:
          It is closed in any case.
        """
        self._closed = True
        self._mirror._forget(self)
        self._wake()
        await trio.lowlevel.checkpoint()
