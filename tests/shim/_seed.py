"""Runs the examples of etcetra's README, one after the other: ``python -m shim._seed RUNNER README HOST PORT``.

Nothing in them is changed but the import line, the address, and the slip ``connect() with communicator``. Prints what
each block printed, and what it raised, as JSON.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import inspect
import io
import json
import sys
import warnings
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

FOLDERS = Path(__file__).parents
#: The page, where it is to be had: beside the checkout.
PAGES = [page for folder in FOLDERS if (page := folder / "shared/seed/etcetra-README.md").exists()]
#: Examples that watch never end by themselves.
WATCHING = 1.5
ELSEWHERE = "# on other file\n"


def blocks(text: str) -> list[str]:
    """The blocks of Python."""
    parts = text.split("```python\n")[1:]
    return [part.split("```")[0] for part in parts]


def changed(code: str, host: str, port: str) -> str:
    """With what has to be changed."""
    code = code.replace("from etcetra import", "from etcetra_trio.asyncio import")
    code = code.replace("connect() with communicator", "connect() as communicator")
    return code.replace("'127.0.0.1', 2379", f"{host!r}, {port}")


def runner(name: str) -> Callable[[Callable[[], Coroutine[Any, Any, None]]], None]:
    """What runs a coroutine function."""
    if name == "uvloop":
        import uvloop

        return lambda main: uvloop.run(main())
    if name == "trio_asyncio":
        from etcetra_trio.asyncio import run

        return run
    return lambda main: asyncio.run(main())


async def execute(code: str, names: dict[str, object]) -> None:
    """Run one piece of code, which may await."""
    compiled = compile(code, "README", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    if compiled.co_flags & inspect.CO_COROUTINE:
        await eval(compiled, names)
    else:
        exec(compiled, names)


async def block(code: str, names: dict[str, object]) -> None:
    """Run one block; what is in another file runs beside, a moment later."""
    here, _, elsewhere = code.partition(ELSEWHERE)
    async with asyncio.timeout(WATCHING if ".watch" in code else 60):
        if elsewhere:
            async with asyncio.TaskGroup() as group:
                group.create_task(execute(here, names))
                await asyncio.sleep(0.25)
                group.create_task(execute(elsewhere, names))
        else:
            await execute(here, names)


def main(name: str, readme: str, host: str, port: str) -> None:
    """Run them all."""
    run = runner(name)
    names: dict[str, object] = {"asyncio": asyncio}
    results: list[dict[str, object]] = []
    for original in blocks(Path(readme).read_text(encoding="utf-8")):
        code = changed(original, host, port)

        async def inside(code: str = code) -> None:
            await block(code, names)

        raised = ""
        with (
            warnings.catch_warnings(record=True) as warned,
            contextlib.redirect_stdout(io.StringIO()) as printed,
        ):
            warnings.simplefilter("always")
            try:
                run(inside)
            except TimeoutError:
                raised = "asyncio.TimeoutError"
        results.append(
            {
                "printed": printed.getvalue(),
                "raised": raised,
                "warned": [warning.category.__name__ for warning in warned],
            }
        )
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
