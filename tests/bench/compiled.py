"""One of our peers on the compiled build in FOLDER: ``python -m tests.bench.compiled FOLDER PEER ARGUMENT...``."""

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from .checks import COMPILED, OURS
from .peer import main


def compiled_command(folder: Path, commands: dict[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    """Our peer of those commands once more, compiled."""
    return {COMPILED: ("compiled", str(folder.resolve()), *commands[OURS])}


def start() -> None:
    folder, peer, *arguments = sys.argv[1:]
    sys.path.insert(0, folder)
    engine = import_module("etcetra_trio.streams._lean")
    if not str(engine.__file__).startswith(folder) or str(engine.__file__).endswith(".py"):
        raise RuntimeError(f"no compiled build in {folder}, but {engine.__file__}")
    sys.argv[1:] = arguments
    import_module(f"{__package__}.{peer}").start()


if __name__ == "__main__":
    main(start)
