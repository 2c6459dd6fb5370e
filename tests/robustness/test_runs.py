"""Clients under faults break no promise; clients with a bug are caught."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import pytest

from etcetra_trio.testing import find_etcd
from robustness._checker import check, summary
from robustness._history import load
from robustness._mutants import MUTANTS
from robustness._report import table
from robustness._run import run
from robustness._scenes import EVENTS, catch_up, late_answer

KEPT = Path(__file__).parents[2] / "robustness-failures"
NEWER = (
    Path(__file__).parents[2] / ".etcd" / "sid" / "usr" / "bin" / "etcd"
)  # what scripts/robustness fetches


def etcd() -> Path:
    """The one that was chosen; else a newer one than pip's, if there is one."""
    return NEWER if "ETCETRA_ETCD" not in os.environ and NEWER.exists() else find_etcd()


#: Those on the way between clients and members.
ON_THE_WAY = (
    "cut",
    "cut after some octets",
    "one-way cut",
    "half-close",
    "black hole",
    "delay",
    "throttle",
    "refuse",
)


@pytest.mark.parametrize(
    ("seconds", "kinds"),
    [
        pytest.param(10.0, ON_THE_WAY, id="on the way"),
        pytest.param(45.0, (), id="all", marks=pytest.mark.long),
    ],
)
async def test_run(seconds: float, kinds: tuple[str, ...]) -> None:
    seed = secrets.randbelow(1 << 31)
    report = await run(seed, seconds, etcd(), kinds=kinds)
    print(table(report))
    assert not report.violations, f"{report.explanation()}\nkept: {report.keep(KEPT)}"
    assert sum(report.faults.values()) >= seconds / 6
    assert report.operations > seconds * 20


async def test_catching_up() -> None:
    report = await catch_up(secrets.randbelow(1 << 31), etcd())
    assert not report.violations, report.explanation()
    assert report.counts["events"] == EVENTS


@pytest.mark.long
async def test_a_late_answer() -> None:
    report = await late_answer(secrets.randbelow(1 << 31), etcd())
    assert not report.violations, report.explanation()
    (lease,) = report.history.leases
    assert "could not be renewed" in lease.reason


async def caught(name: str, seed: int, tmp_path: Path) -> None:
    mutant = MUTANTS[name]
    with mutant.at_work():
        if mutant.scene is not None:
            report = await mutant.scene(seed, etcd())
        else:
            report = await run(seed, mutant.seconds, etcd(), kinds=mutant.kinds, pause=(0.1, 0.3), late=1.0)
    rules = summary(report.violations)
    assert set(rules) & mutant.rules, f"seed {seed}: {rules}\n{table(report)}"
    # A history that was kept is judged alone, and the same.
    again = load(report.keep(tmp_path))
    assert summary(check(again)) == {
        rule: count for rule, count in rules.items() if rule not in {"members", "no verdict"}
    }


async def test_a_mutant_is_caught(tmp_path: Path) -> None:
    """The one that shows soonest; the others are for long tests."""
    await caught("fragment as whole", 1, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("name", MUTANTS)
async def test_mutants_are_caught_whatever_the_seed(name: str, seed: int, tmp_path: Path) -> None:
    await caught(name, seed, tmp_path)
