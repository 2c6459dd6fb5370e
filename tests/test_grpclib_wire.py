"""`communicator.channel` against grpcio's server: metadata, deadlines and cancellation go over the wire."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import pytest
import trio
from _grpc_kit import (
    BOTH,
    TO_MANY,
    Octets,
    ask,
    connected,
    echo,
    hang,
    metadata_of,
    request,
    serve,
    streams_of,
    until,
)
from grpclib import GRPCError, Status
from grpclib.exceptions import ProtocolError
from grpclib.metadata import Deadline

from etcetra_trio.streams._metadata import decode_metadata


@pytest.fixture(params=["lean", "h2"])
def http2(request: pytest.FixtureRequest) -> str:
    engine: str = request.param
    return engine


# Metadata.


def mirror(_requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
    """Send everything that came back, at the begin and at the end."""
    back = [(key, value) for key, value in metadata_of(context) if key.startswith("my-")]
    context.send_initial_metadata(back)
    context.set_trailing_metadata([*back, ("my-end-bin", b"\x00\xff")])
    yield b"reply"


async def test_metadata_goes_both_ways(http2: str) -> None:
    pairs: list[tuple[str, str | bytes]] = [
        ("my-text", "a b,c"),
        ("my-text", "second"),
        *(("my-bin", bytes(range(size))) for size in range(5)),
        ("my-all-bin", bytes(range(256))),
    ]
    with serve(Mirror=mirror) as server:
        async with connected(server, http2) as communicator:
            call = request(communicator.channel, "Mirror", metadata=pairs)
            before = (call.initial_metadata, call.trailing_metadata)
            assert before == (None, None)
            async with call as stream:
                await stream.send_request()
                await stream.send_message(Octets(b""))
                await stream.recv_initial_metadata()
                assert stream.initial_metadata is not None
                assert sorted(stream.initial_metadata.items()) == sorted(pairs)
                assert await stream.recv_message() == Octets(b"reply")
                await stream.recv_trailing_metadata()
                assert stream.trailing_metadata is not None
                assert sorted(stream.trailing_metadata.items()) == sorted(
                    [*pairs, ("my-end-bin", b"\x00\xff")]
                )


def test_binary_values_as_any_server_may_write_them() -> None:
    """Padded or not, several in one field (PROTOCOL-HTTP2); what is no base64 is left out."""
    fields = (
        (b":status", b"200"),
        (b"content-type", b"application/grpc"),
        (b"grpc-encoding", b"identity"),
        (b"a-bin", b"YQ,YWI=,,YWJj"),
        (b"a-bin", b"Y"),
        (b"\xff", b"\xff"),
    )
    expected = [("a-bin", b"a"), ("a-bin", b"ab"), ("a-bin", b""), ("a-bin", b"abc"), ("\ufffd", "\ufffd")]
    assert list(decode_metadata(fields).items()) == expected


@pytest.mark.parametrize(
    ("metadata", "error"),
    [
        ({"a": "b\r\nhasleader: true"}, ValueError),
        ({"a\r\nb": "c"}, ValueError),
        ({":path": "/other"}, ValueError),
        ({"grpc-timeout": "1n"}, ValueError),
        ({"te": "x"}, ValueError),
        ({"Upper": "x"}, ValueError),
        ({"a": "é"}, ValueError),
        ({"a": b"octets"}, TypeError),
        ({"a-bin": "text"}, TypeError),
    ],
)
async def test_no_header_is_smuggled_in(metadata: dict[str, str | bytes], error: type[Exception]) -> None:
    with serve() as server:
        async with connected(server) as communicator:
            with pytest.raises(error, match="metadata"):
                request(communicator.channel, "Mirror", metadata=metadata)


class Range(Octets):
    def __init__(self, data: bytes, *, serializable: bool = False) -> None:
        super().__init__(data)
        self.serializable = serializable


class MemberList(Octets):
    def __init__(self, data: bytes, *, linearizable: bool = False) -> None:
        super().__init__(data)
        self.linearizable = linearizable


def leaders(_requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
    yield b",".join(str(value).encode() for key, value in metadata_of(context) if key == "hasleader")


@pytest.mark.parametrize(
    ("path", "message", "metadata", "sent"),
    [
        ("/etcdserverpb.KV/Range", Range(b""), None, b"true"),
        ("/etcdserverpb.KV/Range", Range(b"", serializable=True), None, b""),
        ("/etcdserverpb.KV/Range", Range(b""), {"hasleader": "false"}, b"false"),
        ("/etcdserverpb.Cluster/MemberList", MemberList(b"", linearizable=True), None, b"true"),
        ("/etcdserverpb.Cluster/MemberList", MemberList(b""), None, b""),
        ("/etcdserverpb.Maintenance/Status", Octets(b""), None, b""),
        ("/any.Service/Range", Octets(b""), None, b""),
    ],
)
async def test_only_etcds_own_methods_ask_for_a_leader(
    path: str, message: Octets, metadata: dict[str, str] | None, sent: bytes
) -> None:
    with serve(Range=leaders, MemberList=leaders, Status=leaders) as server:
        async with connected(server) as communicator:
            assert await ask(communicator.channel, path, message, metadata=metadata) == sent


# Deadlines.


def time_left(_requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
    left = context.time_remaining()
    yield b"none" if left is None or left > 10**6 else b"%.1f" % left


async def test_the_earliest_deadline_travels(http2: str) -> None:
    def near(text: bytes, seconds: float) -> bool:
        """With the half second that our own clock is ahead of the server's."""
        return seconds <= float(text) <= seconds + 0.5

    with serve(Left=time_left) as server:
        async with connected(server, http2) as communicator:
            channel = communicator.channel
            assert near(await ask(channel, "Left", timeout=8), 8)
            assert near(await ask(channel, "Left", deadline=Deadline.from_timeout(7)), 7)
            assert near(await ask(channel, "Left", timeout=9, deadline=Deadline.from_timeout(6)), 6)
            with trio.move_on_after(5):
                assert near(await ask(channel, "Left"), 5)
                assert near(await ask(channel, "Left", timeout=8), 5)
                # A stream of replies may outlive the scope that it was opened in.
                async with request(channel, "Left", TO_MANY) as stream:
                    await stream.send_message(Octets(b""))
                    assert [reply.data async for reply in stream] == [b"none"]
    with serve(Left=time_left) as server:
        async with server.client().connect() as communicator:
            assert await ask(communicator.channel, "Left") == b"none"


