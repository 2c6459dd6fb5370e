"""What many tasks want done at once in one turn of an event loop costs it one callback."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from ..streams._connection import Connection


class Turns:
    """The next turn of one loop."""

    __slots__ = ("_callbacks", "_thread", "_unflushed", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop: asyncio.AbstractEventLoop = loop
        self._thread = threading.get_ident()
        self._callbacks: deque[Callable[[], object]] = deque()
        self._unflushed: Connection | None = None

    def is_here(self) -> bool:
        """Whether this thread is the loop's, and the loop can still do something."""
        return threading.get_ident() == self._thread and not self.loop.is_closed()

    def call_soon(self, callback: Callable[[], object]) -> None:
        """Call it in the next turn; never again once the loop is closed."""
        self._callbacks.append(callback)
        if len(self._callbacks) == 1 and not self.loop.is_closed():
            self.loop.call_soon(self._run)

    def _run(self) -> None:
        callbacks, self._callbacks = self._callbacks, deque()
        try:
            while callbacks:
                callbacks.popleft()()
        finally:
            for callback in callbacks:  # an interrupt came out of one
                self.call_soon(callback)

    def flush_soon(self, connection: Connection) -> None:
        """Send, in one piece, what all tasks of this turn have for the connection."""
        if self._unflushed is not connection:
            self._unflushed = connection
            self.loop.call_soon(self._flush, connection)

    def _flush(self, connection: Connection) -> None:
        self._unflushed = None
        connection._flush()  # pyright: ignore[reportPrivateUsage]
