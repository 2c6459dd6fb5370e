"""The shim under FastAPI and uvicorn, over HTTP, with a hundred clients at once."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from etcetra_trio.asyncio import EtcdClient
from etcetra_trio.testing import EtcdServer
from shim._kit import ROOT

CLIENTS = 100
Process = subprocess.Popen[str]


@contextmanager
def serving(loop: str, endpoint: str) -> Generator[tuple[Process, str]]:
    """The application's process and its address."""
    command = [sys.executable, "-W", "error", "-m", "uvicorn", "shim._app:app", "--port", "0", "--loop", loop]
    with subprocess.Popen(
        [*command, "--timeout-graceful-shutdown", "1"],
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "ETCD_ENDPOINT": endpoint},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stderr is not None
            lines: list[str] = []
            while not (found := re.search(r"running on (http://\S+)", lines[-1] if lines else "")):
                lines.append(process.stderr.readline())
                assert lines[-1], "".join(lines)
            yield process, found[1]
        finally:
            process.kill()


def stop(process: Process) -> str:
    """What it says when it is asked to end."""
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=20)
    assert process.returncode in {0, -signal.SIGTERM}, err
    return err


def over_http(address: str, function: Callable[[httpx.AsyncClient], Coroutine[Any, Any, None]]) -> None:
    async def main() -> None:
        limits = httpx.Limits(max_connections=2 * CLIENTS)
        async with httpx.AsyncClient(base_url=address, limits=limits, timeout=60) as http:
            await function(http)

    asyncio.run(main())


async def read_and_write(http: httpx.AsyncClient) -> None:
    async def one(number: int) -> None:
        (await http.put(f"/keys/k{number}", content=f"value {number}")).raise_for_status()
        assert (await http.get(f"/keys/k{number}")).json() == f"value {number}"

    await asyncio.gather(*map(one, range(CLIENTS)))
    assert (await http.get("/keys/no such key")).status_code == 404


async def lock(http: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(http.post("/count/counter") for _ in range(CLIENTS)))
    assert sorted(answer.json() for answer in answers) == list(range(1, CLIENTS + 1))


async def watch(http: httpx.AsyncClient) -> None:
    watching = asyncio.Semaphore(0)

    async def one() -> list[str]:
        found: list[str] = []
        async with http.stream("GET", "/watch/watched-") as response:
            async for line in response.aiter_lines():
                if line == ": watching":
                    watching.release()
                elif line.startswith("data: "):
                    found.append(line.removeprefix("data: "))
                    if len(found) == 10:
                        break
        return found

    tasks = [asyncio.create_task(one()) for _ in range(CLIENTS)]
    for _ in tasks:
        await watching.acquire()
    for number in range(10):
        (await http.put(f"/keys/watched-{number}", content="v")).raise_for_status()
    wanted = [f"watched-{number}=v" for number in range(10)]
    assert await asyncio.gather(*tasks) == [wanted] * CLIENTS


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_hundred_clients(loop: str, etcd_server: EtcdServer) -> None:
    with serving(loop, etcd_server.endpoint) as (process, address):
        for function in (read_and_write, lock, watch):
            over_http(address, function)
        err = stop(process)
        assert "Application shutdown complete" in err
        assert "Traceback" not in err
        assert "Warning" not in err
        asyncio.run(nothing_is_left(etcd_server))


async def nothing_is_left(server: EtcdServer) -> None:
    client = EtcdClient(server.endpoint, namespace="/app/")
    async with client.connect() as communicator:
        assert await communicator.count("count counter/", prefix=True) == 0
        await communicator.delete_prefix("")


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_it_stops_while_somebody_watches(loop: str, etcd_server: EtcdServer) -> None:
    async def watch_on(http: httpx.AsyncClient) -> None:
        async with http.stream("GET", "/watch/watched-") as response:
            lines = response.aiter_lines()
            assert await anext(lines) == ": watching"
            err = await asyncio.to_thread(stop, process)
            assert "Application shutdown complete" in err

    with serving(loop, etcd_server.endpoint) as (process, address):
        over_http(address, watch_on)
