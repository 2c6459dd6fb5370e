"""nghttpd, where it can be had."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

FETCHED = Path(__file__).parents[2] / ".nghttpd" / "nghttpd"  # by scripts/get-nghttpd


@pytest.fixture(scope="session")
def nghttpd(pytestconfig: pytest.Config) -> str | None:
    """The program; with CI=true it must be there, elsewhere it is said what is not shown without it."""
    found = str(FETCHED) if FETCHED.exists() else shutil.which("nghttpd")
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no nghttpd: run scripts/get-nghttpd .nghttpd")
        reporter = pytestconfig.pluginmanager.get_plugin("terminalreporter")
        assert reporter is not None
        reporter.write_line(
            "no nghttpd here: that both engines get on with it was NOT shown (get it with scripts/get-nghttpd .nghttpd)"
        )
    return found
