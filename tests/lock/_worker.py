"""A process whose tasks take turns in a lock: ``python -m lock._worker JSON``; prints what it did, as JSON.

All of them add to one counter by reading and writing it. Times are CLOCK_MONOTONIC, which all processes share.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass, field

import trio

from etcetra_trio import EtcdClient, EtcdCommunicator, EtcdError, Lock, OutcomeUnknownError


@dataclass(frozen=True, slots=True)
class Order:
    """What to do."""

    endpoints: list[str]
    tasks: int
    turns: int
    #: Write by the lock, so that nobody writes who does not hold it.
    fenced: bool
    #: Servers may fail: then go on until this many seconds are over.
    seconds: float = 0.0
    lease_ttl: int = 10


@dataclass(slots=True)
class Report:
    """What was done."""

    #: How often the counter was increased, and perhaps.
    done: int = 0
    unknown: int = 0
    lost: int = 0
    failed: int = 0
    #: When each body began and ended (or could not be sure of its lease any more), and its fence.
    bodies: list[tuple[float, float, int]] = field(default_factory=list[tuple[float, float, int]])


async def turn(order: Order, communicator: EtcdCommunicator[str], report: Report) -> None:
    async with communicator.lock("turns", lease_ttl=order.lease_ttl) as lock:
        begin = time.monotonic()
        try:
            await increase(communicator, lock, report, fenced=order.fenced)
        finally:
            now = time.monotonic()
            proved = now + lock.lease.deadline - trio.current_time()
            report.bodies.append((begin, min(now, proved), lock.fence))


async def increase(
    communicator: EtcdCommunicator[str], lock: Lock[str], report: Report, *, fenced: bool
) -> None:
    value = int(await communicator.get("counter") or 0)
    unsure = True
    try:
        if fenced:
            await lock.put("counter", str(value + 1))
        else:
            await communicator.put("counter", str(value + 1))
        unsure = False
    except EtcdError as error:
        unsure = isinstance(error, OutcomeUnknownError)
        raise
    else:
        report.done += 1
    finally:
        report.unknown += unsure


async def work(order: Order) -> Report:
    report = Report()
    until = trio.current_time() + order.seconds

    async def one(communicator: EtcdCommunicator[str]) -> None:
        turns = 0
        while turns < order.turns if not order.seconds else trio.current_time() < until:
            try:
                await turn(order, communicator, report)
                turns += 1
            except EtcdError:
                if not order.seconds:
                    raise
                report.failed += 1
                await trio.sleep(0.05)

    async with EtcdClient(order.endpoints).connect() as communicator, trio.open_nursery() as nursery:
        for _ in range(order.tasks):
            nursery.start_soon(one, communicator)
    return report


if __name__ == "__main__":
    print(json.dumps(asdict(trio.run(work, Order(**json.loads(sys.argv[1]))))))
