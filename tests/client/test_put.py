"""``put``: every field of a PutRequest, and what comes back."""

from __future__ import annotations

import pytest

from client._kit import grant
from etcetra_trio import EtcdCommunicator, KeyNotFoundError, LeaseNotFoundError, PutResult


async def test_revision_is_that_of_the_store(communicator: EtcdCommunicator[str]) -> None:
    first = await communicator.put("k", "1")
    second = await communicator.put("k", "2")
    assert second.revision == first.revision + 1
    [record] = (await communicator.range("k")).kvs
    assert record == ("k", "2", first.revision, second.revision, 2, 0)


async def test_result_is_a_put_result_without_previous_value(communicator: EtcdCommunicator[str]) -> None:
    result = await communicator.put("k", "1")
    assert isinstance(result, PutResult)
    assert result.prev_value is None
    assert (await communicator.put("k", "2")).prev_value is None


async def test_prev_kv(communicator: EtcdCommunicator[str]) -> None:
    assert (await communicator.put("k", "1", prev_kv=True)).prev_value is None
    assert (await communicator.put("k", "", prev_kv=True)).prev_value == "1"
    assert (await communicator.put("k", "3", prev_kv=True)).prev_value == ""


@pytest.mark.parametrize("value", ["", " ", "0", "\0", "ünï\N{GRINNING FACE}", "x" * 100_000])
async def test_values_come_back_as_they_were(communicator: EtcdCommunicator[str], value: str) -> None:
    await communicator.put("k", value)
    assert await communicator.get("k") == value


@pytest.mark.parametrize("key", [" ", "\0", "/", "a\0b", "ünï", "k" * 10_000])
async def test_keys_of_all_kinds(communicator: EtcdCommunicator[str], key: str) -> None:
    await communicator.put(key, "v")
    assert await communicator.get(key) == "v"
    assert await communicator.keys_prefix("") == [key]


async def test_lease_by_its_id(communicator: EtcdCommunicator[str]) -> None:
    lease = await grant(communicator)
    await communicator.put("k", "v", lease=lease)
    assert (await communicator.range("k")).kvs[0].lease == lease


async def test_lease_by_an_object_that_has_the_id(communicator: EtcdCommunicator[str]) -> None:
    class Lease:
        id = 0

    lease = Lease()
    lease.id = await grant(communicator)
    await communicator.put("k", "v", lease=lease)
    assert (await communicator.range("k")).kvs[0].lease == lease.id
    await communicator.put("k", "v")
    assert (await communicator.range("k")).kvs[0].lease == 0, "a put without a lease detaches the key"


async def test_ignore_value_keeps_the_value(communicator: EtcdCommunicator[str]) -> None:
    lease = await grant(communicator)
    await communicator.put("k", "keep")
    result = await communicator.put("k", ignore_value=True, lease=lease, prev_kv=True)
    assert result.prev_value == "keep"
    [record] = (await communicator.range("k")).kvs
    assert (record.value, record.lease, record.version) == ("keep", lease, 2)


async def test_ignore_lease_keeps_the_lease(communicator: EtcdCommunicator[str]) -> None:
    lease = await grant(communicator)
    await communicator.put("k", "1", lease=lease)
    await communicator.put("k", "2", ignore_lease=True)
    [record] = (await communicator.range("k")).kvs
    assert (record.value, record.lease) == ("2", lease)


async def test_ignoring_both_only_touches_the_key(communicator: EtcdCommunicator[str]) -> None:
    lease = await grant(communicator)
    await communicator.put("k", "1", lease=lease)
    await communicator.put("k", ignore_lease=True, ignore_value=True)
    [record] = (await communicator.range("k")).kvs
    assert (record.value, record.lease, record.version) == ("1", lease, 2)


@pytest.mark.parametrize("ignore", ["value", "lease"])
async def test_ignoring_needs_a_key_that_is_there(communicator: EtcdCommunicator[str], ignore: str) -> None:
    with pytest.raises(KeyNotFoundError) as caught:
        if ignore == "value":
            await communicator.put("nothing", ignore_value=True)
        else:
            await communicator.put("nothing", "v", ignore_lease=True)
    assert caught.value.outcome == "not_applied"
    assert await communicator.count("nothing") == 0


async def test_unknown_lease(communicator: EtcdCommunicator[str]) -> None:
    with pytest.raises(LeaseNotFoundError) as caught:
        await communicator.put("k", "v", lease=123456789)
    assert caught.value.outcome == "not_applied"
    assert await communicator.get("k") is None
