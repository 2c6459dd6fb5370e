"""What scripts/robustness makes of its command line, of clients that were not caught, and of interrupts."""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from subprocess import PIPE, Popen, TimeoutExpired
from typing import Any

import pytest
import trio
import trio.testing

from robustness import __main__ as command
from robustness._history import save
from robustness._mutants import Hunted
from robustness._options import options
from robustness._report import table
from robustness._run import Report
from robustness.test_checker import two_puts

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--minutes -1", "argument --minutes: -1: a number above 0"),
        ("--minutes 0", "argument --minutes: 0: a number above 0"),
        ("--minutes nan", "argument --minutes: nan: a number above 0"),
        ("--minutes inf", "argument --minutes: inf: a number above 0"),
        ("--minutes soon", "argument --minutes: invalid minutes value: 'soon'"),
        ("--mutants -1", "argument --mutants: -1: 0 or more"),
        ("--etcd /nowhere/etcd", "there is no such program"),
        ("--etcd /bin/false", "/bin/false is no etcd"),
        ("--check {tmp}/nowhere.jsonl", "cannot read {tmp}/nowhere.jsonl: No such file"),
        ("--check {tmp}/broken.jsonl", "{tmp}/broken.jsonl is no history: line 2: "),
        ("--check {tmp}/other.jsonl", "{tmp}/other.jsonl is no history: line 1: "),
        ("--check {tmp}/empty.jsonl", "{tmp}/empty.jsonl is no history: it has no revisions"),
        ("--check {tmp}", "cannot read {tmp}: Is a directory"),
    ],
)
def test_a_command_line_that_makes_no_sense(
    arguments: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(two_puts(), tmp_path / "whole.jsonl")
    whole = (tmp_path / "whole.jsonl").read_text()
    (tmp_path / "broken.jsonl").write_text(f"{whole.splitlines()[0]}\n{{")
    (tmp_path / "other.jsonl").write_text('{"name": "other", "part": 1}')
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(SystemExit) as ended:
        options([argument.format(tmp=tmp_path) for argument in arguments.split()])
    assert ended.value.code == 2
    *usage, error = capsys.readouterr().err.splitlines()
    assert usage[0].startswith("usage: scripts/robustness")
    assert said.format(tmp=tmp_path) in error


def test_the_help_says_what_mutants_cost(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        options(["--help"])
    assert ended.value.code == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "two more minutes for each seed; 0 leaves it out (default: 1)" in said


def a_report(*, interrupted: bool = False) -> Report:
    history = two_puts()
    history.faults = [("cut", 0.25, 0.3), ("kill", 0.35, 0.45)]
    faults = Counter(name for name, _, _ in history.faults)
    return Report(7, "3.5.30", 60.0, faults, Counter(), history, [], [], 0.1, interrupted=interrupted)


def replaced(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, run: Callable[..., Any], caught: int = 2
) -> None:
    """A run that is told, two seeds of which so many caught it, and a folder of its own for what is kept."""

    async def hunt(seeds: int, _etcd: object, _progress: object, verdicts: dict[str, Hunted]) -> None:
        await trio.lowlevel.checkpoint()
        verdicts |= {"resend": Hunted(seeds, seeds), "stale read": Hunted(seeds, caught)}

    monkeypatch.setattr(command, "run", run)
    monkeypatch.setattr(command, "hunt", hunt)
    monkeypatch.setattr(command, "KEPT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["robustness", "--mutants", "2"])


@pytest.mark.parametrize("caught", [0, 1, 2])
def test_a_mutant_that_is_not_caught_is_a_failure(
    caught: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def run(*_args: object, **_more: object) -> Report:
        await trio.lowlevel.checkpoint()
        return a_report()

    replaced(monkeypatch, tmp_path, run, caught)
    assert command.main() == (0 if caught == 2 else 1)
    said = capsys.readouterr()
    assert ("not caught: stale read\n" in said.out) is (caught < 2)
    assert (f"NOT always caught, only with {caught} of 2 seeds" in said.out) is (caught < 2)
    assert (said.out + said.err).count("| seed ") == 1, "the table comes once"


async def interrupted(load: trio.CancelScope) -> None:
    """A load that goes on until there is an interrupt, which comes."""
    with load:
        await trio.testing.wait_all_tasks_blocked()
        signal.raise_signal(signal.SIGINT)
        await trio.sleep(30)


def test_an_interrupt_ends_the_load_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def run(*_args: object, load: trio.CancelScope, **_more: object) -> Report:
        await interrupted(load)
        await trio.lowlevel.checkpoint()
        return a_report(interrupted=load.cancelled_caught)

    replaced(monkeypatch, tmp_path, run)
    assert command.main() == 130
    said = capsys.readouterr().out
    assert "60 s by 8 clients, interrupted" in said
    assert "resend" not in said
    assert f"kept: {tmp_path}/seed-7.jsonl" in said
    assert (tmp_path / "seed-7.jsonl").exists()


def test_a_second_interrupt_ends_all_of_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def run(*_args: object, load: trio.CancelScope, **_more: object) -> Report:
        await interrupted(load)
        signal.raise_signal(signal.SIGINT)
        await trio.sleep(30)
        return a_report()

    replaced(monkeypatch, tmp_path, run)
    assert command.main() == 130
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.endswith("interrupted before there was anything to judge\n")


def test_the_table_explains_how_long_faults_were_felt() -> None:
    main, explained, felt = table(a_report()).split("\n\n")
    assert main.splitlines()[1] == felt.splitlines()[1].replace("---|---|---|---|", "---|---|") == "|---|---|"
    assert "from the fault's end until each client had had an answer" in explained
    assert felt.splitlines()[0] == (
        "| fault | times | no write of anybody: median, longest | all clients served again: median, longest |"
    )
    # The layout is that of the documentation.
    assert felt.splitlines()[0] in (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")


@pytest.mark.long
def test_an_interrupt_on_the_command_line(tmp_path: Path) -> None:
    """With real members: the table, the history, and no traceback."""
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT}/tests:{ROOT}/scripts"}
    line = [sys.executable, "-m", "robustness", "--minutes", "5"]
    with Popen(line, env=environment, cwd=tmp_path, stdout=PIPE, stderr=PIPE, text=True) as process:
        with pytest.raises(TimeoutExpired):
            process.wait(15)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    assert "Traceback" not in err
    assert "interrupted |" in out
    assert list((tmp_path / "robustness-failures").glob("seed-*.jsonl"))
    assert process.returncode == 130
