"""What goes wrong in a run: members die, end or stand still, connections break, the cluster works on itself."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from random import Random

import trio

from etcetra_trio.testing import EtcdCluster, EtcdMember, FaultProxy, find_etcdctl

RECOVERY = 60.0  # seconds that a member has to come back

Fault = Callable[[], Awaitable[object]]


class Nemesis:
    """Does one thing after the other, and heals it."""

    def __init__(
        self,
        cluster: EtcdCluster,
        proxies: Sequence[FaultProxy],
        rng: Random,
        compact: Callable[[], Awaitable[object]],
        told: Callable[[str], None],
        resumed: Callable[[float], None],
    ) -> None:
        self.faults: Counter[str] = Counter()
        self._cluster = cluster
        self._proxies = proxies
        self._rng = rng
        self._told = told
        self._resumed = resumed
        #: By name.
        self.kinds: dict[str, Fault] = {
            "kill": self._kill,
            "kill the leader": self._kill_leader,
            "term": self._term,
            "stop": self._stop,
            "stop the leader": self._stop_leader,
            "stutter": self._stutter,
            "cut": self._cut,
            "cut after some octets": self._cut_after,
            "one-way cut": self._one_way,
            "half-close": self._half_close,
            "black hole": self._black_hole,
            "delay": self._delay,
            "throttle": self._throttle,
            "refuse": self._refuse,
            "late answers": self._late_answers,
            "move-leader": self._move_leader,
            "compaction": compact,
            "defragmentation": self._defragment,
        }

    async def run(self, pause: tuple[float, float] = (0.2, 0.8), kinds: Sequence[str] = ()) -> None:
        """Faults until cancelled, each kind before any comes twice."""
        while True:
            names = list(kinds or self.kinds)
            self._rng.shuffle(names)
            for name in names:
                await trio.sleep(self._rng.uniform(*pause))
                self._told(f"{trio.current_time():.3f}: {name}")
                # A fault that has begun is healed in any case.
                with trio.CancelScope(shield=True), trio.fail_after(RECOVERY):
                    await self.kinds[name]()
                self.faults[name] += 1

    def _some(self, low: float, high: float) -> float:
        return self._rng.uniform(low, high)

    def _member(self) -> EtcdMember:
        return self._rng.choice(self._cluster.members)

    def _proxy(self) -> FaultProxy:
        return self._rng.choice(self._proxies)

    # Members

    async def _kill(self) -> None:
        await self._end(self._member(), EtcdMember.kill)

    async def _kill_leader(self) -> None:
        await self._end(await self._cluster.aleader(), EtcdMember.kill)

    async def _term(self) -> None:
        await self._end(self._member(), EtcdMember.terminate)

    async def _end(self, member: EtcdMember, end: Callable[[EtcdMember], None]) -> None:
        end(member)
        await trio.sleep(self._some(0.1, 2.0))
        await member.arestart()

    async def _stop(self) -> None:
        await self._pause(self._member())

    async def _stop_leader(self) -> None:
        await self._pause(await self._cluster.aleader())

    async def _pause(self, member: EtcdMember) -> None:
        leads = member is await self._cluster.aleader()
        member.stop()
        await trio.sleep(self._some(0.2, 4.0))
        if leads:
            self._resumed(trio.current_time())
        member.cont()

    async def _stutter(self) -> None:
        """It stands still again and again, so that it lags behind when it is asked."""
        member = self._member()
        for _ in range(6):
            member.stop()
            await trio.sleep(self._some(0.05, 0.3))
            member.cont()
            await trio.sleep(self._some(0.02, 0.2))

    # Connections of clients

    async def _cut(self) -> None:
        for _ in range(3):
            for proxy in self._proxies:
                proxy.cut()
            await trio.sleep(self._some(0.02, 0.3))

    async def _cut_after(self) -> None:
        proxy = self._proxy()
        direction = self._rng.choice(("client", "server"))
        proxy.cut_after(self._rng.randrange(20_000), "client" if direction == "client" else "server")
        await trio.sleep(self._some(0.1, 0.5))
        proxy.heal()

    async def _one_way(self) -> None:
        proxy = self._proxy()
        proxy.black_hole("client" if self._rng.random() < 0.5 else "server")
        await self._heal(proxy, 0.5, 4.0)

    async def _half_close(self) -> None:
        self._proxy().half_close("client" if self._rng.random() < 0.5 else "server")
        await trio.sleep(0.5)

    async def _black_hole(self) -> None:
        proxies = self._proxies if self._rng.random() < 0.5 else [self._proxy()]
        for proxy in proxies:
            proxy.black_hole()
        await self._heal(proxies[0], 0.5, 4.0)
        for proxy in proxies:
            proxy.heal()

    async def _delay(self) -> None:
        proxy = self._proxy()
        proxy.delay(self._some(0.005, 0.1), 0.05)
        await self._heal(proxy, 0.5, 2.0)

    async def _throttle(self) -> None:
        proxy = self._proxy()
        proxy.throttle(self._some(2_000, 100_000))
        await self._heal(proxy, 0.5, 2.0)

    async def _refuse(self) -> None:
        proxy = self._proxy()
        proxy.refuse()
        proxy.cut()
        await self._heal(proxy, 0.2, 2.0)

    async def _late_answers(self) -> None:
        """Answers come late, and then nothing does: whoever counts from an answer's arrival counts too long."""
        for proxy in self._proxies:
            proxy.black_hole("server")
        await trio.sleep(self._rng.choice((0.6, 1.2, 1.6)))
        for proxy in self._proxies:
            proxy.heal()
        await trio.sleep(0.05)
        for proxy in self._proxies:
            proxy.black_hole()
        await trio.sleep(5.0)
        for proxy in self._proxies:
            proxy.heal()

    async def _heal(self, proxy: FaultProxy, low: float, high: float) -> None:
        await trio.sleep(self._some(low, high))
        proxy.heal()
        if self._rng.random() < 0.3:
            proxy.cut()

    # The cluster's own works

    async def _move_leader(self) -> None:
        leader = await self._cluster.aleader()
        others = [member for member in self._cluster.members if member is not leader]
        status = await self._etcdctl(self._rng.choice(others), "endpoint", "status", "--write-out=json")
        if status:
            target = json.loads(status)[0]["Status"]["header"]["member_id"]
            await self._etcdctl(leader, "move-leader", f"{target:x}")

    async def _defragment(self) -> None:
        await self._etcdctl(self._member(), "defrag")

    async def _etcdctl(self, member: EtcdMember, *command: str) -> bytes:
        """Its output, none if it failed."""
        program = str(find_etcdctl(member.binary))
        done = await trio.run_process(
            [program, f"--endpoints={member.endpoint}", *command],
            capture_stdout=True,
            capture_stderr=True,
            check=False,
        )
        return done.stdout if done.returncode == 0 else b""

    async def heal(self) -> None:
        """Everything works again."""
        for proxy in self._proxies:
            proxy.heal()
        for member in self._cluster.members:
            member.cont()
        with trio.fail_after(RECOVERY):
            await self._cluster.await_ready()
