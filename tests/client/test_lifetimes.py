"""The block of ``connect()``: what leaves it, what it leaves behind, and what its communicator says afterwards."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
import trio
import trio.testing

from client._kit import live, nothing_left, sockets
from client._peer import open_peer
from etcetra_trio import EtcdClient, EtcdCommunicator, OutcomeUnknownError
from etcetra_trio.streams._endpoints import EngineName
from etcetra_trio.testing import EtcdServer

Communicator = EtcdCommunicator[str]


class Mine(Exception):  # noqa: N818
    pass


class MineToo(BaseException):
    pass


@pytest.mark.parametrize(
    "error",
    [
        Mine("mine"),
        MineToo("mine"),
        KeyboardInterrupt("mine"),
        SystemExit(3),
        ExceptionGroup("mine", [Mine("1"), ExceptionGroup("inner", [Mine("2")])]),
        BaseExceptionGroup("mine", [MineToo("1")]),
        trio.ClosedResourceError("mine"),
        StopAsyncIteration("mine"),
        OSError("mine"),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("wait", [True, False])
async def test_a_bodys_exception_leaves_as_the_same_object(
    etcd: EtcdClient[str], error: BaseException, wait: bool
) -> None:
    context = ValueError("before")
    seen: BaseException | None = None
    with nothing_left():
        try:
            async with etcd.connect(wait=wait) as communicator:
                await communicator.get("k")
                try:
                    raise context
                except ValueError:
                    raise error  # noqa: B904
        except BaseException as caught:  # noqa: ASYNC103, BLE001 - it is looked at below
            seen = caught
    assert seen is error
    assert error.__context__ is context


async def test_a_groups_members_stay_whole(etcd: EtcdClient[str]) -> None:
    """The user's own nursery inside may fail with a group; it is the user's."""
    mine = Mine("mine")

    async def fail() -> None:
        raise mine

    with pytest.RaisesGroup(Mine) as caught:
        async with etcd.connect(), trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            nursery.start_soon(fail)
    assert caught.value.exceptions == (mine,)


@pytest.mark.filterwarnings("ignore:.*strict_exception_groups=False:trio.TrioDeprecationWarning")
@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("engine", ["lean", "h2"])
def test_whatever_trio_thinks_of_groups(etcd_server: EtcdServer, strict: bool, engine: EngineName) -> None:
    client = EtcdClient(etcd_server.endpoint, http2=engine)
    mine = Mine("mine")

    async def main() -> None:
        async with client.connect() as communicator:
            await communicator.get("k")
            raise mine

    with pytest.raises(Mine) as caught:
        trio.run(main, strict_exception_groups=strict)
    assert caught.value is mine


async def test_cancellation_from_outside(etcd: EtcdClient[str]) -> None:
    with nothing_left(), trio.CancelScope() as scope:
        async with etcd.connect() as communicator:
            await communicator.get("k")
            scope.cancel("outside")
            await communicator.get("k")
    assert scope.cancelled_caught


async def test_the_bodys_cancelled_is_the_same_object(etcd: EtcdClient[str]) -> None:
    inside: trio.Cancelled | None = None
    with trio.CancelScope() as scope:
        try:
            async with etcd.connect():
                scope.cancel("outside")
                try:
                    await trio.sleep_forever()
                except trio.Cancelled as cancelled:
                    inside = cancelled
                    raise
        except trio.Cancelled as cancelled:
            assert cancelled is inside
            raise
    assert inside is not None


async def test_clean_up_in_a_cancelled_body_still_has_its_connection(etcd: EtcdClient[str]) -> None:
    with nothing_left(), trio.move_on_after(0.05):
        async with etcd.connect() as communicator:
            connection = live(communicator)
            try:
                await trio.sleep_forever()
            finally:
                with trio.CancelScope(shield=True):
                    await communicator.put("clean", "up")
                    assert await communicator.get("clean") == "up"
                    assert live(communicator) is connection


CALLS: list[Callable[[Communicator], Awaitable[object]]] = [
    lambda c: c.get("k"),
    lambda c: c.get_prefix("k"),
    lambda c: c.get_range("k", "l"),
    lambda c: c.keys_prefix("k"),
    lambda c: c.keys_range("k", "l"),
    lambda c: c.range("k"),
    lambda c: c.count("k"),
    lambda c: c.iter_range("k").receive(),
    lambda c: c.put("k", "v"),
    lambda c: c.delete("k"),
    lambda c: c.delete_prefix("k"),
    lambda c: c.delete_range("k", "l"),
    lambda c: c.compact(1),
    lambda c: c.txn(lambda action: action.put("k", "v")),
    lambda c: c.txn_compare([], lambda success, _failure: success.get("k")),
    lambda c: c.namespaced("n").get("k"),
]


@pytest.mark.parametrize("wait", [True, False])
async def test_every_call_after_the_block(etcd: EtcdClient[str], wait: bool) -> None:
    async with etcd.connect(wait=wait) as communicator:
        pass
    with nothing_left():
        for call in CALLS:
            with (
                trio.testing.assert_checkpoints(),
                pytest.raises(trio.ClosedResourceError, match=r"block .* left"),
            ):
                await call(communicator)


async def test_calls_under_way_when_the_block_ends() -> None:
    """Reads: the client was closed. Writes: they may have happened."""
    ends: dict[str, BaseException] = {}

    async def wait(name: str, call: Awaitable[object]) -> None:
        try:
            await call
        except Exception as error:  # noqa: BLE001
            ends[name] = error

    async with open_peer() as peer, trio.open_nursery() as nursery:
        with trio.fail_after(5):
            async with EtcdClient(peer.endpoint).connect() as communicator:
                for name, call in (("get", communicator.get("k")), ("put", communicator.put("k", "v"))):
                    nursery.start_soon(wait, name, call)
                await trio.testing.wait_all_tasks_blocked(0.05)
            while len(ends) < 2:
                await trio.sleep(0.001)
    assert isinstance(ends["get"], trio.ClosedResourceError)
    assert isinstance(ends["put"], OutcomeUnknownError)
    assert ends["put"].outcome == "unknown"


@pytest.mark.parametrize("steps", range(1, 14))
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_calls_that_still_connect_when_the_block_ends(
    etcd_server: EtcdServer, host: str, steps: int
) -> None:
    ends: list[object] = []

    async def get(communicator: Communicator) -> None:
        try:
            ends.append(await communicator.get("k"))
        except trio.ClosedResourceError as error:
            ends.append(error)

    with nothing_left():
        async with trio.open_nursery() as nursery, AsyncExitStack() as stack:
            client = EtcdClient(f"{host}:{etcd_server.port}")
            communicator = await stack.enter_async_context(client.connect(wait=False))
            nursery.start_soon(get, communicator)  # it outlives the block: that is what this is about
            for _ in range(steps):
                await trio.lowlevel.checkpoint()
    [end] = ends
    assert end is None or isinstance(end, trio.ClosedResourceError)


async def test_many_clients_inside_each_other(etcd: EtcdClient[str]) -> None:
    with nothing_left():
        async with etcd.connect() as first, etcd.connect() as second, etcd.connect(wait=False) as third:
            await first.put("k", "v")
            assert await second.get("k") == await third.get("k") == "v"
            async with etcd.connect() as fourth:
                assert await fourth.get("k") == "v"
            assert await first.get("k") == "v"


async def test_a_client_can_be_used_again_and_at_once(etcd: EtcdClient[str]) -> None:
    async def use(number: int) -> None:
        async with etcd.connect() as communicator:
            await communicator.put(f"{number}", "v")

    with nothing_left():
        async with trio.open_nursery() as nursery:
            for number in range(50):
                nursery.start_soon(use, number)
        for _ in range(20):
            await use(0)
    async with etcd.connect() as communicator:
        assert await communicator.count("", prefix=True) == 50


def test_nothing_is_opened_before_the_block(etcd_server: EtcdServer) -> None:
    before = sockets()
    client = EtcdClient(etcd_server.endpoint)
    block = client.connect()
    assert sockets() == before
    del block


INTERRUPTED = """
import os, signal, sys, threading

import trio

from etcetra_trio import EtcdClient

endpoint, engine = sys.argv[1:]
client = EtcdClient(endpoint, http2=engine)


async def main():
    timer.start()
    async with client.connect() as communicator:
        async with communicator.iter_range("", prefix=True) as records:
            async for record in records:
                pass
        while True:
            await communicator.get("k")
            await communicator.put("k", "v")


for number in range(100):
    timer = threading.Timer(0.001 + 0.0004 * number, os.kill, (os.getpid(), signal.SIGINT))
    try:
        trio.run(main)
    except KeyboardInterrupt:
        pass
    timer.join()
print("all left as themselves")
"""


@pytest.mark.parametrize("engine", ["lean", "h2"])
def test_ctrl_c_leaves_as_itself(etcd_server: EtcdServer, engine: EngineName) -> None:
    """Wherever it strikes: while connecting, while waiting, in the middle of a call.

    In a process of its own, for what Trio says when it breaks is not for pytest's ears.
    """
    command = [sys.executable, "-W", "error", "-c", INTERRUPTED, etcd_server.endpoint, engine]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "all left as themselves\n", "")
