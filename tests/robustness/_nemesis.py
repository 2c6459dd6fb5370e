"""What goes wrong in a run: members die, end or stand still, connections break, the cluster works on itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial
from random import Random
from typing import Literal

import trio

from etcetra_trio import EtcdError
from etcetra_trio.testing import EtcdMember, FaultProxy

from ._history import History, Resumed
from ._lab import SIZE, Lab
from ._works import Works

RECOVERY = 90.0  # seconds that everything has to come back
#: For how long a leader that goes on is asked whether it ended leases, in seconds: what its successor does not answer
#: within seven it gives up.
WITNESS = 8.0

Fault = Callable[[], Awaitable[object]]
DIRECTIONS: tuple[Literal["client", "server"], ...] = ("client", "server")


class Nemesis:
    """Does one thing after the other, and heals it."""

    def __init__(self, lab: Lab, rng: Random, works: Works, history: History) -> None:
        self.faults: Counter[str] = Counter()
        self._lab = lab
        self._rng = rng
        self._history = history
        self._witnesses: trio.Nursery | None = None
        self._works = works
        #: By name.
        self.kinds: dict[str, Fault] = {
            "kill": self._kill,
            "kill the leader": self._kill_leader,
            "term": self._term,
            "stop": self._stop,
            "stop the leader": self._stop_leader,
            "stutter": self._stutter,
            "refuse": self._refuse,
            "late answers": self._late_answers,
            "move-leader": works.move_leader,
            "compaction": works.compact,
            "defragmentation": works.defragment,
        }
        for where, proxies in (("", lab.proxies), (" between members", lab.peers)):
            if not proxies:
                continue
            self.kinds |= {
                f"cut{where}": partial(self._cut, proxies),
                f"cut after some octets{where}": partial(self._cut_after, proxies),
                f"one-way cut{where}": partial(self._one_way, proxies),
                f"half-close{where}": partial(self._half_close, proxies),
                f"black hole{where}": partial(self._black_hole, proxies),
                f"delay{where}": partial(self._delay, proxies),
                f"throttle{where}": partial(self._throttle, proxies),
            }
        if lab.user is not None:
            self.kinds["tokens end"] = works.end_tokens
        if lab.namespaces is not None:
            self.kinds |= {
                "member's cable pulled": partial(self._network, lab.namespaces.isolate),
                "member not heard": partial(self._network, lab.namespaces.silence),
                "member's line narrow": partial(self._network, lab.namespaces.narrow),
            }
        #: What takes long: only every other time.
        self.rare: dict[str, Fault] = {"quota": works.exhaust, "member replaced": self._replace}

    async def run(
        self,
        pause: tuple[float, float] = (0.2, 0.8),
        kinds: Sequence[str] = (),
        without: Collection[str] = (),
    ) -> None:
        """Faults until cancelled, each kind before any comes twice.

        ``kinds``: those to choose from, all by default; ``without``: and not these.
        """
        every = self.kinds | self.rare
        rounds = 0
        async with trio.open_nursery() as self._witnesses:
            while True:
                names = [
                    name
                    for name in kinds or (every if rounds % 2 == 0 else self.kinds)
                    if name not in without
                ]
                self._rng.shuffle(names)
                for name in names:
                    await trio.sleep(self._rng.uniform(*pause))
                    begin = trio.current_time()
                    # A fault that has begun is healed in any case.
                    with trio.CancelScope(shield=True), trio.fail_after(RECOVERY):
                        try:
                            await every[name]()
                        except (
                            EtcdError
                        ) as error:  # of one that is work on the cluster, so soon after another
                            self._history.notes.append(f"{begin:.3f}: {name}: {error!r}")
                    self.faults[name] += 1
                    self._history.faults.append((name, begin, trio.current_time()))
                rounds += 1

    def _some(self, low: float, high: float) -> float:
        return self._rng.uniform(low, high)

    def _member(self) -> EtcdMember:
        return self._rng.choice(self._lab.cluster.members)

    # Members

    async def _kill(self) -> None:
        await self._end(self._member(), EtcdMember.kill)

    async def _kill_leader(self) -> None:
        await self._end(await self._lab.cluster.aleader(), EtcdMember.kill)

    async def _term(self) -> None:
        await self._end(self._member(), EtcdMember.terminate)

    async def _end(self, member: EtcdMember, end: Callable[[EtcdMember], None]) -> None:
        end(member)
        await trio.sleep(self._some(0.1, 2.0))
        await member.arestart()

    async def _stop(self) -> None:
        await self._pause(self._member())

    async def _stop_leader(self) -> None:
        await self._pause(await self._lab.cluster.aleader())

    async def _pause(self, member: EtcdMember) -> None:
        leads = member is await self._lab.cluster.aleader()
        before, _ = await self._lab.revoked(member) if leads else (-1, False)
        member.stop()
        await trio.sleep(self._some(0.2, 4.0))
        if before >= 0 and self._witnesses is not None:
            resumed = Resumed(trio.current_time(), trio.current_time(), 0)
            self._history.resumed.append(resumed)
            self._witnesses.start_soon(self._witness, member, before, resumed)
        member.cont()

    async def _witness(self, member: EtcdMember, before: int, resumed: Resumed) -> None:
        """Ask who led how many leases it ends now that it does not lead any more, by its own count."""
        with trio.move_on_after(WITNESS, shield=True):
            while True:
                count, leads = await self._lab.revoked(member)
                if leads:
                    before = count - resumed.revoked
                elif count - before > resumed.revoked:
                    resumed.revoked, resumed.until = count - before, trio.current_time()
                await trio.sleep(0.1)

    async def _stutter(self) -> None:
        """It stands still again and again, so that it lags behind when it is asked."""
        member = self._member()
        for _ in range(6):
            member.stop()
            await trio.sleep(self._some(0.05, 0.3))
            member.cont()
            await trio.sleep(self._some(0.02, 0.2))

    async def _replace(self) -> None:
        await self._lab.replace(self._rng.randrange(SIZE))

    # Connections, of clients or between members

    async def _cut(self, proxies: Sequence[FaultProxy]) -> None:
        for _ in range(3):
            for proxy in proxies:
                proxy.cut()
            await trio.sleep(self._some(0.02, 0.3))

    async def _cut_after(self, proxies: Sequence[FaultProxy]) -> None:
        proxy = self._rng.choice(proxies)
        proxy.cut_after(self._rng.randrange(20_000), self._rng.choice(DIRECTIONS))
        await trio.sleep(self._some(0.1, 0.5))
        proxy.heal()

    async def _one_way(self, proxies: Sequence[FaultProxy]) -> None:
        proxy = self._rng.choice(proxies)
        proxy.black_hole(self._rng.choice(DIRECTIONS))
        await self._heal(proxy, 0.5, 4.0)

    async def _half_close(self, proxies: Sequence[FaultProxy]) -> None:
        self._rng.choice(proxies).half_close(self._rng.choice(DIRECTIONS))
        await trio.sleep(0.5)

    async def _black_hole(self, proxies: Sequence[FaultProxy]) -> None:
        # Between members never all: then nothing would be left to choose.
        chosen = (
            proxies
            if proxies is not self._lab.peers and self._rng.random() < 0.5
            else [self._rng.choice(proxies)]
        )
        for proxy in chosen:
            proxy.black_hole()
        await self._heal(chosen[0], 0.5, 4.0)
        for proxy in chosen:
            proxy.heal()

    async def _delay(self, proxies: Sequence[FaultProxy]) -> None:
        proxy = self._rng.choice(proxies)
        proxy.delay(self._some(0.005, 0.1), 0.05)
        await self._heal(proxy, 0.5, 2.0)

    async def _throttle(self, proxies: Sequence[FaultProxy]) -> None:
        proxy = self._rng.choice(proxies)
        proxy.throttle(self._some(2_000, 100_000))
        await self._heal(proxy, 0.5, 2.0)

    async def _refuse(self) -> None:
        proxy = self._rng.choice(self._lab.proxies)
        proxy.refuse()
        proxy.cut()
        await self._heal(proxy, 0.2, 2.0)

    async def _late_answers(self) -> None:
        """Answers come late, and then nothing does: whoever counts from an answer's arrival counts too long."""
        proxies = self._lab.proxies
        for proxy in proxies:
            proxy.black_hole("server")
        await trio.sleep(self._rng.choice((0.6, 1.2, 1.6)))
        for proxy in proxies:
            proxy.heal()
        await trio.sleep(0.05)
        for proxy in proxies:
            proxy.black_hole()
        await trio.sleep(5.0)
        for proxy in proxies:
            proxy.heal()

    async def _heal(self, proxy: FaultProxy, low: float, high: float) -> None:
        await trio.sleep(self._some(low, high))
        proxy.heal()
        if self._rng.random() < 0.3:
            proxy.cut()

    async def _network(self, harm: Callable[[int], None]) -> None:
        """Something happens to the network of a member."""
        assert self._lab.namespaces is not None
        number = self._rng.randrange(SIZE)
        harm(number)
        await trio.sleep(self._some(0.5, 4.0))
        self._lab.namespaces.heal(number)

    async def heal(self) -> None:
        """Everything works again."""
        for proxy in (*self._lab.proxies, *self._lab.peers):
            proxy.heal()
        for member in self._lab.cluster.members:
            member.cont()
        with trio.fail_after(RECOVERY):
            await self._lab.cluster.await_ready()
