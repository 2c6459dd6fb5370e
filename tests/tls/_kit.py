"""What the TLS tests share: a certificate authority, its certificates in files, and servers that use them."""

from __future__ import annotations

import datetime as dt
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import trio
import trustme

from etcetra_trio import ConnectionFailedError, EtcdClient, TLSConfig, TLSError
from etcetra_trio.streams._endpoints import EngineName
from etcetra_trio.testing import ServerTLS, find_etcd

ENGINES: tuple[EngineName, ...] = ("lean", "h2")
_HELP = subprocess.run([find_etcd(), "--help"], capture_output=True, check=False, timeout=30)
_FLAGS = _HELP.stdout + _HELP.stderr
#: etcd's two implementations of HTTP/2 behind TLS, those of them that this etcd has: ``separate_http``.
FACES = (False, True) if b"--listen-client-http-urls" in _FLAGS else (False,)
#: Whether this etcd speaks TLS 1.3; the others stop at 1.2.
NEWEST = b"--tls-max-version" in _FLAGS
YESTERDAY = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)


@dataclass(frozen=True)
class Authority:
    """A certificate authority with a folder for its files."""

    folder: Path
    ca: trustme.CA

    @classmethod
    def new(cls, folder: Path) -> Authority:
        folder.mkdir()
        ca = trustme.CA()
        ca.cert_pem.write_to_path(str(folder / "ca.pem"))
        return cls(folder, ca)

    @property
    def ca_file(self) -> Path:
        return self.folder / "ca.pem"

    def issue(self, file: str, *names: str, not_after: dt.datetime | None = None) -> tuple[Path, Path]:
        """A certificate for these names and its key."""
        issued = self.ca.issue_cert(*names, not_after=not_after)
        cert, key = self.folder / f"{file}.pem", self.folder / f"{file}.key"
        cert.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
        key.write_bytes(issued.private_key_pem.bytes())
        return cert, key

    def server(
        self,
        *names: str,
        clients: Path | None = None,
        separate_http: bool = False,
        **options: dt.datetime,
    ) -> ServerTLS:
        """For a server with these names that wants client certificates of the CA in the file ``clients``."""
        cert, key = self.issue("-".join(["server", *names]), *names, **options)
        return ServerTLS(cert, key, client_ca=clients, separate_http=separate_http)

    def config(self, name: str | None = None) -> TLSConfig:
        """For a client that trusts this authority, with a certificate of this name."""
        if name is None:
            return TLSConfig(ca=self.ca_file)
        cert, key = self.issue(name, name)
        return TLSConfig(self.ca_file, cert, key)


async def failure(client: EtcdClient[str]) -> str:
    """Why the only endpoint of the client could not be connected to: TLS, in one sentence."""
    with trio.fail_after(10):
        with pytest.raises(ConnectionFailedError) as caught:
            async with client.connect():
                pytest.fail("it connected")
    ((endpoint, cause),) = caught.value.endpoints
    assert type(cause) is TLSError
    assert f"{endpoint}: {cause}" in str(caught.value)
    return str(cause)
