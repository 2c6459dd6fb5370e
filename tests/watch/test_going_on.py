"""What a program has to keep to go on after a restart: ``delivered_revision`` is right wherever it stops."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import trio
from trio.testing import MockClock

from etcetra_trio import TxnAction, WatchEventType
from etcetra_trio._proto._methods import RANGE
from watch._kit import DELETE, PUT, Text, take
from watch._script import put, resynced, scripted_server
from watch.test_resync_races import state


def putting(keys: str) -> Callable[[TxnAction[str]], object]:
    return lambda action: [action.put(f"k/{key}", "") for key in keys]


@pytest.mark.parametrize("handled", range(6))
async def test_stopped_at_any_event(communicator: Text, handled: int) -> None:
    """Nothing is missing, and nothing but the revision that was under way comes again."""
    start = (await communicator.put("other", "")).revision + 1
    for keys in ("abc", "d", "ef"):
        await communicator.txn(putting(keys))
    async with communicator.watch_prefix("k/", start_revision=start) as events:
        seen = [event.key[-1] for event in await take(events, handled)]
        kept = events.statistics().delivered_revision
    assert kept == start - 1 + sum(set(keys) <= set(seen) for keys in ("abc", "d", "ef"))
    async with communicator.watch_prefix("k/", start_revision=kept + 1) as events:
        rest = "".join(("abc", "d", "ef")[kept + 1 - start :])
        assert [event.key[-1] for event in await take(events, len(rest))] == list(rest)


@pytest.mark.parametrize("batches", [False, True])
async def test_stopped_among_differences(autojump_clock: MockClock, batches: bool) -> None:
    """They are in no order of revisions; only after the last one everything up to the comparison was given."""
    async with scripted_server() as server, trio.open_nursery() as nursery:
        server.answers[RANGE] = state(10, a=5, b=6)

        async def serve() -> None:
            stream = await server.watched(0, 10)
            stream.events(0, put("a", 12))
            server.answers[RANGE] = state(40, d=35, c=14)
            await resynced(server, stream)

        nursery.start_soon(serve)
        found: list[tuple[WatchEventType, str, int, int]] = []
        prefix = server.communicator.watch_prefix
        if batches:
            async with prefix("", resync=True, batches=True) as together:
                for _ in range(3):
                    batch = await together.receive()
                    assert together.statistics().delivered_revision == batch.revision
                    found += [(e.event, e.key, e.revision, batch.revision) for e in batch.events]
        else:
            async with prefix("", resync=True) as events:
                for _ in range(6):
                    e = await events.receive()
                    found.append((e.event, e.key, e.revision, events.statistics().delivered_revision))
        among = 40 if batches else 12
        assert found == [
            (PUT, "a", 12, 12),
            (DELETE, "a", 40, among),
            (DELETE, "b", 40, among),
            (PUT, "c", 14, among),
            (PUT, "d", 35, 40),
            (PUT, "k", 41, 41),
        ]
