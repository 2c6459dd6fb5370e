"""What 1,000 watches on one connection cost: a fresh process each time, which opens them all at once.

Run as ``python -m tests.bench.many_watches ENGINE PORT``. The tasks that open them are gone when memory is read:
it is the watches' own.
"""

import gc
import json
import os
import statistics
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import trio

from etcetra_trio import EtcdClient

from .trio_tasks import engine

COUNT = 1000
LIMIT = 30


@dataclass(frozen=True, slots=True)
class ManyWatches:
    """Until the server watches for all of them, and the growth of the process for each."""

    seconds: float
    kib_each: float


async def many_watches(name: str, port: int, processes: int) -> ManyWatches:
    """The medians over so many processes."""
    found: list[ManyWatches] = []
    command = [sys.executable, "-m", f"{__package__}.many_watches", name, str(port)]
    for _ in range(processes):
        with trio.fail_after(LIMIT):
            done = await trio.run_process(command, capture_stdout=True)
        found.append(ManyWatches(**json.loads(done.stdout)))
    return ManyWatches(
        seconds=statistics.median(one.seconds for one in found),
        kib_each=statistics.median(one.kib_each for one in found),
    )


async def measure(name: str, port: str) -> ManyWatches:
    async with (
        EtcdClient(f"127.0.0.1:{port}", http2=engine(name)).connect() as client,
        client.watch("benchmark/first"),
    ):
        before, begin = resident_kib(), time.perf_counter()
        watches = [client.watch(f"benchmark/many/{index:04d}") for index in range(COUNT)]
        async with trio.open_nursery() as nursery:
            for watch in watches:
                nursery.start_soon(watch.__aenter__)
        seconds = time.perf_counter() - begin
        grown = resident_kib() - before
        for watch in watches:
            await watch.aclose()
    return ManyWatches(seconds=seconds, kib_each=grown / COUNT)


def resident_kib() -> float:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024


if __name__ == "__main__":
    print(json.dumps(asdict(trio.run(measure, sys.argv[1], sys.argv[2]))))
