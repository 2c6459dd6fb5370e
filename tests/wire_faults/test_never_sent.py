"""Calls of which the socket took nothing: they are sent again, writes too."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
import trio
import trio.testing
from client._kit import impatient, live
from engines import _frames as f
from failover.test_interop import ENGINES

from etcetra_trio import ConnectionLostError, EtcdClient, EtcdError
from etcetra_trio.streams._endpoints import EngineName
from etcetra_trio.streams._frames import MAGIC, first_stream
from wire_faults._etcd import Connection, Etcd, listening


def test_first_stream() -> None:
    settings, data = bytes.fromhex("000000040000000000"), bytes.fromhex("000002000100000003abcd")
    headers = bytes.fromhex("000001010400000005aa")
    assert first_stream(b"") == first_stream(settings + data) == 1 << 31
    other = bytes.fromhex("000001010400000007aa")
    frames = MAGIC + settings + data + headers + other
    starts = [first_stream(frames, start) for start in range(len(frames) + 1)]
    assert starts == [5] * (len(frames) - 19) + [7] * 10 + [1 << 31] * 10


@pytest.mark.parametrize("http2", ENGINES)
def test_a_call_over_a_connection_whose_end_nobody_saw(http2: EngineName) -> None:
    """The server has closed it, and the call comes before the reader looks."""

    async def main(folder: Path) -> None:
        etcd = Etcd(None, "")
        async with listening(etcd, folder), EtcdClient(etcd.endpoint, http2=http2).connect() as communicator:
            await communicator.put("k", "1")
            # Within one step of this task, so that no other task runs in between.
            [peer] = etcd.peers
            assert isinstance(peer, Connection)
            assert isinstance(peer.line.stream, trio.SocketStream)
            peer.line.stream.socket.close()
            await communicator.put("k", "2")
            assert etcd.puts == [(b"k", b"1"), (b"k", b"2")]

    _run(main)


@pytest.mark.parametrize("http2", ENGINES)
def test_those_that_wait_behind_a_full_socket(http2: EngineName) -> None:
    """Of many large writes some went, in part or whole: these are unknown. The others certainly did not happen."""

    async def main(folder: Path) -> None:
        etcd = Etcd(None, "")
        outcomes: list[str | None] = []
        async with listening(etcd, folder), EtcdClient(etcd.endpoint, http2=http2).connect() as communicator:
            impatient(communicator)
            await communicator.get("k")
            [peer] = etcd.peers
            assert isinstance(peer, Connection)
            # Room for everything, but for the socket's: the server reads nothing any more.
            room = f.settings((f.INITIAL_WINDOW, 1 << 30), (f.MAX_STREAMS, 1000)), f.window_update(0, 1 << 30)
            await peer.raw(b"".join(room))
            await trio.testing.wait_all_tasks_blocked()
            peer.line.silent = True

            async def put(number: int) -> None:
                try:
                    await communicator.put(f"{number}", "x" * 60_000)
                except EtcdError as error:
                    outcomes.append(error.outcome)
                    assert isinstance(error.__cause__ or error, ConnectionLostError)

            async with trio.open_nursery() as nursery:
                for number in range(200):
                    nursery.start_soon(put, number)
                await trio.testing.wait_all_tasks_blocked()
                assert len(live(communicator).engine.streams) == 200
                await peer.stream.aclose()
        assert len(outcomes) == 200
        assert 1 <= outcomes.count("unknown") < 20
        assert outcomes.count("not_applied") > 180

    _run(main)


def _run(main: object) -> None:
    with tempfile.TemporaryDirectory() as folder:
        clock = trio.testing.MockClock(autojump_threshold=0)
        trio.run(main, Path(folder), clock=clock)  # type: ignore[arg-type]
