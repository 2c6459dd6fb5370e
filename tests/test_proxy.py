"""The fault proxy: between sockets that the tests hold both ends of, and once before a real etcd."""

from __future__ import annotations

import random
import re
import socket
import ssl
import struct
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
import trio
import trio.testing
import trustme

from etcetra_trio import EtcdClient, InvalidRequestError, OutcomeUnknownError
from etcetra_trio.testing import EtcdServer, FaultProxy
from etcetra_trio.testing._link import CHUNK, LIMIT, PARCELS, Direction, Link

SOON = 0.05  # seconds in which what must not come would have come
MIB = 1 << 20
DIRECTIONS: tuple[Direction, ...] = ("client", "server")
Ends = dict[Direction, trio.SocketStream]
OTHER: dict[Direction, Direction] = {"client": "server", "server": "client"}


async def dial(proxy: FaultProxy) -> trio.SocketStream:
    host, _, port = proxy.endpoint.partition("://")[2].rpartition(":")
    return await trio.open_tcp_stream(host.strip("[]"), int(port))


async def assert_dial_is_reset(proxy: FaultProxy) -> None:
    try:
        async with await dial(proxy) as stream:
            assert await read_rest(stream) == (b"", "reset")
    except OSError as error:  # it came before Trio saw the connection
        (cause,) = causes(error)
        assert isinstance(cause, ConnectionResetError)


def causes(error: OSError) -> tuple[BaseException, ...]:
    assert isinstance(error.__cause__, ExceptionGroup)
    return error.__cause__.exceptions


class Lab:
    """A listener, the proxy before it, and connections through the proxy."""

    def __init__(self, listener: trio.SocketListener, proxy: FaultProxy, stack: AsyncExitStack) -> None:
        self.listener = listener
        self.proxy = proxy
        self._stack = stack

    async def dial(self) -> trio.SocketStream:
        return await self._stack.enter_async_context(await dial(self.proxy))

    async def connect(self) -> Ends:
        client = await self.dial()
        server = await self._stack.enter_async_context(await self.listener.accept())
        return {"client": client, "server": server}


@asynccontextmanager
async def open_lab(host: str = "127.0.0.1") -> AsyncGenerator[Lab]:
    with trio.fail_after(10):
        (listener,) = await trio.open_tcp_listeners(0, host=host)
        port = listener.socket.getsockname()[1]
        target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        async with listener, FaultProxy(target) as proxy, AsyncExitStack() as stack:
            yield Lab(listener, proxy, stack)


async def read(stream: trio.SocketStream, size: int) -> bytes:
    octets = b""
    while len(octets) < size:
        piece = await stream.receive_some(size - len(octets))
        assert piece, f"the stream ended after {octets!r}"
        octets += piece
    return octets


async def read_rest(stream: trio.SocketStream) -> tuple[bytes, str]:
    """What comes, and how it ends."""
    octets = bytearray()
    try:
        while piece := await stream.receive_some(MIB):
            octets += piece
    except trio.BrokenResourceError as error:
        assert isinstance(error.__cause__, ConnectionResetError)
        return bytes(octets), "reset"
    return bytes(octets), "end"


async def assert_silent(stream: trio.SocketStream) -> None:
    with trio.move_on_after(SOON) as scope:
        assert await read_rest(stream) is None
    assert scope.cancelled_caught


def links(proxy: FaultProxy) -> set[Link]:
    return proxy._links


# -- without faults


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_octets_and_ends_pass_and_are_counted(host: str) -> None:
    async with open_lab(host) as lab:
        ends = await lab.connect()
        await ends["client"].send_all(b"question")
        assert await read(ends["server"], 8) == b"question"
        await ends["client"].send_eof()
        assert await read_rest(ends["server"]) == (b"", "end")
        await ends["server"].send_all(b"answer")
        before = lab.proxy.statistics()
        assert (before.connections, before.live, before.client_octets) == (1, 1, 8)
        await ends["server"].send_eof()
        assert await read_rest(ends["client"]) == (b"answer", "end")
        after = lab.proxy.statistics()
        assert (after.connections, after.live, after.client_octets, after.server_octets) == (1, 0, 8, 6)


