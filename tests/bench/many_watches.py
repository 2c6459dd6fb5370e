"""What 1,000 watches on one connection cost: a fresh process each time, which opens them all at once.

Run as ``python -m tests.bench.many_watches ENGINE PORT``. Memory is what Python has allocated for the watches while
they are open, counted by tracemalloc: a process has spare pages at first, and keeps those of the tasks that opened the
watches, so its size tells of neither.
"""

import gc
import json
import statistics
import sys
import time
import tracemalloc
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import trio

from etcetra_trio import EtcdClient, EtcdCommunicator, Watch, WatchEvent

from .trio_tasks import engine

COUNT = 1000
LIMIT = 30


@dataclass(frozen=True, slots=True)
class ManyWatches:
    """Until the server watches for all of them, and the memory of each."""

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
        client.watch("benchmark/first"),  # the stream is there, and what is imported late
    ):
        begin = time.perf_counter()
        watches = await opened(client)
        seconds = time.perf_counter() - begin
        await close(watches)
        gc.collect()
        tracemalloc.start()
        watches = await opened(client)
        gc.collect()
        allocated, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        await close(watches)
    return ManyWatches(seconds=seconds, kib_each=allocated / 1024 / COUNT)


async def opened(client: EtcdCommunicator[str]) -> list[Watch[WatchEvent[str]]]:
    watches = [client.watch(f"benchmark/many/{index:04d}") for index in range(COUNT)]
    async with trio.open_nursery() as nursery:
        for watch in watches:
            nursery.start_soon(watch.__aenter__)
    return watches


async def close(watches: Sequence[Watch[WatchEvent[str]]]) -> None:
    for watch in watches:
        await watch.aclose()


if __name__ == "__main__":
    print(json.dumps(asdict(trio.run(measure, sys.argv[1], sys.argv[2]))))
