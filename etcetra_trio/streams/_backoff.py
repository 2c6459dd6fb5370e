"""How long to wait before the next try."""

from __future__ import annotations

import random
from typing import Final

import trio

#: In seconds: full jitter up to a bound that doubles.
FIRST_DELAY: Final = 0.05
LONGEST_DELAY: Final = 2.0


class Backoff:
    """The waits of one thing that is tried again and again. The first one costs no time."""

    __slots__ = ("_bound", "_longest")

    def __init__(self, longest: float = LONGEST_DELAY) -> None:
        self._longest = longest
        self._bound = 0.0

    def reset(self) -> None:
        """It worked."""
        self._bound = 0.0

    def ease(self) -> None:
        """It began to work: what broke it then is worth a short wait."""
        self._bound = min(self._bound, FIRST_DELAY)

    async def wait(self) -> None:
        """Wait before another try.

        Cancellation:
          No effect.
        """
        delay = random.uniform(0, self._bound)  # noqa: S311 - no secret
        self._bound = min(2 * self._bound or FIRST_DELAY, self._longest)
        await trio.sleep(delay)
