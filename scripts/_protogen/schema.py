"""What `protos/` says beyond names and numbers: the structured comments.

`Since: 3.4` on a message, field, enum, value or rpc: the first etcd that has it. It covers everything inside
that has no mark of its own. An rpc without one is as new as the newer of its two messages.

`Effect: read|write`, `Retry: repeatable|once`, `Leader: required|not required` on an rpc (`Leader` on a service
too): see `Rpc`. Without `Retry`, reads are repeatable and writes are not; without `Leader`, it is required.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from betterproto2_compiler.lib.google.protobuf import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProtoLabel,
    FieldDescriptorProtoType,
    FileDescriptorProto,
    FileDescriptorSet,
)

_MARK = re.compile(r"^ ?(Since|Effect|Retry|Leader): (.+)$", re.MULTILINE)

# Numbers of the fields of descriptor.proto that a comment's path is made of.
_FILE_MESSAGE, _FILE_ENUM, _FILE_SERVICE = 4, 5, 6
_MESSAGE_FIELD, _MESSAGE_NESTED, _MESSAGE_ENUM = 2, 3, 4
_ENUM_VALUE = _SERVICE_METHOD = 2


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message, or one value of an enum (then `type` is empty)."""

    name: str
    number: int
    repeated: bool
    type: str  # as .proto files write it; messages and enums with their package
    oneof: str
    since: str


@dataclass(frozen=True, slots=True)
class Type:
    """One message or enum, nested ones by their dotted name."""

    package: str
    name: str
    is_enum: bool
    fields: tuple[Field, ...]
    comment: str
    since: str


@dataclass(frozen=True, slots=True)
class Rpc:
    """One rpc."""

    package: str
    service: str
    name: str
    request: str
    response: str
    client_streaming: bool
    server_streaming: bool
    since: str
    mutates: bool  # can change what the cluster holds
    repeatable: bool  # may be sent again when nobody knows whether it was carried out
    require_leader: bool  # carries `hasleader`: a member that has lost its leader refuses it at once

    @property
    def path(self) -> str:
        """The HTTP/2 `:path`."""
        return f"/{self.package}.{self.service}/{self.name}"


@dataclass(frozen=True, slots=True)
class Schema:
    """All of `protos/`."""

    types: tuple[Type, ...]
    rpcs: tuple[Rpc, ...]

    @classmethod
    def parse(cls, descriptor_set: bytes) -> Schema:
        """From a serialized FileDescriptorSet that has its source info."""
        files = FileDescriptorSet.parse(descriptor_set).file
        types = [type_ for file in files for type_ in _types(file, _Comments(file))]
        since = {f"{type_.package}.{type_.name}": type_.since for type_ in types}
        rpcs = [rpc for file in files for rpc in _rpcs(file, _Comments(file), since)]
        return cls(tuple(types), tuple(rpcs))


def version(text: str) -> tuple[int, ...]:
    """`3.10` sorts after `3.9`; no mark sorts first."""
    return tuple(map(int, text.split("."))) if text else ()


class _Comments:
    """The comments of one file by the path of what they stand at."""

    def __init__(self, file: FileDescriptorProto) -> None:
        assert file.source_code_info is not None
        self._texts = {
            tuple(where.path): where.leading_comments + where.trailing_comments
            for where in file.source_code_info.location
        }

    def text(self, path: Sequence[int]) -> str:
        """Without the marks."""
        lines = _MARK.sub("", self._texts.get(tuple(path), "")).split("\n")
        return " ".join(line.strip() for line in lines if line.strip())

    def marks(self, path: Sequence[int]) -> dict[str, str]:
        return dict(_MARK.findall(self._texts.get(tuple(path), "")))

    def since(self, path: Sequence[int], outer: str) -> str:
        return self.marks(path).get("Since", outer)


def _types(file: FileDescriptorProto, comments: _Comments) -> Iterator[Type]:
    for n, enum in enumerate(file.enum_type):
        yield _enum(file.package, enum, "", [_FILE_ENUM, n], comments, "")
    for n, message in enumerate(file.message_type):
        yield from _message(file.package, message, "", [_FILE_MESSAGE, n], comments, "")


def _enum(
    package: str, enum: EnumDescriptorProto, prefix: str, path: list[int], comments: _Comments, outer: str
) -> Type:
    since = comments.since(path, outer)
    values = tuple(
        Field(value.name, value.number, False, "", "", comments.since([*path, _ENUM_VALUE, n], since))
        for n, value in enumerate(enum.value)
    )
    return Type(package, prefix + enum.name, True, values, comments.text(path), since)


def _message(
    package: str, message: DescriptorProto, prefix: str, path: list[int], comments: _Comments, outer: str
) -> Iterator[Type]:
    since = comments.since(path, outer)
    name = prefix + message.name
    fields = tuple(
        Field(
            field.name,
            field.number,
            field.label == FieldDescriptorProtoLabel.REPEATED,
            field.type_name.removeprefix(".") or (FieldDescriptorProtoType(field.type).name or "").lower(),
            "" if field.oneof_index is None else message.oneof_decl[field.oneof_index].name,
            comments.since([*path, _MESSAGE_FIELD, n], since),
        )
        for n, field in enumerate(message.field)
    )
    yield Type(package, name, False, fields, comments.text(path), since)
    for n, enum in enumerate(message.enum_type):
        yield _enum(package, enum, name + ".", [*path, _MESSAGE_ENUM, n], comments, since)
    for n, nested in enumerate(message.nested_type):
        yield from _message(package, nested, name + ".", [*path, _MESSAGE_NESTED, n], comments, since)


def _rpcs(file: FileDescriptorProto, comments: _Comments, since: dict[str, str]) -> Iterator[Rpc]:
    for n, service in enumerate(file.service):
        of_service = comments.marks([_FILE_SERVICE, n])
        for m, method in enumerate(service.method):
            marks = of_service | comments.marks([_FILE_SERVICE, n, _SERVICE_METHOD, m])
            request = method.input_type.removeprefix(".")
            response = method.output_type.removeprefix(".")
            mutates = {"read": False, "write": True}[marks["Effect"]]
            retry = marks.get("Retry", "once" if mutates else "repeatable")
            yield Rpc(
                package=file.package,
                service=service.name,
                name=method.name,
                request=request,
                response=response,
                client_streaming=method.client_streaming,
                server_streaming=method.server_streaming,
                since=marks.get("Since") or max(since[request], since[response], key=version),
                mutates=mutates,
                repeatable={"repeatable": True, "once": False}[retry],
                require_leader={"required": True, "not required": False}[marks.get("Leader", "required")],
            )
