"""``txn`` and ``txn_compare``: what each operation gives, nesting, limits."""

from __future__ import annotations

import pytest

from client._kit import grant
from etcetra_trio import (
    CompactedError,
    CompareKey,
    DeleteResult,
    EtcdCommunicator,
    FutureRevisionError,
    KeyValue,
    LeaseNotFoundError,
    PutResult,
    RangeResult,
    SortOrder,
    TooManyOpsError,
    TxnAction,
    TxnResult,
)

Communicator = EtcdCommunicator[str]


async def test_the_results_of_the_readme(communicator: Communicator) -> None:
    for key, value in (("cmpkey1", "foo"), ("cmpkey2", "baz"), ("successkey", "asdf")):
        await communicator.put(key, value)
    compares = [CompareKey("cmpkey1").value == "foo", CompareKey("cmpkey2").value > "bar"]
    values = await communicator.txn_compare(compares, lambda success, _failure: success.get("successkey"))
    assert values == ["asdf"]
    assert values.succeeded
    values = await communicator.txn(lambda action: (action.get("cmpkey1"), action.get("cmpkey2")))
    assert values == ["foo", "baz"]
    assert repr(values) == "['foo', 'baz']", "it prints as the list that it is"


async def test_every_operation(communicator: Communicator) -> None:
    first = (await communicator.put("a/1", "1")).revision
    await communicator.put("a/2", "2")

    def build(action: TxnAction[str]) -> None:
        action.get("a/1")
        action.get("nothing")
        action.get_prefix("a/")
        action.get_range("a/2", "\0")
        action.put("b", "new")
        action.put("a/2", "22", prev_kv=True)
        action.delete("a/1", prev_kv=True)
        action.delete_prefix("x/")
        action.delete_range("y", "z", prev_kv=True)
        action.get_prefix("")

    result = await communicator.txn(build)
    revision = first + 2
    one, two = KeyValue("a/1", "1", first, first, 1, 0), KeyValue("a/2", "2", first + 1, first + 1, 1, 0)
    assert result == [
        "1",
        None,
        {"a/1": "1", "a/2": "2"},
        {"a/2": "2"},
        PutResult(revision, None),
        PutResult(revision, "2"),
        DeleteResult(revision, 1, [one]),
        DeleteResult(revision, 0, []),
        DeleteResult(revision, 0, []),
        {"a/2": "22", "b": "new"},
    ]
    assert (result.succeeded, result.revision) == (True, revision)
    assert len(result.responses) == 10
    assert result.responses[0] == RangeResult([one], 1, more=False, revision=revision - 1)
    assert result.responses[2] == RangeResult([one, two], 2, more=False, revision=revision - 1)
    assert result.responses[4:9] == result[4:9]


async def test_the_options_of_reads_and_puts(communicator: Communicator) -> None:
    lease = await grant(communicator)
    old = (await communicator.put("k", "old")).revision
    await communicator.put("k", "new", lease=lease)

    def build(action: TxnAction[str]) -> None:
        action.get("k", revision=old)
        action.get("k", min_mod_revision=old + 2)
        action.get_prefix("k", serializable=True, max_create_revision=old)
        action.get_range("k", "\0", limit=1, sort_order=SortOrder.DESCEND)
        action.put("k", ignore_value=True, ignore_lease=True, prev_kv=True)
        action.put("leased", "v", lease=lease)

    result = await communicator.txn(build)
    assert result[:4] == ["old", None, {"k": "new"}, {"k": "new"}]
    assert result[4] == PutResult(old + 2, "new")
    assert (await communicator.range("leased")).kvs[0].lease == lease
    assert (await communicator.range("k")).kvs[0].lease == lease


async def test_the_branch_that_did_not_run_leaves_no_trace(communicator: Communicator) -> None:
    def build(success: TxnAction[str], failure: TxnAction[str]) -> None:
        success.put("k", "success")
        failure.put("k", "failure")
        failure.get("k")

    absent = [CompareKey("k").version == 0]
    first = await communicator.txn_compare(absent, build)
    assert (first.succeeded, len(first)) == (True, 1)
    second = await communicator.txn_compare(absent, build)
    assert (second.succeeded, second[1]) == (False, "failure")


