"""Everything that flows: engines, connections, calls. What is public here runs stubs made for grpclib."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._grpc_stream import GrpcStream as GrpcStream
    from ._grpclib import GrpcChannel as GrpcChannel
    from ._stubs import ReplyStream as ReplyStream
    from ._stubs import stub as stub

# Imported when it is asked for: it needs grpclib, which is an extra, and costs more than all the rest.
_HOMES = {"GrpcChannel": "_grpclib", "GrpcStream": "_grpc_stream", "ReplyStream": "_stubs", "stub": "_stubs"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        public: object = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{__name__}.{name} needs grpclib: install etcetra-trio[stubs]", name=error.name
        ) from error
    return public
