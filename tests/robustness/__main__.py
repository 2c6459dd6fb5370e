"""Clients under faults, judged by the store's own log: see docs/reliability.md."""

from __future__ import annotations

import argparse
import secrets
import signal
import sys
from pathlib import Path

import trio

from ._checker import judge
from ._history import History
from ._mutants import Hunted, hunt
from ._options import options
from ._report import table
from ._run import Report, run
from ._timeline import timeline

PAUSE = (0.5, 3.5)  # seconds between two faults
KEPT = Path("robustness-failures")
INTERRUPTED = 128 + signal.SIGINT  # the exit code, as shells have it


def judge_again(path: Path, history: History) -> int:
    """Check a history again."""
    violations, excused = judge(history)
    for violation in violations:
        print(violation.explain(history))
    path.with_suffix(".svg").write_text(timeline(history, violations))
    print(f"{len(history.ops)} operations, {len(history.log)} revisions, {len(violations)} violations")
    print(f"{len(excused)} more are excused")
    return bool(violations)


def progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


async def interruptible(chosen: argparse.Namespace, seed: int) -> Report:
    """A run; the first interrupt ends its load, and the next one all of it."""
    load = trio.CancelScope()

    async def listen() -> None:
        with trio.open_signal_receiver(signal.SIGINT) as signals:
            await anext(signals)
        progress("interrupted: what there is will be judged; interrupt again to give it up")
        load.cancel("interrupted")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(listen)
        report = await run(
            seed,
            chosen.minutes * 60,
            chosen.etcd,
            pause=PAUSE,
            networks=chosen.networks,
            progress=progress,
            load=load,
        )
        nursery.cancel_scope.cancel("the run is over")
    return report


def main() -> int:
    chosen = options()
    if chosen.check:
        return judge_again(*chosen.check)
    seed = secrets.randbelow(1 << 31) if chosen.seed is None else chosen.seed
    progress(f"seed {seed}")
    report = None
    hunted: dict[str, Hunted] = {}
    interrupted = False
    try:
        report = trio.run(interruptible, chosen, seed)
        if chosen.mutants and not report.interrupted:
            progress(f"{len(report.violations)} violations; now clients with a bug, which must be caught")
            trio.run(hunt, chosen.mutants, chosen.etcd, progress, hunted)
    except* KeyboardInterrupt:
        interrupted = True
    finally:
        if report is not None:
            print(table(report, hunted))
    if report is None:
        progress("interrupted before there was anything to judge")
        return INTERRUPTED
    interrupted |= report.interrupted
    for violation in report.excused:
        print(f"excused: {violation.explain(report.history)}")
    missed = [name for name, found in hunted.items() if not found.always]
    if missed:
        print(f"not caught: {', '.join(missed)}")
    if report.violations:
        print(report.explanation())
    if report.violations or interrupted:
        print(f"kept: {report.keep(KEPT)}")
    if report.violations or missed:
        return 1
    return INTERRUPTED if interrupted else 0


if __name__ == "__main__":
    sys.exit(main())
