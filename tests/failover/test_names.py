"""Names with several addresses, that change, or that are unknown for a while; by a resolver of the test's."""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator
from typing import Any

import pytest
import trio
from client._kit import live

from etcetra_trio import ConnectionFailedError, EtcdClient
from failover._scripted import Request, answer, serving


class Resolver(trio.abc.HostnameResolver):
    """Names as the test wants them; numbers are left to the system."""

    def __init__(self) -> None:
        self.addresses: list[str] = []
        self.asked = 0
        self.delay = 0.0

    async def getaddrinfo(
        self,
        host: bytes | None,
        port: bytes | str | int | None,
        family: int = 0,
        type: int = 0,  # noqa: A002 - the interface's
        proto: int = 0,
        flags: int = 0,
    ) -> list[tuple[Any, ...]]:
        await trio.sleep(self.delay)
        assert host == b"etcd.test"
        self.asked += 1
        if not self.addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        assert isinstance(port, int)
        found: list[tuple[Any, ...]] = []
        for address in self.addresses:
            if ":" in address:
                found.append((socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0)))
            else:
                found.append((socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)))
        return found

    async def getnameinfo(self, sockaddr: object, flags: int) -> tuple[str, str]:
        await trio.lowlevel.checkpoint()
        raise OSError("not asked for")


@pytest.fixture
async def resolver() -> AsyncGenerator[Resolver]:
    made = Resolver()
    before = trio.socket.set_custom_hostname_resolver(made)
    yield made
    trio.socket.set_custom_hostname_resolver(before)


def port_of(endpoint: str) -> str:
    return endpoint.rpartition(":")[2]


async def test_one_bad_address_of_several(resolver: Resolver) -> None:
    """Nobody listens at two of them: refused at once, so the third is there at once."""
    async with serving() as server:
        resolver.addresses = ["127.0.0.77", "::1", "127.0.0.1"]
        began = trio.current_time()
        async with EtcdClient(f"etcd.test:{port_of(server.endpoint)}").connect() as communicator:
            assert trio.current_time() - began < 0.2
            await communicator.get("k")
            connection = live(communicator)
            assert connection.endpoint == f"etcd.test:{port_of(server.endpoint)}"
            assert connection.target.address == "127.0.0.1"


async def test_an_address_that_never_answers(resolver: Resolver) -> None:
    """It accepts and says nothing: the next one does not wait for its time-out, and is asked first from then on."""
    async with serving() as server:
        with socket.create_server(("127.0.0.77", int(port_of(server.endpoint)))):
            resolver.addresses = ["127.0.0.77", "127.0.0.1"]
            client = EtcdClient(f"etcd.test:{port_of(server.endpoint)}")
            began = trio.current_time()
            async with client.connect() as communicator:
                assert 0.2 < trio.current_time() - began < 1
                for _ in range(2):
                    await server.peers[-1].stream.aclose()
                    began = trio.current_time()
                    await communicator.get("k")
                    assert live(communicator).target.address == "127.0.0.1"
                assert trio.current_time() - began < 0.2, "that it was slow is remembered"


async def test_the_address_changes(resolver: Resolver) -> None:
    """As in Kubernetes, where a pod comes back elsewhere."""
    async with serving() as before:
        resolver.addresses = ["127.0.0.1"]
        async with EtcdClient(f"etcd.test:{port_of(before.endpoint)}").connect() as communicator:
            await communicator.get("k")
            assert resolver.asked == 1
            listening = socket.create_server(("127.0.0.78", int(port_of(before.endpoint))))
            listening.setblocking(False)
            resolver.addresses = ["127.0.0.78"]
            moved = trio.SocketListener(trio.socket.from_stdlib_socket(listening))
            async with trio.open_nursery() as nursery:
                await nursery.start(trio.serve_listeners, before.serve, [moved])
                await before.peers[0].stream.aclose()
                await communicator.get("k")
                assert live(communicator).target.address == "127.0.0.78"
                nursery.cancel_scope.cancel("the test is over")
    assert resolver.asked == 2


async def test_a_name_that_is_unknown_for_a_while(resolver: Resolver) -> None:
    async def script(request: Request) -> None:
        await request.answer()
        if len(server.requests) == 1:
            resolver.addresses = []
            await request.peer.goaway(1)

    async with serving(script) as server:
        resolver.addresses = ["127.0.0.1"]
        client = EtcdClient(f"etcd.test:{port_of(server.endpoint)}")
        async with client.connect() as communicator, trio.open_nursery() as nursery:
            await communicator.get("k")
            while not server.peers[0].ended:
                await trio.sleep(0.001)
            nursery.start_soon(communicator.get, "k")
            await trio.sleep(0.3)
            resolver.addresses = ["127.0.0.1"]
        assert 3 <= resolver.asked <= 6
        resolver.addresses = []
        with pytest.raises(ConnectionFailedError) as caught:
            async with client.connect():
                pytest.fail("it connected")
        assert isinstance(caught.value.endpoints[0][1], socket.gaierror)


async def test_a_slow_name_does_not_hold_the_others_up(resolver: Resolver) -> None:
    resolver.delay = 30
    async with serving(answer) as server:
        began = trio.current_time()
        async with EtcdClient(["etcd.test:1", server.endpoint]).connect() as communicator:
            assert trio.current_time() - began < 2
            assert live(communicator).endpoint == server.endpoint


async def test_how_each_address_failed(resolver: Resolver) -> None:
    """In words, each with its own cause where they differ."""
    async with serving() as server:
        port = int(port_of(server.endpoint))
    with socket.create_server(("127.0.0.77", port)) as listening:

        async def hang_up() -> None:
            sock, _ = await trio.to_thread.run_sync(listening.accept)
            sock.close()

        resolver.addresses = ["127.0.0.77", "127.0.0.1"]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(hang_up)
            with pytest.raises(ConnectionFailedError) as caught:
                async with EtcdClient(f"etcd.test:{port}").connect():
                    pytest.fail("it connected")
    [(_, cause)] = caught.value.endpoints
    assert isinstance(cause, OSError)
    assert "127.0.0.1: " in str(cause)
    assert "refused" in str(cause)
    assert "127.0.0.77: the server at " in str(cause)
    assert isinstance(cause.__cause__, ExceptionGroup)
