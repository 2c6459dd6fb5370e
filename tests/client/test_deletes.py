"""``delete``, ``delete_prefix``, ``delete_range``, ``compact``."""

from __future__ import annotations

import pytest

from client._kit import grant
from etcetra_trio import (
    CompactedError,
    DeleteResult,
    EtcdCommunicator,
    FutureRevisionError,
    KeyValue,
)

Communicator = EtcdCommunicator[str]


async def fill(communicator: Communicator) -> int:
    revision = 0
    for key in ("/c", "/d", "/d/1", "/d/2", "/d/3", "/d0"):
        revision = (await communicator.put(key, f"at {key}")).revision
    return revision


async def test_one_key(communicator: Communicator) -> None:
    revision = await fill(communicator)
    assert await communicator.delete("/d") == DeleteResult(revision + 1, 1, [])
    assert await communicator.keys_prefix("") == ["/c", "/d/1", "/d/2", "/d/3", "/d0"]


async def test_a_key_that_is_not_there_is_no_error_and_no_new_revision(communicator: Communicator) -> None:
    revision = await fill(communicator)
    assert await communicator.delete("/x", prev_kv=True) == DeleteResult(revision, 0, [])


async def test_prefix(communicator: Communicator) -> None:
    revision = await fill(communicator)
    assert await communicator.delete_prefix("/d/") == DeleteResult(revision + 1, 3, [])
    assert await communicator.keys_prefix("") == ["/c", "/d", "/d0"]


async def test_range(communicator: Communicator) -> None:
    revision = await fill(communicator)
    assert await communicator.delete_range("/d/2", "/d0") == DeleteResult(revision + 1, 2, [])
    assert await communicator.keys_prefix("") == ["/c", "/d", "/d/1", "/d0"]
    assert (await communicator.delete_range("/d0", "/c")).deleted == 0
    assert (await communicator.delete_range("/d", "\0")).deleted == 3
    assert (await communicator.delete_range("\0", "\0")).deleted == 1


async def test_prev_kv_gives_the_records(communicator: Communicator) -> None:
    lease = await grant(communicator)
    first = (await communicator.put("k1", "1")).revision
    await communicator.put("k1", "")
    await communicator.put("k2", "2", lease=lease)
    records = [
        KeyValue("k1", "", first, first + 1, 2, 0),
        KeyValue("k2", "2", first + 2, first + 2, 1, lease),
    ]
    assert await communicator.delete("k1", prev_kv=True) == DeleteResult(first + 3, 1, records[:1])
    await communicator.put("k1", "again")
    result = await communicator.delete_prefix("k", prev_kv=True)
    assert [kv.value for kv in result.prev] == ["again", "2"]
    await communicator.put("k1", "once more")
    assert (await communicator.delete_range("k1", "k2", prev_kv=True)).prev[0].value == "once more"


@pytest.mark.parametrize("physical", [False, True])
async def test_compact(communicator: Communicator, physical: bool) -> None:
    old = (await communicator.put("k", "old")).revision
    new = (await communicator.put("k", "new")).revision
    assert await communicator.get("k", revision=old) == "old"
    await communicator.compact(new, physical=physical)
    assert await communicator.get("k", revision=new) == "new"
    with pytest.raises(CompactedError):
        await communicator.get("k", revision=old)
    with pytest.raises(CompactedError) as caught:
        await communicator.compact(new)
    assert caught.value.outcome == "not_applied"
    with pytest.raises(FutureRevisionError) as ahead:
        await communicator.compact(new + 1000)
    assert ahead.value.outcome == "not_applied"
