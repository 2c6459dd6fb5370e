"""Reads and writes without a pause, and what became of each, while something is done to the servers."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from time import time

import trio

from etcetra_trio import EtcdCommunicator, EtcdError
from etcetra_trio.testing import EtcdCluster

#: Between two writes that are begun, whether or not those before are answered, in seconds.
EVERY = 0.02
READERS = 3


@dataclass
class Call:
    """One read or write. Times are the system's, as in etcd's log."""

    started: float
    ended: float = 0.0
    key: str = ""
    error: EtcdError | None = None

    @property
    def took(self) -> float:
        return self.ended - self.started


@dataclass
class Load:
    """What was called so far."""

    reads: list[Call] = field(default_factory=list)
    writes: list[Call] = field(default_factory=list)
    #: How late this process was at most when it wanted to wake up, in seconds: the machine is busy.
    late: float = 0.0

    def first_after(self, calls: list[Call], moment: float) -> float:
        """How long after ``moment`` the first call that began later was answered well."""
        return (
            min(
                (
                    call.ended
                    for call in calls
                    if call.started >= moment and call.ended and call.error is None
                ),
                default=float("inf"),
            )
            - moment
        )

    def failed(self, calls: list[Call]) -> list[str]:
        return [f"{call.took:.3f} s: {call.error!r}" for call in calls if call.error is not None]

    async def wait_for(self, moment: float) -> None:
        """Wait until a read and a write that began after ``moment`` were answered well."""
        while max(self.first_after(self.reads, moment), self.first_after(self.writes, moment)) == float(
            "inf"
        ):
            await trio.sleep(0.01)

    async def check(self, communicator: EtcdCommunicator[str]) -> None:
        """Every verdict on a write is true, and none was carried out twice."""
        found = {kv.key: kv.version for kv in (await communicator.range("load/", prefix=True)).kvs}
        for call in self.writes:
            version = found.pop(call.key, 0)
            assert version <= 1, f"{call.key} was written {version} times"
            if call.error is None:
                assert version == 1, f"{call.key} is lost"
            elif call.error.outcome == "not_applied":
                assert version == 0, f"{call.key} was written, but {call.error!r}"
            else:
                assert call.error.outcome == "unknown"
        assert not found


@asynccontextmanager
async def load(communicator: EtcdCommunicator[str]) -> AsyncGenerator[Load]:
    """Load for the time of a block; then what was begun comes to its end."""
    so_far = Load()
    over = trio.Event()

    async def read() -> None:
        while not over.is_set():
            call = Call(time())
            so_far.reads.append(call)
            try:
                await communicator.get("load")
            except EtcdError as error:
                call.error = error
            call.ended = time()
            await trio.sleep(0.002)

    async def write(number: int) -> None:
        call = Call(time(), key=f"load/{number}")
        so_far.writes.append(call)
        try:
            await communicator.put(call.key, "")
        except EtcdError as error:
            call.error = error
        call.ended = time()

    async with trio.open_nursery() as nursery:

        async def begin_writes() -> None:
            number = 0
            while not over.is_set():
                number += 1
                nursery.start_soon(write, number)
                woken = trio.current_time() + EVERY
                await trio.sleep_until(woken)
                so_far.late = max(so_far.late, trio.current_time() - woken)

        for _ in range(READERS):
            nursery.start_soon(read)
        nursery.start_soon(begin_writes)
        yield so_far
        over.set()


def elected(cluster: EtcdCluster, since: float) -> float:
    """When a member first knew of a new leader after ``since``, by the members' logs; infinity if none did."""
    moments = [float("inf")]
    for member in cluster.members:
        with open(member.log_path) as log:
            for line in log:
                if "elected leader" in line:
                    entry = json.loads(line)
                    moments.append(datetime.fromisoformat(entry["ts"]).timestamp())
    return min((moment for moment in moments if moment >= since), default=float("inf"))
