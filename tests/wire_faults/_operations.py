"""What a client does while a fault happens, and what it got."""

from __future__ import annotations

import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import trio
import trio.testing

from etcetra_trio import (
    EtcdClient,
    EtcdCommunicator,
    EtcdError,
    LeaseLostError,
    OutcomeUnknownError,
    TLSConfig,
)
from etcetra_trio.streams._endpoints import EngineName
from wire_faults._certificates import SERVER_NAME, authority
from wire_faults._etcd import Etcd, listening
from wire_faults._row import Row

#: How long a caller waits for a call in virtual seconds, and the TTL of the lease.
PATIENCE, TTL = 60.0, 9


@dataclass
class Seen:
    """How an operation ended."""

    #: As in the table.
    result: str
    text: str = ""
    #: How long it took, in virtual seconds.
    seconds: float = 0.0


def told(error: EtcdError, *, write: bool) -> str:
    """An error as the table says it."""
    name = type(error).__name__
    if write and isinstance(error, OutcomeUnknownError):
        assert error.outcome == "unknown"
        exact = error.__cause__ if type(error) is OutcomeUnknownError else error
        return f"unknown {type(exact).__name__}"
    if write:
        assert error.outcome == "not_applied", "a write's error says what became of it"
        return f"not applied {name}"
    assert error.outcome is None
    return name


async def _called(etcd: Etcd, call: Callable[[], Awaitable[object]], method: str) -> Seen:
    """A call, and how often it was made."""
    began = trio.current_time()
    try:
        with trio.move_on_after(PATIENCE) as scope:
            await call()
    except EtcdError as error:
        return Seen(told(error, write=method == "Put"), str(error), trio.current_time() - began)
    seconds = trio.current_time() - began
    if scope.cancelled_caught:
        return Seen("waits")
    times = len(etcd.of(method))
    assert times in {1, 2}
    return Seen("answer" if times == 1 else "again", "", seconds)


async def _see_ends() -> None:
    """Or the next call may meet a connection whose end nobody has seen yet."""
    await trio.sleep(0.01)


async def read(etcd: Etcd, communicator: EtcdCommunicator[str]) -> Seen:
    async def get() -> None:
        assert await communicator.get("k") == "v"

    seen = await _called(etcd, get, "Range")
    if etcd.recovers:
        await _see_ends()
        await get()  # whatever happened, the next one is answered
    return seen


async def write(etcd: Etcd, communicator: EtcdCommunicator[str]) -> Seen:
    async def put() -> None:
        assert (await communicator.put("k", "w")).revision == 2

    seen = await _called(etcd, put, "Put")
    carried_out = {"answer": 1, "again": 1, "waits": 1, "unknown": 1, "not": 0}[seen.result.split()[0]]
    assert len(etcd.puts) == carried_out, "the verdict is true, and nothing was done twice"
    if etcd.recovers:
        await _see_ends()
        await communicator.put("k", "x")
    return seen


async def watch(etcd: Etcd, communicator: EtcdCommunicator[str]) -> Seen:
    """Three events, one after the other: the fault strikes at the beginning or instead of the second."""
    found: list[int] = []
    began = trio.current_time()
    slowest = 0.0
    try:
        with trio.move_on_after(PATIENCE) as scope:
            async with communicator.watch("w") as events:
                slowest = trio.current_time() - began
                for number in range(3):
                    began = trio.current_time()
                    etcd.put(b"w", b"%d" % number)
                    found.append((await events.receive()).revision)
                    slowest = max(slowest, trio.current_time() - began)
    except EtcdError as error:
        return Seen(type(error).__name__, str(error), trio.current_time() - began)
    if scope.cancelled_caught:
        return Seen("waits")
    assert found == [2, 3, 4], "each event once, in order"
    times = len(etcd.of("Watch"))
    assert times in {1, 2}
    return Seen("answer" if times == 1 else "again", "", slowest)


async def lease(etcd: Etcd, communicator: EtcdCommunicator[str]) -> Seen:
    """It must live for four times its TTL, on the server as well."""
    began = trio.current_time()
    try:
        async with communicator.lease(TTL):
            await trio.sleep(4 * TTL)
    except LeaseLostError as error:
        assert trio.current_time() < etcd.lease_end, "its owner hears of it before anybody else"
        return Seen("LeaseLostError", str(error))
    except EtcdError as error:
        return Seen(type(error).__name__, str(error), trio.current_time() - began)
    assert not etcd.expired
    times = len(etcd.of("LeaseKeepAlive"))
    assert times in {1, 2}
    return Seen("answer" if times == 1 else "again")


OPERATIONS = {"Range": read, "Put": write, "Watch": watch, "LeaseKeepAlive": lease}


def _trust(folder: Path) -> TLSConfig:
    authority(stranger=False).cert_pem.write_to_path(str(folder / "ca.pem"))
    return TLSConfig(folder / "ca.pem", server_name=SERVER_NAME)


async def _strike(row: Row, method: str, http2: EngineName, folder: Path) -> Seen:
    etcd = Etcd(row, method)
    with trio.fail_after(1000):
        async with listening(etcd, folder):
            client = EtcdClient(etcd.endpoint, http2=http2, tls=_trust(folder) if row.tls else None)
            async with client.connect(wait=row.greeting is None or method in etcd.streaming) as communicator:
                seen = await OPERATIONS[method](etcd, communicator)
    assert etcd.struck is not None, "the fault did not happen"
    return seen


def strike(row: Row, method: str, http2: EngineName) -> Seen:
    """Let the fault happen to a call, and say what came of it."""
    # TCP within one machine takes its time, if little: then the clock must not jump at once.
    clock = trio.testing.MockClock(autojump_threshold=0.01 if row.tcp else 0)
    with tempfile.TemporaryDirectory() as folder:
        return trio.run(_strike, row, method, http2, Path(folder), clock=clock)
