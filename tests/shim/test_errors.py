"""What asyncio programs get to catch: etcetra's classes and ours in one."""

from __future__ import annotations

import asyncio
import copy
import inspect
import pickle
from typing import Any

import pytest

import etcetra_trio
from etcetra_trio import asyncio as shim
from etcetra_trio.asyncio import CompareKey, EtcdClient, errors
from etcetra_trio.asyncio.errors import translated
from etcetra_trio.testing import EtcdServer
from shim._deviations import DEVIATIONS
from shim._kit import RUNNERS, Scenario, on_trio_asyncio, run

Client = EtcdClient[str]


async def failures_have_both_classes(client: Client) -> None:
    async with client.connect() as communicator:
        await communicator.put("k", "v")
        lease = await communicator.grant_lease(60)
        await communicator.revoke_lease(lease)
        cases = [
            (communicator.put("no such key", None), shim.KeyNotFoundError, errors.EtcdInvalidArgumentError),
            (communicator.put("k", "v", lease), shim.LeaseNotFoundError, errors.EtcdNotFoundError),
            (communicator.revoke_lease(lease), shim.LeaseNotFoundError, errors.EtcdNotFoundError),
            (communicator.keepalive_once(lease), shim.LeaseNotFoundError, errors.EtcdNotFoundError),
            (communicator.get("k", revision=10**9), shim.FutureRevisionError, errors.EtcdOutOfRangeError),
            (communicator.get(""), shim.InvalidRequestError, errors.EtcdInvalidArgumentError),
            (
                communicator.txn(lambda action: action.get("")),
                shim.InvalidRequestError,
                errors.EtcdInvalidArgumentError,
            ),
            (
                communicator.txn(lambda action: [action.get(str(number)) for number in range(200)]),
                shim.TooManyOpsError,
                errors.EtcdInvalidArgumentError,
            ),
            (communicator.grant_lease(10**12), shim.LeaseTTLTooLargeError, errors.EtcdOutOfRangeError),
        ]
        for call, ours, etcetras in cases:
            with pytest.raises(errors.EtcdUnknownError) as caught:
                await call
            error = caught.value
            assert isinstance(error, ours)
            assert isinstance(error, etcetras)
            assert isinstance(error, etcetra_trio.EtcdError)
            assert int(error) == etcetras.code
            assert error.debug_map is None
            assert type(error).__name__ == ours.__name__
            assert str(error)
        with pytest.raises(TypeError, match="sort_order must be a SortOrder, such as SortOrder"):
            await communicator.get_prefix("k", sort_order="desc")  # type: ignore[call-overload]
        wrong_filters: tuple[Any, ...] = (shim.WatchFilter.NOPUT, "nodelete")
        for filters in wrong_filters:
            with pytest.raises(TypeError, match="filters must be a list"):
                communicator.watch("k", filters=filters)
        refused: list[tuple[Any, type[Exception]]] = [
            ("5", TypeError),
            (-1, errors.EtcdInvalidArgumentError),
        ]
        for wrong, refusal in refused:
            with pytest.raises(refusal, match="timeout"):
                await client.with_lock("name", timeout=wrong).__aenter__()
            with pytest.raises(refusal, match="interval"):
                communicator.create_lease_keepalive_task(lease, wrong)
        with pytest.raises(errors.EtcdInvalidArgumentError):
            communicator.watch("")
        with pytest.raises(errors.EtcdInvalidArgumentError):
            async with communicator.lock("lock", -1.0):
                raise AssertionError
        with pytest.raises(errors.EtcdUnknownError):
            communicator.namespaced("\udcff")
        with pytest.raises(TypeError):
            await communicator.get(1)  # type: ignore[call-overload]
        with pytest.raises(TypeError, match="decide"):
            bool(CompareKey("k").version == 1)


