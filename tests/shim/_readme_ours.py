"""Runs the examples for asyncio of our own README: ``python -m shim._readme_ours LOOP HOST PORT``."""

from __future__ import annotations

import dataclasses
import sys
import warnings
from collections.abc import Callable
from typing import Any

from _readme import README, examples, run, run_in_asyncio

from etcetra_trio.asyncio import LockLostWarning


def runner(loop: str) -> tuple[Callable[[Any], object], str]:
    """What runs the inside of a function, and how a whole program says that."""
    if loop == "uvloop":
        import uvloop

        return lambda inside: uvloop.run(inside()), "import uvloop; uvloop.run(main())"
    if loop == "trio_asyncio":
        from etcetra_trio.asyncio import run as run_on_trio_asyncio

        return run_on_trio_asyncio, "from etcetra_trio.asyncio import run; run(main)"
    return run_in_asyncio, "asyncio.run(main())"


def main(loop: str, host: str, port: str) -> int:
    """Run them all; how many differ."""
    warnings.simplefilter("error")
    warnings.simplefilter("ignore", LockLostWarning)  # the page says so
    if loop == "trio_asyncio":
        warnings.simplefilter("ignore", DeprecationWarning)  # of its own
    inside, program = runner(loop)
    names: dict[str, object] = {}
    broken = 0
    for example in examples(README.read_text(encoding="utf-8"), "python asyncio"):
        changed = dataclasses.replace(example, code=example.code.replace("asyncio.run(main())", program))
        printed = run(changed, names, host, int(port), inside)
        if printed != example.promise:
            broken += 1
            print(f"README.md, line {example.line}: printed {printed!r} and not {example.promise!r}")
    return broken


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
