"""One run: a cluster, clients, faults, and then the verdict by the log of the members themselves."""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random

import trio

from etcetra_trio import EtcdCommunicator
from etcetra_trio.streams._endpoints import EngineName
from etcetra_trio.testing import find_etcd
from etcetra_trio.testing._binary import inspect_etcd

from ._checker import judge, summary
from ._history import History, save
from ._lab import Lab, lab
from ._nemesis import Nemesis
from ._recorder import Recorder, put
from ._timeline import timeline
from ._traffic import LAST, LOCKS, WATCHED, Traffic
from ._verdict import Violation
from ._works import Works, read_logs

CLIENTS = 8
TASKS = 3  # of each client that carry out operations of all kinds
READERS = 3  # of each client that only read
LATE = 8.0  # seconds after which no write of unknown outcome can still come: the server gives up after 7
END_TIMEOUT = 60.0  # seconds until all watches have all
#: What the old servers that pip and Debian have cannot bear, by their own fault: a kill may let 3.5.0 to 3.5.2 diverge,
#: and before 3.5.13 watches may lose events (etcd's issues 13766 and 17529).
TOO_MUCH_BEFORE_3_5_13 = frozenset({"kill", "kill the leader", "compaction", "quota", "member replaced"})
FREEZING = (
    5.0  # seconds between two moments at which what is noted is taken out of the garbage collector's sight
)


