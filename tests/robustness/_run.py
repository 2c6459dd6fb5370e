"""One run: a cluster, clients, faults, and then the verdict by the log of the members themselves."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import trio

from etcetra_trio import EtcdClient, EtcdCommunicator, EtcdError
from etcetra_trio.streams._endpoints import EngineName
from etcetra_trio.testing import EtcdCluster, FaultProxy

from . import _oracle
from ._checker import check, summary
from ._history import Event, History, Revision, save
from ._nemesis import Nemesis
from ._recorder import Recorder, put
from ._timeline import timeline
from ._traffic import LAST, LOCKS, WATCHED, Traffic
from ._verdict import Violation

CLIENTS = 8
TASKS = 3  # of each client that carry out operations
LATE = 8.0  # seconds after which no write of unknown outcome can still come: the server gives up after 7
END_TIMEOUT = 60.0  # seconds until all watches have all
#: What the old servers that pip and Debian have cannot bear, by their own fault: a kill may let 3.5.0 to 3.5.2 diverge,
#: and before 3.5.13 watches may lose events (etcd's issues 13766 and 17529).
TOO_MUCH_BEFORE_3_5_13 = frozenset({"kill", "kill the leader", "compaction"})


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
    check_seconds: float
    notes: list[str] = field(default_factory=list)

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
    progress: Callable[[str], None] = lambda _: None,
) -> Report:
    """Load and faults for so many seconds, then the verdict.

    ``kinds``: the faults, all by default. ``late``: how long to wait for writes of unknown outcome.
    """
    rng = Random(seed)
    recorder = Recorder(Random(rng.random()))
    history = recorder.history
    history.foreign = [f"{name}/" for name in LOCKS]
    async with (
        EtcdCluster(3, etcd) as cluster,
        FaultProxy(cluster.endpoints[0]) as first,
        FaultProxy(cluster.endpoints[1]) as second,
        FaultProxy(cluster.endpoints[2]) as third,
        AsyncExitStack() as stack,
    ):
        proxies = [first, second, third]
        version = tuple(int(part) for part in cluster.version.split("-")[0].split("."))

        async def compact() -> None:
            await _compact(cluster, history, rng)

        nemesis = Nemesis(
            cluster, proxies, Random(rng.random()), compact, history.notes.append, history.resumed.append
        )
        if version < (3, 5, 13):
            kinds = [kind for kind in kinds or nemesis.kinds if kind not in TOO_MUCH_BEFORE_3_5_13]
        traffics: list[Traffic] = []
        for number in range(CLIENTS):
            endpoints = _endpoints(number, proxies, cluster)
            engine: EngineName = "h2" if number % 4 == 3 else "lean"
            client = EtcdClient(endpoints, http2=engine)
            communicator: EtcdCommunicator[str] = await stack.enter_async_context(client.connect())
            traffics.append(Traffic(recorder, f"client{number}", communicator, Random(rng.random())))
        started = trio.current_time()
        async with trio.open_nursery() as watching:
            _start_watches(watching, traffics)
            async with trio.open_nursery() as working:
                _start_work(working, traffics)
                with trio.move_on_after(seconds):
                    await nemesis.run(pause, kinds)
                loaded = trio.current_time() - started
                await nemesis.heal()
                for traffic in traffics:
                    traffic.done = True
            progress(
                f"{loaded:.0f} s of load, {sum(nemesis.faults.values())} faults; waiting for late writes"
            )
            await trio.sleep(late)
            last = await _finish(recorder, cluster)
            watching.cancel_scope.deadline = trio.current_time() + END_TIMEOUT
        logs = await read_logs(cluster.endpoints, len(history.log) + 2, last)
        cluster_version = cluster.version
    history.log += logs[0][0]
    before = time.perf_counter()
    violations = check(history)
    spent = time.perf_counter() - before
    if any(log != logs[0] for log in logs):
        violations.append(Violation("members", "the members do not hold the same"))
    violations += [Violation("no verdict", error) for error in recorder.silent]
    return Report(
        seed,
        cluster_version,
        loaded,
        nemesis.faults,
        recorder.counts,
        history,
        violations,
        spent,
        history.notes,
    )


def _endpoints(number: int, proxies: list[FaultProxy], cluster: EtcdCluster) -> list[str]:
    """Some clients know all members and some one, through proxies or not."""
    match number % 4:
        case 0:
            return [proxy.endpoint for proxy in proxies]
        case 1:
            return cluster.endpoints
        case 2:
            return [proxies[number // 4].endpoint]
    return [cluster.endpoints[number % 3], proxies[number % 2].endpoint]


def _start_watches(nursery: trio.Nursery, traffics: list[Traffic]) -> None:
    for number, prefix in enumerate(WATCHED):
        nursery.start_soon(traffics[number].watch, prefix, 2)
        nursery.start_soon(lambda t=traffics[number + 4], p=prefix: t.watch(p, 0, bookmarks=True))  # type: ignore[misc]
    nursery.start_soon(lambda: traffics[0].watch("k/", 2, closes=True))
    nursery.start_soon(lambda: traffics[2].watch("m/", 2, bookmarks=True))


def _start_work(nursery: trio.Nursery, traffics: list[Traffic]) -> None:
    for traffic in traffics:
        for number in range(TASKS):
            nursery.start_soon(traffic.operations, number)
        nursery.start_soon(traffic.leases)
        nursery.start_soon(traffic.locks)
    nursery.start_soon(traffics[1].thief)


async def _finish(recorder: Recorder, cluster: EtcdCluster) -> int:
    """Write the last key of each watched prefix; the last revision."""
    async with EtcdClient(cluster.endpoints).connect() as communicator:
        revision = 0
        for prefix in WATCHED:
            while (result := await put(recorder, "end", communicator, prefix + LAST)) is None:
                await trio.sleep(0.2)
            revision = result.revision
    return revision


async def _compact(cluster: EtcdCluster, history: History, rng: Random) -> None:
    """Read the log up to somewhere, and have the store forget what is before."""
    try:
        with trio.fail_after(30):
            async with EtcdClient(cluster.endpoints).connect() as communicator:
                revision = (await communicator.range("nothing")).revision
                target = revision - rng.choice((0, 10, 1000))
                first = len(history.log) + 2
                if target < first:
                    return
                endpoint = rng.choice(cluster.endpoints)
                log, _ = await read_log(endpoint, first, target)
                history.log += log
                history.compactions.append(target)
                await communicator.compact(target)
    except (EtcdError, trio.TooSlowError) as error:
        history.notes.append(f"compaction: {error!r}")


async def read_logs(endpoints: list[str], first: int, last: int) -> list[tuple[list[Revision], int]]:
    """The same through each member, side by side."""
    logs: dict[str, tuple[list[Revision], int]] = {}

    async def read(endpoint: str) -> None:
        logs[endpoint] = await read_log(endpoint, first, last)

    async with trio.open_nursery() as nursery:
        for endpoint in endpoints:
            nursery.start_soon(read, endpoint)
    return [logs[endpoint] for endpoint in endpoints]


async def read_log(endpoint: str, first: int, last: int) -> tuple[list[Revision], int]:
    """What a member says happened, and the hash of what it holds."""
    done = await trio.run_process(
        [sys.executable, "-m", _oracle.__name__, endpoint, str(first), str(last)],
        capture_stdout=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    *lines, end = done.stdout.splitlines()
    entries = (json.loads(line) for line in lines)
    return [(revision, [Event(*event) for event in events]) for revision, events in entries], json.loads(end)[
        "hash"
    ]
