"""Long streams have a connection of their own: what calls carry never holds up an event or a renewal."""

from __future__ import annotations

import trio
from client._kit import live

from etcetra_trio import EtcdClient
from etcetra_trio.testing import EtcdServer, FaultProxy

MIB = 1 << 20


async def test_bulk_reads_starve_nobody(etcd_server: EtcdServer) -> None:
    """A path that takes 10 s for the reads under way: events and a lease of 2 s go through all the same."""
    async with FaultProxy(etcd_server.endpoint) as proxy, trio.open_nursery() as nursery:
        async with (
            EtcdClient(etcd_server.endpoint).connect() as direct,
            EtcdClient(proxy.endpoint).connect() as communicator,
        ):
            for number in range(10):
                await direct.put(f"bulk/{number}", "x" * MIB)
            async with communicator.watch_prefix("news/") as events, communicator.lease(2) as lease:
                proxy.throttle(MIB)
                reads = 0

                async def read() -> None:
                    nonlocal reads
                    await communicator.get_prefix("bulk/")
                    reads += 1

                nursery.start_soon(read)
                slowest = 0.0
                for number in range(12):
                    began = trio.current_time()
                    await direct.put(f"news/{number}", "")
                    with trio.fail_after(5):
                        await events.receive()
                    slowest = max(slowest, trio.current_time() - began)
                    await trio.sleep(0.15)
                assert reads == 0, "they are still under way"
                assert slowest < 1
                assert not lease.lost
                assert len(live(communicator).engine.streams) == 1
                assert communicator._endpoints.live_for_streams is not live(communicator)
            nursery.cancel_scope.cancel("the test is over")
