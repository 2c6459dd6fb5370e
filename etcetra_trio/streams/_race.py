"""Happy eyeballs: attempts that begin when the one before has failed or takes long; the first success counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, TypeVar

import trio
from trio.lowlevel import enable_ki_protection

from .._errors import EtcdError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

PlaceT = TypeVar("PlaceT")
ResultT = TypeVar("ResultT")

#: How long an attempt is alone before the next one begins, in seconds (RFC 8305, 5: "Connection Attempt Delay").
HEAD_START: Final = 0.25


class Race(Generic[PlaceT, ResultT]):
    """One race: ``attempt`` is called with each place in turn.

    An attempt fails with an OSError or an EtcdError. Two may succeed in the same moment: whoever makes the
    attempts must not rely on the race to tell of the second one.
    """

    def __init__(self, places: Sequence[PlaceT], attempt: Callable[[PlaceT], Awaitable[ResultT]]) -> None:
        self._places = places
        self._attempt = attempt
        self.winner: ResultT | None = None
        #: How the attempts failed.
        self.failures: dict[PlaceT, Exception] = {}

    @enable_ki_protection
    async def run(self) -> ResultT | None:
        """The first success; None if there was none: see :attr:`failures`.

        Cancellation:
          Cancels the attempts.
        """
        if len(self._places) == 1:  # as usual; no tasks then
            (place,) = self._places
            await self._finish(place)
            return self.winner
        async with trio.open_nursery(strict_exception_groups=True) as nursery:
            for place in self._places:
                over = trio.Event()
                nursery.start_soon(
                    self._run_one, place, over, nursery.cancel_scope, name=f"connect to {place}"
                )
                with trio.move_on_after(HEAD_START):
                    await over.wait()
        return self.winner

    @enable_ki_protection
    async def _run_one(  # noqa: ASYNC910 - a child task
        self, place: PlaceT, over: trio.Event, everybody: trio.CancelScope
    ) -> None:
        if await self._finish(place):
            everybody.cancel("another attempt succeeded")
        else:
            over.set()

    async def _finish(self, place: PlaceT) -> bool:
        """Whether it succeeds."""
        try:
            winner = await self._attempt(place)
        except (OSError, EtcdError) as error:
            self.failures[place] = error
            return False  # noqa: ASYNC910 - an attempt is a checkpoint
        if self.winner is None:
            self.winner = winner
        return True
