"""What the tests with a real etcd share: its version and metrics, and a look at what is left of watches."""

from __future__ import annotations

import gc
import os
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager

import trio

from etcetra_trio import EtcdClient, EtcdCommunicator, Watch, WatchEvent, WatchEventType
from etcetra_trio.streams._connection import Connection
from etcetra_trio.streams._endpoints import EngineName
from etcetra_trio.testing import EtcdMember

MIB = 1 << 20
PUT, DELETE = WatchEventType.PUT, WatchEventType.DELETE
ENGINES: tuple[EngineName, ...] = ("lean", "h2")
Text = EtcdCommunicator[str]
Events = Watch[WatchEvent[str]]


def version_of(server: EtcdMember) -> tuple[int, ...]:
    """``(3, 5, 30)``."""
    return tuple(int(part) for part in server.version.split("-")[0].split("."))


def true_progress(server: EtcdMember) -> bool:
    """Whether its progress answers do not overtake events."""
    version = version_of(server)
    return version >= (3, 5, 13) or (version[:2] == (3, 4) and version[2] >= 31)


async def metrics(server: EtcdMember, *names: str) -> dict[str, int]:
    """Some of the numbers that the server counts."""
    host, _, port = server.endpoint.partition("://")[2].rpartition(":")
    request = f"GET /metrics HTTP/1.0\r\nHost: {host}\r\n\r\n".encode()
    with trio.fail_after(10):
        async with await trio.open_tcp_stream(host.strip("[]"), int(port)) as stream:
            await stream.send_all(request)
            text = b"".join([data async for data in stream]).decode()
    rows = [line.split() for line in text.splitlines() if line.startswith(names)]
    return {row[0]: round(float(row[1])) for row in rows}


async def watches_of(server: EtcdMember) -> tuple[int, int]:
    """How many watches and watch streams the server has."""
    found = await metrics(
        server, "etcd_debugging_mvcc_watcher_total", "etcd_debugging_mvcc_watch_stream_total"
    )
    return found["etcd_debugging_mvcc_watcher_total"], found["etcd_debugging_mvcc_watch_stream_total"]


async def wait_watches(server: EtcdMember, expected: tuple[int, int], seconds: float = 5) -> None:
    """Wait until the server has as many watches and streams: it ends them in its own time."""
    deadline = trio.current_time() + seconds
    while (found := await watches_of(server)) != expected:
        assert trio.current_time() < deadline, f"the server has {found} watches and streams, not {expected}"
        await trio.sleep(0.02)


def memory() -> int:
    """Octets of memory that this process has in use."""
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def streams(communicator: Text) -> int:
    """How many RPCs are open on the communicator's connections."""
    endpoints = communicator._endpoints
    connections = (endpoints.live, endpoints.live_for_streams)
    return sum(len(connection.engine.streams) for connection in connections if connection is not None)


def stream_connection(communicator: Text) -> Connection:
    """The connection that watches use."""
    connection = communicator._endpoints.live_for_streams
    assert connection is not None
    return connection


async def take(events: Events, count: int) -> list[WatchEvent[str]]:
    found: list[WatchEvent[str]] = []
    with trio.fail_after(20):
        while len(found) < count:
            found.append(await events.receive())
    return found


def told(events: Sequence[WatchEvent[str]]) -> list[tuple[WatchEventType, str, str]]:
    return [(event.event, event.key, event.value) for event in events]


async def nothing_comes(events: Events, seconds: float = 0.1) -> None:
    with trio.move_on_after(seconds):
        event = await events.receive()
        raise AssertionError(f"{event} came")


async def eventually(true: Callable[[], bool], seconds: float = 10) -> None:
    with trio.fail_after(seconds):
        while not true():
            await trio.sleep(0.01)


@asynccontextmanager
async def connected(
    server: EtcdMember, *, limit: float = 60, http2: EngineName = "lean", namespace: str = ""
) -> AsyncGenerator[Text]:
    """A client of the server; nothing in it may take longer than ``limit`` seconds."""
    client = EtcdClient(server.endpoint, http2=http2, namespace=namespace)
    with trio.fail_after(limit):
        async with client.connect() as communicator:
            await (
                communicator._endpoints.stream_connection()
            )  # so that its tasks are there from the beginning
            yield communicator
