"""Credentials with a real etcd: tokens that expire, users that change, authentication that comes and goes."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest
import trio
from client._kit import version_of

from auth._kit import ALICE, ROOT, Text, guarded, set_up
from etcetra_trio import (
    AuthenticationFailedError,
    AuthError,
    ConnectionFailedError,
    EtcdClient,
    EtcdCredential,
    EtcdToken,
    InvalidAuthTokenError,
    OutcomeUnknownError,
    PermissionDeniedError,
)
from etcetra_trio._secret import Secret
from etcetra_trio.streams._endpoints import Endpoints, EngineName
from etcetra_trio.testing import EtcdCluster, EtcdServer

# What is waited for is the server's clock.
BOTH = pytest.mark.parametrize("engine", ["lean", pytest.param("h2", marks=pytest.mark.long)])


def token_of(communicator: Text) -> str:
    tokens = communicator._endpoints.dialer.tokens
    assert tokens is not None
    assert tokens.current is not None
    return tokens.current.octets().decode()


async def until_expired(server: EtcdServer, token: str) -> None:
    """Wait until the server knows this token no more; asking makes it live longer, so ask seldom."""
    async with EtcdClient(server.endpoint, EtcdToken(token)).connect() as communicator:
        while True:
            await trio.sleep(2.5)
            try:
                await communicator.get("a")
            except InvalidAuthTokenError:
                return


@BOTH
async def test_tokens_expire_under_calls_and_watches(engine: EngineName) -> None:
    """A second of rest ends a token; calls and new watches go on, and those that there were lose nothing."""
    with trio.fail_after(60):
        async with (
            guarded("--auth-token-ttl=1") as server,
            EtcdClient(server.endpoint, ROOT).connect() as root,
            EtcdClient(server.endpoint, ALICE, http2=engine).connect() as alice,
        ):
            async with alice.watch_prefix("a/") as events:
                await root.put("a/x", "before")
                await until_expired(server, token_of(alice))
                async with trio.open_nursery() as nursery:
                    for number in range(20):
                        nursery.start_soon(alice.put, f"a/{number}", "v")
                        nursery.start_soon(alice.get, "a/x")
                async with alice.watch("a/new") as others:
                    await alice.put("a/new", "w")
                    assert (await others.receive()).value == "w"
                await root.put("a/x", "after")
                got: list[str] = []
                while len(got) < 2:
                    event = await events.receive()
                    if event.key == "a/x":
                        got.append(event.value)
                assert got == ["before", "after"]
                # Refused for good, and not for the token; the others go on.
                with pytest.raises(PermissionDeniedError):
                    await alice.watch("b").receive()
                await root.put("a/last", "v")
                async for event in events:
                    if event.key == "a/last":
                        break


@BOTH
async def test_a_new_watch_on_a_stream_whose_token_has_expired(engine: EngineName) -> None:
    """Nobody renewed it meanwhile. 3.5.1 calls this "permission denied"."""
    with trio.fail_after(60):
        async with (
            guarded("--auth-token-ttl=1") as server,
            EtcdClient(server.endpoint, ALICE, http2=engine).connect() as alice,
        ):
            async with alice.watch_prefix("a/") as events:
                await until_expired(server, token_of(alice))
                async with alice.watch("a/new") as others:
                    await alice.put("a/new", "v")
                    assert (await others.receive()).value == "v"
                assert (await events.receive()).key == "a/new"


async def test_nobody_can_say_whether_a_token_has_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    """As while the members have no leader: the watch goes on trying, and ends for no reason of its own."""
    ask = Endpoints.is_refused
    asked: list[bool] = []

    async def is_refused(self: Endpoints, token: Secret | None) -> bool:
        refused = await ask(self, token)
        asked.append(refused)
        if len(asked) == 1:
            raise ConnectionFailedError([("http://nobody", OSError("nobody answers"))])
        return refused

    with trio.fail_after(60):
        async with (
            guarded("--auth-token-ttl=1") as server,
            EtcdClient(server.endpoint, ALICE).connect() as alice,
            alice.watch_prefix("a/") as events,
        ):
            await until_expired(server, token_of(alice))
            monkeypatch.setattr(Endpoints, "is_refused", is_refused)
            async with alice.watch("a/new") as others:
                await alice.put("a/new", "v")
                assert (await others.receive()).value == "v"
            assert (await events.receive()).key == "a/new"
    assert asked


async def test_a_restarted_server_knows_no_token() -> None:
    with trio.fail_after(30):
        async with guarded() as server, EtcdClient(server.endpoint, ALICE).connect() as alice:
            async with alice.watch("a") as events:
                await alice.put("a", "1")
                await server.arestart()
                assert await alice.get("a") == "1"
                await alice.put("a", "2")
                assert [(await events.receive()).value for _ in range(2)] == ["1", "2"]


async def test_a_user_loses_a_role() -> None:
    with trio.fail_after(30):
        async with (
            guarded() as server,
            EtcdClient(server.endpoint, ROOT).connect() as root,
            EtcdClient(server.endpoint, ALICE).connect() as alice,
        ):
            await alice.put("a", "v")
            with pytest.raises(PermissionDeniedError) as caught:
                await alice.put("b", "v")
            assert caught.value.outcome == "not_applied"
            with pytest.raises(PermissionDeniedError):
                await alice.auth.user_list()
            assert await alice.auth.user_get("alice") == ("alice",)
            await root.auth.user_revoke_role("alice", "alice")
            for call in (
                lambda: alice.get("a"),
                lambda: alice.put("a", "w"),
                lambda: alice.watch("a").receive(),
            ):
                with pytest.raises(PermissionDeniedError):
                    await call()
            await root.auth.user_grant_role("alice", "alice")
            assert await alice.get("a") == "v"


async def test_a_password_changes() -> None:
    with trio.fail_after(30):
        async with (
            guarded() as server,
            EtcdClient(server.endpoint, ROOT).connect() as root,
            EtcdClient(server.endpoint, ALICE).connect() as alice,
        ):
            async with alice.watch("a") as events:
                await root.auth.user_change_password("alice", "another")
                with pytest.raises(AuthenticationFailedError):
                    await alice.get("a")
                await root.put("a", "v")
                assert (await events.receive()).value == "v"  # what runs is left running
            new = EtcdClient(server.endpoint, EtcdCredential("alice", "another"))
            async with new.connect() as again:
                assert await again.get("a") == "v"
                # Her own token, and she, end with this.
                await root.auth.user_delete("alice")
                with pytest.raises(AuthError):
                    await again.get("a")


async def test_authentication_comes_and_goes() -> None:
    """Credentials do no harm where nobody asks for them."""
    with trio.fail_after(30):
        async with EtcdServer(extra_args=["--bcrypt-cost=4"]) as server:
            async with (
                EtcdClient(server.endpoint, ROOT).connect() as root,
                EtcdClient(server.endpoint, ALICE).connect() as alice,
                EtcdClient(server.endpoint).connect() as nobody,
            ):
                await alice.put("a", "1")
                await set_up(nobody)
                await alice.put("a", "2")
                with pytest.raises(AuthError):
                    await nobody.get("a")
                async with alice.watch("a") as events:
                    await alice.put("a", "3")
                    await root.auth.disable()
                    assert await nobody.get("a") == "3"
                    await alice.put("a", "4")
                    await root.auth.enable()
                    await alice.put("a", "5")
                    assert [(await events.receive()).value for _ in range(3)] == ["3", "4", "5"]


async def test_json_web_tokens(tmp_path: Path) -> None:
    """They carry the revision of the users, and are old after each change of these."""
    key, path = tmp_path / "key", tmp_path / "token"
    key.write_text(secrets.token_hex(32))
    with trio.fail_after(30):
        async with (
            guarded(f"--auth-token=jwt,priv-key={key},sign-method=HS256,ttl=10m") as server,
            EtcdClient(server.endpoint, ROOT).connect() as root,
            EtcdClient(server.endpoint, ALICE).connect() as alice,
        ):
            async with alice.watch("a") as events:
                for number in range(3):
                    await root.auth.role_add(f"role {number}")
                    await alice.put("a", f"{number}")
                    async with alice.watch("a") as others:
                        await alice.put("a", f"{number} again")
                        assert (await others.receive()).value == f"{number} again"
                got = [(await events.receive()).value for _ in range(6)]
                assert got == ["0", "0 again", "1", "1 again", "2", "2 again"]
            path.write_text(await root.auth.authenticate(ALICE.username, ALICE.password) + "\n")
            async with EtcdClient(server.endpoint, EtcdToken(path)).connect() as bearer:
                assert await bearer.get("a") == "2 again"
                await root.auth.role_add("role 3")
                with pytest.raises(AuthError, match="old"):
                    await bearer.get("a")
                path.write_text(await root.auth.authenticate(ALICE.username, ALICE.password))
                assert await bearer.get("a") == "2 again"


async def test_administration_as_a_user() -> None:
    with trio.fail_after(30):
        async with (
            guarded("--auth-token-ttl=1") as server,
            EtcdClient(server.endpoint, ROOT).connect() as root,
        ):
            await until_expired(server, token_of(root))
            await root.maintenance.defragment(endpoint=server.endpoint)
            assert (await root.maintenance.status(endpoint=server.unix_endpoint)).errors == ()
            assert await root.auth.role_list() == ("alice", "root")
            if version_of(server) >= (3, 5):
                async with EtcdClient(server.endpoint, ALICE).connect() as alice:
                    with pytest.raises((PermissionDeniedError, OutcomeUnknownError)):
                        await alice.maintenance.defragment(endpoint=server.endpoint)


async def test_leases_locks_and_other_members() -> None:
    with trio.fail_after(60):
        async with EtcdCluster(
            3, extra_args=["--bcrypt-cost=4"], heartbeat_ms=20, election_ms=200
        ) as cluster:
            async with EtcdClient(cluster.endpoints).connect() as communicator:
                await set_up(communicator)
            async with EtcdClient(cluster.endpoints, ALICE).connect() as alice:
                async with alice.lock("a/lock", lease_ttl=5) as lock:
                    live = alice._endpoints.live
                    assert live is not None
                    for member in cluster.members:
                        if str(member.port) in live.endpoint:
                            member.kill()
                            assert await alice.get("a") is None
                            await member.arestart()
                    assert not lock.lost
                await alice.put("a", "v")
