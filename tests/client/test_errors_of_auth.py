"""Errors about users, roles, permissions and tokens, on a server with authentication."""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from typing import Final, TypeVar

import betterproto2
import pytest
import trio

from client._kit import raw, raw_with, version_of
from client._provoke import ROWS, Case, Communicator, provoke
from etcetra_trio import (
    AuthenticationFailedError,
    AuthError,
    AuthNotEnabledError,
    AuthRevisionOldError,
    AuthSetupError,
    ConnectionLostError,
    EtcdClient,
    InvalidArgumentError,
    InvalidAuthManagementError,
    InvalidAuthTokenError,
    NotAuthenticatedError,
    OutcomeUnknownError,
    PermissionDeniedError,
    PermissionNotGrantedError,
    RoleExistsError,
    RoleNotFoundError,
    RoleNotGrantedError,
    RpcError,
    StatusCode,
    UserExistsError,
    UserNotFoundError,
)
from etcetra_trio._proto._messages import authpb
from etcetra_trio._proto._messages import etcdserverpb as pb
from etcetra_trio._proto._methods import (
    AUTH_ENABLE,
    AUTHENTICATE,
    DELETE_RANGE,
    PUT,
    RANGE,
    ROLE_ADD,
    ROLE_DELETE,
    ROLE_GET,
    ROLE_GRANT_PERMISSION,
    ROLE_REVOKE_PERMISSION,
    USER_ADD,
    USER_DELETE,
    USER_GET,
    USER_GRANT_ROLE,
    USER_REVOKE_ROLE,
    Method,
)
from etcetra_trio.testing import EtcdServer

MessageT = TypeVar("MessageT", bound=betterproto2.Message)
Call = Callable[[Communicator], Awaitable[object]]
Answer = pb.AuthEnableResponse  # every answer of this service begins with the same header
READ = authpb.Permission(perm_type=authpb.PermissionType.READ, key=b"readable")


async def token_of(communicator: Communicator, name: str) -> str:
    request = pb.AuthenticateRequest(name=name, password=name)
    return (await raw(communicator, AUTHENTICATE, request, pb.AuthenticateResponse)).token


def plain(method: Method, message: betterproto2.Message) -> Call:
    return lambda communicator: raw(communicator, method, message, Answer)


def by(name: str, method: Method, message: betterproto2.Message) -> Call:
    """The call with the token of this user, whose password is the name."""

    async def call(communicator: Communicator) -> None:
        token = await token_of(communicator, name)
        await raw_with(communicator, method, message, Answer, [(b"token", token.encode())])

    return call


async def set_up(communicator: Communicator) -> None:
    """Users root and reader, who may read one key; then authentication is switched on."""
    for name in ("root", "reader"):
        await plain(USER_ADD, pb.AuthUserAddRequest(name=name, password=name))(communicator)
        await plain(ROLE_ADD, pb.AuthRoleAddRequest(name=name))(communicator)
        await plain(USER_GRANT_ROLE, pb.AuthUserGrantRoleRequest(user=name, role=name))(communicator)
    grant = pb.AuthRoleGrantPermissionRequest(name="reader", perm=READ)
    await plain(ROLE_GRANT_PERMISSION, grant)(communicator)
    await communicator.put("readable", "v")
    await plain(AUTH_ENABLE, pb.AuthEnableRequest())(communicator)


@pytest.fixture(scope="module")
def guarded() -> Iterator[EtcdServer]:
    """A server that asks for a user."""
    with EtcdServer(extra_args=["--bcrypt-cost=4"]) as server:

        async def prepare() -> None:
            async with EtcdClient(server.endpoint).connect() as communicator:
                await set_up(communicator)

        trio.run(prepare)
        yield server


@pytest.fixture
async def inside(guarded: EtcdServer) -> AsyncGenerator[Communicator]:
    async with EtcdClient(guarded.endpoint).connect() as communicator:
        yield communicator


async def with_a_wrong_token(communicator: Communicator) -> None:
    await raw_with(communicator, RANGE, pb.RangeRequest(key=b"readable"), Answer, [(b"token", b"no.such")])


