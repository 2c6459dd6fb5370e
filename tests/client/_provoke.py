"""How the real server is made to say its errors, and how each one must arrive."""

from __future__ import annotations

import csv
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from etcetra_trio import (
    EtcdCommunicator,
    EtcdError,
    Outcome,
    OutcomeUnknownError,
    RpcError,
    StatusCode,
    UnsupportedByServerError,
)
from etcetra_trio._proto._methods import Method
from etcetra_trio.testing import EtcdMember

Communicator = EtcdCommunicator[str]
FACTS = Path(__file__).parent.parent / "facts" / "etcd-errors.tsv"


class Row(NamedTuple):
    """What etcd's ``rpctypes`` says of one error."""

    go_name: str
    code: StatusCode
    message: str


def _rows() -> dict[str, Row]:
    codes = {code.name.replace("_", ""): code for code in StatusCode}
    codes["CANCELED"] = StatusCode.CANCELLED
    with FACTS.open(encoding="utf-8", newline="") as file:
        return {
            line["go_name"]: Row(line["go_name"], codes[line["grpc_code"].upper()], line["message"])
            for line in csv.DictReader(file, delimiter="\t")
        }


ROWS = _rows()


class Case(NamedTuple):
    """One call that ends in one error."""

    method: Method
    error: type[RpcError]
    provoke: Callable[[Communicator], Awaitable[object]]
    outcome: Outcome | None = None
    since: tuple[int, int] = (3, 4)  # the first etcd that says it; older ones lack the method, or let it pass
    code: StatusCode | None = None  # where the server itself does not use the code of its table,
    message: str | None = None  # nor its words


def check(error: EtcdError, row: Row, case: Case, endpoint: str) -> None:
    """That the error tells everything it should."""
    if case.outcome == "unknown":
        assert isinstance(error, OutcomeUnknownError)
        if type(error) is OutcomeUnknownError:
            specific = error.__cause__
            assert isinstance(specific, RpcError)
            assert specific.outcome == error.outcome
            assert (specific.code, specific.message) == (error.code, error.message)
        else:
            specific = error
    else:
        specific = error
        assert not isinstance(error, OutcomeUnknownError), repr(error)
    assert type(specific) is case.error, repr(specific)
    assert isinstance(error, RpcError | OutcomeUnknownError)
    assert error.outcome == case.outcome
    code = row.code if case.code is None else case.code
    message = row.message if case.message is None else case.message
    assert (error.code, error.message) == (code, message), repr(error)
    assert error.method == case.method.path
    assert error.endpoint == endpoint.removeprefix("http://")
    text = str(error)
    short = case.method.path.rpartition(".")[2].replace("/", ".")
    for part in (message, short, error.endpoint, code.name):
        assert part in text
    words: dict[Outcome | None, bool] = {
        "not_applied": "not applied" in text,
        "unknown": "outcome unknown" in text,
    }
    assert [outcome for outcome, said in words.items() if said] == ([case.outcome] if case.outcome else [])


async def provoke(name: str, case: Case, communicator: Communicator, server: EtcdMember) -> None:
    """Make the server say it. One that is too old for the method says that instead."""
    version = tuple(map(int, server.version.split(".")[:2]))
    if version >= case.since:
        with pytest.raises(EtcdError) as caught:
            await case.provoke(communicator)
        check(caught.value, ROWS[name], case, server.endpoint)
        return
    if case.method.since is not None and version < tuple(map(int, case.method.since.split("."))):
        with pytest.raises(UnsupportedByServerError, match=f"etcd {case.method.since}") as unsupported:
            await case.provoke(communicator)
        assert unsupported.value.since == case.method.since
        assert unsupported.value.outcome == case.outcome
        return
    await case.provoke(communicator)
