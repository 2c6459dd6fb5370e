"""The oracle: protobuf's own implementation (upb), over descriptors compiled from `protos/` on the spot."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from _protogen.protoc import PROTOS, describe
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # type: ignore[import-untyped]
from google.protobuf.internal import api_implementation  # type: ignore[import-untyped]
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

assert api_implementation.Type() == "upb"


@cache
def descriptors() -> bytes:
    """The serialized FileDescriptorSet, comments included."""
    with tempfile.TemporaryDirectory() as directory:
        return describe(PROTOS, Path(directory) / "descriptors")


@cache
def _pool() -> Any:
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(descriptors()).file:
        pool.Add(file)
    return pool


@cache
def message(name: str) -> Any:
    """The class of a message by its full name."""
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(name))


def parse(name: str, data: bytes) -> Any:
    """The message, or None where upb refuses the bytes."""
    try:
        return message(name).FromString(data)
    except DecodeError:
        return None
