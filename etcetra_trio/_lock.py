"""Locks: what a program holds while it provably is the only one that does."""

from __future__ import annotations

from typing import final

from ._held import Held
from ._keys import TextT


@final
class Lock(Held[TextT]):
    """A lock that is held; made by :meth:`EtcdCommunicator.lock`.

    ``put``, ``delete`` and ``txn`` write only while it is held, whatever happened to this program in the meantime: they
    look at the time, and the server looks at the lock's key. They raise :exc:`LockLostError` otherwise.
    """

    __slots__ = ()
