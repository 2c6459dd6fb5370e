"""Elections: one leads, the others wait and watch."""

from __future__ import annotations

import pytest
import trio
import trio.testing
from lease._kit import SHORTEST, Text, connected, nothing_left

from etcetra_trio import (
    EncodingError,
    EtcdClient,
    InvalidRequestError,
    KeyValue,
    LeaderObserver,
    Leadership,
    LeadershipLostError,
)
from etcetra_trio.testing import EtcdServer, FaultProxy


async def receive(leaders: LeaderObserver[str], count: int) -> list[str | None]:
    values: list[str | None] = []
    with trio.fail_after(20):
        while len(values) < count:
            leader = await leaders.receive()
            values.append(None if leader is None else leader.value)
    return values


async def test_campaign(communicator: Text, etcd_server: EtcdServer) -> None:
    async with communicator.lease(SHORTEST):
        pass
    async with nothing_left(etcd_server):
        assert await communicator.leader("vote") is None
        async with communicator.campaign("vote", "a", lease_ttl=7) as leadership:
            assert isinstance(leadership, Leadership)
            assert leadership.lease.ttl == 7
            assert leadership.key == f"vote/{leadership.lease.id:x}"
            leader = await communicator.leader("vote")
            assert leader is not None
            assert leader == KeyValue(
                leadership.key, "a", leadership.fence, leadership.fence, 1, leadership.lease.id
            )
            await leadership.proclaim("b")
            leader = await communicator.leader("vote")
            assert leader is not None
            assert (leader.value, leader.create_revision, leader.lease) == (
                "b",
                leadership.fence,
                leadership.lease.id,
            )
            await leadership.put("done", "by the leader", lease=leadership.lease)
        assert await communicator.leader("vote") is None
        assert await communicator.get("done") is None
    with pytest.raises(LeadershipLostError, match="released"):
        await leadership.proclaim("c")


async def test_one_at_a_time(communicator: Text) -> None:
    led: list[str] = []

    async def stand(name: str) -> None:
        async with communicator.campaign("vote", name):
            led.append(name)
            leader = await communicator.leader("vote")
            assert leader is not None
            assert leader.value == name

    async with communicator.observe("vote") as leaders:
        async with trio.open_nursery() as nursery:
            for name in "abcdef":
                nursery.start_soon(stand, name)
        assert await receive(leaders, 8) == [None, *led, None]
    assert sorted(led) == list("abcdef")


async def test_lost(communicator: Text) -> None:
    async with communicator.observe("vote") as leaders:
        with trio.fail_after(20), pytest.raises(LeadershipLostError) as caught:
            async with communicator.campaign("vote", "a") as leadership:
                await communicator.delete(leadership.key)
                begin = trio.current_time()
                try:
                    await trio.sleep_forever()
                finally:
                    assert trio.current_time() - begin < 1
                    with trio.move_on_after(1, shield=True), pytest.raises(LeadershipLostError):
                        await leadership.proclaim("b")
        assert (caught.value.name, caught.value.reason) == ("vote", "its key was deleted")
        assert await receive(leaders, 1) == [None]


async def test_flag_only(communicator: Text) -> None:
    async with communicator.campaign("vote", "a", on_lost="flag") as leadership:
        await communicator.revoke_lease(leadership.lease)
        with trio.fail_after(5):
            await leadership.wait_lost()
        assert leadership.lost


async def test_a_candidate_that_loses_its_lease(communicator: Text) -> None:
    """It stops waiting, and nobody believes that it leads."""
    async with communicator.campaign("vote", "a") as leadership, trio.open_nursery() as nursery:

        async def stand() -> None:
            with pytest.raises(LeadershipLostError):
                async with communicator.campaign("vote", "b"):
                    raise AssertionError

        nursery.start_soon(stand)
        with trio.fail_after(20):
            while len(kvs := (await communicator.range("vote/", prefix=True)).kvs) < 2:
                await trio.sleep(0.01)
        await communicator.revoke_lease(next(kv.lease for kv in kvs if kv.key != leadership.key))


async def test_the_observer_over_breaks(etcd_server: EtcdServer) -> None:
    async with FaultProxy(etcd_server.endpoint) as proxy:
        async with connected(proxy.endpoint) as communicator, connected(etcd_server.endpoint) as other:
            async with communicator.observe("break") as leaders:
                assert await receive(leaders, 1) == [None]
                for number in range(5):
                    proxy.cut()
                    async with other.campaign("break", str(number)) as leadership:
                        proxy.cut()
                        await leadership.proclaim(f"{number}!")
                        assert await receive(leaders, 2) == [str(number), f"{number}!"]
                    assert await receive(leaders, 1) == [None]


async def test_the_observer_over_a_compaction(etcd_server: EtcdServer) -> None:
    """What is compacted cannot be told any more, but what is true now is."""
    async with FaultProxy(etcd_server.endpoint) as proxy:
        async with connected(proxy.endpoint) as communicator, connected(etcd_server.endpoint) as other:
            async with communicator.observe("compacted") as leaders:
                assert await receive(leaders, 1) == [None]
                proxy.refuse()
                proxy.cut()
                for value in ("a", "b", "c"):
                    async with other.campaign("compacted", value):
                        pass
                async with other.campaign("compacted", "d"):
                    await other.compact((await other.put("x", "")).revision)
                    proxy.accept()
                    assert await receive(leaders, 1) == ["d"]
                assert await receive(leaders, 1) == [None]


async def test_the_observer_as_a_channel(communicator: Text) -> None:
    observer = communicator.observe("vote")
    with pytest.raises(trio.ClosedResourceError):
        await observer.receive()
    async with observer:
        with trio.testing.assert_checkpoints():
            assert await observer.receive() is None
        with trio.move_on_after(0.05) as scope:
            await observer.receive()
        assert scope.cancelled_caught
        async with communicator.campaign("vote", "a"):
            with trio.testing.assert_checkpoints():
                assert (await observer.receive()) is not None
    with trio.testing.assert_checkpoints():
        await observer.aclose()
    with pytest.raises(trio.ClosedResourceError):
        await observer.receive()


async def test_a_value_that_is_no_text(etcd_server: EtcdServer) -> None:
    raw = EtcdClient(etcd_server.endpoint, encoding=None)
    async with connected(etcd_server.endpoint) as communicator, raw.connect() as other:
        async with communicator.observe("raw") as leaders, other.campaign(b"raw", b"\xff") as leadership:
            assert await receive(leaders, 1) == [None]
            with pytest.raises(EncodingError):
                await communicator.leader("raw")
            with pytest.raises(EncodingError):
                await leaders.receive()
            await leadership.proclaim(b"fine")
            assert await receive(leaders, 1) == ["fine"]


async def test_bad_arguments(communicator: Text) -> None:
    with pytest.raises(InvalidRequestError):
        communicator.campaign("", "a")
    with pytest.raises(InvalidRequestError):
        communicator.campaign("vote", "a", lease_ttl=0)
    with pytest.raises(InvalidRequestError):
        communicator.observe("")
    with pytest.raises(InvalidRequestError):
        await communicator.leader("")
    with pytest.raises(TypeError):
        communicator.campaign("vote", 1)  # type: ignore[arg-type]
