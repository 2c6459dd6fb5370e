"""A conversation cut after every octet, in both directions: nothing is lost, done twice, or told wrongly."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import trio
import trio.testing

from etcetra_trio import EtcdClient, EtcdError
from etcetra_trio.streams._endpoints import EngineName
from wire_faults._etcd import Connection, Etcd, listening
from wire_faults._operations import TTL, told

INFINITE = float("inf")
PREFACE = 24
#: So many tests share the long sweep.
PARTS = 4
ENGINES: tuple[EngineName, ...] = ("lean", "h2")


class Talk(NamedTuple):
    """What a client got of one conversation, and how many octets went each way on each connection."""

    wrote: str
    #: For each connection.
    received: list[bytes]
    sent: list[bytes]


async def _talk(http2: EngineName, cuts: list[tuple[float, float]], folder: Path) -> Talk:
    """A read, a write, a read; a watch with three events beside; a lease that is renewed."""
    etcd = Etcd(None, "")
    etcd.cuts = list(cuts)
    wrote = "answer"
    async with listening(etcd, folder):
        with trio.fail_after(60):
            async with EtcdClient(etcd.endpoint, http2=http2).connect(wait=False) as communicator:
                # The first connection may not come about: then it is a failure, and nothing was done.
                for _ in range(2):
                    try:
                        assert await communicator.get("k") == "v"
                        break
                    except EtcdError as error:
                        assert told(error, write=False) == "ConnectionFailedError"
                        await trio.sleep(1)
                try:
                    await communicator.put("w", "1")
                except EtcdError as error:
                    wrote = told(error, write=True)
                assert await communicator.get("k") == "v"
                applied = len(etcd.puts)
                async with communicator.watch("w", start_revision=2) as events, communicator.lease(TTL):
                    while etcd.revision < 4:
                        etcd.put(b"w", b"2")
                    found = [(await events.receive()).revision for _ in range(etcd.revision - 1)]
                    await trio.sleep(TTL * 0.5)
                    etcd.put(b"w", b"3")
                    found.append((await events.receive()).revision)
    assert found == list(range(2, etcd.revision + 1)), "each event once, in order"
    assert not etcd.expired
    assert len(etcd.puts) == applied <= 1, "nothing is done twice, nor late"
    if wrote == "answer":
        assert applied == 1
    elif wrote.startswith("not applied"):
        assert applied == 0
    else:
        assert wrote == "unknown ConnectionLostError"
    lines = [peer.line for peer in etcd.peers if isinstance(peer, Connection)]
    return Talk(wrote, [bytes(line.received) for line in lines], [bytes(line.sent) for line in lines])


def talk(http2: EngineName, *cuts: tuple[float, float]) -> Talk:
    with tempfile.TemporaryDirectory() as folder:
        return trio.run(
            _talk, http2, list(cuts), Path(folder), clock=trio.testing.MockClock(autojump_threshold=0)
        )


def boundaries(octets: bytes, start: int) -> Iterator[int]:
    """Where frames begin and end."""
    while start < len(octets):
        yield start
        start += 9 + int.from_bytes(octets[start : start + 3], "big")
    assert start == len(octets)
    yield start


def places(talked: Talk, connection: int) -> list[tuple[float, float]]:
    """Every cut at, just before and just behind a frame's boundary, in either direction."""
    received = {
        at + near for at in boundaries(talked.received[connection], PREFACE) for near in (-1, 0, 1, 9)
    }
    sent = {at + near for at in boundaries(talked.sent[connection], 0) for near in (-1, 0, 1, 9)}
    return [
        *((at, INFINITE) for at in sorted(received) if 0 <= at <= len(talked.received[connection])),
        *((INFINITE, at) for at in sorted(sent) if 0 <= at <= len(talked.sent[connection])),
    ]


@pytest.mark.parametrize("http2", ENGINES)
@pytest.mark.parametrize("connection", [0, 1], ids=["calls", "streams"])
def test_at_every_frame(http2: EngineName, connection: int) -> None:
    untouched = talk(http2)
    assert untouched.wrote == "answer"
    assert len(untouched.sent) == 2
    seen = set()
    for cut in places(untouched, connection):
        before = [(INFINITE, INFINITE)] * connection
        seen.add(talk(http2, *before, cut).wrote)
    assert seen == ({"answer", "unknown ConnectionLostError"} if connection == 0 else {"answer"})


@pytest.mark.long
@pytest.mark.parametrize("http2", ENGINES)
@pytest.mark.parametrize("connection", [0, 1], ids=["calls", "streams"])
@pytest.mark.parametrize("way", ["in", "out"])
@pytest.mark.parametrize("part", range(PARTS))
def test_at_every_octet(http2: EngineName, connection: int, way: str, part: int) -> None:
    untouched = talk(http2)
    octets = (untouched.received if way == "in" else untouched.sent)[connection]
    before = [(INFINITE, INFINITE)] * connection
    for at in range(part, len(octets) + 1, PARTS):
        talk(http2, *before, (at, INFINITE) if way == "in" else (INFINITE, at))
