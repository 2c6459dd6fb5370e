"""The token of one ``connect()`` block: fetched once for all its connections, and again when a server refuses it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import trio

from .._addresses import ONE_ENDPOINT, EtcdCredential, EtcdToken
from .._admin_errors import (
    AuthenticationFailedError,
    AuthNotEnabledError,
    AuthRevisionOldError,
    InvalidAuthTokenError,
    NotAuthenticatedError,
)
from .._checks import kind_of
from .._errors import EtcdError, InvalidRequestError
from .._proto._methods import AUTHENTICATE
from .._proto._wire import DecodeError, varint
from .._secret import Secret, forget_frames
from ..events import TokenFetched, TokenRefused
from ._fields import bytes_tag, fields

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .._addresses import Endpoint
    from ._connection import Connection
    from ._trace import Trace

Credentials = EtcdCredential | EtcdToken

#: What another token may cure.
STALE: Final = (AuthRevisionOldError, InvalidAuthTokenError, NotAuthenticatedError)
#: How often one call asks for another token before it gives up.
RENEWALS: Final = 3
_NAME, _PASSWORD = b"\x0a", b"\x12"  # tags of AuthenticateRequest
_TOKEN: Final = bytes_tag(2)  # of AuthenticateResponse


class Tokens:
    """See the module. ``plaintext``: secrets may go where others could read them on the way."""

    def __init__(self, credentials: Credentials, trace: Trace, *, plaintext: bool) -> None:
        self._trace = trace
        self._credentials = credentials
        self._plaintext = plaintext
        self._fetching = trio.Lock()
        #: Whether :attr:`current` counts; False: the next connection that is asked for fetches another one.
        self.known: bool = False
        #: None: not fetched yet, or the server does not ask for users.
        self.current: Secret | None = None
        #: Those that send the token.
        self.connections: set[Connection] = set()

    def check(self, endpoint: Endpoint) -> None:
        """Refuse to send a secret where others could read it.

        Raises:
          InvalidRequestError: this is such a place.
        """
        if endpoint.exposed and not self._plaintext:
            raise InvalidRequestError(exposed_text(endpoint))

    async def ensure(self, connection: Connection) -> None:
        """Have a token, and have the connection send it; however many wait for it, one fetches it.

        Cancellation:
          No effect.

        Raises:
          AuthenticationFailedError: there is no such user, or the password is wrong.
          InvalidRequestError: the file with the token cannot be read, or has none.
          EtcdError: how the call failed.
        """
        async with self._fetching:
            if not self.known:
                self.current = await self._fetch(connection)
                self.known = True
                self._trace.tell(TokenFetched(connection.endpoint, self.current is not None))
                for other in self.connections:
                    other.use_token(self.current)
        connection.use_token(self.current)
        if connection.failure is None:
            self.connections.add(connection)

    def renew(self, connection: Connection) -> bool:
        """The token was refused there: whether another try makes sense, with another one or with a newer one."""
        if connection.refusal_is_old or not self.known:
            return True
        if isinstance(self._credentials, EtcdToken) and not self._changed(self._credentials):
            return False
        self.known = False
        self._trace.tell(TokenRefused(connection.endpoint))
        return True

    def _changed(self, credentials: EtcdToken) -> bool:
        if not isinstance(credentials.token, Path):
            return False
        try:
            found = _read(credentials.token)
        except InvalidRequestError:
            return True  # whoever connects next finds out
        return self.current is None or found.octets() != self.current.octets()

    async def _fetch(self, connection: Connection) -> Secret | None:
        await trio.lowlevel.checkpoint()
        credentials = self._credentials
        if isinstance(credentials, EtcdToken):
            if isinstance(credentials.token, Path):
                return _read(credentials.token)
            return Secret(Secret(credentials.token).field("token"))
        message = Secret(
            b"".join(
                tag + varint(len(text.encode())) + text.encode()
                for tag, text in ((_NAME, credentials.username), (_PASSWORD, credentials.password))
            )
        )
        try:
            answer = Secret(await connection.unary(AUTHENTICATE, message.octets(), write=False, leader=False))
        except AuthNotEnabledError:
            return None
        except BaseException as error:
            forget_frames(error)
            raise
        try:
            found = Secret(dict(fields(answer.octets())).get(_TOKEN, b"").decode("ascii"))
            return Secret(found.field("token"))
        except ValueError:
            problem = DecodeError("the token is none")
        raise connection.malformed(problem, AUTHENTICATE, write=False)


def check_credentials(credentials: object) -> None:
    """Raise TypeError if they are none."""
    if not isinstance(credentials, EtcdCredential | EtcdToken):
        text = f"credentials is an EtcdCredential or an EtcdToken, not {kind_of(credentials)}"
        if isinstance(credentials, int):
            text += f". {ONE_ENDPOINT}"
        raise TypeError(text)


def exposed_text(endpoint: Endpoint) -> str:
    """Why no secret is sent there."""
    return (
        f"{endpoint} is not encrypted, and credentials would be readable on the way: use https://, "
        "or allow it with allow_plaintext_credentials=True"
    )


def bad_credentials(failures: Iterable[Exception]) -> AuthenticationFailedError | None:
    """What the servers say of user and password, if all that could be reached say the same."""
    # Where nobody could be reached, the system has said so, which is no EtcdError.
    said = [failure for failure in failures if isinstance(failure, EtcdError)]
    refusals = [failure for failure in said if isinstance(failure, AuthenticationFailedError)]
    return refusals[0] if refusals and len(refusals) == len(said) else None


def _read(path: Path) -> Secret:
    try:
        # It is short, and a local file. What ends it is mostly a line feed.
        found = Secret(path.read_text("ascii", "replace").strip())
    except OSError as error:
        why = error.strerror or str(error)
        raise InvalidRequestError(f"cannot read the token file {str(path)!r}: {why}") from error
    return Secret(found.field("token"))
