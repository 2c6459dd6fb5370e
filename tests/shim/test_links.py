"""One connection serves all blocks of a client in a loop: how long it lives, and what ends with a block."""

from __future__ import annotations

import asyncio

import pytest
from client._kit import sockets

from etcetra_trio.asyncio import ConnectionFailedError, EtcdClient, EtcdCommunicator, _links
from etcetra_trio.asyncio._portal import _portals
from etcetra_trio.asyncio.errors import ClosedResourceError, EtcdUnavailableError, EtcdUnknownError
from etcetra_trio.testing import EtcdServer
from shim._kit import RUNNERS, Scenario, on_trio_asyncio, run

Client = EtcdClient[str]


def local_port(communicator: EtcdCommunicator[str]) -> int:
    """Of the connection: another one has another."""
    live = communicator._scope.endpoints.live
    assert live is not None
    port: int = live._wire.getsockname()[1]  # type: ignore[attr-defined]
    return port


async def a_block_around_every_call_makes_no_connection(client: Client) -> None:
    async def use() -> int:
        async with client.connect() as communicator:
            await communicator.put("k", "v")
            return local_port(communicator)

    ports = {await use() for _ in range(50)}
    ports |= set(await asyncio.gather(*(use() for _ in range(50))))
    assert len(ports) == 1


async def first_blocks_at_once_make_one_connection(client: Client) -> None:
    async def use() -> int:
        async with client.connect() as communicator:
            await asyncio.sleep(0.01)
            return local_port(communicator)

    before = sockets()
    assert len(set(await asyncio.gather(*(use() for _ in range(20))))) == 1
    assert len({socket for socket in sockets() - before if socket}) <= 1 + 4  # Trio's own, to be woken with


async def other_clients_have_other_connections(client: Client) -> None:
    other = EtcdClient(client.addr)
    async with client.connect() as first, other.connect() as second:
        assert local_port(first) != local_port(second)
    await other.aclose()
    async with client.connect() as again:
        assert await again.get("k") is None


async def closing_and_going_on(client: Client) -> None:
    await client.aclose()  # nothing is open yet
    async with client.connect() as communicator:
        first = local_port(communicator)
    await client.aclose()
    assert asyncio.get_running_loop() not in _portals
    async with client.connect() as communicator:
        assert local_port(communicator) != first
        waiting = asyncio.create_task(communicator.watch("k").receive())
        await asyncio.sleep(0.05)
        await client.aclose()  # ends what is open, too
        with pytest.raises(ClosedResourceError):
            await waiting
        with pytest.raises(ClosedResourceError):
            await communicator.get("k")


async def closing_from_several_tasks(client: Client) -> None:
    async with client.connect():
        pass
    await asyncio.gather(*(client.aclose() for _ in range(5)))
    async with client.connect() as communicator:
        assert await communicator.get("k") is None


async def what_a_block_made_ends_with_it(client: Client) -> None:
    async with client.connect() as outer:
        async with client.connect() as communicator:
            watch = communicator.watch("k")
            waiting = asyncio.create_task(watch.receive())
            locked = asyncio.create_task(hold(communicator))
            await asyncio.sleep(0.1)
            assert await outer.count("lock/", prefix=True) == 1
        with pytest.raises(ClosedResourceError):
            await waiting
        with pytest.raises(ClosedResourceError):
            await locked
        for call in (communicator.get("k"), communicator.put("k", "v"), watch.receive()):
            with pytest.raises(ClosedResourceError):
                await call
        assert await outer.count("lock/", prefix=True) == 0
        assert await outer.get("k") is None  # the connection goes on


async def hold(communicator: EtcdCommunicator[str]) -> None:
    async with communicator.lock("lock"):
        await asyncio.sleep(60)


async def idle_connections_are_closed(client: Client) -> None:
    async with client.connect() as communicator:
        first = local_port(communicator)
    await asyncio.sleep(_links.IDLE / 2)
    async with client.connect() as communicator:
        assert local_port(communicator) == first
    await asyncio.sleep(_links.IDLE * 3)
    assert asyncio.get_running_loop() not in _portals
    async with client.connect() as communicator:
        assert local_port(communicator) != first


async def blocks_are_entered_once(client: Client) -> None:
    manager = client.connect()
    async with manager:
        with pytest.raises(RuntimeError, match="entered already"):
            await manager.__aenter__()
    with pytest.raises(RuntimeError, match="was not entered"):
        await manager.__aexit__(None, None, None)


async def nobody_listens(client: Client) -> None:
    nowhere = EtcdClient("127.0.0.1:1")
    for _ in range(2):
        with pytest.raises(ConnectionFailedError) as caught:
            async with nowhere.connect():
                raise AssertionError
        assert {EtcdUnknownError, EtcdUnavailableError} <= set(type(caught.value).__mro__)
    async with nowhere.connect(wait=False) as communicator:
        with pytest.raises(EtcdUnknownError):
            await communicator.get("k")
    with pytest.raises(EtcdUnknownError):
        async with nowhere.with_lock("lock"):
            raise AssertionError
    await nowhere.aclose()


async def communicators_over_a_channel(client: Client) -> None:
    async with client.connect() as communicator:
        await communicator.put("k", "v")
        other = EtcdCommunicator(communicator.channel)
        assert await other.get("k") == "v"
        nested = communicator.namespaced("sub/")
        await nested.put("k", "w")
        assert await communicator.get("sub/k") == "w"
        assert await EtcdCommunicator(nested.channel, "ascii").get_prefix("") == {"k": "w"}


SCENARIOS: list[Scenario] = [
    a_block_around_every_call_makes_no_connection,
    first_blocks_at_once_make_one_connection,
    other_clients_have_other_connections,
    closing_and_going_on,
    closing_from_several_tasks,
    what_a_block_made_ends_with_it,
    blocks_are_entered_once,
    nobody_listens,
    communicators_over_a_channel,
]


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_scenario(scenario: Scenario, runner: str, etcd_server: EtcdServer) -> None:
    run(runner, scenario, etcd_server.endpoint)


@pytest.mark.parametrize("runner", RUNNERS)
def test_idle(runner: str, etcd_server: EtcdServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_links, "IDLE", 0.3)
    run(runner, idle_connections_are_closed, etcd_server.endpoint)


def test_on_trio_asyncio(etcd_server: EtcdServer) -> None:
    on_trio_asyncio(__name__, etcd_server.endpoint)


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_server_that_comes_back(runner: str) -> None:
    async def scenario(client: Client) -> None:
        async with client.connect() as communicator:
            await communicator.put("k", "v")
            first = local_port(communicator)
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.restart)
            async with asyncio.timeout(20):
                while True:
                    try:
                        assert await communicator.get("k") == "v"
                        break
                    except EtcdUnavailableError:
                        await asyncio.sleep(0.1)
            assert local_port(communicator) != first

    with EtcdServer() as server:
        run(runner, scenario, server.endpoint)