async def watches_raise_them(client: Client) -> None:
    async with client.connect() as communicator:
        await communicator.put("k", "1")
        await communicator.put("k", "2")
        record = (await communicator.range("k")).kvs[0]
        await communicator.compact(record.mod_revision)
        with pytest.raises(shim.CompactedError) as caught:
            async for _ in communicator.watch("k", start_revision=1):
                raise AssertionError
        assert errors.EtcdOutOfRangeError in type(caught.value).__mro__
        async with communicator.mirror("") as view:
            with pytest.raises(KeyError):
                _ = view["no such key"]
        with pytest.raises(errors.ClosedResourceError):
            len(view)


async def both_names_in_except(client: Client) -> None:
    async with client.connect() as communicator:
        try:
            await communicator.put("no such key", None)
        except shim.KeyNotFoundError as error:
            assert error.outcome == "not_applied"
        try:
            await communicator.put("no such key", None)
        except errors.EtcdInvalidArgumentError as error:
            assert "key not found" in str(error)


async def tracebacks_lead_to_the_caller(client: Client) -> None:
    async with client.connect() as communicator:
        with pytest.raises(shim.KeyNotFoundError) as caught:
            await communicator.put("no such key", None)
        assert any(entry.name == "tracebacks_lead_to_the_caller" for entry in caught.traceback)
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__


SCENARIOS: list[Scenario] = [
    failures_have_both_classes,
    watches_raise_them,
    both_names_in_except,
    tracebacks_lead_to_the_caller,
]


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_scenario(scenario: Scenario, runner: str, etcd_server: EtcdServer) -> None:
    assert "errors" in DEVIATIONS
    run(runner, scenario, etcd_server.endpoint)


def test_on_trio_asyncio(etcd_server: EtcdServer) -> None:
    on_trio_asyncio(__name__, etcd_server.endpoint)


#: What their constructors take, by its name; whatever is not here is a text.
ARGUMENTS: dict[str, object] = {
    "code": etcetra_trio.StatusCode.UNAVAILABLE,
    "method": "/etcdserverpb.KV/Put",
    "endpoints": [("a:1", OSError("no"))],
    "outcome": "unknown",
    "what": "key",
    "revision": 7,
    "timeout": 1.5,
    "limit": 1.5,
}


def every_error() -> list[etcetra_trio.EtcdError]:
    found: list[etcetra_trio.EtcdError] = []
    for cls in vars(etcetra_trio).values():
        if isinstance(cls, type) and issubclass(cls, etcetra_trio.EtcdError):
            own = next((vars(base)["__init__"] for base in cls.__mro__ if "__init__" in vars(base)), None)
            taken = inspect.signature(own).parameters.values() if inspect.isfunction(own) else ()
            names = [p.name for p in taken if p.kind is p.POSITIONAL_OR_KEYWORD and p.name != "self"]
            found.append(cls(*(ARGUMENTS.get(name, "text") for name in names or ["message"])))
    return found


@pytest.mark.parametrize("error", every_error(), ids=lambda error: type(error).__name__)
def test_every_error_is_translated_as_it_is(error: etcetra_trio.EtcdError) -> None:
    cause = KeyError("cause")
    error.__cause__ = cause
    new = translated(error)
    assert isinstance(new, errors.EtcdUnknownError)
    assert isinstance(new, type(error))
    assert (type(new).__name__, type(new).__module__) == (type(error).__name__, type(error).__module__)
    assert translated(new) is new
    assert new.__cause__ is cause
    for again in (new, copy.copy(new), pickle.loads(pickle.dumps(new))):
        assert type(again) is type(new)
        assert str(again) == str(error)
        assert repr((again.args, again.__dict__)) == repr((error.args, error.__dict__))
        if isinstance(error, etcetra_trio.RpcError):
            assert int(again) == int(error.code) == 14


def test_others_stay_as_they_are() -> None:
    for error in (KeyError("k"), asyncio.CancelledError(), errors.EtcdNotFoundError("text")):
        assert translated(error) is error
