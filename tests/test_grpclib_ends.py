"""`communicator.channel`: every way a call ends, and every wrong order of a call's steps."""

from __future__ import annotations

import subprocess
import sys
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import grpc
import pytest
import trio
from _grpc_kit import (
    BOTH,
    FROM_MANY,
    TO_MANY,
    UNARY,
    Octets,
    ask,
    connected,
    echo,
    hang,
    request,
    serve,
    streams_of,
    stub_of,
)
from _protogen.protoc import run as protoc
from grpclib import GRPCError, Status
from grpclib.const import Cardinality
from grpclib.exceptions import ProtocolError, StreamTerminatedError

from etcetra_trio.streams import GrpcStream
from etcetra_trio.streams._frames import rst_stream

ROOT = Path(__file__).parent.parent


@pytest.fixture(params=["lean", "h2"])
def http2(request: pytest.FixtureRequest) -> str:
    engine: str = request.param
    return engine


def fail(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
    """Echo; then an error with everything that can come with it."""
    for message in requests:
        if message == b"fail":
            break
        yield message
    context.set_trailing_metadata([("my-why", "so"), ("grpc-status-details-bin", DETAILS)])
    context.abort(grpc.StatusCode.ABORTED, "nö: 50 %")


DETAILS = b"\x08\x0a\x12\x03no!\x1a\x2b\x0a\x27type.googleapis.com/any.package.Unknown\x12\x00"


async def test_an_error_before_any_reply(http2: str) -> None:
    with serve(Fail=fail) as server:
        async with connected(server, http2) as communicator:
            with pytest.raises(GRPCError) as caught:
                await ask(communicator.channel, "Fail", Octets(b"fail"))
            assert (caught.value.status, caught.value.message) == (Status.ABORTED, "nö: 50 %")
            assert caught.value.details is None  # googleapis-common-protos is not installed
            async with request(communicator.channel, "Fail") as stream:
                await stream.send_message(Octets(b"fail"))
                with pytest.raises(GRPCError):
                    await stream.recv_initial_metadata()
                assert not stream.initial_metadata
                assert stream.trailing_metadata == {"my-why": "so"}
            # It was raised once, so the block's end does not raise it again.


async def test_an_error_after_replies(http2: str) -> None:
    replies: list[bytes] = []
    with serve(Fail=fail) as server:
        async with connected(server, http2) as communicator:
            with pytest.raises(GRPCError, match="50 %"):
                async with request(communicator.channel, "Fail", BOTH) as stream:
                    for data in (b"one", b"two", b"fail"):
                        await stream.send_message(Octets(data))
                    replies.extend([reply.data async for reply in stream])
                    assert await stream.recv_message() is None
            assert replies == [b"one", b"two"]
            assert stream.trailing_metadata == {"my-why": "so"}
            both = stub_of(communicator.channel, "Fail").both([Octets(b"3"), Octets(b"fail")])
            assert await both.receive() == Octets(b"3")
            with pytest.raises(GRPCError, match="50 %"):
                await both.receive()


def test_details_of_an_error(tmp_path: Path) -> None:
    """Where google.rpc can be imported they are decoded, as grpclib does it."""
    source = tmp_path / "source" / "google" / "rpc"
    source.mkdir(parents=True)
    (source / "status.proto").write_text(
        'syntax = "proto3"; package google.rpc; import "google/protobuf/any.proto";'
        "message Status { int32 code = 1; string message = 2; repeated google.protobuf.Any details = 3; }"
    )
    protoc(tmp_path / "source", f"--python_out={tmp_path}")
    program = (
        "from grpclib import Status; from etcetra_trio.streams import _grpc, _metadata;"
        f"end = _grpc.StreamEnd('status', 10, 'no!', ((b'grpc-status-details-bin', {b64encode(DETAILS)!r}),));"
        "print(_metadata.status_details(Status.ABORTED, end));"
        "end = _grpc.StreamEnd('status', 10, 'no!', ((b'grpc-status-details-bin', b'/w'),));"
        "print(_metadata.status_details(Status.ABORTED, end))"
    )
    paths = f"import sys; sys.path[:0] = [{str(tmp_path)!r}];"
    command = [sys.executable, "-W", "error", "-c", paths + program]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == "[Unknown('any.package.Unknown')]\nNone\n"


async def test_a_lost_connection(http2: str) -> None:
    with serve(Hang=hang) as server:
        async with connected(server, http2) as communicator:
            connection = await communicator._endpoints.connection()
            with pytest.raises(StreamTerminatedError, match=r"closed the connection|Broken pipe") as caught:
                async with request(communicator.channel, "Hang") as stream:
                    await stream.send_message(Octets(b""))
                    connection._shut_down()
                    await stream.recv_message()
            assert caught.value.__notes__ == [f"/any.Service/Hang at {connection.endpoint}"]
            assert streams_of(communicator) == 0
            with pytest.raises(GRPCError):  # the next call has a connection of its own
                await ask(communicator.channel, "Nothing")


async def test_a_reset(http2: str) -> None:
    """An answer that came before it is delivered first."""
    with serve(Echo=echo) as server:
        async with connected(server, http2) as communicator:
            connection = await communicator._endpoints.connection()
            with pytest.raises(StreamTerminatedError, match="reset the stream: INTERNAL_ERROR"):
                async with request(communicator.channel, "Echo", BOTH) as stream:
                    await stream.send_message(Octets(b"x"))
                    await stream.recv_initial_metadata()
                    await trio.sleep(0.1)
                    (stream_id,) = connection.engine.streams
                    connection.engine.receive(rst_stream(stream_id, 2))
                    assert await stream.recv_message() == Octets(b"x")
                    with pytest.raises(StreamTerminatedError):
                        await stream.send_message(Octets(b"y"))
                    await stream.recv_message()


async def test_no_server(http2: str) -> None:
    with serve() as server:
        client = server.client(http2=http2)
    async with client.connect(wait=False) as communicator:
        with pytest.raises(OSError, match=r"127\.0\.0\.1"):
            await ask(communicator.channel, "Echo")


async def test_an_answer_that_sending_meets(http2: str) -> None:
    """The server answers while requests are still sent: its status is what the block raises."""
    with serve(Fail=fail) as server:
        async with connected(server, http2) as communicator:
            with pytest.raises(GRPCError, match="50 %") as caught:
                async with request(communicator.channel, "Fail", FROM_MANY) as stream:
                    await stream.send_message(Octets(b"fail"))
                    while True:
                        await stream.send_message(Octets(b"x" * 1000))
            assert isinstance(caught.value.__cause__, StreamTerminatedError)
            with pytest.raises(GRPCError, match="50 %"):
                await stub_of(communicator.channel, "Fail").from_many(Octets(b"fail") for _ in range(10**9))


async def test_a_block_left_early(http2: str) -> None:
    """Many replies: what is not over is reset. One reply: its end is waited for."""
    with serve(Echo=echo, Fail=fail, Hang=hang) as server:
        async with connected(server, http2) as communicator:
            channel = communicator.channel
            async with request(channel, "Echo", BOTH) as stream:
                await stream.send_message(Octets(b"x"))
                assert await stream.recv_message() == Octets(b"x")
            assert streams_of(communicator) == 0
            async with request(channel, "Hang", TO_MANY) as stream:
                await stream.send_message(Octets(b"x"))
            assert streams_of(communicator) == 0
            with pytest.raises(GRPCError, match="50 %"):
                async with request(channel, "Fail", UNARY) as stream:
                    await stream.send_message(Octets(b"fail"))
            async with request(channel, "Echo", UNARY) as stream:
                await stream.send_message(Octets(b"x"))
            assert stream.trailing_metadata == {}
            async with request(channel, "Echo", UNARY):
                pass
            with pytest.raises(KeyError):
                async with request(channel, "Hang", UNARY) as stream:
                    await stream.send_message(Octets(b"x"))
                    raise KeyError
            assert streams_of(communicator) == 0


async def test_requests_and_a_reply(http2: str) -> None:
    def join(requests: Iterator[bytes], _context: grpc.ServicerContext) -> Iterator[bytes]:
        yield b"".join(requests)

    with serve(Join=join) as server:
        async with connected(server, http2) as communicator:
            parts = [b"x" * 100_000, b"", b"y"]
            joined = await stub_of(communicator.channel, "Join").from_many(map(Octets, parts))
            assert joined == Octets(b"".join(parts))
            async with request(communicator.channel, "Join", FROM_MANY) as stream:
                await stream.send_request(end=True)
                assert await stream.recv_message() == Octets(b"")
                assert await stream.recv_message() is None


async def test_calls_wait_their_turn(http2: str) -> None:
    """The server takes one call at a time; what a second one sends meanwhile is kept for it."""
    with serve(("grpc.max_concurrent_streams", 1), Echo=echo) as server:
        async with connected(server, http2) as communicator:
            channel = communicator.channel
            await ask(channel, "Echo")
            async with request(channel, "Echo", BOTH) as first, request(channel, "Echo", BOTH) as second:
                await first.send_message(Octets(b"1"))
                assert await first.recv_message() == Octets(b"1")
                await second.send_request()

                async def send() -> None:
                    await second.send_message(Octets(b"2"))
                    await second.send_message(Octets(b"3"), end=True)

                async with trio.open_nursery() as nursery:
                    nursery.start_soon(send)
                    await trio.sleep(0.05)
                    await first.end()
                    assert await first.recv_message() is None
                    assert [reply.data async for reply in second] == [b"2", b"3"]


Step = Callable[[GrpcStream[Octets, Octets]], Awaitable[object]]


@pytest.mark.parametrize(
    ("cardinality", "steps", "said"),
    [
        (UNARY, "send_request send_request", "already sent"),
        (UNARY, "send_empty", "needs its message"),
        (UNARY, "send_request end", "needs its message"),
        (UNARY, "send_message send_message", "already ended"),
        (UNARY, "end", "not sent yet"),
        (UNARY, "recv_message", "not sent yet"),
        (UNARY, "cancel", "not sent yet"),
        (UNARY, "send_message recv_trailing_metadata", "initial metadata first"),
        (UNARY, "send_request", "not ended"),
        (UNARY, "send_message recv_message recv_initial_metadata", "initial metadata was already"),
        (
            UNARY,
            "send_message recv_message recv_trailing_metadata recv_trailing_metadata",
            "already received",
        ),
        (BOTH, "send_message recv_message recv_trailing_metadata", "not ended"),
        (BOTH, "send_message end end", "already ended"),
        (BOTH, "send_message end send_message", "already ended"),
        (FROM_MANY, "send_message", "not ended"),
    ],
)
async def test_steps_in_a_wrong_order(cardinality: Cardinality, steps: str, said: str) -> None:
    take: dict[str, Step] = {
        "send_message": lambda stream: stream.send_message(Octets(b"x")),
        "send_empty": lambda stream: stream.send_request(end=True),
    }
    with serve(Echo=echo) as server:
        async with connected(server) as communicator:
            with pytest.raises(ProtocolError, match=said):
                async with request(communicator.channel, "Echo", cardinality) as stream:
                    for step in steps.split():
                        await take.get(step, lambda stream, step=step: getattr(stream, step)())(stream)


async def test_a_message_of_another_type_is_not_sent() -> None:
    with serve(Echo=echo) as server:
        async with connected(server) as communicator:
            with pytest.raises(TypeError, match="use a Octets, not a int"):
                await ask(communicator.channel, "Echo", 1)
            async with request(communicator.channel, "Echo") as stream:
                with pytest.raises(TypeError, match="use a Octets, not a str"):
                    await stream.send_message("x")  # type: ignore[arg-type]
                await stream.send_message(Octets(b"x"))
                await stream.end()
                assert await stream.recv_message() == Octets(b"x")


async def test_every_step_is_a_checkpoint() -> None:
    with serve(Echo=echo) as server:
        async with connected(server) as communicator:
            stream = request(communicator.channel, "Echo", BOTH)
            steps: list[Callable[[], Awaitable[object]]] = [
                stream.__aenter__,
                stream.send_request,
                lambda: stream.send_message(Octets(b"x")),
                lambda: stream.send_message(Octets(b"y")),
                stream.end,
                stream.recv_initial_metadata,
                stream.recv_message,
                stream.recv_message,
                stream.recv_message,
                stream.recv_trailing_metadata,
                lambda: stream.__aexit__(None, None, None),
                lambda: request(communicator.channel, "Echo").__aexit__(None, None, None),
            ]
            for step in steps:
                with trio.testing.assert_checkpoints():
                    await step()
