"""Members of a cluster that die, end, stand still and come back, under reads and writes that never pause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from math import inf
from time import time

import pytest
import trio
from client._kit import live

from etcetra_trio import EtcdClient, OutcomeUnknownError
from etcetra_trio.testing import EtcdCluster, EtcdMember
from failover._load import elected, load
from failover.conftest import WANTED, version_of

ROUNDS = [2, pytest.param(20, marks=pytest.mark.long)]
#: From when a new leader is known to a read and a write that are answered, in seconds.
GOES_ON = 0.25
#: How long a write may take whose answer was lost with the leader: etcd's own limit is 7 s.
RESOLVED = 7.2
#: PINGs that find a silent server soon, so that the tests are short. They are not sent while answers come.
PING_INTERVAL, PING_TIMEOUT = 1.0, 0.5
SILENT = PING_INTERVAL + PING_TIMEOUT + 0.5


async def revive(member: EtcdMember) -> None:
    await member.arestart()


async def wake(member: EtcdMember) -> None:
    member.cont()
    await trio.lowlevel.checkpoint()


FAULTS: dict[str, tuple[Callable[[EtcdMember], None], Callable[[EtcdMember], Awaitable[None]], float]] = {
    # With the longest time for all of it, where the leader is the victim.
    "kill -9": (EtcdMember.kill, revive, 2.5),
    "SIGTERM": (EtcdMember.terminate, revive, 0.3),
    "SIGSTOP": (EtcdMember.stop, wake, 2.5),
}


@pytest.mark.parametrize("rounds", ROUNDS)
@pytest.mark.parametrize("fault", FAULTS)
async def test_members_that_fail(
    cluster: EtcdCluster, fault: str, rounds: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each in turn, and so the leader: reads never fail, both go on in time, and every write's verdict is true."""
    hurt, heal, bound = FAULTS[fault]
    took: dict[str, list[float]] = {}
    await cluster.await_ready()
    async with AsyncExitStack() as clients:
        communicators = []
        for number in range(2):
            endpoints = cluster.endpoints[number:] + cluster.endpoints[:number]
            client = EtcdClient(
                endpoints, namespace=f"{number}", ping_interval=PING_INTERVAL, ping_timeout=PING_TIMEOUT
            )
            communicators.append(await clients.enter_async_context(client.connect()))
            await communicators[-1].delete_prefix("load/")
        async with AsyncExitStack() as loads:
            called = [await loads.enter_async_context(load(communicator)) for communicator in communicators]
            for victim in cluster.members * rounds:
                leads = victim is await cluster.aleader()
                near = [live(communicator).endpoint in victim.endpoint for communicator in communicators]
                moment = leader = time()
                hurt(victim)
                with trio.fail_after(20):
                    while leads and (leader := elected(cluster, moment)) == inf:
                        await trio.sleep(0.02)
                    for each in called:
                        await each.wait_for(leader)
                late = 3 * max(each.late for each in called)
                for each, is_near in zip(called, near, strict=True):
                    known = max(leader, moment + SILENT) if is_near and fault == "SIGSTOP" else leader
                    for kind, calls in (("read", each.reads), ("write", each.writes)):
                        went_on = leader + each.first_after(calls, leader)
                        took.setdefault(f"{kind}, leader" if leads else kind, []).append(went_on - moment)
                        assert went_on - known <= GOES_ON + late
                        assert went_on - moment <= bound + late or not leads
                await heal(victim)
                await cluster.await_ready()
        late = 3 * max(each.late for each in called)
        longest = 0.0
        for communicator, each in zip(communicators, called, strict=True):
            assert each.failed(each.reads) == []
            longest = max([longest, *(call.took for call in each.writes)])
            for call in each.writes:
                assert call.error is None or isinstance(call.error, OutcomeUnknownError)
            await each.check(communicator)
        assert longest <= RESOLVED + late
    unknown = [len(each.failed(each.writes)) for each in called]
    with capsys.disabled():
        print(f"\n{fault}, etcd {cluster.version}: goes on after (median, longest)", end="")
        for kind, times in sorted(took.items()):
            print(
                f"; {kind}: {sorted(times)[len(times) // 2]:.3f}, {max(times):.3f} s (N={len(times)})", end=""
            )
        count = sum(len(each.writes) for each in called)
        print(f"; {count} writes, {sum(unknown)} of unknown outcome, the longest {longest:.2f} s")


@pytest.mark.parametrize("rounds", [1, pytest.param(20, marks=pytest.mark.long)])
async def test_a_rolling_restart(
    cluster: EtcdCluster, rounds: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """No answer is lost, and no event: each member says goodbye, and answers what it has.

    Some older ones end without a goodbye: then nobody knows of the writes that were on their way to them.
    """
    goodbyes = version_of(cluster.version) >= WANTED
    await cluster.await_ready()
    events: Counter[str] = Counter()
    async with EtcdClient(cluster.endpoints).connect() as communicator:
        await communicator.delete_prefix("load/")
        async with communicator.watch_prefix("load/") as watch, trio.open_nursery() as nursery:

            async def read() -> None:
                async for event in watch:
                    events[event.key] += 1

            nursery.start_soon(read)
            async with load(communicator) as called:
                for member in cluster.members * rounds:
                    await member.arestart()
                    await cluster.await_ready()
                    await trio.sleep(0.1)
            assert called.failed(called.reads) == []
            assert called.failed(called.writes) == [] or not goodbyes
            await called.check(communicator)
            written = await communicator.keys_prefix("load/")
            with trio.fail_after(5):
                while events.total() < len(written):
                    await trio.sleep(0.01)
            assert events == Counter(written)
            nursery.cancel_scope.cancel("the test is over")
    slowest = max(call.took for call in [*called.reads, *called.writes])
    with capsys.disabled():
        print(
            f"\n{3 * rounds} restarts, etcd {cluster.version}: {len(called.reads)} reads and {len(called.writes)} "
            f"writes, {len(called.failed(called.writes))} without an answer, the slowest after {slowest:.3f} s"
        )
