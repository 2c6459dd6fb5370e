"""What the tests of recipes share: clients, a count of calls, programs of their own."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path

import pytest
import trio
import trio.testing
from client._kit import live, tasks

from etcetra_trio import EtcdClient, EtcdCommunicator, KeyValue, Lock
from etcetra_trio._proto._methods import Method

Text = EtcdCommunicator[str]
TESTS = Path(__file__).parent.parent


@asynccontextmanager
async def connected(
    client: EtcdClient[str], *, count: int = 1, limit: float = 60
) -> AsyncGenerator[list[Text]]:
    """Several connections of one client; nothing in it may take longer than ``limit`` seconds."""
    with trio.fail_after(limit):
        async with client.connect() as communicator:
            if count == 1:
                yield [communicator]
            else:
                async with connected(client, count=count - 1, limit=limit) as others:
                    yield [communicator, *others]


@contextmanager
def counted(communicator: Text, monkeypatch: pytest.MonkeyPatch) -> Generator[Counter[str]]:
    """Counts the calls that are made in the block, by their names."""
    calls: Counter[str] = Counter()
    original = communicator._endpoints.call

    async def call(method: Method, *args: object, **options: object) -> object:
        calls[method.path.rpartition("/")[2]] += 1
        return await original(method, *args, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(communicator._endpoints, "call", call)
        yield calls


async def take_away(communicator: Text, held: Lock[str] | KeyValue[str], how: str) -> None:
    """Delete the key of somebody who holds something or waits for it, or revoke the lease of that key."""
    if how == "key":
        await communicator.delete(held.key)
    else:
        await communicator.revoke_lease(held.lease)


@asynccontextmanager
async def no_task_or_stream_left(communicator: Text) -> AsyncGenerator[None]:
    """The block leaves no task behind, and no open call."""
    async with communicator.watch("warm up"):  # for which there is a connection of its own, which stays
        await communicator.get("warm up")
    await trio.testing.wait_all_tasks_blocked(0.05)
    before = tasks(), len(live(communicator).engine.streams)
    yield
    with trio.fail_after(5):
        while (tasks(), len(live(communicator).engine.streams)) != before:
            await trio.sleep(0.002)


async def programs(module: str, arguments: Sequence[Sequence[str]], *, limit: float = 60) -> list[str]:
    """Run a module of the tests in processes of their own, one for each list of arguments; what they print."""
    printed = [""] * len(arguments)
    paths = filter(None, (str(TESTS.parent), os.environ.get("PYTHONPATH")))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}

    async def run(index: int, words: Sequence[str]) -> None:
        command = [sys.executable, "-W", "error", "-m", module, *words]
        done = await trio.run_process(
            command, cwd=TESTS, env=environment, capture_stdout=True, capture_stderr=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        printed[index] = done.stdout.decode()

    with trio.fail_after(limit):
        async with trio.open_nursery() as nursery:
            for index, words in enumerate(arguments):
                nursery.start_soon(run, index, words)
    return printed


class Holders:
    """Tasks that each want something, hold it until they are told to leave, and are known by names."""

    def __init__(
        self, nursery: trio.Nursery, make: Callable[[], AbstractAsyncContextManager[Lock[str]]]
    ) -> None:
        #: Those who came to hold it, in that order, and what they held.
        self.order: list[str] = []
        self.locks: dict[str, Lock[str]] = {}
        self._nursery = nursery
        self._make = make
        self._inside: set[str] = set()
        self._leave: dict[str, trio.Event] = {}
        self._scopes: dict[str, trio.CancelScope] = {}

    async def start(self, *names: str) -> None:
        """Start tasks, one after the other: each is in line, or inside, before the next one begins."""
        for name in names:
            self._leave[name] = trio.Event()
            self._scopes[name] = trio.CancelScope()
            self._nursery.start_soon(self._hold, name)
            await trio.sleep(0.03)

    async def _hold(self, name: str) -> None:
        with self._scopes[name]:
            async with self._make() as lock:
                self.order.append(name)
                self.locks[name] = lock
                self._inside.add(name)
                await self._leave[name].wait()
                self._inside.discard(name)

    def leave(self, *names: str) -> None:
        for name in names:
            self._leave[name].set()

    def give_up(self, name: str) -> None:
        self._scopes[name].cancel("it gives up")

    async def inside(self, *names: str) -> None:
        """Exactly these hold it now, or come to do so, and nobody else does in the next moment."""
        with trio.fail_after(5):
            while self._inside != set(names):
                await trio.sleep(0.002)
        await trio.sleep(0.03)
        assert self._inside == set(names)


@asynccontextmanager
async def no_lock_left(communicator: Text) -> AsyncGenerator[None]:
    """The block leaves no lease behind, so no key that went with one."""
    before = set(await communicator.list_leases())
    yield
    assert set(await communicator.list_leases()) <= before
