"""A peer process: a client that stays connected and answers each line of JSON on stdin with one on stdout."""

import gc
import importlib.metadata
import json
import resource
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from .stats import Turn, percentile
from .workloads import KEYS, MANY, MANY_PREFIX, MIB, MIB_PREFIX, VALUE, key

Text = TypeVar("Text", str, bytes)
Operation = Callable[[int], Coroutine[Any, Any, None]]


class WrongAnswerError(Exception):
    """The client gave something else than what was stored, so its figures mean nothing."""


@dataclass(frozen=True, slots=True)
class Operations(Generic[Text]):
    """What a connected client can do."""

    text: Callable[[str], Text]
    get: Callable[[Text], Awaitable[Text | None]]
    put: Callable[[Text, Text], Awaitable[object]]
    #: Reads all keys with a prefix, with all values at hand, and says how many there are.
    prefix: Callable[[Text], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Peer(Generic[Text]):
    """A connected client, and the two things that Trio and asyncio do differently."""

    operations: Operations[Text]
    together: Callable[[int, Operation], Awaitable[None]]
    read_line: Callable[[], Awaitable[str]]


def main(start: Callable[[], None]) -> None:
    """Run a peer: ``start`` imports the client, connects it and serves."""
    try:
        start()
    except ModuleNotFoundError as error:
        answer({"missing": str(error)})
    except Exception:  # noqa: BLE001 - whatever it was, the bench shows it in the peer's row
        answer({"error": traceback.format_exc()})
        sys.exit(1)


async def serve(peer: Peer[Text], packages: Sequence[str]) -> None:
    """Store the keys, say that the peer is ready, then measure what is asked until stdin ends."""
    operations = _operations(peer.operations)
    await peer.together(10, partial(_preload, peer.operations))
    await serve_operations(operations, peer.together, peer.read_line, packages)


async def serve_operations(
    operations: Mapping[str, Operation],
    together: Callable[[int, Operation], Awaitable[None]],
    read_line: Callable[[], Awaitable[str]],
    packages: Sequence[str],
) -> None:
    """The same for a peer that needs no keys."""
    answer({"versions": {name: importlib.metadata.version(name) for name in packages}})
    while line := await read_line():
        request = json.loads(line)
        operation = operations[request["operation"]]
        turn = await _turn(together, operation, request["tasks"], request["seconds"], request["most"])
        answer(asdict(turn))


async def _turn(
    together: Callable[[int, Operation], Awaitable[None]],
    operation: Operation,
    tasks: int,
    seconds: float,
    most: int,
) -> Turn:
    """Repeat the operation in each task until the time is up; what has begun is finished and counted."""
    clock = time.perf_counter
    latencies: list[float] = []
    record = latencies.append

    async def repeat(task: int) -> None:
        index = task * 131  # so that the tasks do not walk over the same keys in step
        now = begin
        while now < until and len(latencies) < most:
            sent = clock()
            await operation(index)
            now = clock()
            record(now - sent)
            index += 1

    gc.collect()
    cpu, begin = cpu_seconds(), clock()
    until = begin + seconds
    await together(tasks, repeat)
    wall, cpu = clock() - begin, cpu_seconds() - cpu
    return Turn(
        cpu_us=cpu / len(latencies) * 1e6,
        ops_s=len(latencies) / wall,
        p50_us=percentile(latencies, 0.50) * 1e6,
        p99_us=percentile(latencies, 0.99) * 1e6,
    )


def _operations(peer: Operations[Text]) -> dict[str, Operation]:
    read_keys = [peer.text(key("get", index)) for index in range(KEYS)]
    written_keys = [peer.text(key("put", index)) for index in range(KEYS)]
    value = peer.text(VALUE)

    async def get(index: int) -> None:
        if await peer.get(read_keys[index % KEYS]) != value:
            raise WrongAnswerError(read_keys[index % KEYS])

    async def put(index: int) -> None:
        await peer.put(written_keys[index % KEYS], value)

    many, large_key, large = peer.text(MANY_PREFIX), peer.text(f"{MIB_PREFIX}{0:08d}"), peer.text(MIB)

    async def prefix(_index: int) -> None:
        if await peer.prefix(many) != MANY:
            raise WrongAnswerError(many)

    async def get_mib(_index: int) -> None:
        if await peer.get(large_key) != large:
            raise WrongAnswerError(large_key)

    async def put_mib(_index: int) -> None:
        await peer.put(large_key, large)

    return {"get": get, "put": put, "prefix": prefix, "get_mib": get_mib, "put_mib": put_mib}


async def _preload(peer: Operations[Text], task: int) -> None:
    for index in range(task, KEYS, 10):
        await peer.put(peer.text(key("get", index)), peer.text(VALUE))


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def answer(reply: dict[str, object]) -> None:
    print(json.dumps(reply), flush=True)
