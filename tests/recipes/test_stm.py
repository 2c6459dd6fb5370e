"""``stm``: what a function sees, what is written, what is run again."""

from __future__ import annotations

from typing import get_args

import pytest
import trio
import trio.testing
from client._kit import grant

from etcetra_trio import (
    EncodingError,
    EtcdClient,
    EtcdCommunicator,
    InvalidRequestError,
    Isolation,
    OutcomeUnknownError,
    StmTransaction,
    TooManyOpsError,
)
from etcetra_trio.testing import EtcdServer, FaultProxy, cancel_sweep
from recipes._kit import counted, no_task_or_stream_left

Text = EtcdCommunicator[str]
Transaction = StmTransaction[str]
ISOLATIONS: tuple[Isolation, ...] = get_args(Isolation)
SNAPSHOTS: tuple[Isolation, ...] = ("serializable_snapshot", "serializable")


@pytest.fixture(params=ISOLATIONS)
def isolation(request: pytest.FixtureRequest) -> Isolation:
    chosen: Isolation = request.param
    return chosen


async def test_it_reads_its_own_writes_and_writes_at_the_end(
    communicator: Text, isolation: Isolation
) -> None:
    await communicator.put("a", "1")
    await communicator.put("gone", "1")

    async def function(transaction: Transaction) -> str:
        assert await transaction.get("a") == "1"
        assert await transaction.get("nothing") is None
        transaction.put("a", "2")
        transaction.put("new", "3")
        transaction.put("new", "4")
        transaction.delete("gone")
        transaction.put("there and gone", "x")
        transaction.delete("there and gone")
        transaction.delete("gone and there")
        transaction.put("gone and there", "y")
        assert await transaction.get("a") == "2"
        assert await transaction.get("new") == "4"
        assert await transaction.get("gone") is None
        assert await transaction.get("there and gone") is None
        assert await transaction.get("gone and there") == "y"
        assert await communicator.get_prefix("") == {"a": "1", "gone": "1"}, "nothing is written yet"
        return "done"

    assert await communicator.stm(function, isolation=isolation) == "done"
    assert await communicator.get_prefix("") == {"a": "2", "gone and there": "y", "new": "4"}
    records = (await communicator.range("", prefix=True)).kvs
    assert len({record.mod_revision for record in records}) == 1, "all in one transaction"


