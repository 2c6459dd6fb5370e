"""Endpoints as the user writes them, and who the user is. Pure: nothing is looked up or connected to."""

from __future__ import annotations

import re
import socket
import string
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Literal, NoReturn

from ._checks import kind_of
from ._errors import InvalidRequestError
from ._secret import Secret

__all__ = ["EtcdCredential", "EtcdToken", "HostPortPair"]

DEFAULT_PORT = 2379
#: What to say to who gives them as two arguments, or as a tuple.
ONE_ENDPOINT = "A host and its port are one endpoint: 'host:port' or HostPortPair(host, port)"

#: ``unixs`` is TLS over a unix socket.
Scheme = Literal["http", "https", "unix", "unixs"]
_HOST_CHARACTERS = frozenset(string.ascii_letters + string.digits + "-._")


@dataclass(frozen=True, slots=True)
class HostPortPair:
    """Where one etcd server listens.

    Args:
      host: A name or an address; IPv6 with or without brackets.
      port: Its port for clients, a number or its digits.

    Raises:
      ValueError: the host or the port cannot be one; the message says which.
    """

    host: str
    port: int

    def __post_init__(self) -> None:
        """Bring both into one form, so that equal pairs compare equal."""
        object.__setattr__(self, "host", _host(self.host))
        object.__setattr__(self, "port", _port(self.port))

    @classmethod
    def parse(cls, address: str) -> HostPortPair:
        """Read ``"host:port"``, ``"host"`` (port 2379) or ``"[::1]:port"``.

        Raises:
          ValueError: it is none of these; the message says which part is wrong.
        """
        _refuse_credentials(address)
        try:
            return cls(*_split(address))
        except InvalidRequestError as error:
            raise InvalidRequestError(f"address {address!r}: {error}") from None

    def __str__(self) -> str:
        """``host:port``, with an IPv6 address in brackets."""
        return _join(self.host, self.port)


@dataclass(frozen=True, slots=True)
class EtcdCredential:
    """A user of etcd and the password, which is not shown by ``repr``; it cannot be pickled.

    A client that has one fetches a token with it when it first connects, and another one when the server wants it.

    Raises:
      InvalidRequestError: the name is empty, or one of them has no form in UTF-8.
      TypeError: one of them is no text.
    """

    username: str
    password: str = field(repr=False)

    def __post_init__(self) -> None:
        if not Secret(self.username).text("username"):
            raise InvalidRequestError("the username is empty")
        Secret(self.password).text("password")

    def __reduce__(self) -> NoReturn:
        raise TypeError("credentials cannot be pickled: the password would be in there")


@dataclass(frozen=True, slots=True)
class EtcdToken:
    """A token that somebody else issued, such as a JWT, in the place of user and password; not shown by ``repr``.

    Args:
      token: The token; or the path of a file that has it, which is read again when the server refuses the token.

    Raises:
      InvalidRequestError: the token has characters that no header field has.
      TypeError: it is neither text nor a path.
    """

    token: str | Path = field(repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.token, Path):
            Secret(self.token).field("token")

    def __reduce__(self) -> NoReturn:
        raise TypeError("credentials cannot be pickled: the token would be in there")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One place to connect to: a host and port, or the path of a unix socket."""

    scheme: Scheme
    host: str = ""
    port: int = 0
    path: str = ""
    #: One of the addresses that the host's name stands for; empty: any of them.
    address: str = ""

    @property
    def secure(self) -> bool:
        """Whether TLS is spoken there."""
        return self.scheme in {"https", "unixs"}

    @property
    def exposed(self) -> bool:
        """Whether others could read on the way what is sent there: neither TLS nor this very machine."""
        if self.scheme != "http" or self.host.lower() in {"localhost", "localhost."}:
            return False
        try:
            return not ip_address(self.host.partition("%")[0]).is_loopback
        except ValueError:  # a name, which can lead anywhere
            return True

    @property
    def server_name(self) -> str:
        """The name that its certificate must have, unless another was chosen."""
        return self.host.partition("%")[0].removesuffix(".") or "localhost"

    @property
    def authority(self) -> str:
        """What goes into the request's ``:authority``."""
        if self.path:
            return "localhost"  # as grpc does it: a path is no authority
        # The zone of an IPv6 address means nothing to the other end.
        return _join(self.host.partition("%")[0], self.port)

    def __str__(self) -> str:
        """In a form that can be parsed again; plain TCP without its scheme."""
        if self.path:
            return f"{self.scheme}://{self.path}"
        address = _join(self.host, self.port)
        bare = self.scheme == "http" and not _is_unix(address)  # a host may be called unix
        return address if bare else f"{self.scheme}://{address}"


def parse_endpoints(
    endpoints: HostPortPair | str | Sequence[HostPortPair | str], *, secure: bool = False
) -> tuple[Endpoint, ...]:
    """Read what a client was given as its endpoints; each is kept once, in the order given.

    Args:
      endpoints: A pair, a text with one endpoint or several between commas, or a sequence of these. In a text
        stands ``host:port``, ``http://…``, ``https://…``, ``unix://PATH`` or ``unixs://PATH`` (``//`` may lack).
      secure: Speak TLS where an endpoint does not say ``http`` or ``https`` itself.

    Raises:
      InvalidRequestError: an endpoint cannot be one, or they do not go together.
      TypeError: something in there is neither a text nor a pair.
    """
    given: Sequence[HostPortPair | str]
    given = (endpoints,) if isinstance(endpoints, str) or not isinstance(endpoints, Sequence) else endpoints
    found: list[Endpoint] = []
    for item in given:
        if isinstance(item, HostPortPair):
            found.append(Endpoint("https" if secure else "http", item.host, item.port))
        else:
            found.extend(_parse_list(item, secure=secure))
    if not found:
        raise InvalidRequestError("no endpoint given: give at least one, such as 'localhost:2379'")
    if {"http", "https"} <= {endpoint.scheme for endpoint in found}:
        raise InvalidRequestError(
            "some endpoints are https and some plain http: with one client either all are encrypted or none"
        )
    return tuple(dict.fromkeys(found))


