"""Everything that the Trio API can do, the shim can: compared class by class, argument by argument."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest

import etcetra_trio
from etcetra_trio import asyncio as shim
from etcetra_trio._communicator import EtcdCommunicator
from etcetra_trio.asyncio._derived import DerivedEtcdCommunicator
from shim._deviations import DEVIATIONS

#: Arguments of Trio's methods that etcetra has under other names.
RENAMED = {
    ("EtcdClient", "__init__"): {"endpoints": "addr"},
    ("EtcdCommunicator", "grant_lease"): {"lease_id": "id"},
    ("EtcdCommunicator", "revoke_lease"): {"lease": "id"},
    **{
        ("EtcdCommunicator", name): {"prefix": "key"}
        for name in ("get_prefix", "keys_prefix", "delete_prefix", "watch_prefix")
    },
}
#: Public for other modules of the package only.
FOR_OURSELVES = {("CompareKey", "address")}


def public(module: Any) -> dict[str, Any]:
    """By the sign that type checkers go by."""
    names = re.findall(r"import (\w+) as \1$", inspect.getsource(module), re.MULTILINE)
    return {name: getattr(module, name) for name in names if name != "__version__"}


def members(cls: type) -> dict[str, Any]:
    """Public ones, and none of Python's own classes."""
    return {
        name: member
        for base in reversed(cls.__mro__)
        if base.__module__.startswith("etcetra_trio")
        for name, member in {**vars(base).get("__annotations__", {}), **vars(base)}.items()
        if (name == "__init__" or not name.startswith("_")) and (cls.__name__, name) not in FOR_OURSELVES
    }


CLASSES = [
    name
    for name, thing in public(etcetra_trio).items()
    if inspect.isclass(thing) and getattr(shim, name, None) is not thing
]


def test_every_public_name_is_here() -> None:
    assert not public(etcetra_trio).keys() - public(shim).keys()


def test_what_can_be_the_same_is() -> None:
    # These have coroutines, are etcetra's, or hold what has coroutines.
    assert {"EtcdClient", "EtcdCommunicator", "Watch", "Mirror", "Lock", "Lease"} <= set(CLASSES)
    for name in CLASSES:
        thing = getattr(etcetra_trio, name)
        ours = {"CompareKey", "CompareBuilder", "TxnAction", "TxnResult", "WatchEvent", "WatchBatch"}
        every = [inspect.unwrap(inspect.getattr_static(thing, member)) for member in dir(thing)]
        waits = any(inspect.iscoroutinefunction(f) or inspect.isasyncgenfunction(f) for f in every)
        results = [str(f.__annotations__.get("return")) for f in every if inspect.isfunction(f)]
        waits |= any(result.startswith("AbstractAsyncContextManager[") for result in results)
        assert name in ours or waits, name


@pytest.mark.parametrize("name", CLASSES)
def test_class_has_all_members(name: str) -> None:
    theirs, ours = members(getattr(etcetra_trio, name)), members(getattr(shim, name))
    assert not theirs.keys() - ours.keys()
    if hasattr(getattr(etcetra_trio, name), "__aenter__"):
        assert hasattr(getattr(shim, name), "__aenter__")
        assert hasattr(getattr(shim, name), "__aexit__")
    assert hasattr(getattr(etcetra_trio, name), "__anext__") == hasattr(getattr(shim, name), "__anext__")


@pytest.mark.parametrize(
    ("name", "method"),
    [
        (name, method)
        for name in CLASSES
        for method, member in members(getattr(etcetra_trio, name)).items()
        if inspect.isroutine(member) and (method != "__init__" or name == "EtcdClient")
    ],
)
def test_method_takes_all_arguments(name: str, method: str) -> None:
    theirs = inspect.signature(getattr(getattr(etcetra_trio, name), method)).parameters
    ours = inspect.signature(getattr(getattr(shim, name), method)).parameters
    renamed = RENAMED.get((name, method), {})
    wanted = [renamed.get(parameter, parameter) for parameter in theirs if theirs[parameter].kind.value != 4]
    assert [parameter for parameter in wanted if parameter not in ours and parameter != "settings"] == []
    waits = inspect.iscoroutinefunction(inspect.unwrap(getattr(getattr(etcetra_trio, name), method)))
    assert inspect.iscoroutinefunction(getattr(getattr(shim, name), method)) is waits


def test_coroutines_of_the_communicator_that_asyncio_tasks_run_await_nothing_but_calls() -> None:
    """They are run by hand here: whatever else they would wait for is none of asyncio's."""
    source = inspect.getsource(DerivedEtcdCommunicator)
    hot = {word.split("(")[0] for word in source.replace(",", "(").split("self._hot.")[1:]}
    assert {"get", "put", "txn", "txn_compare", "delete_range", "keys_prefix", "count"} <= hot
    asked: list[str] = []

    class DoneError(Exception):
        pass

    class Endpoints:
        async def call(self, method: Any, *args: object, **options: object) -> object:
            asked.append(method.path)
            raise DoneError

    communicator: Any = EtcdCommunicator(Endpoints(), etcetra_trio.EtcdClient("localhost")._keys)  # type: ignore[arg-type]
    given: dict[str, Any] = {"txn_builder": lambda *actions: actions[0].get("k"), "compares": []}
    for name in sorted(hot):
        parameters = inspect.signature(getattr(EtcdCommunicator, name)).parameters.values()
        needed = [p.name for p in parameters if p.default is p.empty and p.name != "self"]
        coroutine = getattr(communicator, name)(
            *(
                given.get(parameter, 1 if parameter in {"revision", "lease", "ttl"} else "k")
                for parameter in needed
            ),
            **({"value": "v"} if name == "put" else {}),
        )
        with pytest.raises(DoneError):
            coroutine.send(None)
    assert len(asked) == len(hot)


def test_the_deviation_table_is_complete() -> None:
    for row in DEVIATIONS.values():
        assert row.what
        assert row.here
