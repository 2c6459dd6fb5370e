"""Write etcetra_trio/asyncio/_derived*.py, the classes of Trio's API as asyncio programs use them, and __init__.py.

    scripts/derive_asyncio.py            writes them
    scripts/derive_asyncio.py --check    writes nothing; fails if they are not what the Trio API asks for

Every public class of etcetra_trio that has a coroutine or is a context manager gets one of the same name, with the same
methods and docstrings. Methods that etcetra 0.1.19 has as well take its arguments first, in its order (the inventory in
tests/facts), and Trio's others after them, by keyword. docs/design/asyncio.md says why this is a file.
"""

from __future__ import annotations

import difflib
import subprocess
import sys

from _derive.api import PACKAGE
from _derive.modules import derive
from _derive.names import names


def main() -> int:
    """Write the modules, or compare."""
    stale = False
    wanted = {name: derive(name) for name in ("_derived", "_derived_admin", "_derived_client")}
    wanted["__init__"] = names()
    for name, unformatted in wanted.items():
        path, text = PACKAGE / "asyncio" / f"{name}.py", formatted(unformatted)
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        if "--check" not in sys.argv:
            path.write_text(text, encoding="utf-8")
        elif text != old:
            stale = True
            difference = difflib.unified_diff(
                old.splitlines(True), text.splitlines(True), str(path), "derived"
            )
            sys.stdout.writelines(difference)
    return stale


def formatted(text: str) -> str:
    """As ruff formats it."""
    for what in (["check", "--quiet", "--fix", "--exit-zero"], ["format", "--quiet"]):
        command = ["ruff", *what, f"--stdin-filename={PACKAGE}/asyncio/_derived.py", "-"]
        text = subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout
    return text


if __name__ == "__main__":
    sys.exit(main())
