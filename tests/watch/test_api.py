"""What watches give: README's examples, keys and ranges, every option, every field of an event."""

from __future__ import annotations

from typing import assert_type, cast

import pytest
import trio
from client._kit import grant

from etcetra_trio import EtcdCommunicator, Watch, WatchBatch, WatchEvent, WatchEventType, WatchFilter
from etcetra_trio.testing import EtcdServer
from watch._kit import DELETE, PUT, Text, nothing_comes, streams, take, told, version_of


async def test_as_in_the_readme(communicator: Text) -> None:
    seen = []
    ready = trio.Event()

    async def watch() -> None:
        # It breaks out of a bare `async for`, which warns: users are told to use `async with`.
        with pytest.warns(ResourceWarning, match="async with"):
            async for event in communicator.watch("testkey", ready_event=ready):
                seen.append((event.event, event.key, event.value))
                if event.event is WatchEventType.DELETE:
                    break

    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch)
        await ready.wait()
        await communicator.put("testkey", "1")
        await communicator.put("testkey", "2")
        await communicator.delete("testkey")
    assert seen == [(PUT, "testkey", "1"), (PUT, "testkey", "2"), (DELETE, "testkey", "")]


async def test_preferred_form(communicator: Text) -> None:
    async with communicator.watch_prefix("/dir/") as events:
        await communicator.put("/dir/a", "1")
        await communicator.put("/other", "1")
        await communicator.put("/dir/b", "2")
        seen = []
        async for event in events:
            seen.append(event)
            if len(seen) == 2:
                break
    assert told(seen) == [(PUT, "/dir/a", "1"), (PUT, "/dir/b", "2")]


async def test_every_field(communicator: Text) -> None:
    lease = await grant(communicator)
    async with communicator.watch("k") as events:
        created = await communicator.put("k", "1", lease=lease)
        changed = await communicator.put("k", "2")
        deleted = await communicator.delete("k")
        first, second, third = await take(events, 3)
    assert isinstance(first, WatchEvent)
    assert first.revision == first.create_revision
    assert first == ("k", "1", None, PUT, created.revision, created.revision, 1, lease, False, False)
    assert second == ("k", "2", None, PUT, changed.revision, created.revision, 2, 0, False, False)
    assert third == ("k", "", None, DELETE, deleted.revision, 0, 0, 0, False, False)


async def test_prev_kv(communicator: Text) -> None:
    await communicator.put("k", "1")
    async with communicator.watch("k", prev_kv=True) as events:
        await communicator.put("k", "2")
        await communicator.delete("k")
        await communicator.put("k", "3")
        found = await take(events, 3)
    assert [(event.value, event.prev_value) for event in found] == [("2", "1"), ("", "2"), ("3", None)]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ([], [PUT, DELETE, PUT]),
        ([WatchFilter.NODELETE], [PUT, PUT]),
        ([WatchFilter.NOPUT], [DELETE]),
        ([WatchFilter.NOPUT, WatchFilter.NODELETE], []),
        ([1], [PUT, PUT]),
        ((WatchFilter.NODELETE, WatchFilter.NODELETE), [PUT, PUT]),
    ],
)
async def test_filters(
    communicator: Text, filters: list[WatchFilter], expected: list[WatchEventType]
) -> None:
    async with communicator.watch("k", filters=filters) as events:
        await communicator.put("k", "1")
        await communicator.delete("k")
        await communicator.put("k", "2")
        assert [event.event for event in await take(events, len(expected))] == expected
        await nothing_comes(events)


async def test_ranges(communicator: Text) -> None:
    async with (
        communicator.watch_range("b", "d") as middle,
        communicator.watch_range("\0", "c") as beginning,
        communicator.watch_range("c", "\0") as end,
        communicator.watch_prefix("") as everything,
        communicator.watch_prefix("c") as prefix,
        communicator.watch("c") as key,
    ):
        keys = ["a", "b", "c", "c\0", "cc", "d", "\N{GRINNING FACE}"]
        for each in keys:
            await communicator.put(each, "")
        for events, expected in [
            (middle, ["b", "c", "c\0", "cc"]),
            (beginning, ["a", "b"]),
            (end, ["c", "c\0", "cc", "d", "\N{GRINNING FACE}"]),
            (everything, keys),
            (prefix, ["c", "c\0", "cc"]),
            (key, ["c"]),
        ]:
            assert [event.key for event in await take(events, len(expected))] == expected
            await nothing_comes(events, 0.02)


