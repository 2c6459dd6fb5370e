"""What TLS a client speaks: its settings, and the SSL context made of them whenever a file has changed."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from ._errors import InvalidRequestError, TLSError

__all__ = ["TLSConfig"]

_Path = str | os.PathLike[str]

#: What RFC 9113, appendix A, leaves of TLS 1.2; 1.3 has its own.
_CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"


@final
@dataclass(frozen=True, slots=True)
class TLSConfig:
    """How a client proves who it is and checks who the server is. All files are PEM, and read again when they change.

    Args:
      ca: The file with the certificates to trust; None: the system's.
      cert: The client's own certificate, with those between it and its CA.
      key: Its private key, not encrypted; None: it is in the file of ``cert``.
      server_name: The name that every server's certificate must have; None: for each endpoint its own host.

    Raises:
      InvalidRequestError: a key without a certificate, or an empty argument.
    """

    ca: _Path | None = None
    cert: _Path | None = None
    key: _Path | None = None
    server_name: str | None = None

    def __post_init__(self) -> None:
        for name in ("ca", "cert", "key"):
            path = getattr(self, name)
            if path is not None and not os.fspath(path):
                raise InvalidRequestError(f"{name} is empty: leave it out, or name a file")
        if self.key is not None and self.cert is None:
            raise InvalidRequestError("there is a key, but no cert that it belongs to")
        if self.server_name is not None and not self.server_name:
            raise InvalidRequestError("server_name is empty: leave it out to have each endpoint's own host")


class TLSContexts:
    """The SSL context for the next connection, and the name to ask for; shared by all connections of a client."""

    def __init__(self, tls: TLSConfig | ssl.SSLContext) -> None:
        self._config = tls if isinstance(tls, TLSConfig) else TLSConfig()
        self._given = None if isinstance(tls, TLSConfig) else tls
        self._made: ssl.SSLContext | None = None
        self._files: list[tuple[int, ...]] = []

    @property
    def server_name(self) -> str | None:
        """The name that the certificate must have; None: the host of the endpoint."""
        return self._config.server_name

    def context(self) -> ssl.SSLContext:
        """The context, made anew if a file has changed.

        Raises:
          TLSError: a file cannot be read, or is not what it should be.
        """
        context = self._given
        if context is None:
            # Looked at before they are read: what changes in between is found the next time.
            files = [self._stamp(what, path) for what, path in self._paths()]
            if self._made is None or files != self._files:
                self._made, self._files = self._make(), files
            context = self._made
        context.set_alpn_protocols(["h2"])
        return context

    def _paths(self) -> list[tuple[str, _Path]]:
        config = self._config
        named = (("CA", config.ca), ("certificate", config.cert), ("key", config.key))
        return [(what, path) for what, path in named if path is not None]

    def _stamp(self, what: str, path: _Path) -> tuple[int, ...]:
        try:
            found = os.stat(path)  # noqa: PTH116 - of a str or a path
        except OSError as error:
            raise _unreadable(_named(what, path), error) from error
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns

    def _make(self) -> ssl.SSLContext:
        config = self._config
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks certificate and host name
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(_CIPHERS)
        context.options |= ssl.OP_NO_RENEGOTIATION
        if config.ca is None:
            context.load_default_certs()
        else:
            try:
                context.load_verify_locations(config.ca)
            except OSError as error:
                raise _unreadable(_named("CA", config.ca), error) from error
        if config.cert is not None:
            try:
                context.load_cert_chain(config.cert, config.key, _no_passphrase)
            except OSError as error:
                files = _named("certificate", config.cert)
                if config.key is not None:
                    files += f" with {_named('key', config.key)}"
                lacking = self._lacking() if isinstance(error, ssl.SSLError) else ""
                raise _unreadable(files, error, lacking) from error
        return context

    def _lacking(self) -> str:
        """What the files with certificate and key do not have, as OpenSSL does not say it."""
        cert, key = self._config.cert, self._config.key
        assert cert is not None
        if b" CERTIFICATE-----" not in Path(cert).read_bytes():
            return "no certificate in it"
        return "no private key in it" if key else "no private key in it: give key=... as well"


def tls_contexts(tls: object) -> TLSContexts:
    """What ``EtcdClient(tls=...)`` was given, checked.

    Raises:
      InvalidRequestError: an SSL context that is for servers.
      TypeError: it is nothing of the kind.
    """
    if tls is True:
        return TLSContexts(TLSConfig())
    if isinstance(tls, ssl.SSLContext):
        if tls.protocol is ssl.PROTOCOL_TLS_SERVER:
            raise InvalidRequestError("tls is an SSL context for servers: use ssl.PROTOCOL_TLS_CLIENT")
        return TLSContexts(tls)
    if isinstance(tls, TLSConfig):
        return TLSContexts(tls)
    raise TypeError(f"tls is True, a TLSConfig or an ssl.SSLContext, not {type(tls).__name__}")


def _no_passphrase() -> str:
    raise TLSError("the private key is encrypted, and there is nobody to ask for its passphrase")


def _named(what: str, path: _Path) -> str:
    return f"the {what} file {os.fspath(path)!r}"


def _unreadable(files: str, error: OSError, lacking: str = "") -> TLSError:
    # OpenSSL's own texts name a line of its source; its reason says as much. Without one, it found nothing to read.
    reason: str | None = getattr(error, "reason", None)
    why = reason.replace("_", " ").lower() if reason else lacking or error.strerror or str(error)
    return TLSError(f"cannot use {files}: {why}")
