"""`protos/` says what `facts/etcd-wire.tsv` says: no row missing, none extra."""

from __future__ import annotations

import csv
from pathlib import Path

import _upb
import pytest
from _protogen.schema import Schema, Type

WIRE = Path(__file__).parent / "facts" / "etcd-wire.tsv"
KINDS = {(False, False): "", (False, True): "server-stream", (True, True): "client-stream server-stream"}

Row = tuple[str, ...]


def _of_type(type_: Type) -> list[Row]:
    if not type_.fields:
        return [("message", type_.package, type_.name, "", "", "", "", "", type_.since)]
    kind = "enum" if type_.is_enum else "field"
    return [
        (
            kind,
            type_.package,
            type_.name,
            field.name,
            str(field.number),
            "repeated" if field.repeated else "",
            field.type,
            field.oneof,
            field.since,
        )
        for field in type_.fields
    ]


@pytest.fixture(scope="module")
def schema() -> Schema:
    return Schema.parse(_upb.descriptors())


@pytest.fixture(scope="module")
def facts() -> list[Row]:
    with WIRE.open(newline="") as file:
        header, *rows = csv.reader(file, delimiter="\t")
    assert header == "kind package owner name number label type oneof_or_path since".split()  # noqa: SIM905
    return [tuple(row) for row in rows]


def test_every_message_field_and_enum_value(schema: Schema, facts: list[Row]) -> None:
    ours = [row for type_ in schema.types for row in _of_type(type_)]
    assert sorted(ours) == sorted(row for row in facts if row[0] != "rpc")


def test_every_rpc(schema: Schema, facts: list[Row]) -> None:
    ours = [
        (
            "rpc",
            rpc.package,
            rpc.service,
            rpc.name,
            "",
            KINDS[rpc.client_streaming, rpc.server_streaming],
            f"{rpc.request} -> {rpc.response}",
            rpc.path,
            "",  # the table knows the versions of messages only
        )
        for rpc in schema.rpcs
    ]
    assert sorted(ours) == sorted(row for row in facts if row[0] == "rpc")


def test_enum_types_are_told_from_messages(schema: Schema) -> None:
    enums = {f"{type_.package}.{type_.name}" for type_ in schema.types if type_.is_enum}
    assert len(enums) == 10
    assert "etcdserverpb.AlarmType" in enums
    assert "etcdserverpb.Compare.CompareResult" in enums


def test_an_inner_mark_wins_over_the_outer_one(schema: Schema) -> None:
    [request] = [type_ for type_ in schema.types if type_.name == "MemberListRequest"]
    assert (request.since, request.fields[0].since) == ("3.0", "3.5")
