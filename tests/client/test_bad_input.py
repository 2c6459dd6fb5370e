"""Bad input is refused before anything is sent, with a message that says what to do."""

from __future__ import annotations

import re
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from etcetra_trio import CompareKey, EtcdClient, EtcdCommunicator, InvalidRequestError, SortOrder, TxnAction

# Wrong on purpose, so not typed.
Call = Callable[[Any], Awaitable[object]]
HUGE = 1 << 63


async def empty_transaction_by_mistake(action: TxnAction[str]) -> None:
    action.get("k")


REFUSED: dict[str, tuple[Call, type[Exception], str]] = {
    # Keys.
    "get empty": (lambda c: c.get(""), InvalidRequestError, "key is empty"),
    "put empty": (lambda c: c.put("", "v"), InvalidRequestError, "key is empty"),
    "put empty, options": (lambda c: c.put("", "v", prev_kv=True), InvalidRequestError, "key is empty"),
    "delete empty": (lambda c: c.delete(""), InvalidRequestError, "key is empty"),
    "range empty": (lambda c: c.range(b""), InvalidRequestError, "key is empty"),
    "count empty": (lambda c: c.count(""), InvalidRequestError, "key is empty"),
    "get_range from empty": (lambda c: c.get_range("", "b"), InvalidRequestError, r'write "\0"'),
    "get_range to empty": (lambda c: c.get_range("a", ""), InvalidRequestError, r'write "\0"'),
    "delete_range to empty": (lambda c: c.delete_range("a", ""), InvalidRequestError, r'write "\0"'),
    "compare empty": (
        lambda c: c.txn_compare([CompareKey("").version == 0], lambda s, f: s.get("k")),
        InvalidRequestError,
        "key is empty",
    ),
    "txn empty": (lambda c: c.txn(lambda a: a.get("")), InvalidRequestError, "key is empty"),
    "range end and prefix": (lambda c: c.range("a", "b", prefix=True), InvalidRequestError, "not both"),
    "count end and prefix": (lambda c: c.count("a", "b", prefix=True), InvalidRequestError, "not both"),
    # Types.
    "get int": (lambda c: c.get(1), TypeError, "int, not str or bytes"),
    "get None": (lambda c: c.get(None), TypeError, "NoneType, not str or bytes"),
    "get bytearray": (lambda c: c.get(bytearray(b"k")), TypeError, "bytearray, not str or bytes"),
    "put int value": (lambda c: c.put("k", 1), TypeError, "value is a int, not str or bytes"),
    "put list value": (lambda c: c.put("k", ["v"]), TypeError, "list, not str or bytes"),
    "prefix int": (lambda c: c.get_prefix(1), TypeError, "int, not str or bytes"),
    "range end int": (lambda c: c.get_range("a", 1), TypeError, "int, not str or bytes"),
    "revision text": (lambda c: c.get("k", revision="3"), TypeError, "revision must be an int, not str"),
    "revision float": (lambda c: c.get("k", revision=3.0), TypeError, "revision must be an int, not float"),
    "revision bool": (lambda c: c.get("k", revision=True), TypeError, "revision must be an int, not bool"),
    "revision None": (lambda c: c.get_prefix("k", revision=None), TypeError, "revision must be an int"),
    "limit text": (lambda c: c.range("k", limit="3"), TypeError, "limit must be an int"),
    "lease text": (lambda c: c.put("k", "v", lease="7a"), TypeError, "lease"),
    "lease object": (lambda c: c.put("k", "v", lease=object()), TypeError, "lease"),
    "lease bool": (lambda c: c.put("k", "v", lease=True), TypeError, "lease must be an int"),
    "sort text": (lambda c: c.get_prefix("k", sort_order="up"), TypeError, "sort_order"),
    "compact text": (lambda c: c.compact("3"), TypeError, "revision must be an int"),
    "compare no compare": (lambda c: c.txn_compare([True], lambda s, f: None), TypeError, "CompareKey"),
    "compare alone": (
        lambda c: c.txn_compare(CompareKey("k").version == 0, lambda s, f: None),
        TypeError,
        "'Compare' object is not iterable",
    ),
    "value with int": (
        lambda c: _compare(c, CompareKey("k").value, 1),
        TypeError,
        "str or bytes, not with int",
    ),
    "version with text": (
        lambda c: _compare(c, CompareKey("k").version, "1"),
        TypeError,
        "an int, not with str",
    ),
    "lease with float": (lambda c: _compare(c, CompareKey("k").lease, 1.0), TypeError, "must be an int"),
    "async builder": (lambda c: c.txn(empty_transaction_by_mistake), TypeError, "plain function"),
    # Numbers.
    "revision negative": (lambda c: c.get("k", revision=-1), InvalidRequestError, "revision is -1"),
    "revision huge": (lambda c: c.get("k", revision=HUGE), InvalidRequestError, "below 2**63"),
    "limit negative": (lambda c: c.get_prefix("k", limit=-1), InvalidRequestError, "limit is -1"),
    "min negative": (
        lambda c: c.get("k", min_mod_revision=-1),
        InvalidRequestError,
        "min_mod_revision is -1",
    ),
    "iter negative": (lambda c: c.iter_range("k", revision=-1).receive(), InvalidRequestError, "is -1"),
    "count negative": (lambda c: c.count("k", revision=-1), InvalidRequestError, "revision is -1"),
    "lease negative": (lambda c: c.put("k", "v", lease=-1), InvalidRequestError, "lease is -1"),
    "compact negative": (lambda c: c.compact(-1), InvalidRequestError, "revision is -1"),
    "compare negative": (lambda c: _compare(c, CompareKey("k").mod, -1), InvalidRequestError, "mod is -1"),
    "sort order": (lambda c: c.get_prefix("k", sort_order=3), InvalidRequestError, "SortOrder"),
    "sort target": (lambda c: c.get_prefix("k", sort_target=5), InvalidRequestError, "SortTarget"),
    # Puts.
    "put nothing": (lambda c: c.put("k"), InvalidRequestError, "give a value, or ignore_value=True"),
    "put too much": (lambda c: c.put("k", "v", ignore_value=True), InvalidRequestError, "give no value"),
    "put two leases": (
        lambda c: c.put("k", "v", lease=5, ignore_lease=True),
        InvalidRequestError,
        "give no lease",
    ),
    "txn put nothing": (lambda c: c.txn(lambda a: a.put("k")), InvalidRequestError, "give a value"),
    # Transactions.
    "twice": (
        lambda c: c.txn(lambda a: (a.put("k", "1"), a.put("k", "2"))),
        InvalidRequestError,
        "'k' twice",
    ),
    "put and delete": (
        lambda c: c.txn(lambda a: (a.delete_prefix("d/"), a.put("d/k", "2"))),
        InvalidRequestError,
        "'d/k' twice",
    ),
    ">=": (lambda c: _at_least(c), TypeError, "etcd has no >=: with a whole number n write > n - 1"),
    "<=": (lambda c: _at_most(c), TypeError, "etcd has no <=: with a whole number n write < n + 1"),
    "and": (lambda c: _joined(c), TypeError, "not joined by 'and'"),
    # Encodings.
    "encoding": (lambda c: c.get("k", encoding="utf-9"), InvalidRequestError, "'utf-9' is no text codec"),
    "encoding of bytes": (lambda c: c.get("k", encoding="hex"), InvalidRequestError, "no text codec"),
    "encoding int": (lambda c: c.get("k", encoding=8), TypeError, "encoding"),
}