async def test_a_conflict_runs_it_again_with_what_it_reads_fetched_at_once(
    communicator: Text, isolation: Isolation, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in "abc":
        await communicator.put(key, "0")
    seen = []

    async def function(transaction: Transaction) -> int:
        values = [await transaction.get(key) for key in ("a", "b", "c", "nothing")]
        seen.append(values)
        if len(seen) == 1:
            await communicator.put("b", "1")
            await communicator.delete("c")
        transaction.put("sum", "".join(value or "-" for value in values))
        return len(seen)

    with counted(communicator, monkeypatch) as calls:
        assert await communicator.stm(function, isolation=isolation) == 2
    assert seen == [["0", "0", "0", None], ["0", "1", None, None]]
    assert await communicator.get("sum") == "01--"
    assert calls == {"Range": 4, "Txn": 2, "Put": 1, "DeleteRange": 1}, (
        "the second time nothing is read one by one"
    )


@pytest.mark.parametrize("change", ["put", "delete", "create", "same value"])
async def test_whatever_happens_to_a_key_that_was_read_is_a_conflict(
    communicator: Text, isolation: Isolation, change: str
) -> None:
    if change != "create":
        await communicator.put("k", "old")
    runs = 0

    async def function(transaction: Transaction) -> None:
        nonlocal runs
        runs += 1
        await transaction.get("k")
        transaction.put("result", "x")
        if runs == 1:
            if change == "delete":
                await communicator.delete("k")
            else:
                await communicator.put("k", "old" if change == "same value" else "new")

    await communicator.stm(function, isolation=isolation)
    assert runs == 2


async def test_of_which_revisions_reads_are(communicator: Text, isolation: Isolation) -> None:
    """All of one, or each key as of its first read."""
    await communicator.txn(lambda action: (action.put("a", "1"), action.put("b", "1")))
    seen: list[tuple[str | None, ...]] = []

    async def function(transaction: Transaction) -> None:
        first = await transaction.get("a")
        if not seen:
            await communicator.txn(lambda action: (action.put("a", "2"), action.put("b", "2")))
        seen.append((first, await transaction.get("b"), await transaction.get("a")))

    await communicator.stm(function, isolation=isolation)
    if isolation in SNAPSHOTS:
        assert seen == [("1", "1", "1")], (
            "it only reads, and what it read was there at one time: no need to run again"
        )
    else:
        assert seen == [("1", "2", "1"), ("2", "2", "2")], "the mix is not the end of it"


@pytest.mark.parametrize("chosen", SNAPSHOTS)
async def test_an_attempt_after_a_conflict_is_of_one_revision_too(
    communicator: Text, chosen: Isolation
) -> None:
    """Also when it reads a key that the one before did not read, before one that it did."""
    await communicator.txn(lambda action: (action.put("a", "1"), action.put("b", "1")))
    seen: list[object] = []

    async def function(transaction: Transaction) -> None:
        if not seen:
            seen.append(await transaction.get("a"))
            await communicator.put("a", "2")
        elif len(seen) == 1:
            await communicator.txn(lambda action: (action.put("a", "3"), action.put("b", "3")))
            seen.append((await transaction.get("b"), await transaction.get("a")))
        else:
            seen.append((await transaction.get("b"), await transaction.get("a")))
        transaction.put("c", "")

    await communicator.stm(function, isolation=chosen)
    assert seen == ["1", ("1", "2"), ("3", "3")]


async def test_keys_that_are_written_blindly(communicator: Text, isolation: Isolation) -> None:
    runs = 0

    async def function(transaction: Transaction) -> None:
        nonlocal runs
        runs += 1
        await transaction.get("read")
        if runs == 1:
            await communicator.put("blind", "theirs")
        transaction.put("blind", "ours")

    await communicator.stm(function, isolation=isolation)
    assert runs == (2 if isolation == "serializable_snapshot" else 1)
    assert await communicator.get("blind") == "ours"


async def test_without_reads_it_is_a_plain_transaction(
    communicator: Text, isolation: Isolation, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def function(transaction: Transaction) -> None:
        transaction.put("k", "v")

    with counted(communicator, monkeypatch) as calls:
        await communicator.stm(function, isolation=isolation)
    assert calls == {"Txn": 1}
    assert await communicator.get("k") == "v"


async def test_two_that_read_what_the_other_writes_do_not_both_succeed(
    communicator: Text, isolation: Isolation
) -> None:
    """Write skew: each leaves only if the other one stays."""
    await communicator.txn(lambda action: (action.put("a", "here"), action.put("b", "here")))
    both_have_read = trio.Event()
    have_read = 0

    async def leave(me: str, other: str) -> None:
        async def function(transaction: Transaction) -> None:
            nonlocal have_read
            both = await transaction.get(me), await transaction.get(other)
            have_read += 1
            if have_read == 2:
                both_have_read.set()
            await both_have_read.wait()
            if both == ("here", "here"):
                transaction.put(me, "gone")

        await communicator.stm(function, isolation=isolation)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(leave, "a", "b")
        nursery.start_soon(leave, "b", "a")
    assert sorted((await communicator.get_prefix("")).values()) == ["gone", "here"]


class OurError(Exception):
    pass


async def test_an_exception_leaves_as_it_is_and_nothing_is_written(
    communicator: Text, isolation: Isolation
) -> None:
    error = OurError("ours")

    async def function(transaction: Transaction) -> None:
        await transaction.get("k")
        transaction.put("k", "v")
        raise error

    with pytest.raises(OurError) as caught:
        await communicator.stm(function, isolation=isolation)
    assert caught.value is error
    assert caught.value.__context__ is None
    assert await communicator.get("k") is None


@pytest.mark.parametrize("chosen", SNAPSHOTS)
@pytest.mark.parametrize("reaction", ["none", "swallows it", "wraps it", "in a nursery"])
async def test_when_its_revision_is_compacted_it_begins_anew(
    communicator: Text, chosen: Isolation, reaction: str
) -> None:
    await communicator.put("a", "1")
    runs = 0

    async def function(transaction: Transaction) -> str | None:
        nonlocal runs
        runs += 1
        value = await transaction.get("a")
        if runs == 1:
            revision = (await communicator.put("a", "2")).revision
            await communicator.compact(revision)
        if reaction == "in a nursery":
            async with trio.open_nursery() as nursery:
                nursery.start_soon(transaction.get, "b")
        try:
            await transaction.get("c")
        except Exception as exc:
            if reaction == "none":
                raise
            if reaction == "wraps it":
                raise OurError from exc
        transaction.put("d", "")
        return value

    assert await communicator.stm(function, isolation=chosen) == "2"
    assert runs == 2


async def test_of_no_use_after_the_function_has_returned(communicator: Text) -> None:
    kept = []

    async def function(transaction: Transaction) -> None:
        kept.append(transaction)
        await transaction.get("k")

    await communicator.stm(function)
    [transaction] = kept
    with pytest.raises(trio.ClosedResourceError):
        await transaction.get("k")
    with pytest.raises(trio.ClosedResourceError):
        transaction.put("k", "v")
    with pytest.raises(trio.ClosedResourceError):
        transaction.delete("k")


async def test_tasks_of_the_function_may_share_it(communicator: Text) -> None:
    for number in range(20):
        await communicator.put(f"k{number}", "1")
    values: list[str | None] = []

    async def function(transaction: Transaction) -> None:
        async def add(number: int) -> None:
            values.append(await transaction.get(f"k{number}"))
            if number == 3:
                await communicator.txn(lambda action: [action.put(f"k{n}", "100") for n in range(20)])

        async with trio.open_nursery() as nursery:
            for number in range(20):
                nursery.start_soon(add, number)

    await communicator.stm(function)
    assert values == ["1"] * 20, "all of them read one revision"


async def test_bytes_encodings_namespaces_leases(etcd: EtcdClient[str], communicator: Text) -> None:
    lease = await grant(communicator)

    async def raw(transaction: StmTransaction[bytes]) -> bytes | None:
        transaction.put(b"\xff", b"\xfe", lease=lease)
        return await transaction.get(b"k")

    async def latin(transaction: Transaction) -> str | None:
        transaction.put("ü", "ö")
        return await transaction.get(b"\xff")

    await communicator.put("k", "v")
    assert await communicator.stm(raw, encoding=None) == b"v"
    assert await communicator.stm(latin, encoding="latin-1") == "þ"
    assert await communicator.get(b"\xfc", encoding=None) == b"\xf6"
    [record] = (await communicator.range(b"\xff", encoding=None)).kvs
    assert record.lease == lease

    async def text(transaction: Transaction) -> str | None:
        transaction.put("k", "w")
        return await transaction.get(b"\xff")

    with pytest.raises(EncodingError):
        await communicator.stm(text)
    assert await communicator.get("k") == "v"

    async def inside(transaction: Transaction) -> str | None:
        transaction.put("deep", "1")
        return await transaction.get("k")

    assert await communicator.namespaced("sub/").stm(inside) is None
    assert await communicator.get("sub/deep") == "1"


async def test_bad_input(communicator: Text, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(_transaction: Transaction) -> None:
        pass

    def plain(_transaction: Transaction) -> None:
        pass

    async def bad_key(transaction: Transaction) -> None:
        transaction.put("k", "v")
        await transaction.get("")

    async def bad_value(transaction: Transaction) -> None:
        transaction.put("k", 3)  # type: ignore[arg-type]

    async def bad_lease(transaction: Transaction) -> None:
        transaction.put("k", "v", lease=-1)

    with counted(communicator, monkeypatch) as calls:
        with pytest.raises(
            InvalidRequestError, match="isolation is 'snapshot': use one of 'serializable_snapshot', "
        ):
            await communicator.stm(nothing, isolation="snapshot")  # type: ignore[call-overload]
        with pytest.raises(TypeError, match="async function"):
            await communicator.stm(plain)  # type: ignore[arg-type]
        for function in (bad_key, bad_lease):
            with pytest.raises(InvalidRequestError):
                await communicator.stm(function)
        with pytest.raises(TypeError):
            await communicator.stm(bad_value)
    assert not calls


async def test_more_keys_than_a_transaction_takes(communicator: Text) -> None:
    async def function(transaction: Transaction) -> None:
        for number in range(129):
            transaction.put(str(number), "")

    with pytest.raises(TooManyOpsError):
        await communicator.stm(function)


async def test_it_is_a_checkpoint_whatever_the_function_does(
    communicator: Text, isolation: Isolation
) -> None:
    async def nothing(_transaction: Transaction) -> None:
        pass

    async def writes(transaction: Transaction) -> None:
        transaction.put("k", "v")
        with trio.testing.assert_checkpoints():
            assert await transaction.get("k") == "v"

    async def reads(transaction: Transaction) -> None:
        for _ in range(2):
            with trio.testing.assert_checkpoints():
                await transaction.get("k")

    for function in (nothing, writes, reads):
        with trio.testing.assert_checkpoints():
            await communicator.stm(function, isolation=isolation)


async def test_a_sweep_of_cancels_leaves_all_or_nothing(communicator: Text, isolation: Isolation) -> None:
    ran = False

    async def function(transaction: Transaction) -> None:
        nonlocal ran
        value = int(await transaction.get("a") or "0")
        if not ran:
            ran = True
            await communicator.put("a", str(value + 1000))  # a conflict for the first attempt
        transaction.put("a", str(value + 1))
        transaction.put("b", str(value + 1))

    async def run() -> None:
        nonlocal ran
        ran = False
        await communicator.stm(function, isolation=isolation)

    async def check() -> None:
        found = await communicator.range("", prefix=True)
        values = {record.key: int(record.value) for record in found.kvs if record.key in {"a", "b"}}
        assert "b" not in values or values["a"] % 1000 == values["b"] % 1000

    async with no_task_or_stream_left(communicator):
        assert (await cancel_sweep(run, check)).checkpoints >= 5


async def test_a_commit_whose_answer_is_lost(etcd_server: EtcdServer) -> None:
    async with FaultProxy(etcd_server.endpoint) as proxy:
        async with EtcdClient(proxy.endpoint, namespace="lost/").connect() as communicator:

            async def function(transaction: Transaction) -> None:
                transaction.put("k", await transaction.get("k") or "1")
                proxy.black_hole("server")
                nursery.start_soon(cut)

            async def cut() -> None:
                await trio.sleep(0.05)
                proxy.cut()

            async with trio.open_nursery() as nursery:
                with trio.fail_after(10), pytest.raises(OutcomeUnknownError) as caught:
                    await communicator.stm(function)
            assert caught.value.outcome == "unknown"
            proxy.heal()
            assert await communicator.delete_prefix("") is not None