@pytest.mark.parametrize("option", ["timeout", "deadline"])
async def test_a_deadline_ends_a_call(http2: str, option: str) -> None:
    with serve(Hang=hang) as server:
        async with connected(server, http2) as communicator:
            start = trio.current_time()
            given = 0.2 if option == "timeout" else Deadline.from_timeout(0.2)
            with pytest.raises(TimeoutError, match="Deadline exceeded"):
                await ask(communicator.channel, "Hang", **{option: given})
            assert 0.19 <= trio.current_time() - start < 0.5
            assert streams_of(communicator) == 0
            await until(lambda: server.ended == ["Hang"])
            with pytest.raises(TimeoutError, match="Deadline exceeded"):
                await ask(communicator.channel, "Hang", timeout=0)
            assert server.ended == ["Hang"]


async def test_a_timeout_that_is_none() -> None:
    with serve(Echo=echo) as server:
        async with connected(server) as communicator:
            wrong: tuple[tuple[Any, type[Exception]], ...] = (("5", TypeError), (-1, ValueError))
            for timeout, error in wrong:
                with pytest.raises(error, match="timeout"):
                    await ask(communicator.channel, "Echo", timeout=timeout)
        assert server.ended == []


async def test_only_waits_for_the_call_see_its_deadline() -> None:
    with serve(Echo=echo) as server:
        async with connected(server) as communicator:
            with pytest.raises(TimeoutError, match="Deadline exceeded"):
                async with request(communicator.channel, "Echo", BOTH, timeout=0.1) as stream:
                    await stream.send_message(Octets(b"x"))
                    await trio.sleep(0.2)
                    await stream.recv_message()


async def test_the_servers_word_about_our_own_deadline_is_not_raised() -> None:
    with serve(Hang=hang) as server:
        async with connected(server) as communicator:
            with trio.move_on_after(0.2) as scope:
                async with request(communicator.channel, "Hang") as stream:
                    await stream.send_message(Octets(b""))
                    await trio.sleep(0.05)
                    with trio.CancelScope(shield=True):
                        await trio.sleep(1)  # the server's half second more has passed, too
                    await stream.recv_message()
            assert scope.cancelled_caught


async def test_the_servers_own_deadline_is_a_status() -> None:
    def late(_requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "too late")
        yield b""

    with serve(Late=late) as server:
        async with connected(server) as communicator:
            with pytest.raises(GRPCError) as caught:
                await ask(communicator.channel, "Late", timeout=10)
            assert (caught.value.status, caught.value.message) == (Status.DEADLINE_EXCEEDED, "too late")


async def test_cancelling_a_call_tells_the_server(http2: str) -> None:
    with serve(Hang=hang) as server:
        async with connected(server, http2) as communicator:
            with trio.move_on_after(0.1) as scope:
                await ask(communicator.channel, "Hang")
            assert scope.cancelled_caught
            assert streams_of(communicator) == 0
            await until(lambda: server.ended == ["Hang"])
            async with request(communicator.channel, "Hang", BOTH) as stream:
                await stream.send_message(Octets(b""))
                await stream.cancel()
                assert streams_of(communicator) == 0
                with pytest.raises(trio.ClosedResourceError):
                    await stream.recv_message()
                with pytest.raises(trio.ClosedResourceError):
                    await stream.send_message(Octets(b""))
                with pytest.raises(ProtocolError):
                    await stream.cancel()
