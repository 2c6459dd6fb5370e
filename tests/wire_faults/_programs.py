"""Servers that are programs of their own."""

from __future__ import annotations

import subprocess
from collections.abc import Generator, Sequence
from contextlib import contextmanager


@contextmanager
def program(command: Sequence[str]) -> Generator[int]:
    """Run a server that ends when its input does; its first line says the port."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, f"{command[0]} did not start"
            yield int(line)
        finally:
            process.kill()
