"""Breaks while readers are slow and revisions come in fragments: buffers, own streams and parking at their worst."""

from __future__ import annotations

from random import Random

import pytest
import trio

from etcetra_trio import EtcdClient, Watch, WatchBatch
from etcetra_trio.streams._endpoints import EngineName
from etcetra_trio.testing import EtcdServer, FaultProxy
from watch._kit import ENGINES
from watch._log import LAST, Entry, assert_same, entry, part, true_log
from watch.test_resume import seed

KEYS = [f"{number:02}" for number in range(40)]
VALUE = "x" * 20_000  # with the value before it, a revision is more than etcd sends in one message


async def read_slowly(watch: Watch[WatchBatch[str]], into: list[Entry], rng: Random, slowness: float) -> None:
    async for batch in watch:
        assert all(event.prev_value in {None, event.value, VALUE} for event in batch.events)
        into.append((batch.revision, [(kind, key, "") for kind, key, _ in entry(batch)[1]]))
        if any(event.key.endswith(LAST) for event in batch.events):
            return
        await trio.sleep(rng.random() * slowness)


@pytest.mark.parametrize("http2", ENGINES)
@pytest.mark.parametrize("long", [False, pytest.param(True, marks=pytest.mark.long)])
async def test_slow_readers_of_large_revisions(
    etcd_server: EtcdServer, http2: EngineName, long: bool
) -> None:
    rng = Random(seed())
    revisions, breaks = (400, 50) if long else (40, 6)
    # More than there are streams for laggers; some see all keys, some see a few, some are quick.
    prefixes = ["s/"] * 9 + ["s/0", "s/1", "s/2", "s/3"]
    got: list[list[Entry]] = [[] for _ in prefixes]
    with trio.fail_after(400 if long else 60):
        async with FaultProxy(etcd_server.endpoint) as proxy, trio.open_nursery() as nursery:
            client = EtcdClient(proxy.endpoint, http2=http2)
            async with client.connect() as communicator, EtcdClient(etcd_server.endpoint).connect() as writer:
                watches = [
                    communicator.watch_prefix(prefix, batches=True, prev_kv=True, buffer=rng.choice([1, 50]))
                    for prefix in prefixes
                ]
                since = (await writer.put("s/first", "")).revision
                async with trio.open_nursery() as entering:
                    for watch in watches:
                        entering.start_soon(watch.__aenter__)
                nursery.start_soon(proxy.chaos, rng, breaks, (0.01, 0.2))
                async with trio.open_nursery() as reading:
                    for number, (watch, into) in enumerate(zip(watches, got, strict=True)):
                        reading.start_soon(read_slowly, watch, into, rng, 0.0 if number in {0, 9} else 0.1)
                    for _ in range(revisions):
                        keys = rng.sample(KEYS, rng.choice([1, 1, 3, 40]))
                        await writer.txn(
                            lambda action, keys=keys: [  # type: ignore[misc]
                                action.put(f"s/{key}", VALUE) for key in keys
                            ]
                        )
                        await trio.sleep(0.005)
                    await writer.txn(lambda action: [action.put(f"s/{n}{LAST}", "") for n in range(4)])
                for watch in watches:
                    await watch.aclose()
                assert communicator._endpoints.watches.budget.used == 0
                nursery.cancel_scope.cancel()
    log = await true_log(etcd_server, "s/", since + 1)
    bare = [(revision, [(kind, key, "") for kind, key, _ in events]) for revision, events in log]
    assert len(bare) == revisions + 1
    for prefix, entries in zip(prefixes, got, strict=True):
        assert_same(entries, part(bare, prefix), prefix)
