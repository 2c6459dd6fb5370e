"""`etcetra_trio.streams.stub`: streams of betterproto2's stubs belong to Trio's tasks."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Iterator
from typing import Any

import grpc
import pytest
import trio
from _grpc_kit import Octets, connected, echo, hang, serve, streams_of, stub_of, until
from grpclib import GRPCError, Status

from etcetra_trio.streams import ReplyStream


async def counted(number: int) -> AsyncGenerator[Octets]:
    for data in range(number):
        await trio.lowlevel.checkpoint()
        yield Octets(b"%d" % data)


@pytest.mark.parametrize("in_block", [True, False])
@pytest.mark.parametrize("requests", [counted(3), list(map(Octets, [b"0", b"1", b"2"])), []])
async def test_any_iterable_of_requests(requests: Any, *, in_block: bool) -> None:
    expected = [] if requests == [] else [b"0", b"1", b"2"]
    if not isinstance(requests, list):
        requests = counted(3)
    with serve(Echo=echo) as server:
        async with connected(server) as communicator:
            replies = stub_of(communicator.channel, "Echo").both(requests)
            assert isinstance(replies, ReplyStream)
            if in_block:
                async with replies as entered:
                    assert entered is replies
                    assert [reply.data async for reply in replies] == expected
            else:
                assert [reply.data async for reply in replies] == expected
                assert [reply async for reply in replies] == []


async def test_one_request() -> None:
    def thrice(requests: Iterator[bytes], _context: grpc.ServicerContext) -> Iterator[bytes]:
        for request in requests:
            yield from [request] * 3

    with serve(Thrice=thrice) as server:
        async with connected(server) as communicator:
            thrice_stub = stub_of(communicator.channel, "Thrice")
            assert [reply.data async for reply in thrice_stub.to_many(Octets(b"x"))] == [b"x"] * 3
            async with thrice_stub.to_many(Octets(b"x")) as replies:
                assert await replies.receive() == Octets(b"x")


async def test_requests_are_taken_as_the_server_takes_them() -> None:
    taken = 0

    def endless() -> Iterator[Octets]:
        nonlocal taken
        while True:
            taken += 1
            yield Octets(b"x" * 100_000)

    with serve(Hang=hang) as server:
        async with connected(server) as communicator:
            hanging = stub_of(communicator.channel, "Hang").both(endless())
            async with hanging:
                await until(lambda: taken > 0)
                await trio.sleep(0.2)
                before = taken
                await trio.sleep(0.2)
                assert taken == before < 1000


class BoomError(Exception):
    pass


async def failing(good: int) -> AsyncGenerator[Octets]:
    async for octets in counted(good):
        yield octets
    raise BoomError


@pytest.mark.parametrize("in_block", [True, False])
async def test_what_the_requests_raise_is_received(*, in_block: bool) -> None:
    with serve(Echo=echo) as server:
        async with connected(server) as communicator:
            replies = stub_of(communicator.channel, "Echo").both(failing(3))

            async def receive_all() -> None:
                with pytest.raises(BoomError):
                    async for _ in replies:
                        pass
                with pytest.raises(trio.ClosedResourceError):
                    await replies.receive()

            if in_block:
                async with replies:
                    await receive_all()
            else:
                await receive_all()


async def test_replies_come_before_what_the_requests_raise() -> None:
    go_on = trio.Event()

    async def requests() -> AsyncGenerator[Octets]:
        yield Octets(b"x")
        await go_on.wait()
        raise BoomError

    with serve(Echo=echo) as server:
        async with connected(server) as communicator:
            both = stub_of(communicator.channel, "Echo").both
            async with both(requests()) as replies:
                await trio.sleep(0.2)  # the reply is here
                go_on.set()
                await trio.testing.wait_all_tasks_blocked()
                assert await replies.receive() == Octets(b"x")
                with pytest.raises(BoomError):
                    await replies.receive()


async def test_what_nobody_received_the_blocks_end_raises() -> None:
    with serve(Echo=echo) as server:
        async with connected(server) as communicator:

            async def clumsy() -> AsyncGenerator[Octets]:
                yield Octets(b"")
                try:
                    await trio.sleep_forever()
                finally:
                    raise BoomError

            for requests in (failing(0), clumsy()):
                with pytest.raises(BoomError):
                    async with stub_of(communicator.channel, "Echo").both(requests):
                        await trio.sleep(0.1)


async def test_the_bodys_exception_leaves_as_itself() -> None:
    boom = BoomError()
    with serve(Echo=echo) as server:
        async with connected(server) as communicator:
            with pytest.raises(BoomError) as caught:
                async with stub_of(communicator.channel, "Echo").both(counted(3)) as replies:
                    await replies.receive()
                    raise boom
            assert caught.value is boom


async def test_what_is_no_request_is_said_so() -> None:
    with serve(Echo=echo) as server:
        async with connected(server) as communicator:
            both = stub_of(communicator.channel, "Echo").both
            with pytest.raises(TypeError, match="not iterable"):
                await both(Octets(b"")).receive()
            with pytest.raises(TypeError, match="use a Octets"):
                await both([b""]).receive()


async def test_a_server_that_has_enough() -> None:
    """The end of the RPC ends the task that waits for further requests, or for room for them."""

    def first(requests: Iterator[bytes], _context: grpc.ServicerContext) -> Iterator[bytes]:
        yield next(requests)

    cancelled = False

    async def patient() -> AsyncGenerator[Octets]:
        nonlocal cancelled
        yield Octets(b"x")
        try:
            await trio.sleep_forever()
        except trio.Cancelled:
            cancelled = True
            raise

    def endless() -> Iterator[Octets]:
        while True:
            yield Octets(b"x")

    with serve(First=first) as server:
        async with connected(server) as communicator:
            both = stub_of(communicator.channel, "First").both
            async with both(patient()) as replies:
                assert [reply.data async for reply in replies] == [b"x"]
                await trio.testing.wait_all_tasks_blocked()
                assert cancelled
            async with both(endless()) as replies:
                await trio.sleep(0.2)
                assert [reply.data async for reply in replies] == [b"x"]
            assert [reply.data async for reply in both(endless())] == [b"x"]
            async with both(counted(10**9)) as replies:
                await trio.sleep(0.2)
                assert [reply.data async for reply in replies] == [b"0"]


async def test_errors_of_the_call() -> None:
    with serve() as server:
        async with connected(server) as communicator:
            missing = stub_of(communicator.channel, "Missing")
            for replies in (missing.both(counted(10**9)), missing.to_many(Octets(b""))):
                with pytest.raises(GRPCError) as caught:
                    await replies.receive()
                assert caught.value.status is Status.UNIMPLEMENTED
            async with missing.both(counted(10**9)) as replies:
                with pytest.raises(GRPCError):
                    await replies.receive()


async def test_cancellation_loses_nothing_and_leaves_nothing() -> None:
    def slow(requests: Iterator[bytes], _context: grpc.ServicerContext) -> Iterator[bytes]:
        for request in requests:
            time.sleep(0.1)
            yield request

    with serve(Slow=slow) as server:
        async with connected(server) as communicator:
            both = stub_of(communicator.channel, "Slow").both
            found: list[bytes] = []
            async with both(counted(5)) as replies:
                while len(found) < 5:
                    with trio.move_on_after(0.03):
                        found.append((await replies.receive()).data)
            assert found == [b"%d" % number for number in range(5)]
            with trio.move_on_after(0.15) as scope:
                async with both(counted(10**9)) as replies:
                    async for _ in replies:
                        pass
            assert scope.cancelled_caught
            assert streams_of(communicator) == 0
            with trio.move_on_after(0) as scope:
                async with both([]):
                    pass
            assert scope.cancelled_caught
            with trio.move_on_after(0) as scope:
                await (never := both([])).receive()
            assert scope.cancelled_caught
            with pytest.raises(trio.ClosedResourceError):
                await never.receive()


async def test_every_step_is_a_checkpoint() -> None:
    with serve(Echo=echo) as server:
        async with connected(server) as communicator:
            replies = stub_of(communicator.channel, "Echo").both([Octets(b"x")])
            with trio.testing.assert_checkpoints():
                assert await replies.receive() == Octets(b"x")
            for _ in range(2):
                with trio.testing.assert_checkpoints(), pytest.raises(trio.EndOfChannel):
                    await replies.receive()
            with pytest.raises(RuntimeError, match="before the first reply"):
                await replies.__aenter__()
            for _ in range(2):
                with trio.testing.assert_checkpoints():
                    await replies.aclose()
            with trio.testing.assert_checkpoints(), pytest.raises(trio.ClosedResourceError):
                await replies.receive()
            block = stub_of(communicator.channel, "Echo").both([])
            with trio.testing.assert_checkpoints():
                await block.__aenter__()
            with trio.testing.assert_checkpoints():
                await block.__aexit__(None, None, None)
