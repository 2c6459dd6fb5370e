"""Waiting for a process, written once for plain programs and for Trio.

A procedure that has to wait is a generator that yields the seconds to sleep until its next step. One driver sleeps
with ``time.sleep``, the other with ``trio.sleep``. No step blocks for more than a few milliseconds.

Deadlines are in ``time.monotonic()``: a process lives in real time, whatever clock a Trio test has put on.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Generator
from typing import TypeAlias, TypeVar

import trio

__all__ = ["POLL", "Steps", "http_get", "run_blocking", "run_in_trio", "together"]

T = TypeVar("T")
Steps: TypeAlias = Generator[float, None, T]

POLL = 0.01  # seconds between two looks at a process


def run_blocking(steps: Steps[T]) -> T:
    """Run ``steps`` in a plain program."""
    with contextlib.closing(steps):
        while True:
            try:
                pause = next(steps)
            except StopIteration as stop:
                return stop.value  # type: ignore[no-any-return]
            time.sleep(pause)


async def run_in_trio(steps: Steps[T]) -> T:
    """Run ``steps`` in a Trio task; when that is cancelled, ``steps`` cleans up as for any error."""
    with contextlib.closing(steps):
        await trio.lowlevel.checkpoint()
        while True:
            try:
                pause = next(steps)
            except StopIteration as stop:
                return stop.value  # type: ignore[no-any-return]
            await trio.sleep(pause)


def together(*procedures: Steps[None]) -> Steps[None]:
    """Run several procedures side by side until all have ended or one has failed."""
    pending = list(procedures)
    with contextlib.ExitStack() as stack:
        for procedure in procedures:
            stack.enter_context(contextlib.closing(procedure))
        while True:
            for procedure in list(pending):
                try:
                    next(procedure)
                except StopIteration:
                    pending.remove(procedure)
            if not pending:
                return
            yield POLL


def http_get(unix_socket: str, path: str, deadline: float) -> Steps[bytes]:
    """Ask an HTTP server for ``path``; the answer, head and body, is empty when the server did not give one."""
    answer = b""
    # Not http.client: this must be able to wait without blocking.
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
        connection.setblocking(False)
        connection.connect(unix_socket)
        connection.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        while time.monotonic() < deadline:
            try:
                piece = connection.recv(1 << 16)
            except BlockingIOError:
                yield POLL
                continue
            if not piece:
                return answer
            answer += piece
    return b""
