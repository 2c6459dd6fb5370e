"""nghttpd, nghttp2's own server. It serves files: some are gRPC messages, others are what a web server would say."""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import trio
import trustme
from _grpc_kit import Octets, request
from failover.test_interop import ENGINES
from grpclib import GRPCError, Status
from grpclib.exceptions import StreamTerminatedError

from etcetra_trio import (
    EtcdClient,
    EtcdCommunicator,
    OutcomeUnknownError,
    TLSConfig,
    UnknownServerError,
    UnsupportedByServerError,
)
from etcetra_trio.streams._endpoints import EngineName
from wire_faults._programs import program

pytestmark = pytest.mark.parametrize("http2", ENGINES)

SIZES = [0, 1, 100, 16_384, 70_000, 3_000_000]
#: Ways to run it.
WAYS: dict[str, list[str]] = {
    "as it is": [],
    "padding": ["--padding=256"],
    "no table in either direction": ["--header-table-size=0", "--encoder-header-table-size=0"],
    "windows of 1,023 octets": ["--window-bits=10", "--connection-window-bits=16"],
    "one stream at a time": ["--max-concurrent-streams=1"],
    "no content-length, no priorities": ["--no-content-length", "--no-rfc7540-pri"],
    "a push that we do not take": ["--push=/etcd/100.grpc=/etcd/1.grpc"],
}


def _framed(message: bytes) -> bytes:
    return b"\0" + len(message).to_bytes(4, "big") + message


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The files: /etcd/N.grpc are messages of N octets; KV.Put is a page."""
    (tmp_path / "etcd").mkdir()
    for size in SIZES:
        (tmp_path / "etcd" / f"{size}.grpc").write_bytes(_framed(b"x" * size))
    (tmp_path / "etcd" / "half.grpc").write_bytes(_framed(b"half")[:-1])
    (tmp_path / "etcdserverpb.KV").mkdir()
    (tmp_path / "etcdserverpb.KV" / "Put").write_text("<p>It works!</p>")
    (tmp_path / "types").write_text("application/grpc grpc\n")
    return tmp_path


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@asynccontextmanager
async def connected(
    nghttpd: str,
    root: Path,
    http2: EngineName,
    *options: str,
    authority: trustme.CA | None = None,
    status: int = 0,
) -> AsyncGenerator[EtcdCommunicator[str]]:
    """Run it for the time of a block."""
    port = _free_port()
    command = [
        nghttpd,
        f"--htdocs={root}",
        f"--mime-types-file={root / 'types'}",
        "--address=127.0.0.1",
        *options,
    ]
    if status >= 0:
        command.append(f"--trailer=grpc-status: {status}")
    config: TLSConfig | None = None
    if authority is None:
        command += ["--no-tls", str(port)]
    else:
        issued = authority.issue_cert("127.0.0.1")
        issued.private_key_pem.write_to_path(str(root / "key.pem"))
        issued.cert_chain_pems[0].write_to_path(str(root / "cert.pem"))
        authority.cert_pem.write_to_path(str(root / "ca.pem"))
        command += [str(port), str(root / "key.pem"), str(root / "cert.pem")]
        config = TLSConfig(root / "ca.pem")
    with program(command) as process, trio.fail_after(30):
        while process.poll() is None:
            with suppress(OSError):
                async with await trio.open_tcp_stream("127.0.0.1", port):
                    break
            await trio.sleep(0.01)
        async with EtcdClient(f"127.0.0.1:{port}", http2=http2, tls=config).connect() as communicator:
            yield communicator


async def _fetch(communicator: EtcdCommunicator[str], file: str, question: bytes = b"?") -> bytes:
    async with request(communicator.channel, f"/etcd/{file}.grpc") as stream:
        await stream.send_message(Octets(question), end=True)
        answer = await stream.recv_message()
    assert answer is not None
    return answer.data


@pytest.mark.parametrize("way", WAYS)
async def test_files_as_answers(nghttpd: str | None, root: Path, http2: EngineName, way: str) -> None:
    """Messages of all sizes, with large questions, one by one and at once, over one connection."""
    if nghttpd is None:
        return  # it has been said
    async with connected(nghttpd, root, http2, *WAYS[way]) as communicator:
        for size in SIZES:
            assert await _fetch(communicator, f"{size}", b"?" * 100_000) == b"x" * size
        got: list[bytes] = []

        async def fetch() -> None:
            got.append(await _fetch(communicator, "70000", b"?" * 5000))

        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(fetch)
        assert got == [b"x" * 70_000] * 20
        assert communicator.statistics().opened == 1


async def test_tls(nghttpd: str | None, root: Path, http2: EngineName) -> None:
    """OpenSSL at the other end, which chooses HTTP/2 by ALPN."""
    if nghttpd is None:
        return
    async with connected(nghttpd, root, http2, authority=trustme.CA()) as communicator:
        for size in SIZES:
            assert await _fetch(communicator, f"{size}") == b"x" * size


async def test_statuses(nghttpd: str | None, root: Path, http2: EngineName) -> None:
    """The one in its trailers; half a message is none."""
    if nghttpd is None:
        return
    async with connected(nghttpd, root, http2, status=9) as communicator:
        with pytest.raises(GRPCError) as caught:
            await _fetch(communicator, "100")
        assert caught.value.status is Status.FAILED_PRECONDITION
    async with connected(nghttpd, root, http2) as communicator:
        with pytest.raises(GRPCError, match="in the middle of a message"):
            await _fetch(communicator, "half")
    async with connected(nghttpd, root, http2, status=-1) as communicator:
        with pytest.raises(GRPCError, match="without a grpc-status"):
            await _fetch(communicator, "100")


@pytest.mark.parametrize("options", [[], ["--error-gzip"]], ids=["plain", "gzip"])
async def test_a_web_server(nghttpd: str | None, root: Path, http2: EngineName, options: list[str]) -> None:
    """Whoever takes a web server for etcd is told so, with the page's first words; a write's verdict is careful."""
    if nghttpd is None:
        return
    async with connected(nghttpd, root, http2, *options) as communicator:
        with pytest.raises(
            UnsupportedByServerError, match=r"HTTP 404 \(text/html; charset=UTF-8\)"
        ) as caught:
            await communicator.get("k")
        assert options or "<title>404 Not Found" in caught.value.message
        with pytest.raises(OutcomeUnknownError, match="HTTP 200: <p>It works!</p>") as unknown:
            await communicator.put("k", "v")
        assert type(unknown.value.__cause__) is UnknownServerError
        with pytest.raises(OutcomeUnknownError, match="HTTP 404"):
            async with communicator.lease(10):
                pass
        assert communicator.statistics().lost == 0


async def test_answers_before_the_question_is_complete(
    nghttpd: str | None, root: Path, http2: EngineName
) -> None:
    """It answers at once, while most of the request still waits for its window, and gives the stream up."""
    if nghttpd is None:
        return
    async with connected(nghttpd, root, http2, "--early-response", "--window-bits=10") as communicator:
        # nghttpd resets the stream before the trailers that it meant to send.
        with pytest.raises(StreamTerminatedError, match="NO_ERROR"):
            await _fetch(communicator, "100", b"?" * 1_000_000)
        assert await _fetch(communicator, "1") == b"x"
        with pytest.raises(UnsupportedByServerError, match="HTTP 404"):
            async with communicator.watch("k"):
                pass
        assert communicator.statistics().lost == 0