NOT: Final = "not_applied"
CASES: list[tuple[str, Case]] = [
    ("UserEmpty", Case(RANGE, NotAuthenticatedError, lambda c: c.get("readable"))),
    ("UserEmpty", Case(PUT, NotAuthenticatedError, lambda c: c.put("k", "v"), NOT)),
    ("InvalidAuthToken", Case(RANGE, InvalidAuthTokenError, with_a_wrong_token)),
    (
        "AuthFailed",
        Case(
            AUTHENTICATE,
            AuthenticationFailedError,
            plain(AUTHENTICATE, pb.AuthenticateRequest("root", "guess")),
        ),
    ),
    (
        "AuthFailed",
        Case(
            AUTHENTICATE,
            AuthenticationFailedError,
            plain(AUTHENTICATE, pb.AuthenticateRequest("nobody", "x")),
        ),
    ),
    (
        "PermissionDenied",
        Case(RANGE, PermissionDeniedError, by("reader", RANGE, pb.RangeRequest(key=b"secret"))),
    ),
    (
        "PermissionDenied",
        Case(PUT, PermissionDeniedError, by("reader", PUT, pb.PutRequest(key=b"readable", value=b"w")), NOT),
    ),
    (
        "PermissionDenied",
        Case(
            DELETE_RANGE,
            PermissionDeniedError,
            by("reader", DELETE_RANGE, pb.DeleteRangeRequest(key=b"readable")),
            NOT,
        ),
    ),
    (
        "PermissionDenied",
        Case(USER_GET, PermissionDeniedError, by("reader", USER_GET, pb.AuthUserGetRequest(name="root"))),
    ),
    (
        "UserAlreadyExist",
        Case(
            USER_ADD,
            UserExistsError,
            by("root", USER_ADD, pb.AuthUserAddRequest(name="root", password="x")),
            NOT,
        ),
    ),
    (
        "UserNotFound",
        Case(USER_GET, UserNotFoundError, by("root", USER_GET, pb.AuthUserGetRequest(name="nobody"))),
    ),
    (
        "UserNotFound",
        Case(
            USER_DELETE,
            UserNotFoundError,
            by("root", USER_DELETE, pb.AuthUserDeleteRequest(name="nobody")),
            NOT,
        ),
    ),
    (
        "RoleAlreadyExist",
        Case(ROLE_ADD, RoleExistsError, by("root", ROLE_ADD, pb.AuthRoleAddRequest(name="root")), NOT),
    ),
    (
        "RoleNotFound",
        Case(ROLE_GET, RoleNotFoundError, by("root", ROLE_GET, pb.AuthRoleGetRequest(role="none"))),
    ),
    (
        "RoleNotFound",
        Case(
            ROLE_DELETE,
            RoleNotFoundError,
            by("root", ROLE_DELETE, pb.AuthRoleDeleteRequest(role="none")),
            NOT,
        ),
    ),
    ("RoleEmpty", Case(ROLE_ADD, InvalidArgumentError, by("root", ROLE_ADD, pb.AuthRoleAddRequest()), NOT)),
    (
        "RoleNotGranted",
        Case(
            USER_REVOKE_ROLE,
            RoleNotGrantedError,
            by("root", USER_REVOKE_ROLE, pb.AuthUserRevokeRoleRequest(name="reader", role="root")),
            NOT,
        ),
    ),
    (
        "PermissionNotGranted",
        Case(
            ROLE_REVOKE_PERMISSION,
            PermissionNotGrantedError,
            by(
                "root",
                ROLE_REVOKE_PERMISSION,
                pb.AuthRoleRevokePermissionRequest(role="reader", key=b"other"),
            ),
            NOT,
        ),
    ),
    (
        "InvalidAuthMgmt",
        Case(
            USER_DELETE,
            InvalidAuthManagementError,
            by("root", USER_DELETE, pb.AuthUserDeleteRequest(name="root")),
            NOT,
        ),
    ),
]


@pytest.mark.parametrize(
    ("name", "case"), CASES, ids=[f"{name}-{case.method.path[14:]}" for name, case in CASES]
)
async def test_is_said_and_arrives(inside: Communicator, guarded: EtcdServer, name: str, case: Case) -> None:
    await provoke(name, case, inside, guarded)


