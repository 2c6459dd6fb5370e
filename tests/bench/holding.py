"""The peer's side of `memory`: it keeps many of the same, and says by how much it has grown."""

from __future__ import annotations

import gc
import os
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from .workloads import key

if TYPE_CHECKING:
    from collections.abc import Callable

    from .peer import Peer, Text

    Answer = Callable[[dict[str, object]], None]

PAGE = os.sysconf("SC_PAGE_SIZE")


async def hold(peer: Peer[Text], port: int, answer: Answer, request: dict[str, Any]) -> None:
    """Do as asked."""
    count = request["count"]
    if request["hold"] == "connections":
        await _connections(peer, port, answer, count)
    else:
        await _calls(peer, request["port"], answer, count)


async def _connections(peer: Peer[Text], port: int, answer: Answer, count: int) -> None:
    async with AsyncExitStack() as stack:
        before = _resident()
        for _ in range(count):
            connected = await stack.enter_async_context(peer.connect(port))
            await connected.get(connected.text(key("get", 0)))
        answer({"kib": (_resident() - before) / 1024 / count})


async def _calls(peer: Peer[Text], port: int, answer: Answer, count: int) -> NoReturn:
    """Says when it is connected, begins the calls when told, and measures when told again. Then the process ends."""
    async with peer.connect(port) as connected:
        wanted = connected.text(key("get", 0))
        before = 0

        async def call(task: int) -> None:
            if task < count:
                await connected.get(wanted)
            else:
                await peer.read_line()
                answer({"kib": (_resident() - before) / 1024 / count})
                os._exit(0)

        await connected.get(wanted)
        answer({"connected": True})
        await peer.read_line()
        before = _resident()
        await peer.together(count + 1, call)
        raise AssertionError("the calls ended")


def _resident() -> int:
    """Octets that the process has in memory."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE
