"""`etcetra_trio.streams.stub`: what it makes of a class, and what it needs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import trio
from _grpc_kit import Octets, ask, connected, echo, hang, metadata_of, serve, stub_of
from betterproto2.grpclib import ServiceStub

from etcetra_trio.streams import GrpcChannel, stub

ROOT = Path(__file__).parent.parent


async def test_the_stubs_own_defaults_hold() -> None:
    def tell(_requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        yield from (
            value.encode() for key, value in metadata_of(context) if key == "who" and isinstance(value, str)
        )

    with serve(Tell=tell, Hang=hang) as server:
        async with connected(server) as communicator:
            tell_stub = stub_of(communicator.channel, "Tell")
            tell_stub.metadata = {"who": "stub"}
            assert [reply.data async for reply in tell_stub.both([])] == [b"stub"]
            given = tell_stub.both([], metadata={"who": "call"})
            assert [reply.data async for reply in given] == [b"call"]
            hang_stub = stub_of(communicator.channel, "Hang")
            hang_stub.timeout = 0.1
            for replies in (hang_stub.both([]), hang_stub.to_many(Octets(b""))):
                with pytest.raises(TimeoutError, match="Deadline exceeded"):
                    await replies.receive()


async def test_the_generated_class_stays_as_it_is() -> None:
    class Service(ServiceStub):
        """Says something."""

        async def both(self, messages: Any) -> AsyncIterator[Octets]:
            """Does something."""
            async for response in self._stream_stream("/any.Service/Echo", messages, Octets, Octets):  # type: ignore[type-var]
                yield response

        async def unary(self, channel: GrpcChannel) -> bytes:
            return await ask(channel, "Echo")

        async def own(self, number: int) -> AsyncIterator[int]:
            """Nothing that asks for an RPC."""
            for n in range(number):
                yield n

        async def late(self) -> AsyncIterator[Octets]:
            await trio.lowlevel.checkpoint()
            async for response in self._stream_stream("/any.Service/Echo", [], Octets, Octets):  # type: ignore[type-var]
                yield response

    before = dict(vars(Service))
    with serve(Echo=echo) as server:
        async with connected(server) as communicator:
            made = stub(Service, communicator.channel)
            assert isinstance(made, Service)
            assert dict(vars(Service)) == before
            assert type(made).__name__ == "Service"
            assert type(made).both.__doc__ == "Does something."
            assert await made.unary(communicator.channel) == b"?"
            assert [number async for number in made.own(3)] == [0, 1, 2]
            with pytest.raises(TypeError, match="not as betterproto2 generates it"):
                made.late()


def test_without_grpclib_an_error_names_the_extra() -> None:
    program = """
import sys
sys.modules["grpclib"] = None
import trio
from etcetra_trio import EtcdClient, streams

async def main():
    async with EtcdClient("127.0.0.1:1").connect(wait=False) as communicator:
        communicator.channel

for use in (lambda: streams.stub, lambda: trio.run(main)):
    try:
        use()
    except ModuleNotFoundError as error:
        print(error)
try:
    streams.other
except AttributeError as error:
    print(error)
"""
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.splitlines() == [
        "etcetra_trio.streams.stub needs grpclib: install etcetra-trio[stubs]",
        "etcetra_trio.streams.GrpcChannel needs grpclib: install etcetra-trio[stubs]",
        "module 'etcetra_trio.streams' has no attribute 'other'",
    ]
