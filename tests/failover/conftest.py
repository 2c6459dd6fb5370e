"""The etcd of these tests: 3.5.30 or newer where there is one, for some older ones diverge under kill -9."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest

from etcetra_trio.testing import EtcdCluster, find_etcd
from etcetra_trio.testing._binary import inspect_etcd

FETCHED = Path(__file__).parents[2] / ".etcd" / "sid" / "usr" / "bin" / "etcd"  # by scripts/get-etcd
WANTED = (3, 5, 30)


def version_of(text: str) -> tuple[int, ...]:
    """``(3, 5, 30)``."""
    return tuple(int(part) for part in text.split("-", maxsplit=1)[0].split("."))


@pytest.fixture(scope="session")
def new_etcd(pytestconfig: pytest.Config) -> Path:
    """The binary; with CI=true it must be as new as these tests want it."""
    path = FETCHED if FETCHED.exists() and "ETCETRA_ETCD" not in os.environ else find_etcd()
    version = inspect_etcd(path).version
    if version_of(version) < WANTED:
        wanted = ".".join(map(str, WANTED))
        if os.environ.get("CI") == "true" and "ETCETRA_ETCD" not in os.environ:
            pytest.fail(f"no etcd {wanted}: run scripts/get-etcd sid .etcd/sid")
        reporter = pytestconfig.pluginmanager.get_plugin("terminalreporter")
        assert reporter is not None
        reporter.write_line(
            f"fail-over was shown on etcd {version} only: that its bounds hold on {wanted} was NOT (get it with "
            "scripts/get-etcd sid .etcd/sid)"
        )
    return path


@pytest.fixture(scope="module")
def cluster(new_etcd: Path) -> Generator[EtcdCluster]:
    """Three members with etcd's usual times."""
    with EtcdCluster(3, new_etcd) as members:
        yield members
