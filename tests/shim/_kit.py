"""What the shim's tests share: scenarios that run on every kind of event loop, and a look at what they leave.

A scenario is a coroutine function that gets a client. Those of a module run in this process under asyncio and uvloop.
On a loop of trio-asyncio they run in a process of their own, since importing that package changes the whole process.
"""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import trio
import uvloop

from etcetra_trio.asyncio import EtcdClient
from etcetra_trio.asyncio._portal import _portals

ResultT = TypeVar("ResultT")
Scenario = Callable[[EtcdClient[str]], Coroutine[Any, Any, None]]

ROOT = Path(__file__).parent.parent.parent
#: Virtual environments of other clients, as ``python -m tests.bench --peers`` makes them; None: there are none.
PEERS = Path(folder) if (folder := os.environ.get("ETCETRA_PEERS")) else None
#: For one scenario, in seconds.
PATIENCE = 30
#: trio-asyncio cannot be imported on Python 3.14: there its door says so, and all else goes on.
HAS_TRIO_ASYNCIO = sys.version_info < (3, 14)
LOOPS = ("asyncio", "uvloop", "trio_asyncio") if HAS_TRIO_ASYNCIO else ("asyncio", "uvloop")
RUNNERS: dict[str, Callable[[Coroutine[Any, Any, None]], None]] = {
    "asyncio": asyncio.run,
    "uvloop": uvloop.run,
}


async def bounded(scenario: Scenario, endpoint: str) -> None:
    """Run a scenario in a namespace of its own, which is emptied afterwards."""
    client = EtcdClient(endpoint, namespace=f"/shim/{uuid.uuid4().hex}/")
    async with asyncio.timeout(PATIENCE):
        try:
            await scenario(client)
        finally:
            async with client.connect() as communicator:
                await communicator.delete_prefix("")


def run(runner: str, scenario: Scenario, endpoint: str) -> None:
    """Run a scenario; it must leave neither a guest nor anything for the garbage collector to complain about."""
    RUNNERS[runner](bounded(scenario, endpoint))
    check_nothing_left()


def check_nothing_left() -> None:
    """This thread can run Trio, no loop has a portal, and what nobody holds any more ends quietly."""
    gc.collect()
    assert not _portals
    trio.run(trio.sleep, 0)


def busy_threads() -> list[threading.Thread]:
    """Threads that this program is not rid of; Trio keeps idle ones for ten seconds."""
    return [
        t for t in threading.enumerate() if t is not threading.main_thread() and not t.name.startswith("Trio")
    ]


def on_trio_asyncio(module: str, endpoint: str) -> None:
    """Run all scenarios of a module on loops of trio-asyncio."""
    text = f"from shim._kit import all_of; all_of({module!r}, {endpoint!r})"
    if HAS_TRIO_ASYNCIO:
        program(text)
    else:
        assert "run the program with asyncio.run(main())" in program(text, code=1)[1]


def all_of(module: str, endpoint: str) -> None:
    """The other half of it, in the process."""
    from importlib import import_module

    from etcetra_trio import asyncio as shim

    for scenario in import_module(module).SCENARIOS:
        print(scenario.__name__, flush=True)
        shim.run(bounded, scenario, endpoint)
        gc.collect()


def program(text: str, *arguments: str, code: int = 0) -> tuple[str, str]:
    """Run a Python program with warnings as errors; what it printed, and what it complained about."""
    command = [sys.executable, "-W", "error", "-c", text, *arguments]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}:{ROOT / 'scripts'}", "PATH": ""},
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == code, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout, done.stderr