async def test_nested(communicator: Communicator) -> None:
    await communicator.put("k", "v")

    def innermost(success: TxnAction[str], failure: TxnAction[str]) -> None:
        success.put("deep", "no")
        failure.get("k")
        failure.put("deep", "yes")

    def inner(success: TxnAction[str], _failure: TxnAction[str]) -> None:
        success.get_prefix("k")
        success.txn([CompareKey("k").value == "w"], innermost)

    result = await communicator.txn(
        lambda action: (action.get("k"), action.txn([CompareKey("k").version == 1], inner))
    )
    nested = result[1]
    assert isinstance(nested, TxnResult)
    assert (nested.succeeded, nested[0]) == (True, {"k": "v"})
    deepest = nested[1]
    assert isinstance(deepest, TxnResult)
    assert (deepest.succeeded, deepest[0]) == (False, "v")
    assert result == ["v", [{"k": "v"}, ["v", deepest[1]]]]
    assert result.responses[1] is nested
    assert await communicator.get("deep") == "yes"


async def test_an_empty_one(communicator: Communicator) -> None:
    revision = (await communicator.put("k", "v")).revision
    result = await communicator.txn(lambda _action: None)
    assert (result, result.succeeded, result.revision, result.responses) == ([], True, revision, [])
    result = await communicator.txn_compare([CompareKey("k").version == 0], lambda _success, _failure: None)
    assert (result, result.succeeded, result.revision) == ([], False, revision)
    nested = await communicator.txn(lambda action: action.txn([], lambda _success, _failure: None))
    assert nested == [[]]


async def test_one_that_only_reads_makes_no_revision(communicator: Communicator) -> None:
    revision = (await communicator.put("k", "v")).revision
    assert (await communicator.txn(lambda action: action.get("k"))).revision == revision


async def test_all_or_nothing(communicator: Communicator) -> None:
    with pytest.raises(LeaseNotFoundError) as caught:
        await communicator.txn(lambda action: (action.put("a", "1"), action.put("b", "2", lease=987654321)))
    assert (caught.value.outcome, caught.value.method) == ("not_applied", "/etcdserverpb.KV/Txn")
    assert await communicator.keys_prefix("") == []


async def test_revisions_that_are_not_there(communicator: Communicator) -> None:
    old = (await communicator.put("k", "1")).revision
    new = (await communicator.put("k", "2")).revision
    await communicator.compact(new)
    with pytest.raises(CompactedError) as compacted:
        await communicator.txn(lambda action: action.get("k", revision=old))
    assert compacted.value.outcome is None, "it only reads"
    with pytest.raises(FutureRevisionError) as ahead:
        await communicator.txn(lambda action: (action.get("k", revision=new + 1000), action.put("l", "v")))
    assert ahead.value.outcome == "not_applied"
    assert await communicator.get("l") is None


async def test_128_operations_and_not_more(communicator: Communicator) -> None:
    """The limit is the server's, and can be set there: so the answer is the server's too."""

    def build(action: TxnAction[str], count: int) -> None:
        for number in range(count):
            action.put(f"{number:03}", "v")

    assert len(await communicator.txn(lambda action: build(action, 128))) == 128
    assert (await communicator.delete_prefix("")).deleted == 128
    with pytest.raises(TooManyOpsError) as caught:
        await communicator.txn(lambda action: build(action, 129))
    assert caught.value.outcome == "not_applied"
    assert "--max-txn-ops" in str(caught.value)
    with pytest.raises(TooManyOpsError) as reads_only:
        await communicator.txn_compare(
            [CompareKey("k").version == 0] * 129, lambda success, _: success.get("k")
        )
    assert reads_only.value.outcome is None
    with pytest.raises(TooManyOpsError):
        await communicator.txn_compare([], lambda _success, failure: build(failure, 129))
    assert await communicator.count("", prefix=True) == 0


async def test_an_exception_of_the_builder_leaves_as_it_is(communicator: Communicator) -> None:
    mine = ZeroDivisionError("mine")

    def build(action: TxnAction[str]) -> None:
        action.put("k", "v")
        raise mine

    with pytest.raises(ZeroDivisionError) as caught:
        await communicator.txn(build)
    assert caught.value is mine
    assert await communicator.get("k") is None
