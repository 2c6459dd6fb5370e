"""SIGSTOP for longer than the TTL: another one has the lock meanwhile, and the stopped one does no harm afterwards."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import trio
from lease._kit import connected

from etcetra_trio.testing import EtcdServer

TESTS = Path(__file__).parent.parent


async def test_stopped(etcd_server: EtcdServer) -> None:
    process = await trio.lowlevel.open_process(
        [sys.executable, "-W", "error", "-m", "lock._stopped", etcd_server.endpoint],
        stdout=subprocess.PIPE,
        cwd=TESTS,
        env={"PYTHONPATH": str(TESTS.parent)},
    )
    assert process.stdout is not None
    try:
        async with connected(etcd_server.endpoint) as communicator:
            assert await process.stdout.receive_some() == b"held\n"
            process.send_signal(signal.SIGSTOP)
            begin = trio.current_time()
            async with communicator.lock("stopped") as lock:
                await trio.sleep_until(begin + 4.1)
                process.send_signal(signal.SIGCONT)
                told = b"".join([data async for data in process.stdout]).decode().splitlines()
                await lock.put("who", "the next one")
            last = told.pop()
            assert told == ["not written"] * 3
            assert last in {f"LockLostError, {passed} checkpoints after it" for passed in (0, 1)}
            assert (await communicator.range("who")).kvs[0].version == 1
            await communicator.delete("who")
    finally:
        process.kill()
        with trio.move_on_after(5, shield=True):
            await process.wait()
