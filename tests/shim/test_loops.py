"""Event loops come and go: one after the other, several at once, closed properly or forgotten."""

from __future__ import annotations

import asyncio
import gc
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable

import pytest
import trio
import uvloop

from etcetra_trio.asyncio import EtcdClient
from etcetra_trio.asyncio._portal import _portals
from etcetra_trio.testing import EtcdServer
from shim._kit import HAS_TRIO_ASYNCIO, RUNNERS, busy_threads, check_nothing_left, program

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}


async def use(client: EtcdClient[str], value: str = "v") -> None:
    async with client.connect() as communicator:
        await communicator.put("loops", value)
        assert await communicator.get("loops") == value


@pytest.mark.parametrize("runner", RUNNERS)
def test_one_client_in_one_run_after_the_other(runner: str, etcd_server: EtcdServer) -> None:
    client = EtcdClient(etcd_server.endpoint)
    for number in range(5):
        RUNNERS[runner](use(client, str(number)))
        check_nothing_left()
    assert not busy_threads()


@pytest.mark.parametrize("debug", [False, True])
def test_debug_mode_of_asyncio(etcd_server: EtcdServer, debug: bool) -> None:
    asyncio.run(use(EtcdClient(etcd_server.endpoint)), debug=debug)
    check_nothing_left()


