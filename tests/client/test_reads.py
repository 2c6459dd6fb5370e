"""Reads: every field of a RangeRequest, in each method that sends one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio

from client._kit import raw
from etcetra_trio import (
    CompactedError,
    EtcdClient,
    EtcdCommunicator,
    FutureRevisionError,
    KeyValue,
    RangeResult,
    SortOrder,
    SortTarget,
)
from etcetra_trio._proto._messages import etcdserverpb as pb
from etcetra_trio._proto._methods import RANGE
from etcetra_trio.testing import EtcdServer

Communicator = EtcdCommunicator[str]


async def fill(communicator: Communicator) -> int:
    """``/d/1`` .. ``/d/3``, with neighbours; ``/d/2`` was written twice. Returns the revision before all this."""
    before = (await communicator.put("/c", "before")).revision
    for key, value in (("/d", "own"), ("/d/1", "c"), ("/d/2", "a"), ("/d/3", "b"), ("/d0", "after")):
        await communicator.put(key, value)
    await communicator.put("/d/2", "bb")
    return before


async def test_a_missing_key_is_none(communicator: Communicator) -> None:
    assert await communicator.get("k") is None
    await communicator.put("k", "")
    assert await communicator.get("k") == ""


async def test_prefix_is_a_true_prefix(communicator: Communicator) -> None:
    await fill(communicator)
    inside = {"/d/1": "c", "/d/2": "bb", "/d/3": "b"}
    assert await communicator.get_prefix("/d/") == inside
    assert await communicator.get_prefix("/d") == {"/d": "own", **inside, "/d0": "after"}
    assert await communicator.get_prefix("nothing") == {}
    assert list(await communicator.get_prefix("/d/")) == list(inside), "in the order of the keys"


async def test_empty_prefix_is_every_key(communicator: Communicator) -> None:
    await fill(communicator)
    assert await communicator.keys_prefix("") == ["/c", "/d", "/d/1", "/d/2", "/d/3", "/d0"]


async def test_ranges_leave_their_end_out(communicator: Communicator) -> None:
    await fill(communicator)
    assert await communicator.keys_range("/d/1", "/d/3") == ["/d/1", "/d/2"]
    assert await communicator.get_range("/d/2", "/d0") == {"/d/2": "bb", "/d/3": "b"}
    assert await communicator.get_range("/d/3", "/d/1") == {}
    assert await communicator.keys_range("\0", "/d/1") == ["/c", "/d"]
    assert await communicator.keys_range("/d/3", "\0") == ["/d/3", "/d0"]
    assert len(await communicator.keys_range("\0", "\0")) == 6


async def test_range_gives_full_records(communicator: Communicator) -> None:
    before = await fill(communicator)
    result = await communicator.range("/d/", prefix=True)
    assert result == RangeResult(
        [
            KeyValue("/d/1", "c", before + 2, before + 2, 1, 0),
            KeyValue("/d/2", "bb", before + 3, before + 6, 2, 0),
            KeyValue("/d/3", "b", before + 4, before + 4, 1, 0),
        ],
        count=3,
        more=False,
        revision=before + 6,
    )
    assert (await communicator.range("/d/1", "/d/3")).kvs == result.kvs[:2]
    assert (await communicator.range("/d/1")).kvs == result.kvs[:1]
    assert (await communicator.range("nothing")).kvs == []


Read = Callable[..., Awaitable[object]]


def readers(communicator: Communicator) -> dict[str, Callable[..., Awaitable[list[str]]]]:
    """Each way to read several keys, as a function of its options that gives the keys."""

    async def range_prefix(**options: int) -> list[str]:
        return [kv.key for kv in (await communicator.range("/d/", prefix=True, **options)).kvs]  # type: ignore[call-overload]

    async def get_prefix(**options: int) -> list[str]:
        return list(await communicator.get_prefix("/d/", **options))  # type: ignore[call-overload]

    async def get_range(**options: int) -> list[str]:
        return list(await communicator.get_range("/d/", "/d0", **options))  # type: ignore[call-overload]

    async def keys_prefix(**options: int) -> list[str]:
        return await communicator.keys_prefix("/d/", **options)  # type: ignore[call-overload,no-any-return]

    async def keys_range(**options: int) -> list[str]:
        return await communicator.keys_range("/d/", "/d0", **options)  # type: ignore[call-overload,no-any-return]

    async def txn_items(**options: int) -> list[str]:
        result = await communicator.txn(lambda action: action.get_prefix("/d/", **options))  # type: ignore[arg-type]
        assert isinstance(result[0], dict)
        return list(result[0])

    every = (range_prefix, get_prefix, get_range, keys_prefix, keys_range, txn_items)
    return {reader.__name__: reader for reader in every}


@pytest.mark.parametrize(
    "reader", ["range_prefix", "get_prefix", "get_range", "keys_prefix", "keys_range", "txn_items"]
)
async def test_options_of_every_read_of_several_keys(communicator: Communicator, reader: str) -> None:
    before = await fill(communicator)
    read = readers(communicator)[reader]
    assert await read(limit=2) == ["/d/1", "/d/2"]
    assert await read(limit=7) == await read(limit=0) == ["/d/1", "/d/2", "/d/3"]
    assert await read(sort_order=SortOrder.DESCEND) == ["/d/3", "/d/2", "/d/1"]
    assert await read(sort_order=SortOrder.ASCEND, sort_target=SortTarget.MOD) == ["/d/1", "/d/3", "/d/2"]
    assert await read(sort_order=SortOrder.DESCEND, sort_target=SortTarget.CREATE) == ["/d/3", "/d/2", "/d/1"]
    assert (await read(sort_order=SortOrder.DESCEND, sort_target=SortTarget.VERSION))[0] == "/d/2"
    assert await read(sort_order=SortOrder.DESCEND, limit=1) == ["/d/3"]
    assert await read(revision=before + 3) == ["/d/1", "/d/2"]
    assert await read(serializable=True) == ["/d/1", "/d/2", "/d/3"]
    assert await read(min_mod_revision=before + 4) == ["/d/2", "/d/3"]
    assert await read(max_mod_revision=before + 4) == ["/d/1", "/d/3"]
    assert await read(min_create_revision=before + 3) == ["/d/2", "/d/3"]
    assert await read(max_create_revision=before + 3) == ["/d/1", "/d/2"]


@pytest.mark.parametrize(
    ("order", "keys"),
    [(SortOrder.ASCEND, ["/d/2", "/d/3", "/d/1"]), (SortOrder.DESCEND, ["/d/1", "/d/3", "/d/2"])],
)
async def test_sorting_by_value(communicator: Communicator, order: SortOrder, keys: list[str]) -> None:
    before = await fill(communicator)
    options = {"sort_order": order, "sort_target": SortTarget.VALUE, "revision": before + 4}
    found = await communicator.get_prefix("/d/", **options)  # type: ignore[call-overload]
    assert list(found) == keys


async def test_options_of_get(communicator: Communicator) -> None:
    before = await fill(communicator)
    assert await communicator.get("/d/2", revision=before + 3) == "a"
    assert await communicator.get("/d/2", serializable=True) == "bb"
    assert await communicator.get("/d/2", min_mod_revision=before + 6) == "bb"
    assert await communicator.get("/d/2", min_mod_revision=before + 7) is None
    assert await communicator.get("/d/2", max_mod_revision=before + 5) is None
    assert await communicator.get("/d/2", min_create_revision=before + 4) is None
    assert await communicator.get("/d/2", max_create_revision=before + 3) == "bb"


async def test_limit_of_range_says_that_there_is_more(communicator: Communicator) -> None:
    await fill(communicator)
    cut = await communicator.range("/d/", prefix=True, limit=2)
    assert (len(cut.kvs), cut.count, cut.more) == (2, 3, True)
    whole = await communicator.range("/d/", prefix=True, limit=3)
    assert (len(whole.kvs), whole.count, whole.more) == (3, 3, False)


async def test_keys_only_and_count_only(communicator: Communicator) -> None:
    await fill(communicator)
    keys = await communicator.range("/d/", prefix=True, keys_only=True)
    assert [(kv.key, kv.value) for kv in keys.kvs] == [("/d/1", ""), ("/d/2", ""), ("/d/3", "")]
    assert keys.kvs[1].version == 2
    count = await communicator.range("/d/", prefix=True, count_only=True)
    assert (count.kvs, count.count) == ([], 3)


async def test_count(communicator: Communicator) -> None:
    before = await fill(communicator)
    assert await communicator.count("/d/", prefix=True) == 3
    assert await communicator.count("/d/1", "/d/3") == 2
    assert await communicator.count("/d/1") == 1
    assert await communicator.count("/d/4") == 0
    assert await communicator.count("", prefix=True) == 6
    assert await communicator.count("/d/", prefix=True, revision=before + 2) == 1
    assert await communicator.count("/d/", prefix=True, serializable=True) == 3


async def test_a_bad_sort_that_we_refuse_is_refused_by_new_servers_only(
    communicator: Communicator, etcd_server: EtcdServer
) -> None:
    """Why :class:`InvalidRequestError` comes from us: up to 3.5 the server answers something unsorted."""
    request = pb.RangeRequest(key=b"\0", range_end=b"\0", sort_order=pb.RangeRequestSortOrder(9), limit=1)
    if etcd_server.version.startswith(("3.4.", "3.5.")):
        await raw(communicator, RANGE, request, pb.RangeResponse)
    else:
        with pytest.raises(ValueError, match="invalid sort option"):
            await raw(communicator, RANGE, request, pb.RangeResponse)


async def test_revisions_that_are_not_there(etcd: EtcdClient[str]) -> None:
    async with etcd.connect() as communicator:
        revision = (await communicator.put("k", "v")).revision
        with pytest.raises(FutureRevisionError):
            await communicator.get("k", revision=revision + 1000)
        await communicator.put("k", "w")
        await communicator.compact(revision + 1)
        with pytest.raises(CompactedError):
            await communicator.get_prefix("", revision=revision)
        assert await communicator.get("k", revision=revision + 1) == "w"


async def test_a_thousand_reads_at_once(communicator: Communicator) -> None:
    for number in range(10):
        await communicator.put(f"{number}", f"value {number}")
    wrong: list[int] = []

    async def read(number: int) -> None:
        if await communicator.get(f"{number % 10}") != f"value {number % 10}":
            wrong.append(number)

    async with trio.open_nursery() as nursery:
        for number in range(1000):
            nursery.start_soon(read, number)
    assert wrong == []
