"""What a cluster's operators do while clients work, and what they must do when it is full."""

from __future__ import annotations

import json
import sys
from random import Random

import trio

from etcetra_trio import AlarmAction, CompactedError, EtcdCommunicator, EtcdError
from etcetra_trio.testing import EtcdMember

from . import _oracle
from . import _recorder as do
from ._history import Event, Revision
from ._lab import Lab
from ._recorder import Recorder

LARGE = 1_400_000  # octets of a value that fills the store
FULL = 2.0  # seconds that it stays full


class Works:
    """Works on the cluster itself."""

    def __init__(self, lab: Lab, recorder: Recorder, rng: Random) -> None:
        self._lab = lab
        self._recorder = recorder
        self._rng = rng

    async def move_leader(self) -> None:
        """Another one is to lead."""
        cluster = self._lab.cluster
        leader = await cluster.aleader()
        others = [member for member in cluster.members if member is not leader]
        target = await self._lab.member_id(self._rng.choice(others))
        if target is not None:
            await self._lab.etcdctl(leader, "move-leader", f"{target:x}")

    async def defragment(self) -> None:
        """A member stands still meanwhile."""
        await self._lab.etcdctl(self._rng.choice(self._lab.cluster.members), "defrag")

    async def end_tokens(self) -> None:
        """Any change of the users makes all tokens old."""
        async with self._lab.connected() as communicator:
            role = f"role {self._recorder.value('nemesis')}"
            await communicator.auth.role_add(role)
            await trio.sleep(self._rng.uniform(0.1, 0.5))
            await communicator.auth.role_delete(role)

    async def compact(self) -> None:
        """Read the log up to somewhere, and have the store forget what is before."""
        async with self._lab.connected() as communicator:
            await self._compact(communicator, self._rng.choice((0, 10, 1000)))

    async def _compact(self, communicator: EtcdCommunicator[str], spared: int) -> None:
        history = self._recorder.history
        target = (await communicator.range("nothing")).revision - spared
        first = len(history.log) + 2
        if target < first:
            return
        log, _ = await read_log(self._lab, self._rng.choice(self._lab.cluster.members), first, target)
        history.log += log
        history.compactions.append(target)
        while True:
            try:
                await communicator.compact(target)
                return
            except CompactedError:  # a try that failed was carried out
                return
            except EtcdError:
                await trio.sleep(0.2)

    async def exhaust(self) -> None:
        """Write until the store is full, leave it so for a while, and make room again."""
        async with self._lab.connected() as communicator:
            full = self._recorder.counts["error NoSpaceError"]
            while self._recorder.counts["error NoSpaceError"] == full:
                await do.put(self._recorder, "filler", communicator, "fill/0", padding=LARGE)
            await trio.sleep(self._rng.uniform(0, FULL))
            while True:
                try:
                    await self._make_room(communicator)
                    return
                except EtcdError:
                    await trio.sleep(0.2)

    async def _make_room(self, communicator: EtcdCommunicator[str]) -> None:
        await self._compact(communicator, 0)
        for member in self._lab.cluster.members:
            await self._lab.etcdctl(member, "defrag")
        while alarms := await communicator.maintenance.alarm():
            for alarm in alarms:
                await communicator.maintenance.alarm(
                    AlarmAction.DEACTIVATE, member_id=alarm.member_id, type=alarm.type
                )


async def read_logs(lab: Lab, first: int, last: int) -> list[tuple[list[Revision], int]]:
    """The same through each member, side by side."""
    logs: dict[str, tuple[list[Revision], int]] = {}

    async def read(member: EtcdMember) -> None:
        logs[member.name] = await read_log(lab, member, first, last)

    async with trio.open_nursery() as nursery:
        for member in lab.cluster.members:
            nursery.start_soon(read, member)
    return [logs[member.name] for member in lab.cluster.members]


async def read_log(lab: Lab, member: EtcdMember, first: int, last: int) -> tuple[list[Revision], int]:
    """What a member says happened, and the hash of what it holds."""
    user = [] if lab.user is None else [lab.user.username, str(lab.user.password)]
    return await ask(member.endpoint, first, last, *user)


async def ask(endpoint: str, first: int, last: int, *user: str) -> tuple[list[Revision], int]:
    """Have the oracle read."""
    done = await trio.run_process(
        [sys.executable, "-m", _oracle.__name__, endpoint, str(first), str(last), *user],
        capture_stdout=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    *lines, end = done.stdout.splitlines()
    entries = (json.loads(line) for line in lines)
    log = [(revision, [Event(*event) for event in events]) for revision, events in entries]
    return log, json.loads(end)["hash"]
