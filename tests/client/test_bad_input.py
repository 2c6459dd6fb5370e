"""Bad input is refused before anything is sent, with a message that says what to do."""

from __future__ import annotations

import math
import re
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from etcetra_trio import CompareKey, EtcdClient, EtcdCommunicator, InvalidRequestError, SortOrder, TxnAction

# Wrong on purpose, so not typed.
Call = Callable[[Any], Awaitable[object]]
HUGE = 1 << 63
#: Those of the client that are seconds.
SETTINGS = ("call_timeout", "sync_interval", "ping_interval", "ping_timeout")


async def empty_transaction_by_mistake(action: TxnAction[str]) -> None:
    action.get("k")


async def _enter(block: Any) -> None:
    async with block:
        pytest.fail("it was entered")


def _entering(name: str, **options: object) -> Call:
    """A call that enters a block for a lock or the like."""

    def enter(communicator: Any) -> Awaitable[object]:
        match name:
            case "lock":
                return _enter(communicator.lock("name", **options))
            case "semaphore":
                return _enter(communicator.semaphore("name", 2, **options))
            case "campaign":
                return _enter(communicator.campaign("name", "value", **options))
            case _:
                return _enter(getattr(communicator.rwlock("name"), name)(**options))

    return enter


def _names(name: Any) -> list[tuple[str, Call]]:
    return [
        ("lock", lambda c: _enter(c.lock(name))),
        ("lock", lambda c: c.rwlock(name)),
        ("semaphore", lambda c: _enter(c.semaphore(name, 2))),
        ("election", lambda c: _enter(c.campaign(name, "v"))),
        ("election", lambda c: _enter(c.observe(name))),
        ("election", lambda c: c.leader(name)),
        ("queue", lambda c: c.queue(name)),
        ("barrier", lambda c: c.barrier(name)),
    ]


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
    "get int": (lambda c: c.get(1), TypeError, "must be str or bytes, not int"),
    "get None": (lambda c: c.get(None), TypeError, "must be str or bytes, not None"),
    "get bytearray": (lambda c: c.get(bytearray(b"k")), TypeError, "must be str or bytes, not bytearray"),
    "put int value": (lambda c: c.put("k", 1), TypeError, "the value must be str or bytes, not int"),
    "put list value": (lambda c: c.put("k", ["v"]), TypeError, "must be str or bytes, not list"),
    "prefix int": (lambda c: c.get_prefix(1), TypeError, "must be str or bytes, not int"),
    "range end int": (lambda c: c.get_range("a", 1), TypeError, "must be str or bytes, not int"),
    "revision text": (lambda c: c.get("k", revision="3"), TypeError, "revision must be an int, not str"),
    "revision float": (lambda c: c.get("k", revision=3.0), TypeError, "revision must be an int, not float"),
    "revision bool": (lambda c: c.get("k", revision=True), TypeError, "revision must be an int, not bool"),
    "revision None": (lambda c: c.get_prefix("k", revision=None), TypeError, "revision must be an int"),
    "limit text": (lambda c: c.range("k", limit="3"), TypeError, "limit must be an int"),
    "lease text": (lambda c: c.put("k", "v", lease="7a"), TypeError, "lease"),
    "lease object": (lambda c: c.put("k", "v", lease=object()), TypeError, "lease"),
    "lease bool": (lambda c: c.put("k", "v", lease=True), TypeError, "lease must be an int"),
    "sort text": (
        lambda c: c.get_prefix("k", sort_order="desc"),
        TypeError,
        "sort_order must be a SortOrder, such as SortOrder.DESCEND, not 'desc'",
    ),
    "sort by text": (
        lambda c: c.get_prefix("k", sort_target="mod"),
        TypeError,
        "sort_target must be a SortTarget, such as SortTarget.MOD, not 'mod'",
    ),
    "compact text": (lambda c: c.compact("3"), TypeError, "revision must be an int"),
    "compare no compare": (lambda c: c.txn_compare([True], lambda s, f: None), TypeError, "CompareKey"),
    "compare alone": (
        lambda c: c.txn_compare(CompareKey("k").version == 0, lambda s, f: None),
        TypeError,
        "the compares must be a list, not Compare: put them into [ ]",
    ),
    "compare None": (
        lambda c: c.txn_compare(None, lambda s, f: None),
        TypeError,
        "the compares must be a list, not None",
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
        "writes the key 'k' twice",
    ),
    "bytes twice": (
        lambda c: c.txn(lambda a: (a.put("k", "1"), a.put(b"k", "2"))),
        InvalidRequestError,
        "writes the key b'k' twice",
    ),
    "put and delete": (
        lambda c: c.txn(lambda a: (a.delete_prefix("d/"), a.put("d/k", "2"))),
        InvalidRequestError,
        "writes the key 'd/k' twice",
    ),
    ">=": (lambda c: _at_least(c), TypeError, "etcd has no >=: with a whole number n write > n - 1"),
    "<=": (lambda c: _at_most(c), TypeError, "etcd has no <=: with a whole number n write < n + 1"),
    "text >=": (lambda c: _at_least(c, "x"), TypeError, "etcd has no >=: with text write <, and exchange"),
    "text <=": (lambda c: _at_most(c, "x"), TypeError, "etcd has no <=: with text write >, and exchange"),
    "and": (lambda c: _joined(c), TypeError, "not joined by 'and'"),
    # Names.
    **{
        f"{what} {bad!r}": (call, error, f"the name of the {what} {words}")
        for bad, error, words in (
            ("", InvalidRequestError, "is empty"),
            (5, TypeError, "must be str or bytes, not int"),
        )
        for what, call in _names(bad)
    },
    # Seconds.
    **{
        f"{name} {option} {bad!r}": (_entering(name, **{option: bad}), error, f"{option} {words}")
        for name in ("lock", "semaphore", "read", "write", "campaign")
        for option, bad, error, words in (
            ("timeout", "5", TypeError, "must be a number of seconds, not str"),
            ("timeout", True, TypeError, "must be a number of seconds, not bool"),
            ("timeout", -1, InvalidRequestError, "is -1: it must be at least 0 seconds"),
            ("timeout", math.nan, InvalidRequestError, "is nan: it must be at least 0 seconds"),
            ("ttl", "5", TypeError, "must be a number of seconds, not str"),
            ("ttl", 0, InvalidRequestError, "is 0: it must be more than 0 seconds"),
            ("ttl", math.inf, InvalidRequestError, "is inf: it must be more than 0 seconds, and finite"),
            ("lease_ttl", "5", TypeError, "must be an int, not str"),
            ("lease_ttl", None, TypeError, "must be an int, not None"),
            ("lease_ttl", 0, InvalidRequestError, "is 0: a lease lives for at least 1 s"),
            ("lease_ttl", -1, InvalidRequestError, "is -1: a lease lives for at least 1 s"),
        )
        if option == "lease_ttl" or ((name == "lock" or option == "timeout") and name != "campaign")
    },
    "lease of no time": (lambda c: c.grant_lease(0), InvalidRequestError, "ttl is 0: a lease lives"),
    "lease of text": (lambda c: c.grant_lease("5"), TypeError, "ttl must be an int, not str"),
    "lease block of text": (lambda c: _enter(c.lease("5")), TypeError, "ttl must be an int, not str"),
    # Encodings.
    "encoding": (lambda c: c.get("k", encoding="utf-9"), InvalidRequestError, "'utf-9' is no text codec"),
    "encoding of bytes": (lambda c: c.get("k", encoding="hex"), InvalidRequestError, "no text codec"),
    "encoding int": (lambda c: c.get("k", encoding=8), TypeError, "encoding"),
}