async def test_large_streams_arrive_as_they_were_sent() -> None:
    sent = random.Random(1).randbytes(8 * MIB)
    async with open_lab() as lab, trio.open_nursery() as nursery:
        ends = await lab.connect()

        async def send(direction: Direction) -> None:
            await ends[direction].send_all(sent)
            await ends[direction].send_eof()

        async def receive(direction: Direction) -> None:
            octets, how = await read_rest(ends[direction])
            assert how == "end"
            assert octets == sent

        for direction in DIRECTIONS:
            nursery.start_soon(send, direction)
            nursery.start_soon(receive, direction)


@pytest.mark.parametrize("direction", DIRECTIONS)
async def test_resets_pass(direction: Direction) -> None:
    async with open_lab() as lab:
        ends = await lab.connect()
        ends[direction].socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await ends[direction].aclose()
        assert await read_rest(ends[OTHER[direction]]) == (b"", "reset")
        assert lab.proxy.statistics().live == 0


@pytest.mark.parametrize("direction", DIRECTIONS)
async def test_who_sends_to_one_that_has_closed_is_told(direction: Direction) -> None:
    async with open_lab() as lab:
        ends = await lab.connect()
        await ends[direction].aclose()
        assert await read_rest(ends[OTHER[direction]]) == (b"", "end")
        with pytest.raises(trio.BrokenResourceError):
            while True:
                await ends[OTHER[direction]].send_all(b"are you there?")
                await trio.lowlevel.checkpoint()
        assert lab.proxy.statistics().live == 0


async def test_a_dead_server_is_a_reset() -> None:
    async with open_lab() as lab:
        await lab.listener.aclose()
        await assert_dial_is_reset(lab.proxy)
        assert lab.proxy.statistics().live == 0


