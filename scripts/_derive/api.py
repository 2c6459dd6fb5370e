"""What there is to derive from: Trio's public API, and the sources of its classes."""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trio

import etcetra_trio

PACKAGE = Path(__file__).parents[2] / "etcetra_trio"

Function = ast.FunctionDef | ast.AsyncFunctionDef

# Names of classes: those written by hand derive from what is written here.
BY_HAND = {"EtcdClient", "EtcdCommunicator"}


@dataclass
class Method:
    """One of Trio's, with its overloads."""

    implementation: Function
    overloads: list[Function] = field(default_factory=list)


def public_names() -> dict[str, Any]:
    """Of etcetra_trio, by the sign that type checkers go by."""
    text = (PACKAGE / "__init__.py").read_text(encoding="utf-8")
    return {
        name: getattr(etcetra_trio, name) for name in re.findall(r"import (\w+) as \1$", text, re.MULTILINE)
    }


def live_classes() -> dict[str, type]:
    """The public classes that an asyncio program cannot use as they are."""
    found: dict[str, type] = {}
    for name, thing in PUBLIC.items():
        if (
            inspect.isclass(thing)
            and not issubclass(thing, BaseException)
            and thing.__module__ == "etcetra_trio"
        ):
            members = [
                member for member in dir(thing) if member == "__aenter__" or not member.startswith("_")
            ]
            if any(is_async(inspect.getattr_static(thing, member)) for member in members):
                found[name] = thing
    return found


def is_async(member: Any) -> bool:  # noqa: ANN401 - whatever a class has
    """A coroutine function, or one that makes an asynchronous context manager."""
    inner = inspect.unwrap(member)
    result = inspect.isfunction(inner) and inner.__annotations__.get("return", "")
    return (
        inspect.iscoroutinefunction(inner)
        or inspect.isasyncgenfunction(inner)
        or str(result).startswith("AbstractAsyncContextManager[")
    )


PUBLIC = public_names()
#: Those that bring all of etcd's messages with them, and are imported only when they are asked for.
HEAVY = set(etcetra_trio._ADMINISTRATION)
LIVE = live_classes()


def methods(cls: type) -> dict[str, Method]:
    """The public methods of a class and its bases, by name."""
    found: dict[str, Method] = {}
    for base in cls.__mro__:
        if not base.__module__.startswith("etcetra_trio"):
            continue
        own: dict[str, Method] = {}
        overloads: dict[str, list[Function]] = {}
        for node in class_node(base).body:
            if isinstance(node, Function) and is_wanted(node.name, cls):
                if any(ast.unparse(decorator) == "overload" for decorator in node.decorator_list):
                    overloads.setdefault(node.name, []).append(node)
                else:
                    own[node.name] = Method(node, overloads.get(node.name, []))
        found = {**own, **found} if base is not cls else own
    return found


def is_wanted(name: str, cls: type) -> bool:
    """Public ones, helpers of the communicator (to look into), and those that Python calls."""
    if cls.__name__ == "EtcdClient":
        return name == "__init__"
    if cls.__name__ in BY_HAND:
        return not name.startswith("__")
    special = {"__aenter__", "__getitem__", "__contains__", "__iter__", "__len__"}
    if issubclass(cls, trio.abc.ReceiveChannel):
        special.discard("__aenter__")
    return name in special or not name.startswith("_")


def class_node(cls: type) -> ast.ClassDef:
    """Its source, as a tree; its own word for where that is was changed for the users' eyes."""
    files = {
        inspect.unwrap(member).__code__.co_filename
        for member in vars(cls).values()
        if inspect.isfunction(member)
    }
    found = [
        node
        for path in [*PACKAGE.glob("_*.py"), *PACKAGE.glob("streams/_*.py")]
        if not files or str(path) in files
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and node.name == cls.__name__
    ]
    (node,) = found
    return node


def is_hot(name: str, known: dict[str, Method]) -> bool:
    """Whether a coroutine awaits nothing but ``self._endpoints.call``, itself or in others like it."""
    node = known[name].implementation
    if not isinstance(node, ast.AsyncFunctionDef):
        return False
    for inner in ast.walk(node):
        if isinstance(inner, ast.AsyncWith | ast.AsyncFor | ast.With):
            return False
        if isinstance(inner, ast.Await):
            called = ast.unparse(inner.value.func) if isinstance(inner.value, ast.Call) else ""
            helper = called.removeprefix("self.") if called.startswith("self.") else ""
            if called != "self._endpoints.call" and not (helper in known and is_hot(helper, known)):
                return False
    return True


def is_property(node: Function) -> bool:
    """Whether it is read like an attribute."""
    return any(ast.unparse(decorator) == "property" for decorator in node.decorator_list)


def is_block(node: Function) -> bool:
    """Whether it makes an asynchronous context manager."""
    result = "" if node.returns is None else ast.unparse(node.returns)
    decorated = any(ast.unparse(decorator) == "asynccontextmanager" for decorator in node.decorator_list)
    return decorated or result.startswith("AbstractAsyncContextManager[")


def docstring_of(node: Function) -> str:
    """Its docstring."""
    return ast.get_docstring(node) or ""
