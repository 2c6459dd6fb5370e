"""The bench's end of a peer process: started once, asked in turn, ended with the run."""

import json
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import trio
from trio.abc import ReceiveStream, SendStream

from .stats import Turn
from .workloads import Workload

START_LIMIT = 30  # seconds for importing, connecting and storing the keys
TURN_LIMIT = 30  # seconds on top of the turn's own: only a hanging peer needs them
END_LIMIT = 5


class PeerFailedError(Exception):
    """The peer crashed, hung or gave a wrong answer; the text says which."""


class PeerMissingError(Exception):
    """The peer's packages are not installed."""


class LivePeer:
    """A running peer; ``versions`` are those of the packages it measures."""

    def __init__(self, requests: SendStream, replies: ReceiveStream) -> None:
        self._requests = requests
        self._replies = replies
        self._buffer = b""
        self.versions: dict[str, str] = {}

    async def start(self) -> None:
        self.versions = (await self.reply(START_LIMIT))["versions"]

    async def turn(self, workload: Workload, seconds: float) -> Turn:
        request = {"operation": workload.operation, "tasks": workload.tasks, "seconds": seconds}
        request["most"] = workload.most
        await self.ask(request)
        return Turn(**await self.reply(seconds + TURN_LIMIT))

    async def ask(self, request: dict[str, object]) -> None:
        """Send a request."""
        try:
            await self._requests.send_all(json.dumps(request).encode() + b"\n")
        except trio.BrokenResourceError as error:
            raise PeerFailedError("the process has ended") from error

    async def reply(self, limit: float = TURN_LIMIT) -> dict[str, Any]:
        """Wait for the next reply, for so many seconds."""
        try:
            with trio.fail_after(limit):
                reply: dict[str, Any] = json.loads(await self._line())
        except trio.TooSlowError as error:
            raise PeerFailedError(f"no answer within {limit:g} s") from error
        if "missing" in reply:
            raise PeerMissingError(reply["missing"])
        if "error" in reply:
            raise PeerFailedError(reply["error"])
        return reply

    async def _line(self) -> bytes:
        while b"\n" not in self._buffer:
            data = await self._replies.receive_some()
            if not data:
                raise PeerFailedError("the process ended without an answer")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line


@asynccontextmanager
async def live_peer(
    module: str, *arguments: str, python: str = sys.executable
) -> AsyncGenerator[LivePeer, None]:
    """Run ``python -m tests.bench.<module>`` for as long as the block lasts."""
    command = [python, "-m", f"{__package__}.{module}", *arguments]
    process = await trio.lowlevel.open_process(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        peer = LivePeer(process.stdin, process.stdout)
        await peer.start()
        yield peer
    finally:
        with trio.move_on_after(END_LIMIT, shield=True):
            await process.stdin.aclose()
            await process.wait()
        if process.returncode is None:
            process.kill()
            with trio.move_on_after(END_LIMIT, shield=True):
                await process.wait()
