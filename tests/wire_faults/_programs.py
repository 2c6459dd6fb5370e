"""Servers that are programs of their own."""

from __future__ import annotations

import subprocess
from collections.abc import Generator, Sequence
from contextlib import contextmanager


@contextmanager
def program(command: Sequence[str]) -> Generator[subprocess.Popen[bytes]]:
    """Run a program for the time of a block."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()
