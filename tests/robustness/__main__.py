"""Clients under faults, judged by the store's own log: see docs/reliability.md."""

from __future__ import annotations

import argparse
import secrets
import sys
from pathlib import Path

import trio

from ._checker import check
from ._history import load
from ._report import table
from ._run import run
from ._timeline import timeline

KEPT = Path("robustness-failures")


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/robustness", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="how long there is load (default: 5)")
    parser.add_argument("--seed", type=int, help="what is done, and when; printed where not given")
    parser.add_argument("--etcd", type=Path, help="the etcd to run (default: ETCETRA_ETCD)")
    parser.add_argument("--check", type=Path, metavar="HISTORY", help="only judge a history that was kept")
    return parser.parse_args()


def judge(path: Path) -> int:
    """Check a history again."""
    history = load(path)
    violations = check(history)
    for violation in violations:
        print(violation.explain(history))
    path.with_suffix(".svg").write_text(timeline(history, violations))
    print(f"{len(history.ops)} operations, {len(history.log)} revisions, {len(violations)} violations")
    return bool(violations)


def main() -> int:
    chosen = options()
    if chosen.check:
        return judge(chosen.check)
    seed = secrets.randbelow(1 << 31) if chosen.seed is None else chosen.seed
    print(f"seed {seed}", file=sys.stderr)
    report = trio.run(
        lambda: run(
            seed, chosen.minutes * 60, chosen.etcd, progress=lambda text: print(text, file=sys.stderr)
        )
    )
    print(table(report))
    if report.violations:
        print(report.explanation())
        print(f"kept: {report.keep(KEPT)}")
    return bool(report.violations)


if __name__ == "__main__":
    sys.exit(main())
