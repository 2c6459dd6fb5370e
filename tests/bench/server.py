"""The etcd of a run. Without a disk in the way: the clients are measured, not storage."""

import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import trustme

from etcetra_trio.testing import EtcdServer, ServerTLS

TMPFS = Path("/dev/shm")
IN_MEMORY = TMPFS.is_dir()


@asynccontextmanager
async def server(tls: ServerTLS | None = None) -> AsyncGenerator[tuple[int, str], None]:
    """Run etcd, and give its port and a line that describes it."""
    with tempfile.TemporaryDirectory(dir=TMPFS if IN_MEMORY else None, prefix="etcetra-trio-bench-") as data:
        flags = ["--data-dir", data, "--unsafe-no-fsync", "--log-level", "error"]
        async with EtcdServer(extra_args=flags, tls=tls) as etcd:
            place = f"tmpfs ({TMPFS})" if IN_MEMORY else "disk"
            yield etcd.port, f"etcd {etcd.version}, one member, loopback, data on {place}, --unsafe-no-fsync"


@asynccontextmanager
async def tls_server(*, separate_http: bool = False) -> AsyncGenerator[tuple[str, str], None]:
    """The same behind TLS: its port, and the file of the authority that its clients trust."""
    with tempfile.TemporaryDirectory(prefix="etcetra-trio-bench-") as folder:
        ca, certificate = Path(folder, "ca.pem"), Path(folder, "server.pem")
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(ca))
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(certificate))
        async with server(ServerTLS(certificate, certificate, separate_http=separate_http)) as (port, _):
            yield str(port), str(ca)
