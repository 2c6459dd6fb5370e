"""TLS for an etcd of tests."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ServerTLS"]


@dataclass(frozen=True, slots=True)
class ServerTLS:
    """How an :class:`EtcdServer` speaks TLS with its clients. All files are PEM; ``trustme`` makes good ones.

    etcd has two implementations of HTTP/2 behind TLS, which behave differently: that of Go's standard library, and,
    where HTTP has a place of its own, that of grpc-go.

    Args:
      cert: The server's certificate.
      key: Its private key.
      client_ca: Demand a certificate of this CA from clients.
      separate_http: Serve nothing but gRPC on the port, and HTTP on the unix socket, which then has no gRPC
        (``--listen-client-http-urls``, which the first releases of 3.4 and 3.5 do not know).

    Raises:
      FileNotFoundError: one of the files is not there.
    """

    cert: str | os.PathLike[str]
    key: str | os.PathLike[str]
    client_ca: str | os.PathLike[str] | None = None
    separate_http: bool = False

    def __post_init__(self) -> None:
        """Make the paths absolute: etcd runs in a folder of its own."""
        for name in ("cert", "key", "client_ca"):
            path: str | os.PathLike[str] | None = getattr(self, name)
            if path is not None:
                full = Path(path).absolute()
                if not full.is_file():
                    raise FileNotFoundError(errno.ENOENT, f"ServerTLS: {name} is no file", str(full))
                object.__setattr__(self, name, full)

    def flags(self) -> Iterator[str]:
        """The flags of etcd that say so."""
        yield from ("--cert-file", os.fspath(self.cert), "--key-file", os.fspath(self.key))
        if self.client_ca is not None:
            yield from ("--client-cert-auth", "--trusted-ca-file", os.fspath(self.client_ca))
