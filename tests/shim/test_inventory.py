"""Everything that etcetra 0.1.19 has is here, with its arguments: apart from docs/deviations.csv."""

from __future__ import annotations

import dataclasses
import inspect
import json
from enum import Enum
from importlib import import_module
from typing import Any

import pytest

from etcetra_trio import asyncio as shim
from etcetra_trio.asyncio import client, errors, types
from shim._deviations import DEVIATIONS
from shim._kit import ROOT

INVENTORY: dict[str, Any] = json.loads(
    (ROOT / "tests/facts/etcetra-0.1.19-inventory.json").read_text(encoding="utf-8")
)
METHODS = [
    (cls, name, entry["params"])
    for cls, parts in INVENTORY["classes"].items()
    for name, entry in [
        *parts["methods"].items(),
        ("__init__", {"params": [{"name": "self", "has_default": False}, *parts["init"]]}),
    ]
]


def default(parameter: inspect.Parameter) -> str | None:
    return None if parameter.default is parameter.empty else repr(parameter.default)


def test_every_name_is_here() -> None:
    assert not [name for name in INVENTORY["top_level_all"] if not hasattr(shim, name)]


@pytest.mark.parametrize("module", ["client", "types", "errors"])
def test_modules_have_etcetras_names(module: str) -> None:
    ours = import_module(f"etcetra_trio.asyncio.{module}")
    assert not [name for name in ours.__all__ if not hasattr(ours, name)]
    for names in (INVENTORY["classes"], INVENTORY["enums"], INVENTORY["dataclasses"], INVENTORY["errors"]):
        for name in names:
            if name in ours.__all__ and module != "errors":
                assert getattr(shim, name) is getattr(ours, name)


@pytest.mark.parametrize(("cls", "name", "params"), METHODS, ids=lambda value: str(value)[:40])
def test_methods_take_the_same_arguments(cls: str, name: str, params: list[dict[str, Any]]) -> None:
    found = list(inspect.signature(getattr(getattr(shim, cls), name)).parameters.values())
    ours, others = found[: len(params)], found[len(params) :]
    for theirs, parameter in zip(params, ours, strict=True):
        assert parameter.name == theirs["name"] or name == "__aexit__"
        assert parameter.kind is parameter.POSITIONAL_OR_KEYWORD
        wanted = theirs["default"] if theirs["has_default"] else None
        if parameter.name == "serializable":
            assert "serializable" in DEVIATIONS
            assert (wanted, default(parameter)) == ("True", "False")
        else:
            assert default(parameter) == wanted
    assert "keyword-arguments" in DEVIATIONS
    assert all(parameter.kind is parameter.KEYWORD_ONLY for parameter in others)


@pytest.mark.parametrize(("cls", "name"), [(cls, name) for cls, name, _ in METHODS if name != "__init__"])
def test_methods_are_as_asynchronous(cls: str, name: str) -> None:
    theirs = INVENTORY["classes"][cls]["methods"][name]["async"]
    assert inspect.iscoroutinefunction(getattr(getattr(shim, cls), name)) is theirs


@pytest.mark.parametrize("name", INVENTORY["enums"])
def test_enumerations(name: str) -> None:
    ours: type[Enum] = getattr(shim, name)
    assert {member.name: member.value for member in ours} == INVENTORY["enums"][name]
    assert [str(member) for member in ours] == [f"{name}.{member}" for member in INVENTORY["enums"][name]]


@pytest.mark.parametrize("name", INVENTORY["dataclasses"])
def test_dataclasses(name: str) -> None:
    ours: Any = getattr(shim, name)
    theirs = INVENTORY["dataclasses"][name]
    found = [*inspect.signature(ours).parameters.values()]
    for entry, parameter in zip(theirs, found, strict=False):
        assert parameter.name == entry["name"]
        assert default(parameter) == (entry["default"] if entry["has_default"] else None)
    assert [field.name for field in dataclasses.fields(ours)][: len(theirs)] == [e["name"] for e in theirs]
    assert all(parameter.default is not parameter.empty for parameter in found[len(theirs) :])


@pytest.mark.parametrize("name", INVENTORY["errors"])
def test_errors(name: str) -> None:
    ours: type[errors.EtcetraError] = getattr(errors, name)
    entry = INVENTORY["errors"][name]
    assert getattr(ours, "code", None) == entry["code"]
    assert "error-classes" in DEVIATIONS
    bases = [base.__name__ for base in ours.__mro__[1:]]
    assert bases[-3:] == ["Exception", "BaseException", "object"]
    wanted = ["EtcetraError"] if name != "EtcetraError" else []
    if name not in {"EtcetraError", "EtcdUnknownError"}:
        wanted.insert(0, "EtcdUnknownError")
    assert bases[:-3] == wanted
    made = ours("message", debug_map={"a": 1})
    assert (str(made), made.debug_map) == ("message", {"a": 1})
    if entry["code"] is not None:
        assert int(made) == entry["code"]


def test_results_of_transactions_are_the_deviation() -> None:
    assert "txn-values" in DEVIATIONS
    assert issubclass(types.TxnReturnType, list)
    assert types.TxnReturnValues is types.TxnReturnType is shim.TxnResult
    assert shim.NoneType is type(None)


def test_messages_are_classes() -> None:
    assert "messages" in DEVIATIONS
    names = ["PutRequestType", "RangeRequestType", "DeleteRangeRequestType"]
    assert [getattr(shim, name).__name__ for name in names] == [
        "PutRequest",
        "RangeRequest",
        "DeleteRangeRequest",
    ]
    assert set(shim.TransactionRequest.__args__) == {getattr(shim, name) for name in names}
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        _ = shim.Nonsense
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        _ = types.Nonsense


def test_the_client_keeps_what_it_was_given() -> None:
    pair = shim.HostPortPair.parse("localhost")
    etcd = client.EtcdClient(pair, None, False, "latin-1")
    assert (etcd.addr, etcd.secure, etcd.encoding) == (pair, False, "latin-1")
    assert str(pair) == "localhost:2379"
    assert isinstance(etcd.connect(), client.EtcdConnectionManager)
    assert isinstance(etcd.with_lock("lock", 1.5, 5), client.EtcdConnectionManager)