async def test_namespaces(communicator: Text, etcd_server: EtcdServer) -> None:
    below = communicator.namespaced("n/")
    async with (
        below.watch_prefix("") as inside,
        below.watch("k") as key,
        below.watch_range("\0", "\0") as whole,
        communicator.watch_prefix("n/") as outside,
    ):
        await communicator.put("m", "")
        await communicator.put("n/k", "v")
        await communicator.put("n0", "")
        for events, name in [(inside, "k"), (key, "k"), (whole, "k"), (outside, "n/k")]:
            assert told(await take(events, 1)) == [(PUT, name, "v")]
            await nothing_comes(events, 0.02)


async def test_bytes_and_encodings(communicator: Text) -> None:
    async with (
        communicator.watch(b"k", encoding=None) as raw,
        communicator.watch("k", encoding="latin-1") as latin,
        communicator.watch("k", prev_kv=True) as text,
    ):
        await communicator.put("k", "ü")
        event = await raw.receive()
        assert_type(event, WatchEvent[bytes])
        assert (event.key, event.value, event.prev_value) == (b"k", "ü".encode(), None)
        other = await latin.receive()
        assert_type(other, WatchEvent[str])
        assert other.value == "ü".encode().decode("latin-1")
        assert (await text.receive()).value == "ü"


async def test_types(communicator: Text) -> None:
    assert_type(communicator.watch("k"), Watch[WatchEvent[str]])
    assert_type(communicator.watch_prefix(b"k", encoding=None), Watch[WatchEvent[bytes]])
    assert_type(communicator.watch_range("k", "l", batches=True), Watch[WatchBatch[str]])
    assert_type(communicator.watch(b"k", batches=True, encoding=None, buffer=1), Watch[WatchBatch[bytes]])
    raw = cast("EtcdCommunicator[bytes]", communicator)
    assert_type(raw.watch(b"k"), Watch[WatchEvent[bytes]])
    assert isinstance(communicator.watch("k"), trio.abc.ReceiveChannel)


@pytest.mark.parametrize("prev_kv", [False, True])
async def test_batches(communicator: Text, prev_kv: bool) -> None:
    await communicator.put("a", "0")
    async with communicator.watch_prefix("", batches=True, prev_kv=prev_kv) as batches:
        first = await communicator.put("k", "1")
        second = await communicator.txn(
            lambda action: [action.put("a", "1"), action.put("b", "2"), action.delete("k")]
        )
        with trio.fail_after(10):
            one, two = await batches.receive(), await batches.receive()
    assert isinstance(one, WatchBatch)
    assert (one.revision, told(one.events)) == (first.revision, [(PUT, "k", "1")])
    assert two.revision == second.revision
    assert sorted(told(two.events), key=lambda item: item[1]) == [
        (PUT, "a", "1"),
        (PUT, "b", "2"),
        (DELETE, "k", ""),
    ]
    assert {event.key: event.prev_value for event in two.events} == (
        {"a": "0", "b": None, "k": "1"} if prev_kv else {"a": None, "b": None, "k": None}
    )


async def test_a_revision_in_fragments(communicator: Text) -> None:
    """Its events are more than the server sends in one message."""
    async with communicator.watch_prefix("", batches=True, prev_kv=True) as batches:
        for value in ("1", "2"):
            await communicator.txn(
                lambda action, value=value: [action.put(f"{n:03}", value * 11_000) for n in range(125)]  # type: ignore[misc]
            )
        with trio.fail_after(20):
            found = [await batches.receive() for _ in range(2)]
    assert [len(batch.events) for batch in found] == [125, 125]
    assert [event.key for event in found[1].events] == [f"{n:03}" for n in range(125)]
    assert all(event.prev_value == "1" * 11_000 for event in found[1].events)


