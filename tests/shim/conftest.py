"""etcetra's README takes twenty seconds, nearly all of them asleep: it runs beside the other tests of the shim."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack

import pytest

from etcetra_trio.testing import EtcdServer
from shim._kit import ROOT
from shim._seed import PAGES

Running = dict[str, "subprocess.Popen[str]"]


@pytest.fixture(scope="session", autouse=True)
def seed_processes() -> Generator[Running]:
    """Processes that run it, each with a server of its own; none where the page is not to be had."""
    with ExitStack() as stack:
        running: Running = {}
        for page in PAGES[:1]:
            for name in ("asyncio", "uvloop", "trio_asyncio"):
                server = stack.enter_context(EtcdServer())
                command = [sys.executable, "-m", "shim._seed", name, str(page), server.host, str(server.port)]
                running[name] = subprocess.Popen(
                    command,
                    env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
                stack.callback(running[name].communicate)
                stack.callback(running[name].kill)
        yield running
