"""What else the Trio client can do, from asyncio: TLS, several endpoints, other encodings, administration, stubs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme
from _grpc_kit import Modules, betterproto2_stubs

from etcetra_trio import streams
from etcetra_trio.asyncio import (
    Auth,
    CallTimeoutError,
    Cluster,
    CompareKey,
    EtcdClient,
    EtcdCredential,
    EtcdTransactionAction,
    GrpcStream,
    Maintenance,
    TLSConfig,
    WatchFilter,
)
from etcetra_trio.asyncio.errors import ClosedResourceError, EtcdUnknownError
from etcetra_trio.testing import EtcdCluster, EtcdServer, ServerTLS
from shim._kit import RUNNERS, Scenario, on_trio_asyncio, run

Client = EtcdClient[str]


async def bytes_and_other_encodings(client: Client) -> None:
    raw = EtcdClient(client.addr, encoding=None)
    async with raw.connect() as octets, client.connect() as communicator:
        await octets.put(b"/raw", b"\xff")
        try:
            assert await octets.get(b"/raw") == b"\xff"
            assert await octets.get_prefix(b"/raw") == {b"/raw": b"\xff"}
        finally:
            await octets.delete(b"/raw")
        await communicator.put("k", b"\xff")
        value: object = await communicator.get(b"k", encoding=bytes)
        assert value == b"\xff"
        assert await communicator.get("k", encoding="latin-1") == "ÿ"
        found: object = await communicator.get_prefix(b"k", encoding=bytes)
        assert found == {b"k": b"\xff"}
        with pytest.raises(EtcdUnknownError, match="is not utf-8 text"):
            await communicator.get("k")
        result = await communicator.txn(lambda action: action.get(b"k"), encoding=bytes)
        assert result == [b"\xff"]
        async with communicator.watch(b"k", encoding=bytes) as events:
            await communicator.put("k", b"\xfe")
            assert (await events.receive()).value == b"\xfe"
    await raw.aclose()


async def actions_and_compares(client: Client) -> None:
    async with client.connect() as communicator:
        revision = (await communicator.txn(lambda action: action.put("k", "v"))).revision

        def build(success: EtcdTransactionAction[str], failure: EtcdTransactionAction[str]) -> None:
            success.get("k", revision=str(revision))
            success.get_prefix("k")
            success.put("ü", "w", encoding="utf-8")
            success.delete_prefix("nothing")
            success.txn([CompareKey("k").mod < 0], lambda _, otherwise: otherwise.get("k"))

        result = await communicator.txn_compare(
            [
                CompareKey("k").create == revision,
                CompareKey("k", mod_revision=revision).mod == None,  # noqa: E711 - as it is meant
                CompareKey("k").version < 2,
                CompareKey("k").lease == 0,
                CompareKey("k", prefix=True).value != "w",
                CompareKey(b"k").value == b"v",
            ],
            build,
        )
        assert result == ["v", {"k": "v"}, {"revision": revision + 1}, None, ["v"]]
        assert (result.success, result.succeeded, result.values) == (True, True, result)
        assert len(result.responses) == 5
        wrong: list[Callable[[], object]] = [
            lambda: CompareKey("k", target_version=1).version == 2,
            lambda: CompareKey("k").version == "1",
            lambda: CompareKey("k").version == None,  # noqa: E711 - as it is meant
            lambda: CompareKey("k").version >= 1,
            lambda: CompareKey("k").version <= 1,
        ]
        for function in wrong:
            with pytest.raises((TypeError, ValueError)):
                function()
        async with communicator.watch(
            "k", filters=[WatchFilter.NOPUT], start_revision=str(revision)
        ) as events:
            await communicator.put("k", "w")
            await communicator.delete("k")
            assert (await events.receive()).value == ""


async def administration(client: Client) -> None:
    async with client.connect() as communicator:
        assert isinstance(communicator.cluster, Cluster)
        assert isinstance(communicator.maintenance, Maintenance)
        assert isinstance(communicator.auth, Auth)
        [member] = await communicator.cluster.member_list()
        assert member.name
        parts: list[int] = []
        path = Path("/tmp") / f"snapshot of the shim {id(client)}"
        try:
            result = await communicator.maintenance.snapshot(
                path, progress=lambda done, _all: parts.append(done)
            )
            assert path.stat().st_size == result.size == parts[-1]
        finally:
            path.unlink(missing_ok=True)


async def recipes(client: Client) -> None:
    async with client.connect() as communicator:
        queue, barrier = communicator.queue("queue"), communicator.barrier("barrier")
        getting = asyncio.create_task(queue.get())
        await queue.put("item")
        assert await getting == "item"
        await barrier.hold()
        waiting = asyncio.create_task(barrier.wait())
        await asyncio.sleep(0.05)
        assert not waiting.done()
        await barrier.release()
        await waiting


SCENARIOS: list[Scenario] = [bytes_and_other_encodings, actions_and_compares, administration, recipes]


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_scenario(scenario: Scenario, runner: str, etcd_server: EtcdServer) -> None:
    run(runner, scenario, etcd_server.endpoint)


def test_on_trio_asyncio(etcd_server: EtcdServer) -> None:
    on_trio_asyncio(__name__, etcd_server.endpoint)


@pytest.fixture(scope="module")
def stubs(tmp_path_factory: pytest.TempPathFactory) -> Modules:
    return betterproto2_stubs(tmp_path_factory.mktemp("betterproto2"))


@pytest.mark.parametrize("runner", RUNNERS)
def test_stubs_made_for_grpclib(runner: str, stubs: Modules, etcd_server: EtcdServer) -> None:
    pb: Any = stubs["etcdserverpb"]

    async def scenario(client: Client) -> None:
        async with client.connect() as communicator:
            kv = pb.KvStub(communicator.channel)
            put = await kv.put(pb.PutRequest(key=b"stubs/a", value=b"one"))
            found = await kv.range(pb.RangeRequest(key=b"stubs/a"))
            assert found.header.revision == put.header.revision
            await asyncio.gather(*(kv.range(pb.RangeRequest(key=b"stubs/a")) for _ in range(20)))
            request = pb.WatchRequest(
                create_request=pb.WatchCreateRequest(key=b"stubs/a", start_revision=put.header.revision)
            )
            answers = pb.WatchStub(communicator.channel).watch([request])
            async for answer in answers:
                if answer.events:
                    assert answer.events[0].kv.value == b"one"
                    break
            await answers.aclose()
            await kv.delete_range(pb.DeleteRangeRequest(key=b"stubs/a"))
        with pytest.raises(ClosedResourceError):
            await kv.range(pb.RangeRequest(key=b"stubs/a"))

    run(runner, scenario, etcd_server.endpoint)


def test_the_stream_has_all_that_trios_has() -> None:
    def names(cls: type) -> set[str]:
        return {name for name in dir(cls) if not name.startswith("_")}

    assert names(streams.GrpcStream) <= names(GrpcStream)


@pytest.mark.parametrize("runner", RUNNERS)
def test_tls(runner: str, tmp_path: Path) -> None:
    async def scenario(_client: Client) -> None:
        tls = TLSConfig(tmp_path / "ca.pem")
        async with EtcdClient(server.endpoint, tls=tls).connect() as communicator:
            await communicator.put("k", "v")
            assert await communicator.get("k") == "v"
            assert await asyncio.gather(*(communicator.get("k") for _ in range(50))) == ["v"] * 50

    ca = trustme.CA()
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    cert = ca.issue_cert("127.0.0.1")
    cert.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    cert.private_key_pem.write_to_path(tmp_path / "key.pem")
    server_tls = ServerTLS(tmp_path / "cert.pem", tmp_path / "key.pem")
    with EtcdServer(tls=server_tls) as server, EtcdServer() as plain:
        run(runner, scenario, plain.endpoint)


@pytest.mark.parametrize("runner", RUNNERS)
def test_users_and_tokens_that_are_forgotten(runner: str) -> None:
    async def scenario(client: Client) -> None:
        async with client.connect() as communicator:
            await communicator.auth.user_add("root", "secret")
            await communicator.auth.user_grant_role("root", "root")
            await communicator.auth.enable()
        root = EtcdClient(client.addr, EtcdCredential("root", "secret"))
        async with root.connect() as communicator:
            await communicator.put("k", "v")
            with pytest.raises(EtcdUnknownError, match="authentication failed"):
                async with EtcdClient(client.addr, EtcdCredential("root", "wrong")).connect() as wrong:
                    await wrong.get("k")
            await asyncio.to_thread(server.kill)  # it forgets all tokens
            await asyncio.to_thread(server.restart)
            assert await asyncio.gather(*(communicator.get("k") for _ in range(20))) == ["v"] * 20
            await communicator.auth.disable()

    with EtcdServer() as server:
        run(runner, scenario, server.endpoint)


def test_several_endpoints_of_which_one_dies() -> None:
    async def main() -> None:
        client = EtcdClient(",".join(member.endpoint for member in cluster.members))
        async with client.connect() as communicator:
            await communicator.put("k", "0")
            live = communicator._scope.endpoints.live
            assert live is not None
            [used] = [member for member in cluster.members if member.endpoint.endswith(live.endpoint)]
            async with communicator.watch("k") as events, asyncio.timeout(20):
                await asyncio.to_thread(used.kill)
                assert await communicator.get("k") == "0"
                await communicator.put("k", "1")
                assert (await events.receive()).value == "1"

    with EtcdCluster(3, extra_args=["--heartbeat-interval=20", "--election-timeout=200"]) as cluster:
        asyncio.run(main())


def test_a_limit_for_every_call() -> None:
    async def main() -> None:
        async with EtcdClient(server.endpoint, call_timeout=0.5).connect() as communicator:
            assert await communicator.get("k") is None
            await asyncio.to_thread(server.stop)
            with pytest.raises(CallTimeoutError) as caught:
                await communicator.get("k")
            assert TimeoutError in type(caught.value).__mro__
            await asyncio.to_thread(server.cont)

    with EtcdServer() as server:
        asyncio.run(main())