async def test_start_revision(communicator: Text) -> None:
    revisions = [(await communicator.put("k", str(number))).revision for number in range(5)]
    async with communicator.watch("k", start_revision=revisions[2]) as events:
        assert [event.value for event in await take(events, 3)] == ["2", "3", "4"]
        await communicator.put("k", "5")
        assert (await take(events, 1))[0].value == "5"
    async with communicator.watch("k", start_revision=revisions[-1] + 3) as later:
        numbers = [(await communicator.put("k", str(number))).revision for number in range(6, 12)]
        assert [event.revision for event in await take(later, 5)] == numbers[1:]


async def test_start_revision_after_a_read_leaves_no_gap(communicator: Text) -> None:
    await communicator.put("k", "0")
    state = await communicator.range("k")
    await communicator.put("k", "1")
    async with communicator.watch("k", start_revision=state.revision + 1) as events:
        assert told(await take(events, 1)) == [(PUT, "k", "1")]


async def test_entering_misses_nothing(communicator: Text) -> None:
    for number in range(50):
        async with communicator.watch("k") as events:
            revision = (await communicator.put("k", str(number))).revision
            assert [event.revision for event in await take(events, 1)] == [revision]


async def test_two_watches_of_one_key(communicator: Text) -> None:
    async with communicator.watch("k") as one, communicator.watch("k") as two:
        await communicator.put("k", "1")
        assert await take(one, 1) == await take(two, 1)
        await one.aclose()
        await communicator.put("k", "2")
        assert told(await take(two, 1)) == [(PUT, "k", "2")]


async def test_ready_event_is_set_when_the_server_watches(communicator: Text) -> None:
    ready = trio.Event()
    events = communicator.watch("k", ready_event=ready)
    await trio.sleep(0.05)
    assert not ready.is_set(), "nothing has begun"
    async with events:
        assert ready.is_set()


async def test_watch_id_has_its_own_stream(communicator: Text) -> None:
    async with communicator.watch("k") as shared, communicator.watch("l") as also:
        assert streams(communicator) == 1
        async with communicator.watch("k", watch_id=5) as own, communicator.watch("k", watch_id=5) as same:
            assert streams(communicator) == 3
            await communicator.put("k", "1")
            for events in (shared, own, same):
                assert told(await take(events, 1)) == [(PUT, "k", "1")]
        assert streams(communicator) == 1
        await communicator.put("l", "1")
        assert told(await take(also, 1)) == [(PUT, "l", "1")]
    assert streams(communicator) == 0


async def test_an_empty_range_is_refused_by_the_server(communicator: Text, etcd_server: EtcdServer) -> None:
    from etcetra_trio import RpcError

    with pytest.raises(RpcError, match="range is empty"):
        async with communicator.watch_range("z", "a"):
            pytest.fail(f"etcd {version_of(etcd_server)} takes it")


async def test_statistics(communicator: Text) -> None:
    async with communicator.watch("k", buffer=5) as events:
        before = events.statistics()
        assert (before.buffered, before.buffered_size, before.resumes, before.stalled_for, before.lag) == (
            0,
            0,
            0,
            0.0,
            0,
        )
        assert before.delivered_revision == before.known_revision > 0
        revisions = [(await communicator.put("k", str(number))).revision for number in range(3)]
        await take(events, 1)
        with trio.fail_after(10):
            while events.statistics().buffered < 2:
                await trio.sleep(0.01)
        now = events.statistics()
        assert (now.delivered_revision, now.known_revision, now.buffered) == (revisions[0], revisions[2], 2)
        assert 0 < now.buffered_size < 1000
        assert now.lag == revisions[2] - revisions[0]
        await take(events, 2)
        assert events.statistics().lag == 0


async def test_repr(communicator: Text) -> None:
    events = communicator.watch_prefix("k")
    assert "new" in repr(events)
    async with events:
        assert "open" in repr(events)
    assert "closed" in repr(events)