async def test_what_is_allowed(inside: Communicator) -> None:
    await by("reader", RANGE, pb.RangeRequest(key=b"readable"))(inside)


async def test_one_group_for_all_of_them(inside: Communicator) -> None:
    calls: tuple[Callable[[], Awaitable[object]], ...] = (
        lambda: inside.get("k"),
        lambda: with_a_wrong_token(inside),
    )
    for call in calls:
        with pytest.raises(AuthError):
            await call()


async def test_no_token_in_what_is_shown(inside: Communicator) -> None:
    secret = secrets.token_hex(8)
    with pytest.raises(RpcError) as caught:
        await raw_with(inside, RANGE, pb.RangeRequest(key=b"k"), Answer, [(b"token", secret.encode())])
    assert secret not in repr(caught.value) + str(caught.value)


async def test_before_authentication_is_switched_on() -> None:
    """In the order in which an operator would meet them."""
    async with EtcdServer() as server, EtcdClient(server.endpoint).connect() as communicator:
        enable = plain(AUTH_ENABLE, pb.AuthEnableRequest())
        authenticate = plain(AUTHENTICATE, pb.AuthenticateRequest("root", "root"))
        await provoke(
            "AuthNotEnabled", Case(AUTHENTICATE, AuthNotEnabledError, authenticate), communicator, server
        )
        await provoke(
            "RootUserNotExist", Case(AUTH_ENABLE, AuthSetupError, enable, NOT), communicator, server
        )
        await plain(USER_ADD, pb.AuthUserAddRequest(name="root", password="root"))(communicator)
        await provoke(
            "RootRoleNotExist", Case(AUTH_ENABLE, AuthSetupError, enable, NOT), communicator, server
        )
        await plain(ROLE_ADD, pb.AuthRoleAddRequest(name="r"))(communicator)
        call = plain(ROLE_GRANT_PERMISSION, pb.AuthRoleGrantPermissionRequest(name="r"))
        if version_of(server) >= (3, 5):
            case = Case(ROLE_GRANT_PERMISSION, InvalidArgumentError, call, NOT)
            await provoke("PermissionNotGiven", case, communicator, server)
        else:  # it ends 3.4
            with pytest.raises(OutcomeUnknownError) as caught:
                await call(communicator)
            assert isinstance(caught.value.__cause__, ConnectionLostError)
            server.kill()  # it is dead; now that was wanted


async def test_a_token_older_than_the_users(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A token that carries the users' revision, as JWT does, is refused once they changed."""
    secret = tmp_path_factory.mktemp("jwt") / "secret"
    secret.write_text(secrets.token_hex(32))
    jwt = f"--auth-token=jwt,priv-key={secret},sign-method=HS256,ttl=1m"
    async with (
        EtcdServer(extra_args=[jwt, "--bcrypt-cost=4"]) as server,
        EtcdClient(server.endpoint).connect() as communicator,
    ):
        await set_up(communicator)
        token = await token_of(communicator, "root")
        await by("root", USER_ADD, pb.AuthUserAddRequest(name="new", password="new"))(communicator)
        for method, message, outcome in (
            (RANGE, pb.RangeRequest(key=b"readable"), None),
            (PUT, pb.PutRequest(key=b"readable", value=b"w"), NOT),
        ):

            async def call(
                communicator: Communicator, method: Method = method, message: betterproto2.Message = message
            ) -> None:
                await raw_with(communicator, method, message, Answer, [(b"token", token.encode())])

            case = Case(method, AuthRevisionOldError, call, outcome)  # type: ignore[arg-type]
            if server.version == "3.5.1":  # it lets out what it says to itself
                case = case._replace(code=StatusCode.UNKNOWN, message="auth: revision in header is old")
            await provoke("AuthOldRevision", case, communicator, server)


NAMES = {name for name, _ in CASES} | {
    "AuthNotEnabled",
    "AuthOldRevision",
    "PermissionNotGiven",
    "RootRoleNotExist",
    "RootUserNotExist",
}
assert not NAMES - ROWS.keys()