async def test_unix_sockets(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with trio.fail_after(10), socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        async with FaultProxy(f"unix://{path}") as proxy, await dial(proxy) as client:
            accepted, _ = await trio.socket.from_stdlib_socket(listener).accept()
            async with trio.SocketStream(accepted) as server:
                await client.send_all(b"question")
                assert await read(server, 8) == b"question"
                proxy.cut()
                assert await read_rest(client) == (b"", "reset")
                assert await read_rest(server) == (b"", "end")


async def test_tls_passes() -> None:
    authority = trustme.CA()
    server_context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(server_context)
    client_context = ssl.create_default_context()
    authority.configure_trust(client_context)

    async def answer(stream: trio.SSLStream[trio.SocketStream]) -> None:
        await stream.send_all(await stream.receive_some())

    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            serve = partial(trio.serve_ssl_over_tcp, host="127.0.0.1")
            (listener,) = await nursery.start(serve, answer, 0, server_context)
            port = listener.transport_listener.socket.getsockname()[1]
            async with FaultProxy(f"https://127.0.0.1:{port}") as proxy:
                assert proxy.endpoint.startswith("https://127.0.0.1:")
                port = int(proxy.endpoint.rpartition(":")[2])
                stream = await trio.open_ssl_over_tcp_stream("127.0.0.1", port, ssl_context=client_context)
                async with stream:
                    await stream.send_all(b"secret")
                    assert await stream.receive_some() == b"secret"
                assert proxy.statistics().client_octets > 100  # a handshake
            nursery.cancel_scope.cancel()


# -- cuts


async def test_cut_resets_all_connections_at_both_ends_and_no_later_ones() -> None:
    async with open_lab() as lab:
        connections = [await lab.connect() for _ in range(3)]
        for ends in connections:
            await ends["server"].send_all(b".")
            await read(ends["client"], 1)
        lab.proxy.cut()
        assert lab.proxy.statistics().live == 0
        for ends in connections:
            for stream in ends.values():
                assert await read_rest(stream) == (b"", "reset")
        ends = await lab.connect()
        await ends["client"].send_all(b"again")
        assert await read(ends["server"], 5) == b"again"
        assert lab.proxy.statistics().connections == 4


@pytest.mark.parametrize("direction", DIRECTIONS)
async def test_cut_after_each_octet_of_the_next_connection(direction: Direction) -> None:
    sent = bytes(range(64))
    async with open_lab() as lab:
        for size in range(len(sent)):
            lab.proxy.cut_after(size, direction)
            if size == 0:
                await assert_dial_is_reset(lab.proxy)
                continue
            ends = await lab.connect()
            await ends[direction].send_all(sent)
            assert await read_rest(ends[OTHER[direction]]) == (sent[:size], "reset")
            assert await read_rest(ends[direction]) == (b"", "reset")
        ends = await lab.connect()  # that was for one connection each
        await ends[direction].send_all(sent)
        assert await read(ends[OTHER[direction]], len(sent)) == sent


async def test_cut_after_counts_for_each_live_connection_from_now_on() -> None:
    async with open_lab() as lab:
        first, second = await lab.connect(), await lab.connect()
        await first["server"].send_all(b"before")
        assert await read(first["client"], 6) == b"before"
        lab.proxy.cut_after(4)
        third = await lab.connect()
        for ends in (first, second, third):
            await ends["client"].send_all(b"the other direction does not count")
            await ends["server"].send_all(b"later")
        assert await read_rest(first["client"]) == (b"late", "reset")
        assert await read_rest(second["client"]) == (b"late", "reset")
        assert await read(third["client"], 5) == b"later"
        lab.proxy.cut_after(0)
        assert await read_rest(third["client"]) == (b"", "reset")


# More than a reader's system takes before it reads, and more than both systems together.
@pytest.mark.parametrize("size", [MIB, 7 * MIB + 1])
async def test_cut_after_waits_for_a_slow_reader(size: int) -> None:
    async with open_lab() as lab, trio.open_nursery() as nursery:
        lab.proxy.cut_after(size)
        ends = await lab.connect()

        async def send() -> None:
            with pytest.raises(trio.BrokenResourceError):
                await ends["server"].send_all(bytes(16 * MIB))

        nursery.start_soon(send)
        await trio.sleep(SOON)
        octets, how = await read_rest(ends["client"])
        assert (len(octets), how) == (size, "reset")


@pytest.mark.parametrize("direction", DIRECTIONS)
async def test_half_close(direction: Direction) -> None:
    async with open_lab() as lab:
        ends = await lab.connect()
        sender, receiver = ends[direction], ends[OTHER[direction]]
        await sender.send_all(b"heard")
        assert await read(receiver, 5) == b"heard"
        lab.proxy.half_close(direction)
        assert await read_rest(receiver) == (b"", "end")
        await sender.send_all(bytes(16 * MIB))  # goes nowhere, and the sender does not notice
        await receiver.send_all(b"answer")
        assert await read(sender, 6) == b"answer"
        await receiver.send_eof()
        assert (await read_rest(sender))[0] == b""
        assert lab.proxy.statistics().live == 0


# -- conditions


@pytest.mark.parametrize("direction", DIRECTIONS)
async def test_black_hole_of_one_direction_holds_all_of_it_until_healed(direction: Direction) -> None:
    async with open_lab() as lab:
        ends = await lab.connect()
        sender, receiver = ends[direction], ends[OTHER[direction]]
        lab.proxy.black_hole(direction)
        await sender.send_all(b"held")
        await sender.send_eof()
        await receiver.send_all(b"not held")
        assert await read(sender, 8) == b"not held"
        await assert_silent(receiver)
        lab.proxy.heal()
        assert await read_rest(receiver) == (b"held", "end")


async def test_black_hole_of_both_directions_takes_new_connections_too() -> None:
    async with open_lab() as lab:
        lab.proxy.black_hole()
        ends = await lab.connect()
        for direction in DIRECTIONS:
            await ends[direction].send_all(direction.encode())
        for direction in DIRECTIONS:
            await assert_silent(ends[direction])
        lab.proxy.heal()
        for direction in DIRECTIONS:
            assert await read(ends[OTHER[direction]], 6) == direction.encode()


async def test_black_hole_holds_the_news_of_a_reset() -> None:
    async with open_lab() as lab:
        ends = await lab.connect()
        lab.proxy.black_hole("client")
        ends["client"].socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await ends["client"].aclose()
        await ends["server"].send_all(b"are you there?")  # its answer, another reset, is held as well
        await assert_silent(ends["server"])
        assert lab.proxy.statistics().live == 1
        lab.proxy.heal()
        assert await read_rest(ends["server"]) == (b"", "reset")


async def test_delay_moves_everything_and_slows_nothing_down() -> None:
    async with open_lab() as lab:
        ends = await lab.connect()
        lab.proxy.delay(0.2)
        start = trio.current_time()
        for number in range(20):
            await ends["client"].send_all(bytes([number]))
            await trio.sleep(0.005)
        await ends["client"].send_eof()
        assert await read(ends["server"], 1) == b"\0"
        assert trio.current_time() - start >= 0.2
        assert await read_rest(ends["server"]) == (bytes(range(1, 20)), "end")
        assert trio.current_time() - start >= 0.2 + 19 * 0.005


async def test_delay_ends_at_once_when_healed() -> None:
    async with open_lab() as lab:
        ends = await lab.connect()
        lab.proxy.delay(3600)
        await ends["client"].send_all(b"late")
        await assert_silent(ends["server"])
        lab.proxy.heal()
        assert await read(ends["server"], 4) == b"late"


async def test_jitter_keeps_the_order() -> None:
    async with open_lab() as lab:
        ends = await lab.connect()
        lab.proxy.delay(0, jitter=0.05)
        sent = bytes(range(100))
        arrivals: list[float] = []
        async with trio.open_nursery() as nursery:

            async def send() -> None:
                for octet in sent:
                    await ends["server"].send_all(bytes([octet]))
                    await trio.sleep(0.002)

            nursery.start_soon(send)
            for octet in sent:
                assert await ends["client"].receive_some(1) == bytes([octet])
                arrivals.append(trio.current_time())
        gaps = [later - earlier for earlier, later in pairwise(arrivals)]
        assert max(gaps) > 0.01  # they come in bursts
        assert min(gaps) < 0.002


async def test_throttle_lets_small_pieces_through_at_its_rate() -> None:
    async with open_lab() as lab:
        ends = await lab.connect()
        lab.proxy.throttle(1000)
        start = trio.current_time()
        await ends["client"].send_all(bytes(100_000))
        pieces = [len(await ends["server"].receive_some(MIB)) for _ in range(15)]
        passed = sum(pieces)
        assert passed <= 1000 * (trio.current_time() - start) + 20  # the first piece comes at once
        assert passed >= 150
        lab.proxy.throttle(1)  # applies to those who wait as well
        await assert_silent(ends["server"])
        lab.proxy.heal()
        await read(ends["server"], 100_000 - passed)
        assert trio.current_time() - start < 5


async def test_refuse_and_accept_keep_the_port_and_the_live_connections() -> None:
    async with open_lab() as lab:
        ends = await lab.connect()
        endpoint = lab.proxy.endpoint
        for _ in range(3):
            lab.proxy.refuse()
            with pytest.raises(OSError, match="connect") as caught:
                await lab.dial()
            (cause,) = causes(caught.value)
            assert isinstance(cause, ConnectionRefusedError)
            await ends["client"].send_all(b"live")
            assert await read(ends["server"], 4) == b"live"
            lab.proxy.accept()
            assert lab.proxy.endpoint == endpoint
            await lab.connect()


async def test_drop_new_accepts_and_resets() -> None:
    async with open_lab() as lab:
        ends = await lab.connect()
        lab.proxy.drop_new()
        await assert_dial_is_reset(lab.proxy)
        await ends["client"].send_all(b"live")
        assert await read(ends["server"], 4) == b"live"
        lab.proxy.accept()
        await lab.connect()
        statistics = lab.proxy.statistics()
        assert (statistics.connections, statistics.live) == (3, 2)


@pytest.mark.parametrize(
    "disturb",
    [
        lambda proxy: proxy.black_hole(),
        lambda proxy: proxy.delay(3600, jitter=3600),
        lambda proxy: proxy.throttle(0.001),
        lambda proxy: proxy.refuse(),
        lambda proxy: proxy.drop_new(),
        lambda proxy: proxy.cut_after(1, "client"),
    ],
)
async def test_heal_ends_it(disturb: Callable[[FaultProxy], None]) -> None:
    async with open_lab() as lab:
        disturb(lab.proxy)
        lab.proxy.heal()
        for _ in range(2):
            ends = await lab.connect()
            await ends["client"].send_all(b"question")
            assert await read(ends["server"], 8) == b"question"
            disturb(lab.proxy)
            lab.proxy.heal()
            await ends["client"].send_all(b"question")
            assert await read(ends["server"], 8) == b"question"


# -- bounds


async def test_back_pressure_is_kept_and_memory_is_bounded() -> None:
    async with open_lab() as lab:
        ends = await lab.connect()
        with trio.move_on_after(0.5) as scope:
            await ends["client"].send_all(bytes(64 * MIB))  # nobody reads
        assert scope.cancelled_caught
        (link,) = links(lab.proxy)
        assert LIMIT <= link._pipes["client"]._size <= LIMIT + CHUNK


async def test_what_comes_octet_by_octet_is_bounded_as_well() -> None:
    async with open_lab() as lab:
        ends = await lab.connect()
        lab.proxy.black_hole()
        (link,) = links(lab.proxy)
        for _ in range(PARCELS + 500):
            await ends["client"].send_all(b".")
            await trio.testing.wait_all_tasks_blocked()
        assert len(link._pipes["client"]._parcels) == PARCELS
        lab.proxy.heal()
        await read(ends["server"], PARCELS + 500)


async def test_leaving_ends_connections_and_waits_for_nothing() -> None:
    async with open_lab() as lab:
        ends = await lab.connect()
        lab.proxy.black_hole()
        await ends["client"].send_all(b"held")
        await trio.sleep(SOON)
        async with FaultProxy(lab.proxy.endpoint) as second:
            client = await dial(second)
            await trio.sleep(SOON)
        async with client:
            assert await read_rest(client) == (b"", "end")
        with pytest.raises(OSError, match="connect"):
            await dial(second)


async def test_only_the_body_error_leaves_the_block() -> None:
    error = KeyError("mine")
    with pytest.raises(KeyError) as caught:
        async with open_lab() as lab:
            await lab.connect()
            raise error
    assert caught.value is error


async def test_arguments_that_make_no_sense() -> None:
    async with open_lab() as lab:
        proxy = lab.proxy
        bad: list[Callable[[], None]] = [
            lambda: proxy.cut_after(-1),
            lambda: proxy.delay(-1),
            lambda: proxy.delay(1, -1),
            lambda: proxy.throttle(0),
            lambda: proxy.half_close("both"),  # type: ignore[arg-type]
            lambda: proxy.black_hole("sever"),  # type: ignore[arg-type]
            lambda: proxy.cut_after(1, "clients"),  # type: ignore[arg-type]
        ]
        for call in bad:
            with pytest.raises(ValueError, match="makes no sense"):
                call()
        worse: list[tuple[Callable[[], None], str]] = [
            (lambda: proxy.cut_after("5"), "octets must be an int, not str"),  # type: ignore[arg-type]
            (lambda: proxy.cut_after(1.5), "octets must be an int, not float"),  # type: ignore[arg-type]
            (lambda: proxy.delay("5"), "seconds must be a number, not str"),  # type: ignore[arg-type]
            (lambda: proxy.delay(1, None), "jitter must be a number, not None"),  # type: ignore[arg-type]
            (lambda: proxy.throttle("1"), "octets_per_second must be a number, not str"),  # type: ignore[arg-type]
        ]
        for call, said in worse:
            with pytest.raises(TypeError, match=said):
                call()
        assert proxy.history == []
        with pytest.raises(TypeError, match=r"rng must be a random\.Random, not int"):
            await proxy.chaos(1)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="every must be a pair of seconds, not float"):
            await proxy.chaos(Random(1), every=0.5)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match=r"every \(-1, 2\) seconds: this makes no sense"):
            await proxy.chaos(Random(1), every=(-1, 2))
    with pytest.raises(ValueError, match="one target"):
        FaultProxy("127.0.0.1:1,127.0.0.1:2")
    with pytest.raises(InvalidRequestError):
        FaultProxy("ftp://127.0.0.1")


