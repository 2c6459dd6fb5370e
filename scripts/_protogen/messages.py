"""betterproto2's messages: the marks put in before, the type checkers' wishes fulfilled after."""

from __future__ import annotations

import re
from pathlib import Path

from .schema import version


def marked(protos: Path, target: Path, etcd: str) -> Path:
    """A copy of `protos` in which what is newer than `etcd` says so: comments become docstrings."""

    def mark(match: re.Match[str]) -> str:
        return f"{match[0]} (newer than {etcd})" if version(match[1]) > version(etcd) else match[0]

    for path in protos.rglob("*.proto"):
        copy = target / path.relative_to(protos)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(re.sub(r"// Since: ([\d.]+)", mark, path.read_text()))
    return target


def tidied(package: Path) -> dict[str, str]:
    """The package's files, by their path beside it."""
    made = {str(path.relative_to(package.parent)): path.read_text() for path in package.rglob("*.py")}
    pool = f"{package.name}/message_pool.py"
    # betterproto2 does not annotate MessagePool.__init__.
    made[pool] = made[pool].replace("MessagePool()", "MessagePool()  # type: ignore[no-untyped-call]")
    return made
