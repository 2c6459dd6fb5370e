"""A key may be written once in a transaction: our check before sending says what the server would, no less and no more.

Random small transactions go to the server without our check, and are then put to our check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import pytest
import trio
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from etcetra_trio import DuplicateKeyError, EtcdClient, EtcdCommunicator, InvalidRequestError, TxnAction
from etcetra_trio._keys import key_space
from etcetra_trio._proto._methods import TXN
from etcetra_trio._txn import Txn, build_txn
from etcetra_trio.testing import EtcdServer

KEYS = ("a", "b", "c")


@dataclass(frozen=True)
class Put:
    key: str


@dataclass(frozen=True)
class Delete:
    key: str
    end: str | None  # None: that key alone


@dataclass(frozen=True)
class Get:
    key: str


@dataclass(frozen=True)
class Nested:
    success: tuple[Op, ...]
    failure: tuple[Op, ...]


Op = Put | Delete | Get | Nested


def fill(action: TxnAction[bytes], operations: Iterable[Op]) -> None:
    for operation in operations:
        match operation:
            case Put(key):
                action.put(key.encode(), b"v")
            case Delete(key, None):
                action.delete(key.encode())
            case Delete(key, end):
                assert end is not None
                action.delete_range(key.encode(), end.encode())
            case Get(key):
                action.get(key.encode())
            case Nested():
                action.txn([], both(operation))


def both(nested: Nested) -> Callable[[TxnAction[bytes], TxnAction[bytes]], None]:
    def builder(success: TxnAction[bytes], failure: TxnAction[bytes]) -> None:
        fill(success, nested.success)
        fill(failure, nested.failure)

    return builder


leaves = st.one_of(
    st.builds(Put, st.sampled_from(KEYS)),
    st.builds(Delete, st.sampled_from(KEYS), st.none()),
    st.builds(Delete, st.sampled_from(("\0", *KEYS)), st.sampled_from((*KEYS, "d", "\0"))),
    st.builds(Get, st.sampled_from(KEYS)),
)
branches = st.recursive(
    st.lists(leaves, max_size=3).map(tuple),
    lambda inner: st.lists(st.one_of(leaves, st.builds(Nested, inner, inner)), max_size=3).map(tuple),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def own_server() -> Iterator[EtcdServer]:
    """Deletes from "the first key of all" to "the last key of all" are not for a server that others use."""
    with EtcdServer() as server:
        yield server


def local_verdict(txn: Txn[bytes]) -> bool:
    """Whether our check refuses it."""
    try:
        txn.check()
    except InvalidRequestError:
        return True
    return False


async def server_verdict(communicator: EtcdCommunicator[bytes], txn: Txn[bytes]) -> bool:
    """Whether the server refuses it."""
    try:
        await communicator._endpoints.call(TXN, txn.message, txn.decode, write=True)
    except DuplicateKeyError as error:
        assert error.outcome == "not_applied"
        return True
    return False


@given(transactions=st.lists(st.builds(Nested, branches, branches), min_size=1, max_size=20))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example([Nested((Nested((Put("a"),), (Put("a"),)),), ())])
@example([Nested((Nested((Delete("a", None),), (Put("a"),)),), ())])
@example([Nested((Nested((Put("a"),), (Delete("a", None),)),), ())])
@example([Nested((Nested((Put("a"),), ()), Nested((Put("a"),), ())), ())])
@example([Nested((Nested((Delete("a", None),), ()), Nested((Put("a"),), ())), ())])
@example([Nested((Nested((Put("a"),), ()), Nested((Delete("a", None),), ())), ())])
@example([Nested((Nested((Delete("a", None),), ()), Put("a")), ())])
@example([Nested((Put("a"), Nested((), (Delete("a", "b"),))), ())])
@example([Nested((Put("a"), Delete("a", "\0")), ())])
@example([Nested((Put("b"), Delete("a", "\0")), ())])
@example([Nested((Put("b"), Delete("\0", "\0")), ())])
@example([Nested((Put("b"), Delete("c", "a")), ())])
@example([Nested((Delete("a", "c"), Delete("b", "d")), (Put("a"),))])
def test_our_verdict_is_the_servers(own_server: EtcdServer, transactions: list[Nested]) -> None:
    keys = key_space(None)

    async def main() -> None:
        async with EtcdClient(own_server.endpoint, encoding=None).connect() as communicator:
            for operations in transactions:
                txn = build_txn(keys, (), both(operations))
                refused = await server_verdict(communicator, txn)
                assert local_verdict(txn) is refused, (
                    f"the server {'refuses' if refused else 'takes'} {operations}"
                )

    trio.run(main)
