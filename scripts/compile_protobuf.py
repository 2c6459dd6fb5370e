#!/usr/bin/env python3
"""Writes `etcetra_trio/_proto/` from `protos/`: messages, method table, codec."""

from __future__ import annotations

import argparse
import difflib
import importlib.util
import re
import shlex
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "etcetra_trio" / "_proto"
NEEDS = {
    "betterproto2": "betterproto2>=0.10,<0.11",
    "betterproto2_compiler": "betterproto2-compiler>=0.10,<0.11",
    "grpc_tools": "grpcio-tools",
    "ruff": "ruff",
}


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "version", type=_version, help="the etcd to write for, such as 3.7: what is newer is marked so"
    )
    parser.add_argument(
        "--check", action="store_true", help="change nothing; fail if what is there is out of date"
    )
    arguments = parser.parse_args()
    missing = [package for module, package in NEEDS.items() if not importlib.util.find_spec(module)]
    if missing:
        raise SystemExit(
            f"{sys.executable} lacks what this needs. Install it with\n"
            f"    {sys.executable} -m pip install {shlex.join(missing)}\n"
            "or run ./scripts/test once and then .venv/bin/python scripts/compile_protobuf.py"
        )
    from _protogen.generate import generate  # noqa: PLC0415  what it imports has just been looked for

    with tempfile.TemporaryDirectory() as directory:
        made = generate(Path(directory), arguments.version)
        if arguments.check:
            _check(made, arguments.version)
        else:
            _install(made)


def _version(text: str) -> str:
    if not re.fullmatch(r"3\.\d+", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a version of etcd such as 3.7")
    return text


def _installed() -> dict[str, str]:
    """The generated files that are there."""
    paths = [TARGET / "_methods.py", TARGET / "_codec.py", *(TARGET / "_messages").rglob("*.py")]
    return {str(path.relative_to(TARGET)): path.read_text() for path in paths if path.exists()}


def _install(made: dict[str, str]) -> None:
    shutil.rmtree(TARGET / "_messages", ignore_errors=True)
    for name, text in made.items():
        path = TARGET / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    print(f"wrote {len(made)} files to {TARGET.relative_to(ROOT)}/")


def _check(made: dict[str, str], etcd: str) -> None:
    there = _installed()
    stale = [name for name in sorted({*made, *there}) if made.get(name) != there.get(name)]
    for name in stale:
        old, new = there.get(name, "").splitlines(), made.get(name, "").splitlines()
        lines = list(difflib.unified_diff(old, new, "checked in", "as made from protos/", n=0, lineterm=""))
        changed = sum(line[0] in "+-" for line in lines[2:])
        print(f"{TARGET.relative_to(ROOT)}/{name}: {changed} lines differ", *lines[2:12], sep="\n  ")
    if stale:
        raise SystemExit(f"out of date: run scripts/compile_protobuf.py {etcd}")
    print(f"{len(made)} generated files are up to date")


if __name__ == "__main__":
    main()
