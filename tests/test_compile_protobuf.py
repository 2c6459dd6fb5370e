"""`scripts/compile_protobuf.py`: what is checked in is what it writes, and what it says when it cannot."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

import pytest
from _protogen.generate import generate

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "scripts" / "compile_protobuf.py"


def run(*arguments: str, python: str | Path = sys.executable) -> subprocess.CompletedProcess[str]:
    return subprocess.run([python, SCRIPT, *arguments], capture_output=True, text=True, check=False)


def test_checked_in_files_are_up_to_date() -> None:
    done = run("3.7", "--check")
    assert done.returncode == 0, done.stdout + done.stderr


def test_check_shows_what_differs() -> None:
    done = run("3.6", "--check")
    assert done.returncode == 1
    assert "_methods.py: 6 lines differ" in done.stdout
    assert '+ETCD_VERSION: Final = "3.6"' in done.stdout
    assert "out of date: run scripts/compile_protobuf.py 3.6" in done.stderr


def test_what_is_newer_is_marked(tmp_path: Path) -> None:
    made = generate(tmp_path, "3.4")
    namespace: dict[str, object] = {}
    exec(made["_methods.py"], namespace)
    methods = namespace["METHODS"]
    assert isinstance(methods, dict)
    newer = {path.rpartition("/")[2] for path, method in methods.items() if method.newer}
    assert newer == {"RangeStream", "AuthStatus", "Downgrade"}
    messages = made["_messages/etcdserverpb/__init__.py"]
    assert "Since: 3.7 (newer than 3.4)" in messages
    assert "Since: 3.4\n" in messages


@pytest.mark.parametrize("text", ["", "3", "v3.7", "3.7.1", "4.0", "newest"])
def test_other_versions_are_refused(text: str) -> None:
    done = run(text)
    assert done.returncode == 2
    assert "is not a version of etcd such as 3.7" in done.stderr


def test_without_its_dependencies_it_says_what_to_install(tmp_path: Path) -> None:
    venv.create(tmp_path, symlinks=True)
    done = run("3.7", python=tmp_path / "bin" / "python")
    assert done.returncode == 1
    assert (
        "-m pip install 'betterproto2>=0.10,<0.11' 'betterproto2-compiler>=0.10,<0.11' grpcio-tools ruff"
        in done.stderr
    )
    assert "Traceback" not in done.stderr
