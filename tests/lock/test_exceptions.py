"""What leaves the block of a lock that was not lost: the body's own, the same object; and the lock is released."""

from __future__ import annotations

import gc
import signal
import subprocess
import sys
import weakref

import pytest
import trio
from lease._kit import nothing_left

from etcetra_trio import EtcdClient
from etcetra_trio.testing import EtcdServer


class OwnError(Exception):
    pass


@pytest.mark.parametrize(
    "error",
    [
        OwnError("x"),
        ExceptionGroup("mine", [OwnError(), ValueError()]),
        BaseExceptionGroup("mine", [KeyboardInterrupt(), ValueError()]),
        KeyboardInterrupt(),
        SystemExit(3),
        StopIteration(),
        StopAsyncIteration(),
        TimeoutError(),
        trio.TooSlowError(),
        trio.ClosedResourceError(),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_the_same_object(etcd: EtcdClient[str], etcd_server: EtcdServer, error: BaseException) -> None:
    cause, context = KeyError(), LookupError()
    error.__cause__, error.__context__ = cause, context
    async with nothing_left(etcd_server):
        with pytest.raises(type(error)) as caught:
            async with etcd.with_lock("name"):
                raise error
    assert caught.value is error
    assert error.__cause__ is cause
    assert error.__context__ is context


async def test_cancelled(etcd: EtcdClient[str], etcd_server: EtcdServer) -> None:
    async with nothing_left(etcd_server):
        with trio.CancelScope() as scope:
            cancelled: list[trio.Cancelled] = []
            with pytest.raises(trio.Cancelled) as caught:
                async with etcd.with_lock("name"):
                    scope.cancel()
                    try:
                        await trio.sleep_forever()
                    except trio.Cancelled as exc:
                        cancelled.append(exc)
                        raise
            assert [caught.value] == cancelled
            raise caught.value
        assert scope.cancelled_caught


async def test_cancelled_body_may_still_write(etcd: EtcdClient[str]) -> None:
    with trio.CancelScope() as scope:
        async with etcd.with_lock("name") as communicator:
            scope.cancel()
            try:
                await trio.sleep_forever()
            finally:
                with trio.move_on_after(5, shield=True):
                    assert communicator.held_lock is not None
                    await communicator.held_lock.put("last", "word")
    async with etcd.connect() as communicator:
        assert await communicator.get("last") == "word"


async def test_a_return_and_a_loop(etcd: EtcdClient[str], etcd_server: EtcdServer) -> None:
    async def value() -> int:
        async with etcd.with_lock("name"):
            return 42

    async with nothing_left(etcd_server):
        assert await value() == 42
        for _ in range(2):
            async with etcd.with_lock("name"):
                break


async def test_no_reference_cycle(etcd: EtcdClient[str]) -> None:
    """An exception is gone as soon as nobody has it."""

    async def fail() -> weakref.ref[OwnError]:
        try:
            async with etcd.connect() as communicator, communicator.lock("name"):
                raise OwnError
        except OwnError as error:
            return weakref.ref(error)

    gc.collect()
    gc.disable()
    try:
        reference = await fail()
        await trio.lowlevel.checkpoint()
        assert reference() is None
    finally:
        gc.enable()


INTERRUPTED = """
import sys, trio
from etcetra_trio import EtcdClient

async def main():
    try:
        async with EtcdClient(sys.argv[1]).with_lock("interrupted") as communicator:
            print("held", flush=True)
            {body}
    except KeyboardInterrupt as error:
        print(type(error).__name__, error.__cause__, flush=True)

trio.run(main)
"""


@pytest.mark.parametrize(
    "body", ["await trio.sleep(60)", "while True: pass", "while True: await communicator.put('k', 'v')"]
)
def test_interrupted(etcd_server: EtcdServer, body: str) -> None:
    """Ctrl-C while it is held: KeyboardInterrupt leaves, and the lock is released."""
    program = [sys.executable, "-W", "error", "-c", INTERRUPTED.format(body=body), etcd_server.endpoint]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            process.send_signal(signal.SIGINT)
            assert process.stdout.readline() == "KeyboardInterrupt None\n"
            assert process.wait(20) == 0
        finally:
            process.kill()

    async def check() -> None:
        with trio.fail_after(10):
            async with EtcdClient(etcd_server.endpoint).connect() as communicator:
                assert await communicator.get_prefix("interrupted") == {}

    trio.run(check)
