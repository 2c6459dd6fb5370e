"""Clients with a bug, made from ours while a test runs: each must be caught."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trio
from pytest import MonkeyPatch  # noqa: PT013 - the type and the tool

from etcetra_trio import Compare, CompareKey, _watch
from etcetra_trio._held import Held
from etcetra_trio._proto._methods import RANGE, Method
from etcetra_trio._tenure import Tenure
from etcetra_trio.streams import _endpoints, _kept_lease, _retry
from etcetra_trio.streams._kept_lease import KeptLease
from etcetra_trio.streams._watcher import Watcher

from ._checker import summary
from ._run import Report, run
from ._scenes import Scene, catch_up, late_answer

SERIALIZABLE = b"\x38\x01"  # field 7 of a RangeRequest


@dataclass(frozen=True, slots=True)
class Mutant:
    """A bug: how it gets in, the faults that let it show, and the rules that one of must notice it."""

    change: Callable[[MonkeyPatch], None]
    rules: frozenset[str]
    kinds: tuple[str, ...] = ()
    seconds: float = 5.0
    #: Where a scene shows it, and not a run.
    scene: Scene | None = None

    @contextmanager
    def at_work(self) -> Generator[None]:
        """The client has the bug for the length of the block."""
        with MonkeyPatch.context() as patch:
            self.change(patch)
            yield

    async def hunted(self, seed: int, etcd: Path | None) -> Report:
        """A run or a scene with it."""
        with self.at_work():
            if self.scene is not None:
                return await self.scene(seed, etcd)
            return await run(seed, self.seconds, etcd, kinds=self.kinds, pause=(0.1, 0.3), late=1.0)


def resend(patch: MonkeyPatch) -> None:
    """Writes are repeated whatever became of them."""
    original = _retry.next_try
    patch.setattr(_endpoints, "next_try", lambda error, *, write: original(error, write=False))


def stale_reads(patch: MonkeyPatch) -> None:
    """Every read takes what the next member has."""
    original = _endpoints.Endpoints.call

    async def call(
        self: _endpoints.Endpoints, method: Method, message: bytes, *rest: Any, **more: Any
    ) -> Any:
        if method is RANGE:
            message += SERIALIZABLE
        return await original(self, method, message, *rest, **more)

    patch.setattr(_endpoints.Endpoints, "call", call)


def resumes(shift: int) -> Callable[[MonkeyPatch], None]:
    """A watch goes on so many revisions beside where it should."""

    def change(patch: MonkeyPatch) -> None:
        original = Watcher.on_interruption

        def on_interruption(self: Watcher, now: float) -> None:
            if self.created and self.down_since is None:
                self.next_revision += shift
            original(self, now)

        patch.setattr(Watcher, "on_interruption", on_interruption)

    return change


def early_bookmarks(patch: MonkeyPatch) -> None:
    """What any server says of its progress is believed, and taken for more than it is."""
    original = Watcher.on_progress

    def on_progress(self: Watcher, revision: int, *, trusted: bool) -> None:
        original(self, revision, trusted=True)
        self.known_revision = revision + 10

    async def check_progress(_: object) -> bool:
        await trio.lowlevel.checkpoint()
        return True

    patch.setattr(Watcher, "on_progress", on_progress)
    patch.setattr(_watch, "check_progress", check_progress)


def fragments_are_whole(patch: MonkeyPatch) -> None:
    """A part of a response is taken for all of it."""
    original = Watcher.on_events

    def on_events(self: Watcher, events: list[Any], size: int, *, more_fragments: bool) -> None:
        original(self, events, size, more_fragments=False)

    patch.setattr(Watcher, "on_events", on_events)


def deadline_from_receipt(patch: MonkeyPatch) -> None:
    """A lease's time is counted from when the answer came."""
    original = KeptLease.renewed
    patch.setattr(
        KeptLease, "renewed", lambda self, _sent, ttl: original(self, _kept_lease.lease_time(), ttl)
    )


def no_fence(patch: MonkeyPatch) -> None:
    """What a lock writes is written whether or not it is held."""

    def is_owner(self: Held[str]) -> Compare:
        return CompareKey(self.key).create < 1 << 62

    patch.setattr(Held, "is_owner", is_owner)
    patch.setattr(Tenure, "check", lambda _: None)


@dataclass(slots=True)
class Hunted:
    """What became of a mutant: with how many seeds it was caught, and by what."""

    seeds: int
    caught: int = 0
    longest: float = 0.0
    rules: Counter[str] = field(default_factory=Counter[str])

    @property
    def always(self) -> bool:
        return self.caught == self.seeds

    def __str__(self) -> str:
        broken = ", ".join(f"{count} {rule}" for rule, count in sorted(self.rules.items())) or "nothing"
        verdict = "caught" if self.always else "NOT always caught, only"
        return f"{verdict} with {self.caught} of {self.seeds} seeds, within {self.longest:.0f} s: {broken}"


async def hunt(
    seeds: int, etcd: Path | None, progress: Callable[[str], None], verdicts: dict[str, Hunted]
) -> None:
    """Find out what becomes of each mutant, with so many seeds; ``verdicts`` takes it, one by one."""
    for name, mutant in MUTANTS.items():
        hunted = Hunted(seeds)
        for seed in range(1, seeds + 1):
            started = trio.current_time()
            found = Counter(summary((await mutant.hunted(seed, etcd)).violations))
            hunted.longest = max(hunted.longest, trio.current_time() - started)
            hunted.caught += bool(mutant.rules & found.keys())
            hunted.rules += found
        verdicts[name] = hunted
        progress(f"{name}: {hunted}")


CUTS = ("cut", "cut after some octets")
MUTANTS: dict[str, Mutant] = {
    "resend": Mutant(resend, frozenset({"twice", "lie", "answer", "deletion"}), CUTS),
    "stale read": Mutant(stale_reads, frozenset({"real time"}), ("stutter",), 8.0),
    "watch resumes one too early": Mutant(resumes(-1), frozenset({"watch"}), CUTS),
    "watch resumes one too late": Mutant(resumes(1), frozenset({"watch"}), CUTS),
    "early bookmark": Mutant(early_bookmarks, frozenset({"bookmark"}), ("delay",)),
    "fragment as whole": Mutant(fragments_are_whole, frozenset({"watch"}), scene=catch_up),
    "lease deadline from receipt": Mutant(deadline_from_receipt, frozenset({"deletion"}), scene=late_answer),
    "lock without fence": Mutant(no_fence, frozenset({"guard"}), ("delay",)),
}
