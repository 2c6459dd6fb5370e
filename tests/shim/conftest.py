"""What takes long, nearly all of it asleep, runs in processes beside the other tests of the shim."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack

import pytest

from etcetra_trio.testing import EtcdServer
from shim._kit import LOOPS, PEERS, ROOT
from shim._seed import PAGES

Running = dict[str, "subprocess.Popen[str]"]


@pytest.fixture(scope="session", autouse=True)
def beside() -> Generator[Running]:
    """Processes, each with a server of its own: etcetra's README, where it is to be had, and the differential cases."""
    with ExitStack() as stack:
        running: Running = {}

        def start(name: str, *command: str) -> None:
            server = stack.enter_context(EtcdServer())
            process = running[name] = subprocess.Popen(
                [*command, server.host, str(server.port)],
                env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}:{ROOT / 'scripts'}"},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            stack.callback(process.communicate)
            stack.callback(process.kill)

        cases = str(ROOT / "tests/shim/_differential.py")
        for page in PAGES[:1]:
            for name in LOOPS:
                start(f"README, {name}", sys.executable, "-m", "shim._seed", name, str(page))
        for name in LOOPS:
            start(f"our README, {name}", sys.executable, "-m", "shim._readme_ours", name)
        start("cases, ours", sys.executable, cases, "etcetra_trio.asyncio")
        if PEERS is not None:
            start("cases, etcetra", str(PEERS / "etcetra/bin/python"), cases, "etcetra")
        yield running
