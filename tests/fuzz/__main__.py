"""``python -m tests.fuzz [--minutes N] [TARGET...]``: atheris looks for octets that break a target, N minutes for each.

Atheris is not among the dependencies: ``pip install atheris``. What breaks a target is kept in ``fuzz-failures/``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[1]
KEPT = TESTS.parent / "fuzz-failures"


def fuzz(name: str, corpus: Path, seconds: int) -> None:
    """Fuzz one target in this process, which libFuzzer ends."""
    atheris: Any = import_module("atheris")
    sys.path[:0] = [str(TESTS), str(TESTS.parent / "scripts")]
    with atheris.instrument_imports(include=["etcetra_trio"]):
        from fuzz._targets import TARGETS, seeds
    for number, octets in enumerate(seeds()[name]):
        (corpus / f"seed-{number}").write_bytes(octets)
    options = [f"-max_total_time={seconds}", "-max_len=4096", "-timeout=10", "-rss_limit_mb=1024"]
    options += [f"-artifact_prefix={KEPT}/{name}-", "-print_final_stats=1", str(corpus)]
    atheris.Setup([sys.argv[0], *options], TARGETS[name])
    atheris.Fuzz()


def main() -> int:
    """Fuzz targets one after the other; how many broke."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("targets", nargs="*")
    arguments = parser.parse_args()
    seconds = max(1, round(arguments.minutes * 60))
    if arguments.alone:
        (name,) = arguments.targets
        corpus = KEPT / "corpus" / name
        corpus.mkdir(parents=True, exist_ok=True)
        fuzz(name, corpus, seconds)
        return 0
    broken = 0
    for name in arguments.targets or names():
        command = [sys.executable, "-m", "tests.fuzz", "--alone", "--minutes", str(arguments.minutes), name]
        done = subprocess.run(command, cwd=TESTS.parent, stderr=subprocess.PIPE, text=True, check=False)
        executed = [line.split()[-1] for line in done.stderr.splitlines() if "number_of_executed" in line]
        print(
            f"{name}: {'broken' if done.returncode else 'fine'}, {executed or ['?']} executions", flush=True
        )
        if done.returncode:
            broken += 1
            print(done.stderr[-3000:])
    return broken


def names() -> list[str]:
    """All targets."""
    sys.path[:0] = [str(TESTS), str(TESTS.parent / "scripts")]
    from fuzz._targets import TARGETS

    return list(TARGETS)


if __name__ == "__main__":
    sys.exit(main())
