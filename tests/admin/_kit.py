"""What these tests share."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import trio
from client._kit import nothing_left


@asynccontextmanager
async def all_ends() -> AsyncGenerator[None]:
    """As ``nothing_left``, with a moment for connections that were closed to end."""
    with nothing_left():
        try:
            yield
        finally:
            with trio.CancelScope(shield=True):
                await trio.testing.wait_all_tasks_blocked(0.01)
