"""What ``import etcetra_trio`` costs in a process that has imported trio already, and what other clients cost."""

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass

import trio

from .peer_environments import PACKAGES

LIMIT = 30
PROGRAM = """
import importlib, json, sys, time
times = [(time.process_time(), time.perf_counter())]
for name in sys.argv[1:]:
    importlib.import_module(name)
    times.append((time.process_time(), time.perf_counter()))
print(json.dumps([[(b - a) * 1e3 for a, b in zip(before, after)] for before, after in zip(times, times[1:])]))
"""
OTHERS = {
    "grpc.aio": "grpc.aio",
    "grpclib": "grpclib.client",
    "etcetra": "etcetra",
    "aetcd": "aetcd",
    "etcd3aio": "etcd3aio",
    "etcd-client-py": "etcd_client",
    "etcd3": "etcd3",
}


@dataclass(frozen=True, slots=True)
class ImportTime:
    """Milliseconds: trio's own import (CPU), and ours on top of it (CPU and wall)."""

    trio_cpu_ms: float
    cpu_ms: float
    wall_ms: float


async def import_time(processes: int) -> ImportTime:
    """The least of so many fresh processes: what other work on the machine adds is not ours."""
    (trio_cpu_ms, _), (cpu_ms, wall_ms) = await _times(sys.executable, ["trio", "etcetra_trio"], processes)
    return ImportTime(trio_cpu_ms, cpu_ms, wall_ms)


async def other_imports(pythons: Mapping[str, str], processes: int) -> dict[str, float]:
    """Milliseconds of CPU that the import of each other client takes, with all that it imports."""
    return {
        client: (await _times(pythons.get(client, sys.executable), [module], processes))[0][0]
        for client, module in OTHERS.items()
        if pythons and (client in pythons or client not in PACKAGES)
    }


async def _times(python: str, modules: list[str], processes: int) -> list[list[float]]:
    """CPU and wall of each import, after one process that only writes the byte code."""
    runs: list[list[list[float]]] = []
    # A cache of byte code of our own: the usual one may be stale and not writable, or switched off.
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": cache, "PYTHONDONTWRITEBYTECODE": ""}
        for _ in range(processes + 1):
            with trio.fail_after(LIMIT):
                done = await trio.run_process(
                    [python, "-c", PROGRAM, *modules], capture_stdout=True, env=environment
                )
            runs.append(json.loads(done.stdout))
    return [
        [min(run[module][clock] for run in runs[1:]) for clock in (0, 1)] for module in range(len(modules))
    ]
