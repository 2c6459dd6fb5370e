"""The client that is bombed, in a process of its own, for its memory is what is looked at.

Run as ``python -m bombs._client ENGINE CALLS=ENDPOINT...`` in ``tests``: so many calls to each. It prints how they
ended, a line of JSON for each endpoint.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import trio

from etcetra_trio import EtcdClient, EtcdError
from etcetra_trio.streams._endpoints import EngineName

LIMIT = 30  # seconds


def peak() -> int:
    """The most memory that this process has had in use, in octets."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) << 10


async def ask(engine: EngineName, endpoint: str, calls: int) -> dict[str, object]:
    """Call a server so many times at once; how that ended."""
    errors: dict[str, str] = {}
    began = trio.current_time()

    async def call() -> None:
        try:
            await communicator.get("k")
        except EtcdError as caught:
            errors[type(caught).__name__] = str(caught)

    async with EtcdClient(endpoint, http2=engine).connect(wait=False) as communicator:
        communicator._endpoints.patience = 0.0  # the first error is the last
        async with trio.open_nursery() as nursery:
            for _ in range(calls):
                nursery.start_soon(call)
    seconds = trio.current_time() - began
    return {"errors": sorted(errors), "text": " ".join(errors.values()), "seconds": seconds, "peak": peak()}


async def main(arguments: Sequence[str]) -> None:
    name, *endpoints = arguments
    engine: EngineName = "h2" if name == "h2" else "lean"
    for endpoint in endpoints:
        with trio.fail_after(LIMIT):
            calls, _, address = endpoint.partition("=")
            print(json.dumps(await ask(engine, address, int(calls))), flush=True)


if __name__ == "__main__":
    trio.run(main, sys.argv[1:])