# -- chaos


def calls(proxy: FaultProxy) -> list[str]:
    """The names in the history."""
    matches = [re.fullmatch(r"\d+\.\d{3} s, \d+ live: (\w+)\(.*\)", entry) for entry in proxy.history]
    return [match[1] for match in matches if match is not None]


async def test_chaos_breaks_heals_and_says_what_it_did() -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:

            async def echo(stream: trio.SocketStream) -> None:
                try:
                    async for octets in stream:
                        await stream.send_all(octets)
                except trio.BrokenResourceError:
                    pass

            (listener,) = await nursery.start(partial(trio.serve_tcp, host="127.0.0.1"), echo, 0)
            target = f"127.0.0.1:{listener.socket.getsockname()[1]}"
            async with FaultProxy(target) as proxy:

                async def ask_for_ever() -> None:
                    while True:
                        try:
                            async with await dial(proxy) as stream:
                                await stream.send_all(b"question")
                                while octets := await stream.receive_some():
                                    await stream.send_all(octets)
                        except (OSError, trio.BrokenResourceError):
                            await trio.sleep(0.001)

                nursery.start_soon(ask_for_ever)
                await proxy.chaos(random.Random(seed), breaks=30, every=(0.001, 0.03))
                assert proxy.statistics().connections >= 30, proxy.history
                async with await dial(proxy) as stream:
                    await stream.send_all(b"healed")
                    assert await read(stream, 6) == b"healed"
                what = calls(proxy)
                assert what.count("heal") == 30
                assert what.count("cut") >= 30
            nursery.cancel_scope.cancel()


