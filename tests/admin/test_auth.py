"""All calls about users, roles and permissions, as root on a server that asks for users."""

from __future__ import annotations

import pytest
import trio
from client._kit import version_of

from etcetra_trio import (
    Auth,
    AuthenticationFailedError,
    AuthNotEnabledError,
    EtcdClient,
    EtcdCredential,
    InvalidRequestError,
    Permission,
    PermissionNotGrantedError,
    PermissionType,
    RoleExistsError,
    RoleNotFoundError,
    RoleNotGrantedError,
    UserExistsError,
    UserNotFoundError,
)
from etcetra_trio.testing import EtcdServer

READ, WRITE, READWRITE = PermissionType


async def test_users() -> None:
    with trio.fail_after(30):
        async with (
            EtcdServer(extra_args=["--bcrypt-cost=4"]) as server,
            EtcdClient(server.endpoint).connect() as communicator,
        ):
            auth = communicator.auth
            assert type(auth) is Auth
            assert await auth.user_list() == ()
            await auth.user_add("alice", "secret")
            await auth.user_add("bob", no_password=True)
            assert await auth.user_list() == ("alice", "bob")
            with pytest.raises(UserExistsError):
                await auth.user_add("alice", "other")
            await auth.role_add("reader")
            await auth.user_grant_role("alice", "reader")
            assert await auth.user_get("alice") == ("reader",)
            await auth.user_revoke_role("alice", "reader")
            assert await auth.user_get("alice") == ()
            with pytest.raises(RoleNotGrantedError):
                await auth.user_revoke_role("alice", "reader")
            with pytest.raises(UserNotFoundError):
                await auth.user_get("nobody")
            with pytest.raises(UserNotFoundError):
                await auth.user_change_password("nobody", "p")
            await auth.user_change_password("alice", "new secret")
            await auth.user_delete("bob")
            assert await auth.user_list() == ("alice",)
            with pytest.raises(AuthNotEnabledError):
                await auth.authenticate("alice", "new secret")
            if version_of(server) >= (3, 5):
                before = await auth.status()
                assert not before.enabled
            await auth.user_add("root", "root")
            await auth.role_add("root")
            await auth.user_grant_role("root", "root")
            if version_of(server) >= (3, 5):
                assert (await auth.status()).revision == before.revision + 3
            await auth.enable()
            assert len(await auth.authenticate("alice", "new secret")) > 8
            with pytest.raises(AuthenticationFailedError):
                await auth.authenticate("alice", "secret")


async def test_enabled_and_disabled_again() -> None:
    with trio.fail_after(30):
        async with EtcdServer(extra_args=["--bcrypt-cost=4"]) as server:
            async with EtcdClient(server.endpoint).connect() as communicator:
                await communicator.auth.user_add("root", "root")
                await communicator.auth.role_add("root")
                await communicator.auth.user_grant_role("root", "root")
                await communicator.auth.enable()
            root = EtcdClient(server.endpoint, EtcdCredential("root", "root"))
            async with root.connect() as communicator:
                if version_of(server) >= (3, 5):
                    assert (await communicator.auth.status()).enabled
                await communicator.auth.disable()
            async with EtcdClient(server.endpoint).connect() as communicator:
                assert await communicator.get("k") is None


async def test_roles_and_permissions(etcd_server: EtcdServer) -> None:
    with trio.fail_after(20):
        async with EtcdClient(
            etcd_server.endpoint, namespace="/not/in/permissions/"
        ).connect() as communicator:
            auth = communicator.auth
            for role in await auth.role_list():
                await auth.role_delete(role)
            await auth.role_add("r")
            with pytest.raises(RoleExistsError):
                await auth.role_add("r")
            assert await auth.role_get("r") == ()
            await auth.role_grant_permission("r", "key")
            await auth.role_grant_permission("r", "from", READ, range_end="to")
            await auth.role_grant_permission("r", b"p\xff", WRITE, prefix=True)
            await auth.role_grant_permission("r", "all", READ, range_end="\0")
            assert set(await auth.role_get("r")) == {
                Permission(READWRITE, b"key", b""),
                Permission(READ, b"from", b"to"),
                Permission(WRITE, b"p\xff", b"q"),
                Permission(READ, b"all", b"\0"),
            }
            await auth.role_grant_permission("r", "key", READ)  # in the place of the other
            assert Permission(READ, b"key", b"") in await auth.role_get("r")
            await auth.role_revoke_permission("r", "from", range_end="to")
            await auth.role_revoke_permission("r", b"p\xff", prefix=True)
            await auth.role_revoke_permission("r", "all", range_end=b"\0")
            assert await auth.role_get("r") == (Permission(READ, b"key", b""),)
            with pytest.raises(PermissionNotGrantedError):
                await auth.role_revoke_permission("r", "other")
            await auth.role_grant_permission("r", "", prefix=True)
            assert Permission(READWRITE, b"\0", b"\0") in await auth.role_get("r")
            await auth.role_add("s")
            assert await auth.role_list() == ("r", "s")
            await auth.role_delete("s")
            await auth.role_delete("r")
            assert await auth.role_list() == ()
            with pytest.raises(RoleNotFoundError):
                await auth.role_get("r")


async def test_what_makes_no_sense(etcd_server: EtcdServer) -> None:
    async with EtcdClient(etcd_server.endpoint).connect() as communicator:
        auth = communicator.auth
        for bad in (
            lambda: auth.user_add("u"),
            lambda: auth.user_add("", "p"),
            lambda: auth.user_add("u", "p", no_password=True),
            lambda: auth.user_add("u", "p\ud800"),
            lambda: auth.user_add("u", no_password=True, hashed_password="h"),
            lambda: auth.user_change_password("u"),
            lambda: auth.user_change_password("u", "\udfff"),
            lambda: auth.user_get(""),
            lambda: auth.user_get("\ud800"),
            lambda: auth.role_add(""),
            lambda: auth.user_grant_role("u", ""),
            lambda: auth.role_grant_permission("r", ""),
            lambda: auth.role_grant_permission("r", "k", range_end=""),
            lambda: auth.role_grant_permission("r", "k", range_end="l", prefix=True),
            lambda: auth.role_revoke_permission("r", b""),
        ):
            with pytest.raises(InvalidRequestError):
                await bad()
        for worse in (
            lambda: auth.user_add(1, "p"),  # type: ignore[arg-type]
            lambda: auth.user_add("u", b"p"),  # type: ignore[arg-type]
            lambda: auth.authenticate("u", None),  # type: ignore[arg-type]
            lambda: auth.role_grant_permission("r", 1),  # type: ignore[arg-type]
            lambda: auth.role_grant_permission("r", "k", range_end=1),  # type: ignore[arg-type]
        ):
            with pytest.raises(TypeError):
                await worse()
        with pytest.raises(ValueError, match="3 is not a valid PermissionType"):
            await auth.role_grant_permission("r", "k", 3)  # type: ignore[arg-type]
