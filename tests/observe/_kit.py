"""What these tests share: somebody who is told, and a look at what he was told."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import trio

from etcetra_trio.events import Event

EventT = TypeVar("EventT")


class Told:
    """An ``on_event`` that keeps all."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._more = trio.Event()

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        self._more.set()
        self._more = trio.Event()

    def of(self, kind: type[EventT]) -> list[EventT]:
        return [event for event in self.events if isinstance(event, kind)]

    async def wait_for(
        self, kind: type[EventT], fits: Callable[[EventT], bool] = lambda _: True, seconds: float = 15
    ) -> EventT:
        """The first such event, which may have come already."""
        with trio.fail_after(seconds):
            while not (found := [event for event in self.of(kind) if fits(event)]):
                await self._more.wait()
        return found[0]


def bare(endpoint: str) -> str:
    """As the client writes it."""
    return endpoint.removeprefix("http://")
