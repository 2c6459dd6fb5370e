"""Users, roles and permissions: ``communicator.auth``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import final

from ._admin import AdminCalls, check_text
from ._errors import InvalidRequestError
from ._keys import prefix_end
from ._proto import _methods as m
from ._proto._messages import authpb
from ._proto._messages import etcdserverpb as pb
from ._secret import Secret

__all__ = ["Auth", "AuthStatus", "Permission", "PermissionType"]

_ALL = b"\0"


class PermissionType(IntEnum):
    """What a role may do with a range of keys."""

    READ = 0
    WRITE = 1
    READWRITE = 2


@dataclass(frozen=True, slots=True)
class Permission:
    """What a role may do with which keys, as the server has them: bytes, without any namespace."""

    #: Whether it may read, write, or both.
    type: PermissionType
    #: The key, or the first one of the range.
    key: bytes
    #: The first key after the range; empty for the one key, NUL for "to the last key".
    range_end: bytes


@dataclass(frozen=True, slots=True)
class AuthStatus:
    """Whether the server asks for users."""

    #: Whether authentication is switched on.
    enabled: bool
    #: Grows with each change of users and roles.
    revision: int


@final
class Auth(AdminCalls):
    """Users, roles and permissions; made by :attr:`EtcdCommunicator.auth`.

    Once authentication is enabled all of this, but for :meth:`authenticate`, is for users with the role root. Keys
    are the server's: a namespace of the communicator does not count, and text is UTF-8. All methods raise:

      InvalidRequestError: a bad argument (or TypeError); nothing was sent.
      OutcomeUnknownError: a change may or may not have happened; its ``__cause__`` says why.
      PermissionDeniedError: this is not for the client's user.
      RpcError: what else the server says, mostly as a class of its own.
      ConnectionLostError: not sent, or never looked at (and ConnectionFailedError).
      trio.ClosedResourceError: the client is closed.

    Cancellation of a change: may have happened.
    """

    __slots__ = ()

    async def enable(self) -> None:
        """Ask every client for a user from now on.

        Raises:
          AuthSetupError: there is no user root with the role root.
        """
        await self._call(m.AUTH_ENABLE, pb.AuthEnableRequest(), pb.AuthEnableResponse)

    async def disable(self) -> None:
        """Serve everybody again."""
        await self._call(m.AUTH_DISABLE, pb.AuthDisableRequest(), pb.AuthDisableResponse)

    async def status(self) -> AuthStatus:
        """Whether authentication is enabled, and the revision of users and roles (etcd 3.5).

        Returns:
          An :class:`AuthStatus`.
        """
        found = await self._call(m.AUTH_STATUS, pb.AuthStatusRequest(), pb.AuthStatusResponse)
        return AuthStatus(found.enabled, found.auth_revision)

    async def authenticate(self, name: str, password: str) -> str:
        """A token for a user. Nobody needs it who gave the client credentials.

        Raises:
          AuthenticationFailedError: there is no such user, or the password is wrong.
          AuthNotEnabledError: authentication is not enabled.
        """
        secret = Secret(password)
        del password
        user = check_text("name", name)
        secret.text("password")
        request = Secret(bytes(pb.AuthenticateRequest(name=user, password=secret.text("password"))))
        return (await self._call(m.AUTHENTICATE, request, pb.AuthenticateResponse)).token

    async def user_add(
        self, name: str, password: str = "", *, no_password: bool = False, hashed_password: str = ""
    ) -> None:
        """Add a user.

        Args:
          name: Its name.
          password: Its password.
          no_password: It has none: only a certificate with its name as the common name lets it in.
          hashed_password: In the place of the password, the base64 of its bcrypt; servers make it themselves.

        Raises:
          UserExistsError: there is one of that name.
        """
        secret, hashed = Secret(password), Secret(hashed_password)
        without = not password and not hashed_password
        del password, hashed_password
        user = check_text("name", name)
        if no_password is not without:
            raise InvalidRequestError("a user has a password, or no_password=True, and never both")
        secret.text("password")
        hashed.text("hashed_password")
        request = Secret(
            bytes(
                pb.AuthUserAddRequest(
                    name=user,
                    password=secret.text("password"),
                    options=authpb.UserAddOptions(no_password=no_password),
                    hashed_password=hashed.text("hashed_password"),
                )
            )
        )
        await self._call(m.USER_ADD, request, pb.AuthUserAddResponse)

    async def user_get(self, name: str) -> tuple[str, ...]:
        """The roles of a user. Users may ask about themselves.

        Raises:
          UserNotFoundError: there is none of that name.
        """
        request = pb.AuthUserGetRequest(name=check_text("name", name))
        return tuple((await self._call(m.USER_GET, request, pb.AuthUserGetResponse)).roles)

    async def user_list(self) -> tuple[str, ...]:
        """The names of all users."""
        found = await self._call(m.USER_LIST, pb.AuthUserListRequest(), pb.AuthUserListResponse)
        return tuple(found.users)

    async def user_delete(self, name: str) -> None:
        """Remove a user.

        Raises:
          UserNotFoundError: there is none of that name.
          InvalidAuthManagementError: it is root, while authentication is enabled.
        """
        request = pb.AuthUserDeleteRequest(name=check_text("name", name))
        await self._call(m.USER_DELETE, request, pb.AuthUserDeleteResponse)

    async def user_change_password(self, name: str, password: str = "", *, hashed_password: str = "") -> None:
        """Give a user another password; its tokens are invalid from then on.

        Args:
          name: The user.
          password: The new password.
          hashed_password: As in :meth:`user_add`.

        Raises:
          UserNotFoundError: there is none of that name.
        """
        secret, hashed = Secret(password), Secret(hashed_password)
        without = not password and not hashed_password
        del password, hashed_password
        user = check_text("name", name)
        if without:
            raise InvalidRequestError("the password is empty")
        secret.text("password")
        hashed.text("hashed_password")
        request = Secret(
            bytes(
                pb.AuthUserChangePasswordRequest(
                    name=user,
                    password=secret.text("password"),
                    hashed_password=hashed.text("hashed_password"),
                )
            )
        )
        await self._call(m.USER_CHANGE_PASSWORD, request, pb.AuthUserChangePasswordResponse)

    async def user_grant_role(self, name: str, role: str) -> None:
        """Give a user a role.

        Raises:
          UserNotFoundError: there is no such user.
          RoleNotFoundError: there is no such role.
        """
        request = pb.AuthUserGrantRoleRequest(user=check_text("name", name), role=check_text("role", role))
        await self._call(m.USER_GRANT_ROLE, request, pb.AuthUserGrantRoleResponse)

    async def user_revoke_role(self, name: str, role: str) -> None:
        """Take a role from a user.

        Raises:
          UserNotFoundError: there is no such user.
          RoleNotGrantedError: it does not have the role.
        """
        request = pb.AuthUserRevokeRoleRequest(name=check_text("name", name), role=check_text("role", role))
        await self._call(m.USER_REVOKE_ROLE, request, pb.AuthUserRevokeRoleResponse)

    async def role_add(self, role: str) -> None:
        """Add a role, which may do nothing yet.

        Raises:
          RoleExistsError: there is one of that name.
        """
        request = pb.AuthRoleAddRequest(name=check_text("role", role))
        await self._call(m.ROLE_ADD, request, pb.AuthRoleAddResponse)

    async def role_get(self, role: str) -> tuple[Permission, ...]:
        """What a role may do. Users may ask about roles of their own.

        Raises:
          RoleNotFoundError: there is none of that name.
        """
        request = pb.AuthRoleGetRequest(role=check_text("role", role))
        found = await self._call(m.ROLE_GET, request, pb.AuthRoleGetResponse)
        return tuple(
            Permission(PermissionType(each.perm_type), each.key, each.range_end) for each in found.perm
        )

    async def role_list(self) -> tuple[str, ...]:
        """The names of all roles."""
        found = await self._call(m.ROLE_LIST, pb.AuthRoleListRequest(), pb.AuthRoleListResponse)
        return tuple(found.roles)

    async def role_delete(self, role: str) -> None:
        """Remove a role, also from its users.

        Raises:
          RoleNotFoundError: there is none of that name.
          InvalidAuthManagementError: it is root, while authentication is enabled.
        """
        request = pb.AuthRoleDeleteRequest(role=check_text("role", role))
        await self._call(m.ROLE_DELETE, request, pb.AuthRoleDeleteResponse)

    async def role_grant_permission(
        self,
        role: str,
        key: str | bytes,
        type: PermissionType = PermissionType.READWRITE,  # noqa: A002 - etcd's word
        *,
        range_end: str | bytes | None = None,
        prefix: bool = False,
    ) -> None:
        r"""Let a role do something; what it could do with the same range before is replaced.

        Args:
          role: The role.
          key: The key, or the first of a range.
          type: What it may do.
          range_end: The first key after the range; ``"\0"`` is "to the last key".
          prefix: The range is all keys that begin with ``key``, which may be empty then.

        Raises:
          RoleNotFoundError: there is no such role.
        """
        first, end = _range(key, range_end, prefix=prefix)
        permission = authpb.Permission(
            perm_type=authpb.PermissionType(PermissionType(type)), key=first, range_end=end
        )
        request = pb.AuthRoleGrantPermissionRequest(name=check_text("role", role), perm=permission)
        await self._call(m.ROLE_GRANT_PERMISSION, request, pb.AuthRoleGrantPermissionResponse)

    async def role_revoke_permission(
        self, role: str, key: str | bytes, *, range_end: str | bytes | None = None, prefix: bool = False
    ) -> None:
        """Take what :meth:`role_grant_permission` gave, for exactly the same range.

        Args:
          role: The role.
          key: The key, or the first of the range.
          range_end: The first key after the range.
          prefix: The range is all keys that begin with ``key``.

        Raises:
          RoleNotFoundError: there is no such role.
          PermissionNotGrantedError: it has no permission for this very range.
        """
        first, end = _range(key, range_end, prefix=prefix)
        request = pb.AuthRoleRevokePermissionRequest(role=check_text("role", role), key=first, range_end=end)
        await self._call(m.ROLE_REVOKE_PERMISSION, request, pb.AuthRoleRevokePermissionResponse)


def _range(key: str | bytes, range_end: str | bytes | None, *, prefix: bool) -> tuple[bytes, bytes]:
    first = _octets("key", key)
    if prefix:
        if range_end is not None:
            raise InvalidRequestError("prefix=True is a range_end of its own: give one of them, not both")
        return first or _ALL, prefix_end(first)
    if not first:
        raise InvalidRequestError('the key is empty: for all keys give "" with prefix=True')
    end = b"" if range_end is None else _octets("range_end", range_end)
    if range_end is not None and not end:
        raise InvalidRequestError("the range_end is empty: leave it out for one key")
    return first, end


def _octets(what: str, key: object) -> bytes:
    if isinstance(key, bytes):
        return key
    return Secret(key).text(what).encode()