@dataclass(slots=True)
class Report:
    """What a run came to."""

    seed: int
    version: str
    seconds: float
    faults: Counter[str]
    counts: Counter[str]
    history: History
    violations: list[Violation]
    #: What would be violations, had not a leader ended leases by itself.
    excused: list[Violation]
    check_seconds: float
    setting: str = ""
    #: Whether the load was ended early.
    interrupted: bool = False

    @property
    def operations(self) -> int:
        return sum(
            self.counts[verdict] for verdict in ("ok", "unknown", "not_applied", "read", "failed read")
        )

    @property
    def unknown(self) -> float:
        """The part of the writes of which nobody knows."""
        writes = sum(self.counts[verdict] for verdict in ("ok", "unknown", "not_applied"))
        return self.counts["unknown"] / max(1, writes)

    def explanation(self, most: int = 5) -> str:
        """The first violations, for people."""
        shown = [violation.explain(self.history) for violation in self.violations[:most]]
        counts = ", ".join(f"{count} of {rule}" for rule, count in summary(self.violations).items())
        return f"seed {self.seed}: {counts}\n" + "\n".join(shown)

    def keep(self, folder: Path) -> Path:
        """Write the history, what is wrong with it, and a picture of that; the path of the history."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"seed-{self.seed}.jsonl"
        save(self.history, path)
        path.with_suffix(".txt").write_text(self.explanation(50))
        path.with_suffix(".svg").write_text(timeline(self.history, self.violations))
        return path


async def run(
    seed: int,
    seconds: float,
    etcd: Path | None = None,
    *,
    kinds: Sequence[str] = (),
    pause: tuple[float, float] = (0.2, 0.8),
    late: float = LATE,
    networks: bool = False,
    progress: Callable[[str], None] = lambda _: None,
    load: trio.CancelScope | None = None,
) -> Report:
    """Load and faults for so many seconds, then the verdict.

    ``kinds``: the faults, all by default. ``late``: how long to wait for writes of unknown outcome. ``networks``: each
    member has a network of its own. ``load``: cancelled, it ends the load early, and nothing else.

    With every other seed, clients are users with tokens that end.
    """
    rng = Random(seed)
    recorder = Recorder(Random(rng.random()))
    history = recorder.history
    history.foreign = [f"{name}/" for name in LOCKS]
    version = inspect_etcd(find_etcd(etcd)).version
    old = tuple(int(part) for part in version.split("-")[0].split(".")) < (3, 5, 13)
    async with (
        lab(etcd, users=seed % 2 == 1, networks=networks, quota=not old) as place,
        AsyncExitStack() as stack,
    ):
        works = Works(place, recorder, Random(rng.random()))
        nemesis = Nemesis(place, Random(rng.random()), works, history)
        traffics: list[Traffic] = []
        for number in range(CLIENTS):
            client = place.client(_endpoints(number, place), _engine(number))
            communicator: EtcdCommunicator[str] = await stack.enter_async_context(client.connect())
            traffics.append(Traffic(recorder, f"client{number}", communicator, Random(rng.random())))
        started = trio.current_time()
        async with trio.open_nursery() as watching:
            _start_watches(watching, traffics)
            async with trio.open_nursery() as working:
                _start_work(working, traffics)
                working.start_soon(_freeze, traffics[0])
                load = load or trio.CancelScope()
                load.deadline = trio.current_time() + seconds
                with load:
                    await nemesis.run(pause, kinds, TOO_MUCH_BEFORE_3_5_13 if old else ())
                loaded = trio.current_time() - started
                await nemesis.heal()
                for traffic in traffics:
                    traffic.done = True
            progress(f"{loaded:.0f} s of load, {nemesis.faults.total()} faults; waiting for late writes")
            await trio.sleep(late)
            last = await _finish(recorder, place)
            watching.cancel_scope.deadline = trio.current_time() + END_TIMEOUT
        logs = await read_logs(place, len(history.log) + 2, last)
    history.log += logs[0][0]
    progress("judging")
    before = time.perf_counter()
    violations, excused = judge(history)
    spent = time.perf_counter() - before
    if any(log != logs[0] for log in logs):
        violations.append(Violation("members", "the members do not hold the same"))
    violations += [Violation("no verdict", error) for error in recorder.silent]
    setting = ", ".join(
        (
            "3 members" + (" with networks of their own" * networks),
            "users with tokens" if seed % 2 else "no users",
        )
    )
    return Report(
        seed,
        version,
        loaded,
        nemesis.faults,
        recorder.counts,
        history,
        violations,
        excused,
        spent,
        setting,
        interrupted=loaded < seconds,
    )


def _endpoints(number: int, place: Lab) -> list[str]:
    """Some clients know all members and some one, through proxies or not; half of them speak TLS."""
    if number < CLIENTS // 2:
        proxies, direct = place.plain, place.cluster.endpoints
    else:
        proxies, direct = place.tls, [process.tls_endpoint for process in place.processes]
    match number % 4:
        case 0:
            return [proxy.endpoint for proxy in proxies]
        case 1:
            return direct
        case 2:
            return [proxies[number // 4].endpoint]
    return [direct[number % 3], proxies[number % 2].endpoint]


def _engine(number: int) -> EngineName:
    """One of each half on the package h2."""
    return "h2" if number in {3, 6} else "lean"


async def _freeze(traffic: Traffic) -> None:
    """Keep what is noted from being gone through again and again, for ever longer."""
    try:
        while not traffic.done:
            await trio.sleep(FREEZING)
            gc.freeze()
    finally:
        gc.unfreeze()


def _start_watches(nursery: trio.Nursery, traffics: list[Traffic]) -> None:
    for number, prefix in enumerate(WATCHED):
        nursery.start_soon(traffics[number].watch, prefix, 2)
        nursery.start_soon(lambda t=traffics[number + 4], p=prefix: t.watch(p, 0, bookmarks=True))  # type: ignore[misc]
    nursery.start_soon(lambda: traffics[0].watch("k/", 2, closes=True))
    nursery.start_soon(lambda: traffics[2].watch("m/", 2, bookmarks=True))
    for prefix, numbers in (("k/", (1, 2, 5, 6)), ("m/", (0, 3, 4, 7))):
        for number in numbers:
            nursery.start_soon(traffics[number].watch, prefix, 0)


def _start_work(nursery: trio.Nursery, traffics: list[Traffic]) -> None:
    for traffic in traffics:
        for number in range(TASKS):
            nursery.start_soon(traffic.operations, number)
        for number in range(READERS):
            nursery.start_soon(traffic.reads, TASKS + number)
        nursery.start_soon(traffic.leases)
        nursery.start_soon(traffic.locks)
    nursery.start_soon(traffics[1].thief)


async def _finish(recorder: Recorder, place: Lab) -> int:
    """Write the last key of each watched prefix; the last revision."""
    async with place.connected() as communicator:
        revision = 0
        for prefix in WATCHED:
            while (result := await put(recorder, "end", communicator, prefix + LAST)) is None:
                await trio.sleep(0.2)
            revision = result.revision
    return revision
