"""From `protos/` to the generated files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from . import codec, methods, protoc
from .messages import marked, tidied
from .model import Model
from .schema import Schema


def generate(directory: Path, etcd: str) -> dict[str, str]:
    """The text of every file, by its path below `_proto/`, for the version `etcd`."""
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
    options = ["--isolated", "--line-length=110", f"--stdin-filename={name}"]
    command = [sys.executable, "-m", "ruff", "format", *options, "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout
