"""``queue``: in which order items are given, to whom, and what becomes of them when somebody is cancelled."""

from __future__ import annotations

import pytest
import trio
import trio.testing
from client._kit import FAST, cancelled_at, nothing_left

from etcetra_trio import (
    EncodingError,
    EtcdClient,
    EtcdCommunicator,
    EtcdError,
    InvalidRequestError,
    OutcomeUnknownError,
)
from etcetra_trio.testing import EtcdServer, FaultProxy
from recipes._kit import connected, counted, no_task_or_stream_left

Text = EtcdCommunicator[str]


async def test_first_in_first_out(communicator: Text) -> None:
    queue = communicator.queue("jobs")
    for number in range(20):
        await queue.put(str(number))
    assert [await queue.get() for _ in range(20)] == [str(number) for number in range(20)]
    assert await communicator.count("", prefix=True) == 0, "nothing is kept"


async def test_an_empty_item_is_one(communicator: Text) -> None:
    queue = communicator.queue("jobs")
    await queue.put("")
    assert await queue.get() == ""


async def test_get_waits_for_an_item(communicator: Text) -> None:
    queue = communicator.queue("jobs")
    got = []

    async def get() -> None:
        got.append(await queue.get())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(get)
        await trio.sleep(0.05)
        assert not got
        await communicator.put("jobs", "no item of it")
        await communicator.put("jobs2/1", "nor this one")
        await queue.put("an item")
    assert got == ["an item"]


