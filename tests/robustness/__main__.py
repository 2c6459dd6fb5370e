"""Clients under faults, judged by the store's own log: see docs/reliability.md."""

from __future__ import annotations

import argparse
import secrets
import sys
from pathlib import Path

import trio

from ._checker import judge
from ._history import load
from ._mutants import hunt
from ._report import table
from ._run import run
from ._timeline import timeline

PAUSE = (0.5, 3.5)  # seconds between two faults
KEPT = Path("robustness-failures")


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/robustness", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="how long there is load (default: 5)")
    parser.add_argument("--seed", type=int, help="what is done, and when; printed where not given")
    parser.add_argument("--etcd", type=Path, help="the etcd to run (default: ETCETRA_ETCD)")
    parser.add_argument(
        "--networks", action="store_true", help="give each member a network of its own, as root"
    )
    parser.add_argument(
        "--mutants",
        type=int,
        default=1,
        metavar="SEEDS",
        help="then the clients with a bug, with so many seeds each",
    )
    parser.add_argument("--check", type=Path, metavar="HISTORY", help="only judge a history that was kept")
    return parser.parse_args()


def judge_again(path: Path) -> int:
    """Check a history again."""
    history = load(path)
    violations, excused = judge(history)
    for violation in violations:
        print(violation.explain(history))
    path.with_suffix(".svg").write_text(timeline(history, violations))
    print(f"{len(history.ops)} operations, {len(history.log)} revisions, {len(violations)} violations")
    print(f"{len(excused)} more are excused")
    return bool(violations)


def main() -> int:
    chosen = options()
    if chosen.check:
        return judge_again(chosen.check)
    seed = secrets.randbelow(1 << 31) if chosen.seed is None else chosen.seed

    def progress(text: str) -> None:
        print(text, file=sys.stderr)

    progress(f"seed {seed}")
    report = trio.run(
        lambda: run(
            seed,
            chosen.minutes * 60,
            chosen.etcd,
            pause=PAUSE,
            networks=chosen.networks,
            progress=progress,
        )
    )
    mutants = {}
    if chosen.mutants:
        progress(f"{table(report)}\nclients with a bug")
        mutants = trio.run(hunt, chosen.mutants, chosen.etcd, progress)
    print(table(report, mutants))
    for violation in report.excused:
        print(f"excused: {violation.explain(report.history)}")
    if report.violations:
        print(report.explanation())
        print(f"kept: {report.keep(KEPT)}")
    return bool(report.violations)


if __name__ == "__main__":
    sys.exit(main())
