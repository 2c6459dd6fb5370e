"""The package's own module: every public name of etcetra_trio, and those of etcetra."""

from __future__ import annotations

import ast

from .api import HEAVY, LIVE, PACKAGE, PUBLIC

# Names of etcetra that take long to import.
LAZY = ("DeleteRangeRequestType", "PutRequestType", "RangeRequestType", "TransactionRequest")
NAMES = '''"""etcetra_trio for asyncio programs: the same names, and those of etcetra 0.1.19.

Written by scripts/derive_asyncio.py: never edit it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

{imports}

if TYPE_CHECKING:
{lazy}


# These bring all of etcd's messages with them, which few need and which take long to import.
_LATER = {sources}


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module {{__name__!r}} has no attribute {{name!r}}")
    return getattr(import_module(_LATER[name]), name)
'''


def names() -> str:
    """The text of __init__.py: every public name of etcetra_trio, and those of etcetra."""
    ours: dict[str, str] = {"run": "_door", "Hosted": "_hosted", "TxnItem": "_txn", "TxnResult": "_txn"}
    ours |= dict.fromkeys(LIVE.keys() - HEAVY, "_derived")
    heavy = {
        **dict.fromkeys(HEAVY, "etcetra_trio"),
        **dict.fromkeys(HEAVY & LIVE.keys(), "etcetra_trio.asyncio._derived_admin"),
    }
    for module in ("client", "types"):
        text = (PACKAGE / "asyncio" / f"{module}.py").read_text(encoding="utf-8")
        listed = next(
            ast.literal_eval(node.value)
            for node in ast.parse(text).body
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
        )
        ours |= dict.fromkeys(listed, module)
    lines = [
        f"from .. import {name} as {name}"
        for name in PUBLIC
        if name not in ours and name not in {"TxnAction", *HEAVY}
    ]
    later = {*LAZY, "NoneType"}
    lines += [f"from .{module} import {name} as {name}" for name, module in ours.items() if name not in later]
    lines += ["from . import errors as errors", "NoneType: type[None] = type(None)"]
    sources = {**heavy, **dict.fromkeys(LAZY, "etcetra_trio.asyncio.types")}
    lazy = [f"    from {source} import {name} as {name}" for name, source in sources.items()]
    return NAMES.format(
        imports="\n".join(lines), lazy="\n".join(sorted(lazy)), sources=dict(sorted(sources.items()))
    )
