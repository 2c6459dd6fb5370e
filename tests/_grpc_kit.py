"""Stubs made on the spot, a gRPC server that is not ours, and messages that are only octets."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import grpc
import trio
from _protogen.protoc import PROTOS
from _protogen.protoc import run as protoc
from betterproto2.grpclib import ServiceStub
from grpclib.const import Cardinality

from etcetra_trio import EtcdClient, EtcdCommunicator
from etcetra_trio.streams import GrpcChannel, GrpcStream, stub

UNARY = Cardinality.UNARY_UNARY
TO_MANY = Cardinality.UNARY_STREAM
FROM_MANY = Cardinality.STREAM_UNARY
BOTH = Cardinality.STREAM_STREAM

Modules = dict[str, Any]


def betterproto2_stubs(directory: Path) -> Modules:
    """What betterproto2's compiler makes of our ``protos/``, by protobuf package."""
    target = directory / "made_by_betterproto2"
    target.mkdir()
    protoc(
        PROTOS,
        f"--python_betterproto2_out={target}",
        "--python_betterproto2_opt=client_generation=async",
    )
    return _modules(directory, *(f"{target.name}.{name}" for name in ("etcdserverpb", "mvccpb")))


def protobuf_stubs(directory: Path) -> Modules:
    """What protoc and grpclib's plug-in make of them, by the name of the file."""
    protoc(PROTOS, f"--python_out={directory}", f"--grpclib_python_out={directory}")
    return _modules(
        directory, *(f"etcd.server.{name}" for name in ("kv_pb2", "kv_grpc", "watch_pb2", "watch_grpc"))
    )


def _modules(directory: Path, *names: str) -> Modules:
    sys.path.insert(0, str(directory))
    try:
        return {name.rpartition(".")[2]: importlib.import_module(name) for name in names}
    finally:
        sys.path.remove(str(directory))


@dataclass
class Octets:
    """A message with both libraries' face."""

    data: bytes

    def SerializeToString(self) -> bytes:  # noqa: N802
        return self.data

    @classmethod
    def FromString(cls, data: bytes, /) -> Self:  # noqa: N802
        return cls(data)


def streams_of(communicator: EtcdCommunicator[str]) -> int:
    """How many RPCs are on the wire or waiting for it."""
    connection = communicator._endpoints.live
    return 0 if connection is None else len(connection.engine.streams) + connection.engine.waiting_streams


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that no event tells."""
    with trio.fail_after(5):
        while not condition():
            await trio.sleep(0.005)


Handler = Callable[[Iterator[bytes], grpc.ServicerContext], Iterator[bytes]]


class Server(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Answers ``/any.Service/Method`` with the handler of that method's name; every one streams both ways."""

    def __init__(self, handlers: dict[str, Handler]) -> None:
        self.handlers = handlers
        self.contexts: list[grpc.ServicerContext] = []
        self.ended: list[str] = []
        self.port = 0
        self.stop: Callable[..., Any]  # the server's

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        name = details.method.rpartition("/")[2]
        handler = self.handlers.get(name)
        if handler is None:
            return None

        def behave(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
            context.add_callback(lambda: self.ended.append(name))
            return handler(requests, context)

        return grpc.stream_stream_rpc_method_handler(behave)

    def client(self, **options: Any) -> EtcdClient[str]:
        return EtcdClient(f"127.0.0.1:{self.port}", **options)


@contextmanager
def serve(*options: tuple[str, Any], **handlers: Handler) -> Generator[Server]:
    """Run a server in threads of its own."""
    service = Server(handlers)
    with ThreadPoolExecutor(8) as pool:
        server = grpc.server(pool, handlers=[service], options=[("grpc.so_reuseport", 0), *options])
        service.port = server.add_insecure_port("127.0.0.1:0")
        service.stop = server.stop
        server.start()
        try:
            yield service
        finally:
            server.stop(None).wait(10)


def metadata_of(context: grpc.ServicerContext) -> list[tuple[str, str | bytes]]:
    return [(item.key, item.value) for item in context.invocation_metadata()]


def hang(_requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
    """Say nothing until the client has gone."""
    while context.is_active():
        time.sleep(0.01)
    yield from ()


def echo(requests: Iterator[bytes], _context: grpc.ServicerContext) -> Iterator[bytes]:
    yield from requests


@asynccontextmanager
async def connected(server: Server, http2: str = "lean") -> AsyncGenerator[EtcdCommunicator[str]]:
    """Connect for a block that must leave no RPC behind."""
    with trio.fail_after(20):
        async with server.client(http2=http2).connect() as communicator:
            yield communicator
            assert streams_of(communicator) == 0


def request(
    channel: GrpcChannel, method: str, cardinality: Cardinality = UNARY, **options: Any
) -> GrpcStream[Octets, Octets]:
    path = method if method.startswith("/") else f"/any.Service/{method}"
    return channel.request(path, cardinality, Octets, Octets, **options)


async def ask(channel: GrpcChannel, method: str, message: Any = None, **options: Any) -> bytes:
    """One unary call, as a generated stub makes it."""
    async with request(channel, method, **options) as stream:
        await stream.send_message(message or Octets(b"?"), end=True)
        reply = await stream.recv_message()
    assert reply is not None
    return reply.data


def stub_of(channel: GrpcChannel, method: str) -> Any:
    """What :func:`stub` makes of a class as betterproto2's compiler writes it."""

    class AnyStub(ServiceStub):
        async def both(
            self, messages: Any, *, timeout: Any = None, deadline: Any = None, metadata: Any = None
        ) -> AsyncIterator[Octets]:
            async for response in self._stream_stream(  # type: ignore[type-var]
                f"/any.Service/{method}",
                messages,
                Octets,
                Octets,
                timeout=timeout,
                deadline=deadline,
                metadata=metadata,
            ):
                yield response

        async def from_many(self, messages: Any) -> Octets:
            reply: Octets = await self._stream_unary(  # type: ignore[type-var]
                f"/any.Service/{method}", messages, Octets, Octets
            )
            return reply

        async def to_many(self, message: Octets) -> AsyncIterator[Octets]:
            async for response in self._unary_stream(  # type: ignore[type-var]
                f"/any.Service/{method}", message, Octets
            ):
                yield response

    return stub(AnyStub, channel)
