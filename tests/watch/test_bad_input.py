"""Arguments that make no sense are refused before anything is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from etcetra_trio import EncodingError, InvalidRequestError, WatchFilter
from watch._kit import Text, streams

Call = Callable[[Text], object]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda c: c.watch(""), "empty"),
        (lambda c: c.watch(b""), "empty"),
        (lambda c: c.watch(b"", encoding=None), "empty"),
        (lambda c: c.watch_range("", "z"), "empty"),
        (lambda c: c.watch_range("a", ""), "empty"),
        (lambda c: c.watch("k", start_revision=-1), "start_revision"),
        (lambda c: c.watch("k", start_revision=1 << 63), "start_revision"),
        (lambda c: c.watch("k", watch_id=-1), "watch_id"),
        (lambda c: c.watch("k", watch_id=1 << 63), "watch_id"),
        (lambda c: c.watch("k", buffer=0), "buffer"),
        (lambda c: c.watch("k", buffer=-5), "buffer"),
        (lambda c: c.watch("k", on_lag="drop"), "on_lag"),
        (lambda c: c.watch("k", on_lag=None), "on_lag"),
        (lambda c: c.watch("k", filters=[2]), "filter"),
        (lambda c: c.watch("k", filters=[-1]), "filter"),
        (lambda c: c.watch("k", encoding="no such"), "encoding|no such"),
        (lambda c: c.watch_prefix("k", start_revision=-1), "start_revision"),
        (lambda c: c.watch_range("k", "l", start_revision=-1), "start_revision"),
    ],
)
async def test_no_sense(communicator: Text, call: Call, message: str) -> None:
    with pytest.raises(InvalidRequestError, match=message):
        call(communicator)
    assert streams(communicator) == 0


@pytest.mark.parametrize(
    "call",
    [
        lambda c: c.watch(5),
        lambda c: c.watch(None),
        lambda c: c.watch_prefix(["k"]),
        lambda c: c.watch_range("a", 7),
        lambda c: c.watch("k", encoding=None),
        lambda c: c.watch("k", start_revision="1"),
        lambda c: c.watch("k", start_revision=1.0),
        lambda c: c.watch("k", start_revision=None),
        lambda c: c.watch("k", start_revision=True),
        lambda c: c.watch("k", watch_id="1"),
        lambda c: c.watch("k", buffer=None),
        lambda c: c.watch("k", buffer=1e3),
        lambda c: c.watch("k", filters=None),
        lambda c: c.watch("k", filters=1),
        lambda c: c.watch("k", nonsense=1),
        lambda c: c.watch("k", 5),
    ],
)
async def test_wrong_types(communicator: Text, call: Call) -> None:
    with pytest.raises(TypeError):
        call(communicator)


@pytest.mark.parametrize("wrong", [WatchFilter.NOPUT, "nodelete", None])
async def test_filters_are_a_list(communicator: Text, wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"filters must be a list such as \[WatchFilter\.NOPUT\], not"):
        communicator.watch("k", filters=wrong)


async def test_a_key_that_has_no_form(communicator: Text) -> None:
    with pytest.raises(EncodingError):
        communicator.watch("ü", encoding="ascii")
    with pytest.raises(EncodingError):
        communicator.watch("\ud800")


async def test_making_one_does_nothing(communicator: Text) -> None:
    """And one that never began is dropped without a word."""
    for _ in range(3):
        communicator.watch("k")
    assert streams(communicator) == 0