async def test_chaos_does_everything_and_leaves_nothing_when_cancelled() -> None:
    async with open_lab() as lab:
        seen: set[str] = set()
        async with trio.open_nursery() as nursery:

            async def reconnect() -> None:
                while True:
                    try:
                        async with await dial(lab.proxy) as stream:
                            await read_rest(stream)
                    except OSError:
                        await trio.sleep(0.001)

            nursery.start_soon(reconnect)
            nursery.start_soon(lab.proxy.chaos, random.Random(5), 1000, (0.001, 0.003))
            while len(seen) < 6:
                await trio.sleep(SOON)
                seen.update(calls(lab.proxy))
            nursery.cancel_scope.cancel()
        assert seen == {"cut", "cut_after", "half_close", "black_hole", "refuse", "heal"}
        assert calls(lab.proxy)[-1] == "heal"


# -- etcd


async def test_a_client_of_etcd_survives_cuts(etcd_server: EtcdServer) -> None:
    with trio.fail_after(20):
        async with (
            FaultProxy(etcd_server.endpoint) as proxy,
            EtcdClient(proxy.endpoint, namespace="/test_proxy/").connect() as communicator,
        ):
            await communicator.put("k", "1")
            assert await communicator.get("k") == "1"
            assert proxy.statistics().connections == 1
            # A put that does not arrive, and one whose answer does not.
            cases: list[tuple[Direction, str, str]] = [("client", "2", "1"), ("server", "3", "3")]
            for direction, value, afterwards in cases:
                connections = proxy.statistics().connections
                proxy.black_hole(direction)
                async with trio.open_nursery() as nursery:

                    async def put(value: str = value) -> None:
                        with pytest.raises(OutcomeUnknownError):
                            await communicator.put("k", value)

                    nursery.start_soon(put)
                    await trio.sleep(2 * SOON)
                    proxy.cut()
                proxy.heal()
                assert await communicator.get("k") == afterwards
                assert proxy.statistics().connections == connections + 1
            await communicator.delete("k")
