"""HTTP/2 at its worst, as far as grpcio's own server can be brought to it. What it cannot do, h2 does in `failover`."""

from __future__ import annotations

import pytest
import trio
from _grpc_kit import connected, serve, until
from failover.test_interop import ENGINES

from etcetra_trio import EtcdClient, EtcdError, OutcomeUnknownError
from etcetra_trio.streams._endpoints import EngineName
from wire_faults._grpcio import Store, sleeping

pytestmark = pytest.mark.parametrize("http2", ENGINES)


async def test_goaway(http2: EngineName) -> None:
    """Connections that end every 150 ms, twice announced: a watch and a lease do not notice."""
    store = Store()
    age = [("grpc.max_connection_age_ms", 150), ("grpc.max_connection_age_grace_ms", 5000)]
    with serve(*age, **store.handlers()) as server:
        async with connected(server, http2) as communicator, communicator.lease(2):
            async with communicator.watch("w") as events:
                for number in range(20):
                    await communicator.put("w", f"{number}")
                    assert (await events.receive()).value == f"{number}"
                    await trio.sleep(0.04)
            assert communicator.statistics().opened > 3
    assert len(store.puts) == 20, "nothing is written twice"


async def test_goaway_without_patience(http2: EngineName) -> None:
    """A connection that grew old is cut 50 ms later, with a call on it: a read is made again, a write is unknown."""
    store = Store()
    age = [("grpc.max_connection_age_ms", 100), ("grpc.max_connection_age_grace_ms", 50)]
    slow = {"Put": sleeping(store, 0.6, store.put), "Range": sleeping(store, 0.02, store.range)}
    with serve(*age, **{**store.handlers(), **slow}) as server:
        async with connected(server, http2) as communicator:
            with pytest.raises(OutcomeUnknownError):
                await communicator.put("k", "v")
            await until(lambda: server.ended == ["Put"])
            for _ in range(10):
                assert await communicator.get("k") in {None, "v"}
            assert store.asleep.count("put") == 1, "the write is not sent again"


@pytest.mark.parametrize("most", [1, 2])
async def test_max_streams(http2: EngineName, most: int) -> None:
    """Calls wait for their turn, and a watch for none: it has a connection of its own."""
    store = Store()
    with serve(("grpc.max_concurrent_streams", most), **store.handlers()) as server:
        async with connected(server, http2) as communicator, communicator.watch("w") as events:
            async with trio.open_nursery() as nursery:
                for number in range(30):
                    nursery.start_soon(communicator.put, f"{number}", "v")
            with trio.move_on_after(0):
                await communicator.put("given up before its turn", "v")
            await communicator.put("w", "v")
            assert (await events.receive()).value == "v"
    assert len(store.puts) == 31


async def test_ping(http2: EngineName) -> None:
    """A server that asks all the time whether we live, and leaves those who do not answer."""
    store = Store()
    often = [
        ("grpc.keepalive_time_ms", 50),
        ("grpc.keepalive_timeout_ms", 500),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
    ]
    with serve(*often, **store.handlers()) as server:
        async with connected(server, http2) as communicator, communicator.watch("w") as events:
            await trio.sleep(0.6)
            await communicator.put("w", "v")
            assert (await events.receive()).value == "v"
            assert communicator.statistics().opened == 2
            assert communicator.statistics().lost == 0


async def test_too_many_pings(http2: EngineName) -> None:
    """Our own PINGs come too often for the server: it says so and ends, and they become rarer."""
    store = Store()
    calm = [("grpc.http2.min_ping_interval_without_data_ms", 60_000), ("grpc.http2.max_ping_strikes", 1)]
    with serve(*calm, **store.handlers()) as server:
        client = server.client(http2=http2, ping_interval=0.1, ping_timeout=0.4)
        with trio.fail_after(20):
            async with client.connect() as communicator, communicator.watch("w") as events:
                calm_down = communicator._endpoints.dialer._calm
                await until(lambda: any(factor > 1 for factor in calm_down.values()))
                await communicator.put("w", "v")
                assert (await events.receive()).value == "v"
    assert store.puts == [b"w"]


async def test_cut_in_the_midst(http2: EngineName) -> None:
    """A server that stops without a word for those it has: reads go to the next one, writes are unknown."""
    store, other = Store(), Store()
    slow = {"Put": sleeping(store, 20, store.put), "Range": sleeping(store, 20, store.range)}
    outcomes: list[object] = []
    with serve(**{**store.handlers(), **slow}) as first, serve(**other.handlers()) as second:
        endpoints = [f"127.0.0.1:{first.port}", f"127.0.0.1:{second.port}"]
        with trio.fail_after(20):
            async with EtcdClient(endpoints, http2=http2).connect() as communicator:

                async def put() -> None:
                    try:
                        await communicator.put("k", "v")
                    except EtcdError as error:
                        outcomes.append(error.outcome)

                async def get() -> None:
                    outcomes.append(await communicator.get("k"))

                async with trio.open_nursery() as nursery:
                    nursery.start_soon(put)
                    nursery.start_soon(get)
                    await until(lambda: len(store.asleep) == 2)
                    first.stop(grace=None)
                await communicator.put("next", "v")
    assert sorted(map(str, outcomes)) == ["None", "unknown"]
    assert other.puts == [b"next"]


async def test_a_message_too_large_for_the_server(http2: EngineName) -> None:
    """grpcio says so in words of its own: whether it proves anything is not for us to say."""
    store = Store()
    with serve(("grpc.max_receive_message_length", 1000), **store.handlers()) as server:
        async with connected(server, http2) as communicator:
            with pytest.raises(OutcomeUnknownError, match="larger than max"):
                await communicator.put("k", "v" * 1000)
            await communicator.put("k", "v" * 900)
    assert store.puts == [b"k"]


async def test_connections_that_are_idle(http2: EngineName) -> None:
    """Ended by the server, one after the other: the next call opens another."""
    store = Store()
    with serve(("grpc.max_connection_idle_ms", 100), **store.handlers()) as server:
        async with connected(server, http2) as communicator:
            for number in range(2):
                await communicator.put(f"{number}", "v")
                await trio.sleep(0.35)
            assert communicator.statistics().opened >= 2
    assert len(store.puts) == 2