async def _compare(communicator: EtcdCommunicator[str], builder: Any, operand: object) -> object:
    return await communicator.txn_compare([builder == operand], lambda success, _failure: success.get("k"))


async def _at_least(communicator: EtcdCommunicator[str], operand: str | int = 1) -> object:
    return await communicator.txn_compare([CompareKey("k").version >= operand], lambda s, f: s.get("k"))


async def _at_most(communicator: EtcdCommunicator[str], operand: str | int = 1) -> object:
    return await communicator.txn_compare([CompareKey("k").version <= operand], lambda s, f: s.get("k"))


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


def test_hosts_and_ports_apart() -> None:
    for endpoints in (("127.0.0.1", "2379"), ["127.0.0.1", "2379"], "2379"):
        with pytest.raises(InvalidRequestError, match=r"'2379' is a number without a host: .*HostPortPair"):
            EtcdClient(endpoints)
    wrong: tuple[Any, ...] = (("127.0.0.1", 2379), [("127.0.0.1", 2379)])
    for endpoints in wrong:
        with pytest.raises(
            TypeError, match=r"not (int|tuple)\. A host and its port are one endpoint: .*HostPortPair"
        ):
            EtcdClient(endpoints)
    with pytest.raises(TypeError, match=r"A host and its port are one endpoint: .*HostPortPair"):
        EtcdClient("127.0.0.1", 2379)  # type: ignore[call-overload]


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
        *[({name: "5"}, TypeError) for name in SETTINGS],
        *[({name: True}, TypeError) for name in SETTINGS],
        *[
            ({name: bad}, InvalidRequestError)
            for name in SETTINGS
            for bad in (0, -1, math.inf, math.nan, 10**400)
        ],
        ({"max_receive_size": 0}, InvalidRequestError),
        ({"max_receive_size": -1}, InvalidRequestError),
        ({"max_receive_size": "1"}, TypeError),
        ({"max_send_size": 0}, InvalidRequestError),
        ({"max_send_size": "1"}, TypeError),
        ({"on_event": "log"}, TypeError),
    ],
)
async def test_other_settings(options: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="|".join(options)):
        EtcdClient("localhost:2379", **options)