def _parse_list(text: object, *, secure: bool) -> list[Endpoint]:
    if not isinstance(text, str):
        found = f"an endpoint is a str such as 'localhost:2379' or a HostPortPair(host, port), not {kind_of(text)}"
        raise TypeError(f"{found}. {ONE_ENDPOINT}" if isinstance(text, int | tuple) else found)
    parts = [part.strip() for part in text.split(",")]
    # Before any message quotes a part: a password may have a comma in it. Only a path may have an "@".
    if not all(_is_unix(part) for part in parts):
        _refuse_credentials(text)
    return [_parse(part, secure=secure) for part in parts]


def _parse(text: str, *, secure: bool) -> Endpoint:
    if text.isdecimal():  # as in ("127.0.0.1", "2379")
        raise InvalidRequestError(
            f"endpoint {text!r} is a number without a host: write 'host:{text}' or HostPortPair(host, {text})"
        )
    try:
        name, colon, rest = text.partition("://")
        if not colon and _is_unix(text):
            name, colon, rest = text.partition(":")
        if not colon:
            return _tcp("https" if secure else "http", text)
        match name.lower():
            case "unix" | "unixs" as scheme:
                if not rest or "\0" in rest:
                    raise InvalidRequestError("the path of the unix socket is empty or has a NUL in it")
                return Endpoint("unixs" if secure else scheme, path=rest)
            case "http" if secure:
                raise InvalidRequestError("http:// is not encrypted, but TLS was asked for: write https://")
            case "http" | "https" as scheme:
                return _tcp(scheme, rest)
            case _:
                raise InvalidRequestError(f"the scheme {name!r} is none of http, https, unix, unixs")
    except InvalidRequestError as error:
        raise InvalidRequestError(f"endpoint {text!r}: {error}") from None


def _is_unix(text: str) -> bool:
    return text.lower().startswith(("unix:", "unixs:"))


def _tcp(scheme: Literal["http", "https"], text: str) -> Endpoint:
    address = re.split("[/?#]", text, maxsplit=1)[0]
    rest = text[len(address) :]
    if rest not in {"", "/"}:
        raise InvalidRequestError(f"{rest!r} follows the address: an endpoint has no path and no query")
    host, port = _split(address)
    return Endpoint(scheme, _host(host), port)


def _split(address: str) -> tuple[str, int]:
    if address.startswith("["):
        host, bracket, rest = address.partition("]")
        if not bracket:
            raise InvalidRequestError("the bracket of the IPv6 address is not closed")
        if rest and not rest.startswith(":"):
            raise InvalidRequestError(f"{rest!r} follows the IPv6 address: only :port can")
        return host + bracket, _port(rest[1:]) if rest else DEFAULT_PORT
    if address.count(":") > 1:
        raise InvalidRequestError("an IPv6 address needs brackets, as in [::1]:2379")
    host, colon, port = address.partition(":")
    return host, _port(port) if colon else DEFAULT_PORT


def _join(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _host(host: object) -> str:
    """The host without brackets, if it can be one."""
    if not isinstance(host, str):
        raise TypeError(f"a host is a str, not {type(host).__name__}")
    _refuse_credentials(host)
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not bare:
        raise InvalidRequestError("the host is empty")
    if bare != host or ":" in bare:
        address, percent, zone = bare.partition("%")
        try:
            socket.inet_pton(socket.AF_INET6, address)
        except (OSError, ValueError):  # ValueError: a NUL in it
            raise InvalidRequestError(f"the host {host!r} is no IPv6 address") from None
        bad = bool(percent) and not (zone and _HOST_CHARACTERS.issuperset(zone))
    else:
        bad = not _HOST_CHARACTERS.issuperset(bare)
    if bad:
        raise InvalidRequestError(
            f"the host {host!r} has characters that no host has (non-ASCII names: as xn--…)"
        )
    # RFC 1035, 2.3.4; a trailing dot is the root. Python's resolver raises UnicodeError for such labels.
    if not all(0 < len(label) < 64 for label in bare.removesuffix(".").split(".")) and ":" not in bare:
        raise InvalidRequestError(f"the host {host!r} has a part that is empty or longer than 63 characters")
    return bare


def _port(port: object) -> int:
    if isinstance(port, str) and port.isascii() and port.isdecimal() and len(port) <= 5:
        port = int(port)
    if not isinstance(port, (int, str)):
        raise TypeError(f"a port is a number, not {type(port).__name__}")
    if isinstance(port, str) or not 1 <= port <= 65535:
        raise InvalidRequestError(f"the port {port!r} is not a number from 1 to 65535")
    return port


def _refuse_credentials(address: str) -> None:
    # Not quoted: what stands before the @ may be a password.
    if "@" in address:
        raise InvalidRequestError(
            "an address holds no user and password, but there is an '@' in it: use EtcdCredential(username, password)"
        )