async def test_waiting_asks_the_server_nothing(communicator: Text, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = communicator.queue("jobs")
    with counted(communicator, monkeypatch) as calls, trio.move_on_after(0.3):
        await queue.get()
    assert calls == {"Range": 2}, "one look, and one more once it watches"


async def test_go_programs_use_the_same_layout(communicator: Text) -> None:
    """Go's queue puts items at ``name/<nanoseconds>`` and takes the one with the lowest mod_revision."""
    queue = communicator.queue("jobs")
    await communicator.put("jobs/1764000000000000009", "theirs 1")
    await communicator.put("jobs/1764000000000000001", "theirs 2")
    await queue.put("ours")
    assert (await communicator.range("jobs/", prefix=True)).count == 3
    assert [await queue.get() for _ in range(3)] == ["theirs 1", "theirs 2", "ours"]


async def test_names_encodings_namespaces(communicator: Text, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = communicator.queue(b"\xff", encoding=None)
    await raw.put(b"\xfe")
    assert (await communicator.range(b"\xff/", prefix=True, encoding=None)).count == 1
    assert await raw.get() == b"\xfe"
    latin = communicator.queue("ü", encoding="latin-1")
    await latin.put("ö")
    assert await communicator.queue(b"\xfc", encoding=None).get() == b"\xf6"
    inside = communicator.namespaced("sub/").queue("jobs")
    await inside.put("deep")
    assert await communicator.queue("sub/jobs").get() == "deep"
    with counted(communicator, monkeypatch) as calls:
        with pytest.raises(InvalidRequestError):
            communicator.queue("")
        with pytest.raises(TypeError):
            communicator.queue(3)  # type: ignore[call-overload]
        with pytest.raises(TypeError):
            await communicator.queue("jobs").put(3)  # type: ignore[arg-type]
        with pytest.raises(EncodingError):
            await latin.put("€")
    assert not calls


async def test_an_item_that_is_no_text_is_not_lost(communicator: Text) -> None:
    queue, raw = communicator.queue("jobs"), communicator.queue(b"jobs", encoding=None)
    await raw.put(b"\xff")
    await raw.put(b"text")
    for _ in range(2):
        with pytest.raises(EncodingError):
            await queue.get()
    assert await raw.get() == b"\xff"
    assert await queue.get() == "text"
    async with trio.open_nursery() as nursery:

        async def put_later() -> None:
            await trio.sleep(0.05)
            await raw.put(b"\xff")

        nursery.start_soon(put_later)
        with pytest.raises(EncodingError):
            await queue.get()
    assert await raw.get() == b"\xff"


async def test_each_is_a_checkpoint(communicator: Text) -> None:
    queue = communicator.queue("jobs")
    with trio.testing.assert_checkpoints():
        await queue.put("1")
    with trio.testing.assert_checkpoints():
        await queue.get()


async def test_many_who_get_share_what_many_put(etcd: EtcdClient[str]) -> None:
    """Nothing is lost, nothing is given twice, and each one gets the items of each producer in their order."""
    producers, consumers, each = 4, 6, 50
    got: list[list[tuple[int, int]]] = [[] for _ in range(consumers)]
    async with connected(etcd, count=5) as communicators:

        async def produce(number: int) -> None:
            queue = communicators[number % 5].queue("jobs")
            for index in range(each):
                await queue.put(f"{number} {index}")

        async def consume(number: int) -> None:
            queue = communicators[number % 5].queue("jobs")
            while True:
                producer, index = (await queue.get()).split()
                got[number].append((int(producer), int(index)))

        async with trio.open_nursery() as nursery:
            for number in range(consumers):
                nursery.start_soon(consume, number)
            async with trio.open_nursery() as producing:
                for number in range(producers):
                    producing.start_soon(produce, number)
            while sum(map(len, got)) < producers * each:
                await trio.sleep(0.01)
            nursery.cancel_scope.cancel()
        assert await communicators[0].count("jobs/", prefix=True) == 0
    everything = [item for items in got for item in items]
    assert sorted(everything) == [(producer, index) for producer in range(producers) for index in range(each)]
    for items in got:
        for producer in range(producers):
            indices = [index for name, index in items if name == producer]
            assert indices == sorted(indices)


@pytest.mark.parametrize("waiting", [False, True])
async def test_cancelled_anywhere_get_loses_nothing(communicator: Text, waiting: bool) -> None:
    queue = communicator.queue("jobs")
    put, cancelled = 0, 0
    got: list[str] = []

    async def get() -> None:
        got.append(await queue.get())

    async def put_later() -> None:
        await trio.sleep(0.005)
        await queue.put(str(put))

    async with no_task_or_stream_left(communicator):
        for parked in (False, True):
            for step in range(1, 13):
                put += 1
                if not waiting:
                    await queue.put(str(put))
                async with trio.open_nursery() as nursery:
                    if waiting:
                        nursery.start_soon(put_later)
                    cancelled += await cancelled_at(step, get, parked=parked)
                left = await communicator.count("jobs/", prefix=True)
                assert left + len(got) == put
                if left:  # the next one shall wait for its own
                    await get()
    assert cancelled >= (6 if waiting else 3)
    assert got == [str(number) for number in range(1, put + 1)]


async def test_a_storm_of_cancels_loses_nothing_and_keeps_the_order(etcd: EtcdClient[str]) -> None:
    items = 150
    got: list[str] = []
    async with connected(etcd, count=2) as (one, other):

        async def put() -> None:
            queue = one.queue("jobs")
            for number in range(items):
                await queue.put(str(number))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(put)
            queue = other.queue("jobs")
            delay = 0.0
            while len(got) < items:
                delay = (delay + 0.00013) % 0.004
                with trio.move_on_after(delay):
                    while True:
                        got.append(await queue.get())
    assert got == [str(number) for number in range(items)]


async def test_cancelled_while_the_server_is_silent_it_ends_in_time(etcd_server: EtcdServer) -> None:
    with nothing_left():
        async with (
            FaultProxy(etcd_server.endpoint) as proxy,
            EtcdClient(proxy.endpoint, namespace="silent/").connect() as communicator,
        ):
            queue = communicator.queue("jobs")
            await queue.put("1")
            before = trio.current_time()
            with trio.move_on_after(0.3) as scope:
                proxy.delay(0.1)  # the look takes 0.2 s
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(queue.get)
                    await trio.sleep(0.25)
                    proxy.black_hole()
            assert scope.cancelled_caught
            assert trio.current_time() - before < 0.3 + 1 + 1
    async with EtcdClient(etcd_server.endpoint, namespace="silent/").connect() as communicator:
        await communicator.delete_prefix("")


async def test_when_the_connection_breaks_as_an_item_is_taken(etcd_server: EtcdServer) -> None:
    async with FaultProxy(etcd_server.endpoint) as proxy:
        async with EtcdClient(proxy.endpoint, namespace="broken/").connect() as communicator:
            queue = communicator.queue("jobs")
            await queue.put("1")
            [record] = (await communicator.range("jobs/", prefix=True)).kvs
            ends: list[object] = []

            async def get() -> None:
                try:
                    ends.append(await queue.get())
                except EtcdError as error:
                    ends.append(error)

            async with trio.open_nursery() as nursery:
                proxy.delay(0.1)
                nursery.start_soon(get)
                await trio.sleep(0.25)  # the look takes 0.2 s
                proxy.cut()
            assert len(ends) == 1
            assert isinstance(ends[0], OutcomeUnknownError)
            proxy.heal()
            left = (await communicator.range("jobs/", prefix=True)).kvs
            assert left in ([], [record])
            await communicator.delete_prefix("")


async def test_waiting_goes_on_when_the_server_is_restarted() -> None:
    async with EtcdServer(extra_args=FAST) as server:
        with trio.fail_after(30):
            async with EtcdClient(server.endpoint).connect() as communicator, trio.open_nursery() as nursery:
                got = []

                async def get() -> None:
                    got.append(await communicator.queue("jobs").get())

                nursery.start_soon(get)
                await trio.sleep(0.05)
                await server.arestart()
                async with EtcdClient(server.endpoint).connect() as other:
                    await other.queue("jobs").put("late")
            assert got == ["late"]


async def test_closing_the_client_ends_a_get() -> None:
    async with EtcdServer() as server:
        ends: list[object] = []
        async with trio.open_nursery() as nursery:
            async with EtcdClient(server.endpoint).connect() as communicator:

                async def get() -> None:
                    try:
                        await communicator.queue("jobs").get()
                    except trio.ClosedResourceError as error:
                        ends.append(error)

                nursery.start_soon(get)
                await trio.sleep(0.05)
        assert len(ends) == 1
        with pytest.raises(trio.ClosedResourceError):
            await communicator.queue("jobs").get()
        with pytest.raises(trio.ClosedResourceError):
            await communicator.queue("jobs").put("1")
