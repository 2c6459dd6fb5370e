"""Watches of a user who may not: refused at entry, whatever the server's version calls it; others go on."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
import trio
from client._kit import live, raw

from etcetra_trio import AuthError, EtcdClient, PermissionDeniedError
from etcetra_trio._proto._messages import authpb
from etcetra_trio._proto._messages import etcdserverpb as pb
from etcetra_trio._proto._methods import (
    AUTH_ENABLE,
    AUTHENTICATE,
    PUT,
    ROLE_ADD,
    ROLE_GRANT_PERMISSION,
    ROLE_REVOKE_PERMISSION,
    USER_ADD,
    USER_GRANT_ROLE,
    WATCH,
)
from etcetra_trio.testing import EtcdServer
from watch._kit import Text, version_of

Answer = pb.AuthEnableResponse  # every answer of this service begins with the same header


async def set_up(root: Text) -> None:
    """Users root and reader, who may read what begins with r; then authentication is switched on."""
    for name in ("root", "reader"):
        await raw(root, USER_ADD, pb.AuthUserAddRequest(name=name, password=name), Answer)
        await raw(root, ROLE_ADD, pb.AuthRoleAddRequest(name=name), Answer)
        await raw(root, USER_GRANT_ROLE, pb.AuthUserGrantRoleRequest(user=name, role=name), Answer)
    permission = authpb.Permission(perm_type=authpb.PermissionType.READ, key=b"r", range_end=b"s")
    grant = pb.AuthRoleGrantPermissionRequest(name="reader", perm=permission)
    await raw(root, ROLE_GRANT_PERMISSION, grant, Answer)
    await raw(root, AUTH_ENABLE, pb.AuthEnableRequest(), Answer)


async def log_in(communicator: Text, name: str) -> None:
    """Have the connection send this user's token with watches and puts, as it will by itself one day."""
    request = pb.AuthenticateRequest(name=name, password=name)
    token = (await raw(communicator, AUTHENTICATE, request, pb.AuthenticateResponse)).token
    for connection in (live(communicator), await communicator._endpoints.stream_connection()):
        for method in (WATCH, PUT, ROLE_REVOKE_PERMISSION):
            head = connection._new_head(method.path, leader=True, metadata=[(b"token", token.encode())])
            connection._heads[method.path, True] = head


@pytest.fixture
async def guarded() -> AsyncGenerator[EtcdServer]:
    async with EtcdServer(extra_args=["--bcrypt-cost=4"]) as server:
        async with EtcdClient(server.endpoint).connect() as root:
            await set_up(root)
        yield server


async def test_watches_of_a_user_who_may_not(guarded: EtcdServer) -> None:
    with trio.fail_after(5):
        async with (
            EtcdClient(guarded.endpoint).connect() as root,
            EtcdClient(guarded.endpoint).connect() as reader,
        ):
            await log_in(root, "root")
            await log_in(reader, "reader")
            async with reader.watch_prefix("r") as events:  # it has the id 0 on the server
                for refused in (
                    reader.watch("secret"),
                    reader.watch_prefix(""),
                    reader.watch_range("r", "t"),
                    reader.watch("secret", watch_id=4),
                    reader.watch("secret", start_revision=1, batches=True),
                ):
                    with pytest.raises(PermissionDeniedError) as caught:
                        async with refused:
                            pytest.fail("it is refused")
                    assert (caught.value.method, f"http://{caught.value.endpoint}") == (
                        WATCH.path,
                        guarded.endpoint,
                    )
                    assert caught.value.message.endswith("permission denied")
                await root.put("r/1", "v")
                await root.put("secret", "v")
                await root.put("r/2", "v")
                assert [(await events.receive()).key for _ in range(2)] == ["r/1", "r/2"]
                assert events.statistics().resumes == 0
                # Many at once, good ones between bad ones: each gets its own answer.
                refusals = 0

                async def enter(key: str) -> None:
                    nonlocal refusals
                    try:
                        async with reader.watch(key):
                            assert key.startswith("r")
                    except PermissionDeniedError:
                        assert key.startswith("s")
                        refusals += 1

                async with trio.open_nursery() as nursery:
                    for number in range(50):
                        nursery.start_soon(enter, f"{'rs'[number % 2]}{number}")
                assert refusals == 25
                await root.put("r/3", "v")
                assert (await events.receive()).key == "r/3"


async def test_without_a_user(guarded: EtcdServer) -> None:
    """3.5.1 says "permission denied" for every cause."""
    expected = "permission denied" if version_of(guarded) < (3, 5, 30) else "user name is empty"
    async with EtcdClient(guarded.endpoint).connect() as nobody:
        with trio.fail_after(10):
            for _ in range(2):
                with pytest.raises(AuthError, match=expected):
                    await nobody.watch("r").receive()


async def test_with_a_token_that_is_none(guarded: EtcdServer) -> None:
    async with EtcdClient(guarded.endpoint).connect() as communicator:
        connection = await communicator._endpoints.stream_connection()
        head = connection._new_head(WATCH.path, leader=True, metadata=[(b"token", b"no.such")])
        connection._heads[WATCH.path, True] = head
        with trio.fail_after(10), pytest.raises(AuthError):
            await communicator.watch("r").receive()
