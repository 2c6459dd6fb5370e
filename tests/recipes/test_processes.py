"""The recipes among five processes."""

from __future__ import annotations

import trio

from etcetra_trio import EtcdCommunicator, Mirror
from etcetra_trio.testing import EtcdServer
from recipes._kit import programs
from recipes._program import ACCOUNTS

Text = EtcdCommunicator[str]
PROCESSES = 5


async def run(job: str, server: EtcdServer, communicator: Text) -> list[str]:
    """What the five processes printed."""
    namespace = communicator._keys.namespace.decode()
    return await programs(
        "recipes._program",
        [(job, server.endpoint, namespace, str(number)) for number in range(PROCESSES)],
    )


async def test_transactions_lose_nothing_and_see_no_half_of_another(
    etcd_server: EtcdServer, communicator: Text
) -> None:
    for account in ACCOUNTS:
        await communicator.put(account, "100")
    printed = await run("stm", etcd_server, communicator)
    total = 100 * len(ACCOUNTS)
    assert [lines.split() for lines in printed] == [[str(total)] * 60] * PROCESSES
    assert await communicator.get("counter") == str(PROCESSES * 3 * 20)
    assert sum([int(await communicator.get(account) or "") for account in ACCOUNTS]) == total


async def test_each_item_of_a_queue_is_given_once(etcd_server: EtcdServer, communicator: Text) -> None:
    everything = {
        f"{number}.{task} {index}" for number in range(PROCESSES) for task in (1, 2) for index in range(40)
    }
    printed: list[str] = []
    seen: set[str] = set()
    async with trio.open_nursery() as nursery:

        async def collect() -> None:
            printed.extend(await run("queue", etcd_server, communicator))

        async with communicator.watch_prefix("jobs/", prev_kv=True) as events:
            nursery.start_soon(collect)
            with trio.fail_after(60):
                async for event in events:
                    if event.prev_value is not None:
                        assert event.prev_value not in seen, "taken twice"
                        seen.add(event.prev_value)
                        if seen == everything:
                            break
        for _ in range(PROCESSES * 3):
            await communicator.queue("jobs").put("stop")
    lines = [lines.splitlines() for lines in printed]
    assert sorted(item for items in lines for item in items) == sorted(everything)
    assert await communicator.count("jobs/", prefix=True) == 0


async def test_nobody_passes_a_barrier_before_it_is_opened(
    etcd_server: EtcdServer, communicator: Text
) -> None:
    printed: list[str] = []
    opened: list[int] = []
    for turn in range(20):
        await communicator.barrier(f"gate/{turn}").hold()
    async with trio.open_nursery() as nursery:

        async def collect() -> None:
            printed.extend(await run("barrier", etcd_server, communicator))

        nursery.start_soon(collect)
        with trio.fail_after(60):
            async with communicator.mirror("ready/") as ready:
                for turn in range(20):

                    def all_are_ready(view: Mirror[str], prefix: str = f"ready/{turn}/") -> bool:
                        return sum(key.startswith(prefix) for key in view) == PROCESSES

                    await ready.wait_for(all_are_ready)
                    await communicator.barrier(f"gate/{turn}").release()
                    opened.append((await communicator.put("opened", "")).revision)
    for lines in printed:
        passed = [int(line) for line in lines.split()]
        assert len(passed) == 20
        assert all(revision > opened[turn] for turn, revision in enumerate(passed[1:]))


async def test_no_more_hold_a_permit_than_there_are(etcd_server: EtcdServer, communicator: Text) -> None:
    printed = await run("semaphore", etcd_server, communicator)
    numbers = [int(number) for lines in printed for number in lines.split()]
    assert len(numbers) == PROCESSES * 3 * 12
    assert 2 <= max(numbers) <= 4
    assert await communicator.count("", prefix=True) == 0


async def test_nobody_reads_while_somebody_writes(etcd_server: EtcdServer, communicator: Text) -> None:
    printed = await run("rwlock", etcd_server, communicator)
    lines = [line for lines in printed for line in lines.splitlines()]
    assert len(lines) == PROCESSES * 3 * 12
    assert set(lines) == {"wrote", "the same"}
    assert await communicator.get("left") == str(lines.count("wrote"))
    assert await communicator.count("door/", prefix=True) == 0
