"""The hot messages as betterproto2's own metadata describe them."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path

import betterproto2

RESPONSES = (
    "RangeResponse",
    "RangeStreamResponse",
    "PutResponse",
    "DeleteRangeResponse",
    "TxnResponse",
    "CompactionResponse",
    "WatchResponse",
    "LeaseGrantResponse",
    "LeaseRevokeResponse",
    "LeaseKeepAliveResponse",
    "LeaseTimeToLiveResponse",
    "LeaseLeasesResponse",
)
REQUESTS = (
    "RangeRequest",
    "PutRequest",
    "DeleteRangeRequest",
    "Compare",
    "RequestOp",
    "TxnRequest",
    "CompactionRequest",
    "WatchCreateRequest",
    "WatchCancelRequest",
    "WatchProgressRequest",
    "WatchRequest",
    "LeaseGrantRequest",
    "LeaseRevokeRequest",
    "LeaseKeepAliveRequest",
    "LeaseTimeToLiveRequest",
    "LeaseLeasesRequest",
)

_PACKAGE = "_generated_messages"  # what the messages are called while this program looks at them


@dataclass(frozen=True, slots=True)
class Field:
    """One field, as the code writers need it."""

    name: str  # the attribute's
    number: int
    type: str  # betterproto2's: "int64", "message", …
    repeated: bool
    oneof: str
    of: str  # class of a message or an enum

    @property
    def tag(self) -> int:
        """What stands before the value on the wire."""
        return self.number << 3 | (2 if self.type in {"bytes", "string", "message"} else 0)


@dataclass(frozen=True, slots=True)
class Message:
    """One message."""

    name: str
    fields: tuple[Field, ...]

    @property
    def parts(self) -> tuple[str, ...]:
        """The messages it contains."""
        return tuple(dict.fromkeys(field.of for field in self.fields if field.type == "message"))


class Model:
    """Finds messages by name."""

    def __init__(self, messages: Path) -> None:
        """Imports betterproto2's package at `messages`."""
        for name in [name for name in sys.modules if name.partition(".")[0] == _PACKAGE]:
            del sys.modules[name]
        file = messages / "__init__.py"
        spec = importlib.util.spec_from_file_location(
            _PACKAGE, file, submodule_search_locations=[str(messages)]
        )
        assert spec
        sys.modules[_PACKAGE] = importlib.util.module_from_spec(spec)
        self._classes = {
            name: value
            for package in ("mvccpb", "etcdserverpb")
            for name, value in vars(importlib.import_module(f"{_PACKAGE}.{package}")).items()
            if isinstance(value, type)
        }

    def message(self, name: str) -> Message:
        """By its class's name."""
        cls = self._classes[name]
        assert issubclass(cls, betterproto2.Message)
        meta = betterproto2.ProtoClassMetadata(cls)
        fields = []
        for field in meta.sorted_field_names:
            known = meta.meta_by_field_name[field]
            of = meta.cls_by_field[field].__name__ if known.proto_type in {"message", "enum"} else ""
            fields.append(
                Field(field, known.number, known.proto_type, bool(known.repeated), known.group or "", of)
            )
        return Message(name, tuple(fields))

    def closure(self, names: tuple[str, ...]) -> list[Message]:
        """These and all that they contain: what is contained first, where that is possible."""
        done: dict[str, Message | None] = {}

        def visit(name: str) -> None:
            if name not in done:
                done[name] = None
                message = self.message(name)
                for part in message.parts:
                    visit(part)
                del done[name]
                done[name] = message

        for name in names:
            visit(name)
        return [message for message in done.values() if message]

    def recursive(self, name: str) -> bool:
        """Can it contain itself?"""
        parts = self.message(name).parts
        return any(name == message.name for message in self.closure(parts))
