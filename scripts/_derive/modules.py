"""The modules: which classes are in which one, and what they import."""

from __future__ import annotations

import ast
import builtins
import re
from itertools import starmap

from .api import BY_HAND, HEAVY, LIVE, PACKAGE, PUBLIC
from .classes import Derived
from .client import client

HEADER = '''"""The classes of Trio's API for asyncio. Written by scripts/derive_asyncio.py: never edit it."""

# What is called behind these signatures is chosen at run time:
# mypy: disable-error-code="no-any-return, misc, overload-overlap"
# ruff: noqa: A002, ANN401, ARG005, D, E501, FBT, PLW, PYI

from __future__ import annotations

'''
SHIM = [
    "from .._keys import TextT",
    "from ._arguments import all_deleted, as_codec, as_filters, as_number, as_sort, deleted, previous",
    "from ._client import ClientBase",
    "from ._hosted import Hosted",
    "from ._links import Links",
    "from ._txn import EtcdTransactionAction, TxnResult, carry_out",
    "from .._addresses import EtcdCredential",
    "from ._wrapped import Channel, Entered, Wrapped, answer, do, register, wrap",
    "from .types import RangeRequestSortOrder, RangeRequestSortTarget, WatchCreateRequestFilterType",
    "from .types import WatchBatch, WatchEvent",
    "from typing import Any, Generic, TypeVar, overload",
    "from importlib import import_module",
]


def derive(module: str) -> str:
    """The text of a module."""
    heavy = module == "_derived_admin"
    chosen = {name: cls for name, cls in LIVE.items() if home(name) == module}
    registered = registration(chosen if heavy else LIVE) if module != "_derived_client" else ""
    text = "\n\n".join([*starmap(definition, chosen.items()), registered])
    tree = ast.parse(text)
    known = {*dir(builtins), *(node.name for node in tree.body if isinstance(node, ast.ClassDef))}
    bound = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - known - bound
    lines, variables = imports(used if heavy else used - HEAVY)
    later = sorted(used & HEAVY)
    if later and not heavy:
        lines += ["from typing import TYPE_CHECKING", "if TYPE_CHECKING:"]
        lines += [f"    from ._derived_admin import {name}" for name in later]
    return "\n\n".join([HEADER + "\n".join(lines), *variables, text]) + "\n"


def definition(name: str, cls: type) -> str:
    """The text of a class."""
    derived = Derived(name, cls)
    return client(derived) if name == "EtcdClient" else derived.text()


def home(name: str) -> str:
    """The module that a class is written into."""
    return "_derived_client" if name == "EtcdClient" else "_derived_admin" if name in HEAVY else "_derived"


def imports(used: set[str]) -> tuple[list[str], list[str]]:
    """How the names that the module uses come to it, and its type variables."""
    found = {name: line for line in SHIM for name in re.split(r", ", line.partition(" import ")[2])}
    found = {name: f"from .. import {name}" for name in PUBLIC} | found
    variables: dict[str, str] = {}
    for path in [*PACKAGE.glob("_*.py"), *PACKAGE.glob("streams/_*.py")]:
        inside = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                up = "" if not node.level else "..streams." if node.level == 1 and "." in inside else ".."
                for alias in node.names:
                    found.setdefault(alias.name, f"from {up}{node.module or ''} import {alias.name}")
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                name = node.targets[0].id
                if re.match(r"TypeVar\(", ast.unparse(node.value)):
                    variables.setdefault(name, ast.unparse(node))
                else:
                    found.setdefault(name, f"from ..{inside} import {name}")
    modules = {name: f"import {name}" for name in ("asyncio", "os", "ssl", "trio")}
    modules["_trio"] = "import etcetra_trio as _trio"
    lines = {
        found[name] if name in found else modules[name] for name in used if name in found or name in modules
    }
    return sorted(lines), sorted(variables[name] for name in used if name in variables and name not in found)


def registration(chosen: dict[str, type]) -> str:
    """Which class is given for which of Trio's."""
    pairs = [
        f'"{name}": {name},'
        for name in chosen
        if name not in BY_HAND and (chosen is not LIVE or name not in HEAVY)
    ]
    if chosen is LIVE:
        pairs += [
            f'"{name}": lambda scope, calls: import_module("._derived_admin", __package__).{name}(scope, calls),'
            for name in HEAVY & LIVE.keys()
        ]
        pairs += ['"WatchEvent": lambda scope, event: WatchEvent(*event),']
        events = "[wrap(scope, event) for event in batch.events]"
        pairs += [f'"WatchBatch": lambda scope, batch: WatchBatch(batch.revision, {events}),']
    return "register({" + "\n".join(sorted(pairs)) + "})"
