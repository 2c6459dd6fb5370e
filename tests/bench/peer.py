"""A peer process: a client that stays connected and answers each line of JSON on stdin with one on stdout."""

import gc
import importlib.metadata
import json
import resource
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from .holding import hold
from .stats import Turn, percentile
from .workloads import CONNECT, KEYS, MANY, MANY_PREFIX, MIB, MIB_PREFIX, VALUE, key

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
    """A client, and the two things that Trio and asyncio do differently."""

    connect: Callable[[int], AbstractAsyncContextManager[Operations[Text]]]
    """Connects to a port, where etcd is."""
    together: Callable[[int, Operation], Awaitable[None]]
    read_line: Callable[[], Awaitable[str]]


def main(start: Callable[[], None]) -> None:
    """Run a peer: ``start`` imports the client, connects it and serves."""
    try:
        start()
    except ModuleNotFoundError as error:
        answer({"missing": str(error)})
    except Exception as error:  # noqa: BLE001 - whatever it was, the bench shows it in the peer's row
        answer({"error": "".join(traceback.format_exception(_first(error)))})
        sys.exit(1)


def _first(error: BaseException) -> BaseException:
    """One of those that many tasks raised: all of them would be a long text."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def serve(peer: Peer[Text], port: int, packages: Sequence[str]) -> None:
    """Connect, store the keys, say that the peer is ready, then do what is asked until stdin ends."""
    async with peer.connect(port) as connected:
        await peer.together(10, partial(_preload, connected))
    answer({"versions": _versions(packages)})
    line = await peer.read_line()
    while line:
        request = json.loads(line)
        if request.get("operation") == CONNECT:  # with no other connection that a client may use again
            answer(await _turn(peer.together, _connecting(peer, port), request))
            line = await peer.read_line()
            continue
        async with peer.connect(port) as connected:
            operations = _operations(connected)
            while line and (request := json.loads(line)).get("operation") != CONNECT:
                if "hold" in request:
                    await hold(peer, port, answer, request)
                else:
                    answer(await _turn(peer.together, operations[request["operation"]], request))
                line = await peer.read_line()


async def serve_operations(
    operations: Mapping[str, Operation],
    together: Callable[[int, Operation], Awaitable[None]],
    read_line: Callable[[], Awaitable[str]],
    packages: Sequence[str],
) -> None:
    """The same for a peer that needs no keys."""
    answer({"versions": _versions(packages)})
    while line := await read_line():
        request = json.loads(line)
        answer(await _turn(together, operations[request["operation"]], request))


def _versions(packages: Sequence[str]) -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in packages}


async def _turn(
    together: Callable[[int, Operation], Awaitable[None]],
    operation: Operation,
    request: Mapping[str, Any],
) -> dict[str, object]:
    """Repeat the operation in each task until the time is up; what has begun is finished and counted."""
    clock, most = time.perf_counter, request["most"]
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
    until = begin + request["seconds"]
    await together(request["tasks"], repeat)
    wall, cpu = clock() - begin, cpu_seconds() - cpu
    turn = Turn(
        cpu_us=cpu / len(latencies) * 1e6,
        ops_s=len(latencies) / wall,
        p50_us=percentile(latencies, 0.50) * 1e6,
        p99_us=percentile(latencies, 0.99) * 1e6,
    )
    return asdict(turn)


def _operations(connected: Operations[Text]) -> dict[str, Operation]:
    read_keys = [connected.text(key("get", index)) for index in range(KEYS)]
    written_keys = [connected.text(key("put", index)) for index in range(KEYS)]
    value = connected.text(VALUE)

    async def get(index: int) -> None:
        if await connected.get(read_keys[index % KEYS]) != value:
            raise WrongAnswerError(read_keys[index % KEYS])

    async def put(index: int) -> None:
        await connected.put(written_keys[index % KEYS], value)

    many, large_key, large = map(connected.text, (MANY_PREFIX, f"{MIB_PREFIX}{0:08d}", MIB))

    async def prefix(_index: int) -> None:
        if await connected.prefix(many) != MANY:
            raise WrongAnswerError(many)

    async def get_mib(_index: int) -> None:
        if await connected.get(large_key) != large:
            raise WrongAnswerError(large_key)

    async def put_mib(_index: int) -> None:
        await connected.put(large_key, large)

    return {"get": get, "put": put, "prefix": prefix, "get_mib": get_mib, "put_mib": put_mib}


def _connecting(peer: Peer[Text], port: int) -> Operation:
    """Connects, gets a key, and ends the connection."""

    async def connect(index: int) -> None:
        async with peer.connect(port) as connected:
            if await connected.get(connected.text(key("get", index % KEYS))) != connected.text(VALUE):
                raise WrongAnswerError(index)

    return connect


async def _preload(peer: Operations[Text], task: int) -> None:
    for index in range(task, KEYS, 10):
        await peer.put(peer.text(key("get", index)), peer.text(VALUE))


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def answer(reply: dict[str, object]) -> None:
    print(json.dumps(reply), flush=True)
