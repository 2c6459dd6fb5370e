"""What the tests of leases, locks and elections share: what is left on the server, and ways to lose a lease."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import trio
from client._kit import tasks

from etcetra_trio import EtcdClient, EtcdCommunicator
from etcetra_trio.testing import EtcdMember
from etcetra_trio.testing._cancelled_run import CancelledRun

Text = EtcdCommunicator[str]
#: The shortest TTL that etcd grants, in seconds, with its usual election timeout.
SHORTEST = 2


@asynccontextmanager
async def connected(*endpoints: str, limit: float = 60, namespace: str = "") -> AsyncGenerator[Text]:
    """A client; nothing in it may take longer than ``limit`` seconds."""
    with trio.fail_after(limit):
        async with EtcdClient(endpoints, namespace=namespace).connect() as communicator:
            yield communicator


async def left(server: EtcdMember, prefix: str = "") -> tuple[set[int], set[str]]:
    """The leases and the keys that the server has."""
    async with connected(server.endpoint, limit=20) as communicator:
        return set(await communicator.list_leases()), set(await communicator.keys_prefix(prefix))


@asynccontextmanager
async def nothing_left(server: EtcdMember) -> AsyncGenerator[None]:
    """When the block is left, and not only some time later, there is no lease, no key and no task more than before."""
    leases_before, keys_before = await left(server)
    tasks_before = tasks()
    yield
    tasks_now = tasks()
    leases, keys = await left(server)
    assert (leases - leases_before, keys - keys_before, tasks_now - tasks_before) == (set(), set(), set())


async def broken_at(
    step: int, function: Callable[[], Awaitable[object]], break_: Callable[[], object], *, parked: bool
) -> float | None:
    """As ``cancelled_at``, and breaks something in the same moment.

    Returns how long it took from then until ``function`` had returned; None if it ended before that.
    """
    broken: list[float] = []

    def on_cancel() -> None:
        broken.append(trio.current_time())
        break_()

    run = CancelledRun(function, step if parked else step - 1, asleep=parked, on_cancel=on_cancel)
    await run.run()
    assert not run.hung, run.hung
    if run.error is not None:
        raise run.error
    return trio.current_time() - broken[0] if broken else None
