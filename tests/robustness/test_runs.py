"""Clients under faults break no promise; clients with a bug are caught."""

from __future__ import annotations

import os
import secrets
from dataclasses import replace
from pathlib import Path

import pytest
import trio

from etcetra_trio.testing import find_etcd
from robustness._checker import judge, summary
from robustness._history import load
from robustness._mutants import MUTANTS, Mutant
from robustness._report import table
from robustness._run import LATE, run
from robustness._scenes import EVENTS, Scene, catch_up, cuts, late_answer, slowness, theft

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
        pytest.param(90.0, (), id="all", marks=pytest.mark.long),
    ],
)
async def test_run(seconds: float, kinds: tuple[str, ...]) -> None:
    seed = secrets.randbelow(1 << 31)
    # Between a client and members that stay there is no write that comes late.
    report = await run(seed, seconds, etcd(), kinds=kinds, late=1.0 if kinds else LATE)
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


async def caught(mutant: Mutant, seed: int, tmp_path: Path) -> None:
    with trio.fail_after(60):
        report = await mutant.hunted(seed, etcd())
    rules = summary(report.violations)
    assert set(rules) & mutant.rules, f"seed {seed}: {rules}\n{table(report)}"
    # A history that was kept is judged alone, and the same; there are words and a picture.
    kept = report.keep(tmp_path)
    again, _ = judge(load(kept))
    assert summary(again) == {
        rule: count for rule, count in rules.items() if rule not in {"members", "no verdict"}
    }
    assert again[0].text in kept.with_suffix(".txt").read_text()
    assert kept.with_suffix(".svg").read_text().startswith("<svg ")


#: Short scenes that show a bug; those that need several members, or long leases, are for long tests.
SHOWN = {
    "resend": cuts,
    "watch resumes one too early": cuts,
    "watch resumes one too late": cuts,
    "early bookmark": slowness,
    "fragment as whole": catch_up,
    "lock without fence": theft,
}


@pytest.mark.parametrize("scene", [cuts, slowness, theft])
async def test_scenes(scene: Scene) -> None:
    report = await scene(secrets.randbelow(1 << 31), etcd())
    assert not report.violations, report.explanation()


@pytest.mark.parametrize("name", SHOWN)
async def test_a_mutant_is_caught(name: str, tmp_path: Path) -> None:
    await caught(replace(MUTANTS[name], scene=SHOWN[name]), 1, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("name", MUTANTS)
async def test_mutants_are_caught_whatever_the_seed(name: str, seed: int, tmp_path: Path) -> None:
    await caught(MUTANTS[name], seed, tmp_path)
