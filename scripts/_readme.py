"""Runs the examples of README.md: the demo shows them, tests/test_readme.py holds the page to its word.

The rules of that page: its ```python blocks run from top to bottom and share their names, like the cells of a notebook.
Each is either a whole program or the inside of an async function: one of Trio, or, in a ```python asyncio block, one of
asyncio. Comments are what it prints, and nothing else.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import inspect
import io
import sys
import tokenize
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import trio

from etcetra_trio.testing import EtcdServer

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

README = Path(__file__).parent.parent / "README.md"
ENDPOINT = '"127.0.0.1", 2379'  # as the page writes it
PATIENCE = 60  # seconds for one example


@dataclass(frozen=True, slots=True)
class Example:
    """One block of code."""

    heading: str
    line: int  # of its first line of code
    code: str
    kind: str = "python"

    @property
    def promise(self) -> str:
        """What it should print, by its comments."""
        tokens = tokenize.generate_tokens(io.StringIO(self.code).readline)
        comments = [token.string for token in tokens if token.type == tokenize.COMMENT]
        return "".join(comment.removeprefix("# ") + "\n" for comment in comments)


def examples(text: str, kind: str = "python") -> Iterator[Example]:
    """Find the examples in the text of a page: those for Trio, or those that are ``python asyncio``."""
    heading, language, block = "", None, list[str]()
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("```"):
            if language is None:
                language = line.removeprefix("```")
                block = []
            else:
                if language == kind:
                    yield Example(heading, number - len(block), "\n".join(block) + "\n", kind)
                language = None
        elif language is not None:
            block.append(line)
        elif line.startswith("#"):
            heading = line.lstrip("# ")


def run(
    example: Example,
    names: dict[str, object],
    host: str,
    port: int,
    runner: Callable[[Callable[[], Coroutine[Any, Any, None]]], object] | None = None,
) -> str:
    """Run an example against the server at ``host``:``port``, its inside with ``runner``; return what it printed."""
    source = "\n" * (example.line - 1) + example.code.replace(ENDPOINT, f'"{host}", {port}')
    code = compile(source, README.name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)

    async def inside() -> None:
        await eval(code, names)  # noqa: S307 - it is our own page

    with contextlib.redirect_stdout(io.StringIO()) as printed:
        if code.co_flags & inspect.CO_COROUTINE:
            (runner or (run_in_asyncio if example.kind == "python asyncio" else run_in_trio))(inside)
        else:
            exec(code, names)  # noqa: S102 - it is our own page
    return printed.getvalue()


def run_in_trio(inside: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """What runs an example for Trio."""

    async def bounded() -> None:
        with trio.fail_after(PATIENCE):
            await inside()

    trio.run(bounded)


def run_in_asyncio(inside: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """What runs an example for asyncio."""

    async def bounded() -> None:
        async with asyncio.timeout(PATIENCE):
            await inside()

    asyncio.run(bounded())


def demo() -> int:
    """Show every example with what it prints; return how many of them do not print what the page says."""
    broken: list[int] = []
    text = README.read_text(encoding="utf-8")
    for language in ("python", "python asyncio"):
        names: dict[str, object] = {}
        with EtcdServer() as server:  # each begins with an empty store
            print(f"etcd {server.version} runs at {server.host}:{server.port}, for this demo only")
            for example in examples(text, language):
                print(f"\n\n--- {example.heading} ({README.name}, line {example.line})\n\n{example.code}")
                printed = run(example, names, server.host, server.port)
                print("prints:\n" if printed else "prints nothing", printed, sep="", end="")
                if printed != example.promise:
                    broken.append(example.line)
                    print(f"but {README.name} says:\n{example.promise}")
    lines = ", ".join(map(str, broken))
    print(f"\n\nNot as {README.name} says: line {lines}" if broken else f"\n\nAll as {README.name} says.")
    return len(broken)


if __name__ == "__main__":
    sys.exit(demo() > 0)