def test_one_client_in_many_threads_at_once(etcd_server: EtcdServer) -> None:
    client = EtcdClient(etcd_server.endpoint, namespace="/threads/")
    failures: list[BaseException] = []
    together = threading.Barrier(6)

    async def work(number: int) -> None:
        async with client.connect() as communicator:
            for step in range(50):
                await communicator.put(f"{number}", str(step))
                assert await communicator.get(f"{number}") == str(step)
            async with client.with_lock("lock"):
                count = await communicator.get("count")
                await asyncio.sleep(0.01)
                await communicator.put("count", str(int(count or 0) + 1))

    def thread(number: int) -> None:
        try:
            together.wait()
            RUNNERS["uvloop" if number % 2 else "asyncio"](work(number))
            trio.run(trio.sleep, 0)
        except BaseException as error:  # noqa: BLE001 - raised in the main thread
            failures.append(error)

    async def check() -> None:
        async with client.connect() as communicator:
            assert await communicator.get("count") == "6"
            await communicator.delete_prefix("")

    threads = [threading.Thread(target=thread, args=(number,)) for number in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert not failures
    asyncio.run(check())
    check_nothing_left()


@pytest.mark.parametrize("loop", LOOPS)
def test_a_loop_by_hand_and_a_client_that_is_closed(loop: str, etcd_server: EtcdServer) -> None:
    client = EtcdClient(etcd_server.endpoint)
    by_hand = LOOPS[loop]()
    by_hand.run_until_complete(use(client))
    assert by_hand in _portals
    by_hand.run_until_complete(client.aclose())
    by_hand.run_until_complete(client.aclose())
    check_nothing_left()
    by_hand.run_until_complete(use(client))
    by_hand.run_until_complete(by_hand.shutdown_asyncgens())
    check_nothing_left()
    by_hand.close()
    asyncio.run(use(client))


@pytest.mark.parametrize("loop", LOOPS)
def test_a_loop_by_hand_and_a_client_that_is_forgotten(loop: str, etcd_server: EtcdServer) -> None:
    client = EtcdClient(etcd_server.endpoint)
    by_hand = LOOPS[loop]()
    by_hand.run_until_complete(use(client))
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        by_hand.close()
        gc.collect()
    assert [(warning.category, "etcetra_trio" in str(warning.message)) for warning in warned] == [
        (ResourceWarning, True)
    ]
    check_nothing_left()
    asyncio.run(use(client))  # no loop is poisoned
    check_nothing_left()


@pytest.mark.parametrize("loop", LOOPS)
def test_a_loop_that_is_stopped_in_the_middle(loop: str, etcd_server: EtcdServer) -> None:
    client = EtcdClient(etcd_server.endpoint)
    by_hand = LOOPS[loop]()

    async def endless() -> None:
        async with client.connect() as communicator, communicator.lock("stopped"):
            by_hand.call_soon(by_hand.stop)
            await asyncio.sleep(1000)

    async def waiting_for_the_lock() -> None:
        async with client.with_lock("stopped", timeout=5):
            pass

    task = by_hand.create_task(endless())
    by_hand.run_forever()
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        by_hand.close()
    check_nothing_left()
    asyncio.run(waiting_for_the_lock())  # it was released
    assert not task.done()
    task._log_destroy_pending = False  # type: ignore[attr-defined]  # the test's own doing
    del task
    gc.collect()  # the body ends without a loop


def test_two_loops_of_one_thread(etcd_server: EtcdServer) -> None:
    client = EtcdClient(etcd_server.endpoint)
    first, second = asyncio.new_event_loop(), asyncio.new_event_loop()
    first.run_until_complete(use(client))
    second.run_until_complete(use(client))  # the first one's connection was idle
    first.run_until_complete(use(client))
    manager = client.connect()
    communicator = first.run_until_complete(manager.__aenter__())
    with pytest.raises(RuntimeError, match="one loop per thread"):
        second.run_until_complete(use(client))
    assert first.run_until_complete(communicator.get("no such key")) is None
    first.run_until_complete(manager.__aexit__(None, None, None))
    second.run_until_complete(use(client))
    for loop in (first, second):
        loop.run_until_complete(client.aclose())
        loop.close()
    check_nothing_left()


def test_inside_a_trio_program_it_says_why_it_cannot(etcd_server: EtcdServer) -> None:
    client = EtcdClient(etcd_server.endpoint)

    async def main() -> None:
        with pytest.raises(RuntimeError, match="from inside a run"):
            asyncio.run(use(client))

    trio.run(main)
    check_nothing_left()


PROGRAM = """
import asyncio, sys, warnings
from etcetra_trio.asyncio import EtcdClient
client = EtcdClient(sys.argv[1])

async def main(how):
    communicator = await client.connect().__aenter__()
    await communicator.put("forgotten", "v")
    lock = communicator.lock("forgotten lock")
    await lock.__aenter__()
    watch = communicator.watch("forgotten")
    waiting = asyncio.create_task(anext(watch))
    await asyncio.sleep(0.1)
    print("ready", flush=True)
    if how == "raise":
        raise LookupError("mine")
    if how == "exit":
        sys.exit(7)
    if how == "wait":
        await asyncio.sleep(60)

{}
"""
ENDS = {
    "return": "asyncio.run(main('return'))",
    "raise": "try: asyncio.run(main('raise'))\nexcept LookupError: print('mine')",
    "by hand": "loop = asyncio.new_event_loop(); loop.run_until_complete(main('return'))",
    "uvloop": "import uvloop; uvloop.run(main('return'))",
}
if HAS_TRIO_ASYNCIO:
    ENDS["trio-asyncio"] = "from etcetra_trio.asyncio import run; run(main, 'return')"


@pytest.mark.parametrize("end", ENDS)
def test_programs_that_forget_to_close(end: str, etcd_server: EtcdServer) -> None:
    # Warnings of ours are wanted there, and not errors.
    text = PROGRAM.format("warnings.simplefilter('default')\n" + ENDS[end])
    out, err = program(text, etcd_server.endpoint)
    assert out.splitlines()[0] == "ready"
    for line in err.splitlines():
        assert "Warning" not in line or "ResourceWarning" in line, err
        assert "Traceback" not in line, err
    assert "Trio guest run got abandoned" not in err
    asyncio.run(lock_is_free(etcd_server))


async def lock_is_free(server: EtcdServer) -> None:
    async with EtcdClient(server.endpoint).with_lock("forgotten lock", timeout=5):
        pass


def test_a_program_that_exits(etcd_server: EtcdServer) -> None:
    program(PROGRAM.format("asyncio.run(main('exit'))"), etcd_server.endpoint, code=7)
    asyncio.run(lock_is_free(etcd_server))


INTERRUPTED = [
    "asyncio.run(main('wait'))",
    "import uvloop; uvloop.run(main('wait'))",
    "asyncio.new_event_loop().run_until_complete(main('wait'))",
]


@pytest.mark.parametrize("end", INTERRUPTED)
def test_an_interrupt(end: str, etcd_server: EtcdServer) -> None:
    text = PROGRAM.format(f"try: {end}\nexcept KeyboardInterrupt: print('interrupted', flush=True)")
    command = [sys.executable, "-W", "default", "-c", text, etcd_server.endpoint]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, "interrupted\n"), err
    assert "Traceback" not in err
    asyncio.run(lock_is_free(etcd_server))
