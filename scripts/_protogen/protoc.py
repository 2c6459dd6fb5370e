"""Runs protoc (from grpcio-tools) over `protos/`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROTOS = ROOT / "protos"


def run(protos: Path, *options: str) -> None:
    """Compiles every file below `protos`. Raises SystemExit with protoc's own words if it refuses them."""
    files = sorted(str(path.relative_to(protos)) for path in protos.rglob("*.proto"))
    # The plugin calls ruff by name, and ruff obeys the nearest pyproject.toml: keep ours out of it.
    beside_python = str(Path(sys.executable).parent)
    done = subprocess.run(
        [sys.executable, "-m", "grpc_tools.protoc", f"-I{protos}", *options, *files],
        cwd=protos,
        env={**os.environ, "PATH": beside_python + os.pathsep + os.environ.get("PATH", "")},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"protoc failed:\n{done.stderr}")


def describe(protos: Path, target: Path) -> bytes:
    """The FileDescriptorSet of `protos`, comments included; written to `target` on the way."""
    run(protos, f"--descriptor_set_out={target}", "--include_source_info")
    return target.read_bytes()


def betterproto2(protos: Path, target: Path) -> None:
    """Writes betterproto2's messages, without clients, as the package `target`."""
    target.mkdir()
    run(
        protos,
        f"--python_betterproto2_out={target}",
        "--python_betterproto2_opt=client_generation=none",
    )