async def _compare(communicator: EtcdCommunicator[str], builder: Any, operand: object) -> object:
    return await communicator.txn_compare([builder == operand], lambda success, _failure: success.get("k"))


async def _at_least(communicator: EtcdCommunicator[str]) -> object:
    return await communicator.txn_compare([CompareKey("k").version >= 1], lambda s, f: s.get("k"))


async def _at_most(communicator: EtcdCommunicator[str]) -> object:
    return await communicator.txn_compare([CompareKey("k").version <= 1], lambda s, f: s.get("k"))


async def _joined(communicator: EtcdCommunicator[str]) -> object:
    both = CompareKey("k").version == 1 and CompareKey("l").version == 1
    return await communicator.txn_compare([both], lambda s, f: s.get("k"))


@pytest.mark.parametrize("case", REFUSED)
async def test_is_refused_before_anything_is_sent(case: str) -> None:
    call, error, words = REFUSED[case]
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        client = EtcdClient(f"127.0.0.1:{server.getsockname()[1]}")
        async with client.connect(wait=False) as communicator:
            with pytest.raises(error, match=re.escape(words)) as caught:
                await call(communicator)
        with pytest.raises(BlockingIOError):  # not even a connection was asked for
            server.accept()
    assert getattr(caught.value, "outcome", None) is None


async def test_refused_calls_leave_a_connection_as_it_was(communicator: EtcdCommunicator[str]) -> None:
    revision = (await communicator.put("k", "v")).revision
    for call, error, _words in REFUSED.values():
        with pytest.raises(error):
            await call(communicator)
    assert (await communicator.range("k")).revision == revision
    assert await communicator.keys_prefix("") == ["k"]


async def test_what_is_odd_but_fine(communicator: EtcdCommunicator[str]) -> None:
    assert await communicator.get("k", revision=0) is None
    assert await communicator.get_prefix("k", sort_order=SortOrder(1)) == {}
    assert await communicator.get_range("z", "a") == {}
    assert (await communicator.put("k", b"")).revision > 0
    await communicator.txn_compare([], lambda _success, _failure: None)


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        " ",
        "host:",
        "host:0",
        "host:65536",
        "host:x",
        "http://",
        "ftp://host:1",
        "::1:2379",
        "[::1",
        "[::1]x",
    ]
    + [
        "host:1/path",
        "http://host?x",
        "user:secret@host:1",
        "unix://",
        "a b:1",
        "a,,b",
        "https://a:1,http://b:1",
    ]
    + ["a..b:1", "x" * 64 + ":1", ".:1"],
)
async def test_endpoints_that_cannot_be_one(endpoint: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        EtcdClient(endpoint)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("endpoints", [5, None, [5], [None], object()])
async def test_endpoints_of_a_wrong_type(endpoints: Any) -> None:
    with pytest.raises(TypeError, match="endpoint"):
        EtcdClient(endpoints)


async def test_no_endpoint_at_all() -> None:
    with pytest.raises(InvalidRequestError, match="at least one"):
        EtcdClient([])


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"encoding": "no such"}, InvalidRequestError),
        ({"namespace": 5}, TypeError),
        ({"namespace": "text", "encoding": None}, TypeError),
        ({"http2": "curl"}, InvalidRequestError),
        ({"max_receive_size": 0}, InvalidRequestError),
        ({"max_receive_size": -1}, InvalidRequestError),
        ({"max_receive_size": "1"}, TypeError),
    ],
)
async def test_other_settings(options: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        EtcdClient("localhost:2379", **options)
