#!/usr/bin/env python3
"""Writes `etcetra_trio/_proto/` from `protos/`: messages, method table, codec."""

from __future__ import annotations

import argparse
import difflib
import importlib.util
import re
import shlex
import shutil
import subprocess
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
    parser.add_argument("version", type=_version, help="the etcd to write for, such as 3.7: what is newer is marked so")
    parser.add_argument("--check", action="store_true", help="change nothing; fail if what is there is out of date")
    arguments = parser.parse_args()
    missing = [package for module, package in NEEDS.items() if not importlib.util.find_spec(module)]
    if missing:
        raise SystemExit(
            f"{sys.executable} lacks what this needs. Install it with\n"
            f"    {sys.executable} -m pip install {shlex.join(missing)}\n"
            "or run ./scripts/test once and then .venv/bin/python scripts/compile_protobuf.py"
        )
    with tempfile.TemporaryDirectory() as directory:
        made = _generate(Path(directory), arguments.version)
        if arguments.check:
            _check(made, arguments.version)
        else:
            _install(made)


def _version(text: str) -> str:
    if not re.fullmatch(r"3\.\d+", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a version of etcd such as 3.7")
    return text


def _generate(directory: Path, etcd: str) -> dict[str, str]:
    """The new files, by their path below TARGET."""
    from _protogen import codec, methods, protoc
    from _protogen.messages import marked, tidied
    from _protogen.model import Model
    from _protogen.schema import Schema

    schema = Schema.parse(protoc.describe(protoc.PROTOS, directory / "descriptors"))
    protos = marked(protoc.PROTOS, directory / "protos", etcd)
    protoc.betterproto2(protos, directory / "_messages")
    made = tidied(directory / "_messages")
    made["_methods.py"] = "\n".join(methods.write(schema, etcd))
    made["_codec.py"] = "\n".join(codec.write(Model(directory / "_messages"), schema, etcd))
    return {name: _formatted(name, _head(etcd) + text) for name, text in sorted(made.items())}


def _head(etcd: str) -> str:
    return f"# Made from protos/ by `scripts/compile_protobuf.py {etcd}`. Do not edit.\n# ruff: noqa\n"


def _formatted(name: str, text: str) -> str:
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length=110", f"--stdin-filename={name}"]
    return subprocess.run([*command, "-"], input=text, capture_output=True, text=True, check=True).stdout


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
