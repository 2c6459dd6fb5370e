"""What these tests share: the server's version, calls the API has no method for yet, and a look at what is left."""

from __future__ import annotations

import gc
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

import betterproto2
import trio

from etcetra_trio import EtcdCommunicator
from etcetra_trio._proto._messages import etcdserverpb as pb
from etcetra_trio._proto._methods import LEASE_GRANT, Method
from etcetra_trio.streams._connection import Connection
from etcetra_trio.testing import EtcdMember
from etcetra_trio.testing._cancelled_run import CancelledRun, tasks_below

MessageT = TypeVar("MessageT", bound=betterproto2.Message)
AnyCommunicator = EtcdCommunicator[str] | EtcdCommunicator[bytes]
Field = tuple[bytes, bytes]

#: Servers that are killed or restarted elect themselves in a moment.
FAST = ("--heartbeat-interval=20", "--election-timeout=200")


def version_of(server: EtcdMember) -> tuple[int, int]:
    """``(3, 5)`` for 3.5.30."""
    major, minor = server.version.split(".")[:2]
    return int(major), int(minor)


async def raw(
    communicator: AnyCommunicator,
    method: Method,
    message: betterproto2.Message,
    answer: type[MessageT],
    *,
    leader: bool = True,
) -> MessageT:
    """Call a method that the API has no word for, or with a message that the API refuses."""
    return await communicator._endpoints.call(
        method, bytes(message), answer.parse, write=method.mutates, leader=leader
    )


async def raw_with(
    communicator: AnyCommunicator,
    method: Method,
    message: betterproto2.Message,
    answer: type[MessageT],
    metadata: Sequence[Field],
    *,
    timeout: bytes | None = None,
    leader: bool = True,
) -> MessageT:
    """As :func:`raw`, with metadata of its own."""
    connection = await communicator._endpoints.connection()
    call = connection.stream(
        method.path, message=bytes(message), end=True, metadata=metadata, timeout=timeout, leader=leader
    )
    data = await call.receive()
    if data is None:
        assert call.end is not None
        raise connection.error(call.end, method, write=method.mutates, leader=leader)
    return answer.parse(data)


async def grant(communicator: AnyCommunicator, ttl: int = 60, lease: int = 0) -> int:
    """A lease's id."""
    request = pb.LeaseGrantRequest(ttl=ttl, id=lease)
    return (await raw(communicator, LEASE_GRANT, request, pb.LeaseGrantResponse)).id


def impatient(communicator: AnyCommunicator) -> None:
    """From now on the first error of a call is its last: nothing is repeated."""
    communicator._endpoints.patience = 0.0


def live(communicator: AnyCommunicator) -> Connection:
    """The connection that the communicator works on."""
    connection = communicator._endpoints.live
    assert connection is not None
    return connection


def sockets() -> set[str]:
    """The sockets that this process has open."""
    found = set()
    for number in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{number}")
        except FileNotFoundError:  # that of the listing itself
            continue
        if target.startswith("socket:"):
            found.add(target)
    return found


def tasks() -> set[trio.lowlevel.Task]:
    """All tasks of this Trio run."""
    root = trio.lowlevel.current_root_task()
    assert root is not None
    return set(tasks_below(root))


@contextmanager
def nothing_left() -> Generator[None]:
    """The block leaves no socket and no task, and nothing that only the garbage collector would close."""
    sockets_before, tasks_before = sockets(), tasks()
    try:
        yield
    finally:
        left = sockets() - sockets_before, tasks() - tasks_before
        gc.collect()  # a socket that was dropped open warns here, and warnings are errors
        assert left == (set(), set())


@asynccontextmanager
async def listener(host: str = "127.0.0.1", backlog: int = 16) -> AsyncGenerator[trio.SocketListener]:
    """A listening socket of our own, to be a server that behaves as the test wants."""
    with trio.socket.socket(
        trio.socket.AF_INET6 if ":" in host else trio.socket.AF_INET, trio.socket.SOCK_STREAM
    ) as sock:
        await sock.bind((host, 0))
        sock.listen(backlog)
        yield trio.SocketListener(sock)


def address(listening: trio.SocketListener) -> str:
    """As a client is told it."""
    host, port = listening.socket.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def cancelled_at(step: int, function: Callable[[], Awaitable[object]], *, parked: bool) -> bool:
    """Run ``function`` and cancel it at its ``step``-th checkpoint (the first is 1); whether that was before its end.

    ``parked``: cancel when the task sleeps there already; else when it goes on from the one before.
    """
    run = CancelledRun(function, step if parked else step - 1, asleep=parked)
    await run.run()
    assert not run.hung, run.hung
    if run.error is not None:
        raise run.error
    return run.cancelled
