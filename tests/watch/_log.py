"""Writing much of every kind while watches are read, and comparing what came with the server's own log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

import trio

from etcetra_trio import EtcdClient, EtcdError, TxnAction, Watch, WatchBatch, WatchEventType
from etcetra_trio._proto._messages import etcdserverpb as pb
from etcetra_trio._proto._methods import WATCH
from etcetra_trio.testing import EtcdMember

KEYS = 20  # in each group
#: A revision with its events.
Entry = tuple[int, list[tuple[WatchEventType, str, str]]]
LAST = "last"
#: Between two writes, in seconds: breaks take a while, and the server should not be all that is measured.
PAUSE = 0.002


def entry(batch: WatchBatch[str]) -> Entry:
    return batch.revision, [(event.event, event.key, event.value) for event in batch.events]


class Writer:
    """Writes single puts, transactions of many puts, and deletions to keys of several groups."""

    def __init__(self, server: EtcdMember, rng: Random, groups: Sequence[str]) -> None:
        self.events = 0
        self._client = EtcdClient(server.endpoint)
        self._rng = rng
        self._groups = groups
        self._number = 0

    async def run(self, events: int, goes_on: Callable[[], bool]) -> None:
        """Write so many events at least, and while ``goes_on()``; then one last key to each group."""
        async with self._client.connect() as communicator:
            while self.events < events or goes_on():
                count, builder = self._builder()
                try:
                    await communicator.txn(builder)
                    self.events += count
                except EtcdError:  # it was killed; whether this was written, its log will tell
                    await trio.sleep(0.02)
                await trio.sleep(PAUSE)
            await self._finish(communicator.txn)

    async def _finish(self, txn: Callable[[Callable[[TxnAction[str]], object]], object]) -> None:
        for start in range(0, len(self._groups), 100):
            part = self._groups[start : start + 100]
            while True:
                try:
                    await txn(lambda action, part=part: [action.put(group + LAST, "") for group in part])  # type: ignore[misc]
                except EtcdError:
                    await trio.sleep(0.05)
                else:
                    break

    def _builder(self) -> tuple[int, Callable[[TxnAction[str]], None]]:
        """How many events it will make at least, and what to do."""
        rng = self._rng
        kind = rng.random()
        self._number += 1
        value = str(self._number)
        count = 1 if kind < 0.85 else 100
        keys = {f"{rng.choice(self._groups)}{rng.randrange(KEYS)}" for _ in range(count)}
        group = rng.choice(self._groups)
        deletes = 0.8 < kind < 0.85

        def build(action: TxnAction[str]) -> None:
            if deletes:
                action.delete_prefix(group)
            else:
                for key in keys:
                    action.put(key, value)

        return (0 if deletes else len(keys)), build


async def read_all(watch: Watch[WatchBatch[str]], into: list[Entry]) -> None:
    """Read a watch until its group's last key comes."""
    async for batch in watch:
        into.append(entry(batch))
        if any(event.key.endswith(LAST) and event.event is WatchEventType.PUT for event in batch.events):
            return


async def true_log(server: EtcdMember, prefix: str, since: int) -> list[Entry]:
    """What happened below a prefix, as the server tells it in one go: with nothing of ours but the bare stream."""
    found: dict[int, list[tuple[WatchEventType, str, str]]] = {}
    async with EtcdClient(server.endpoint).connect() as communicator:
        last = (await communicator.put(prefix + "the-end", "")).revision
        key, end = prefix.encode(), prefix[:-1].encode() + bytes([ord(prefix[-1]) + 1])
        create = pb.WatchCreateRequest(key=key, range_end=end, start_revision=since, fragment=True)
        connection = await communicator._endpoints.connection()
        call = connection.stream(WATCH.path, message=bytes(pb.WatchRequest(create_request=create)))
        while last not in found:
            message = await call.receive()
            assert message is not None
            for event in pb.WatchResponse.parse(message).events:
                kv = event.kv
                assert kv is not None
                kind = WatchEventType(int(event.type))
                found.setdefault(kv.mod_revision, []).append((kind, kv.key.decode(), kv.value.decode()))
        call.cancel()
    del found[last]
    return list(found.items())


def part(log: Sequence[Entry], group: str) -> list[Entry]:
    """What of the log a watch of one group must get."""
    parts = (
        (revision, [event for event in events if event[1].startswith(group)]) for revision, events in log
    )
    return [one for one in parts if one[1]]


def assert_same(got: list[Entry], expected: list[Entry], what: str) -> None:
    """Both say the same; if not, where they part."""
    if got == expected:
        return
    place = next((i for i, pair in enumerate(zip(got, expected, strict=False)) if pair[0] != pair[1]), -1)
    if place < 0:
        place = min(len(got), len(expected))
    raise AssertionError(
        f"{what}: entry {place} of {len(got)} (expected {len(expected)}) is {got[place : place + 1]}, "
        f"not {expected[place : place + 1]}; before it {got[max(0, place - 2) : place]}"
    )
