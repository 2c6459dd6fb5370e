"""What ``import etcetra_trio`` costs in a process that has imported trio already."""

import json
import os
import statistics
import sys
import tempfile
from dataclasses import dataclass

import trio

LIMIT = 30
PROGRAM = """
import json, time
cpu = [time.process_time()]; wall = [time.perf_counter()]
import trio
cpu.append(time.process_time()); wall.append(time.perf_counter())
import etcetra_trio
cpu.append(time.process_time()); wall.append(time.perf_counter())
print(json.dumps({
    "trio_cpu_ms": (cpu[1] - cpu[0]) * 1e3,
    "cpu_ms": (cpu[2] - cpu[1]) * 1e3,
    "wall_ms": (wall[2] - wall[1]) * 1e3,
}))
"""


@dataclass(frozen=True, slots=True)
class ImportTime:
    """Milliseconds: trio's own import (CPU), and ours on top of it (CPU and wall)."""

    trio_cpu_ms: float
    cpu_ms: float
    wall_ms: float


async def import_time(processes: int) -> ImportTime:
    """The medians over so many fresh processes, after one that only writes the byte code."""
    times: list[ImportTime] = []
    # A cache of byte code of our own: the usual one may be stale and not writable, or switched off.
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": cache, "PYTHONDONTWRITEBYTECODE": ""}
        for _ in range(processes + 1):
            with trio.fail_after(LIMIT):
                done = await trio.run_process(
                    [sys.executable, "-c", PROGRAM], capture_stdout=True, env=environment
                )
            times.append(ImportTime(**json.loads(done.stdout)))
    counted = times[1:]
    return ImportTime(
        trio_cpu_ms=statistics.median(one.trio_cpu_ms for one in counted),
        cpu_ms=statistics.median(one.cpu_ms for one in counted),
        wall_ms=statistics.median(one.wall_ms for one in counted),
    )
