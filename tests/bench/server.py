"""The one etcd of a run. Without a disk in the way: the clients are measured, not storage."""

import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from etcetra_trio.testing import EtcdServer

TMPFS = Path("/dev/shm")
IN_MEMORY = TMPFS.is_dir()


@asynccontextmanager
async def server() -> AsyncGenerator[tuple[int, str], None]:
    """Run etcd, and give its port and a line that describes it."""
    with tempfile.TemporaryDirectory(dir=TMPFS if IN_MEMORY else None, prefix="etcetra-trio-bench-") as data:
        flags = ["--data-dir", data, "--unsafe-no-fsync", "--log-level", "error"]
        async with EtcdServer(extra_args=flags) as etcd:
            place = f"tmpfs ({TMPFS})" if IN_MEMORY else "disk"
            yield etcd.port, f"etcd {etcd.version}, one member, loopback, data on {place}, --unsafe-no-fsync"
