"""Write etcetra_trio/asyncio/_derived*.py, the classes of Trio's API as asyncio programs use them, and __init__.py.

    scripts/derive_asyncio.py            writes them
    scripts/derive_asyncio.py --check    writes nothing; fails if they are not what the Trio API asks for

Every public class of etcetra_trio that has a coroutine or is a context manager gets one of the same name, with the same
methods and docstrings. Methods that etcetra 0.1.19 has as well take its arguments first, in its order (the inventory in
tests/facts), and Trio's others after them, by keyword. docs/design/asyncio.md says why this is a file.
"""

from __future__ import annotations

import ast
import builtins
import difflib
import inspect
import json
import re
import subprocess
import sys
import textwrap
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import trio

import etcetra_trio

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "etcetra_trio"
INVENTORY = json.loads((ROOT / "tests/facts/etcetra-0.1.19-inventory.json").read_text(encoding="utf-8"))

Function = ast.FunctionDef | ast.AsyncFunctionDef

# Names of classes: those written by hand derive from what is written here.
BY_HAND = {"EtcdClient", "EtcdCommunicator"}
# What etcetra's parameters are, by their names.
NUMBERS = {"limit", "revision", "start_revision", "watch_id", "id"} | {
    f"{bound}_{what}_revision" for bound in ("min", "max") for what in ("mod", "create")
}
ANNOTATIONS = {
    **dict.fromkeys(NUMBERS, "int | str | None"),
    **dict.fromkeys(("key", "prefix", "range_end"), "str | bytes"),
    **dict.fromkeys(("prev_kv", "serializable", "progress_notify", "secure"), "bool"),
    "value": "str | bytes | None",
    "lease": "SupportsLease | int | None",
    "ttl": "int",
    "credentials": "EtcdCredential | None",
}
ALWAYS = {
    "sort_order": ("SortOrder | RangeRequestSortOrder", "RangeRequestSortOrder.NONE", "as_sort({})"),
    "sort_target": ("SortTarget | RangeRequestSortTarget", "RangeRequestSortTarget.KEY", "as_sort({})"),
    "filters": ("Sequence[WatchFilter | WatchCreateRequestFilterType] | None", "None", "as_filters({})"),
    "ready_event": ("asyncio.Event | None", "None", "{}"),
    "encoding": ("str | type[bytes] | None", "None", "as_codec({})"),
}
# etcetra's results, and what the docstring then says.
RESULTS = {
    "grant_lease": ("int", "({}).id", "Its id."),
    "put": (
        "TextT | None",
        "previous({})",
        "With ``prev_kv=True`` the value before; None if there was none.",
    ),
    "delete": (
        "TextT | None",
        "deleted({})",
        "With ``prev_kv=True`` the value before; None if there was none.",
    ),
    **dict.fromkeys(
        ("delete_prefix", "delete_range"),
        (
            "list[TextT] | None",
            "all_deleted({}, asked=prev_kv)",
            "With ``prev_kv=True`` the values before, else None.",
        ),
    ),
}
# Methods that etcetra_trio/asyncio/client.py has, because they make communicators.
OWN = {"EtcdCommunicator": {"namespaced", "channel"}}
TRANSACTIONS = {"txn", "txn_compare"}
# Where Trio's parameters have other names.
NAMES_OF_TRIO = {("grant_lease", "id"): "lease_id", ("revoke_lease", "id"): "lease"}
DEVIATING_DEFAULTS = {("keys_range", "serializable"): "False"}  # docs/deviations.csv

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


@dataclass
class Parameter:
    """One of a method of the shim, and what Trio's method gets for it."""

    name: str
    annotation: str
    default: str | None
    keyword: bool
    #: The expression for it, and under which name; none is by position.
    passed: str
    under: str = ""

    @property
    def argument(self) -> str:
        """As it stands in the call of Trio's method."""
        return f"{self.under}={self.passed}" if self.under else self.passed

    def text(self, *, overload: bool = False) -> str:
        """As it stands in a signature."""
        default = "" if self.default is None else f" = {'...' if overload else self.default}"
        return f"{self.name}: {self.annotation}{default}"


@dataclass
class Method:
    """One of Trio's, with its overloads."""

    implementation: Function
    overloads: list[Function] = field(default_factory=list)


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


def derive(module: str) -> str:
    """The text of a module."""
    heavy = module == "_derived_admin"
    chosen = {name: cls for name, cls in LIVE.items() if home(name) == module}
    registered = registration(chosen if heavy else LIVE) if module != "_derived_client" else ""
    text = "\n\n".join([*(Derived(name, cls).text() for name, cls in chosen.items()), registered])
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


class Derived:
    """One class."""

    def __init__(self, name: str, cls: type) -> None:
        self.name = name
        self.cls = cls
        self.methods = methods(cls)
        self.inventory = INVENTORY["classes"].get(name, {}).get("methods", {})
        self.channel = issubclass(cls, trio.abc.ReceiveChannel)

    def text(self) -> str:
        """Its definition."""
        if self.name == "EtcdClient":
            return client(self)
        lines = [f"class {'Derived' if self.name in BY_HAND else ''}{self.name}({', '.join(self.bases())}):"]
        lines.append(indented(docstring(inspect.getdoc(self.cls) or "")))
        if self.name == "EtcdCommunicator":
            lines.append("    _hot: Any  # Trio's communicator, whose coroutines asyncio tasks can run")
        for name, method in self.methods.items():
            if name not in OWN.get(self.name, ()) and (name.startswith("__") or not name.startswith("_")):
                lines.append(indented(self.method(name, method)))
        return "\n\n".join(lines)

    def bases(self) -> list[str]:
        """What it derives from: what Trio's does, as far as that means something here."""
        node = class_node(self.cls)
        kept: list[str] = []
        item = ""
        for base in map(ast.unparse, node.bases):
            if match := re.fullmatch(r"trio\.abc\.ReceiveChannel\[(.*)\]", base):
                item = match[1]
            elif base.startswith(("Mapping[", "Generic[")):
                kept.append(base)
            elif base.endswith("[TextT]"):
                kept.append("Generic[TextT]")
        if self.name in BY_HAND:
            return ["Wrapped", "Generic[TextT]"]
        if self.channel:
            return [f"Channel[{item}]", *kept]
        return ["Entered" if hasattr(self.cls, "__aenter__") else "Wrapped", *kept]

    def method(self, name: str, method: Method) -> str:
        """One method, with its overloads."""
        node = method.implementation
        if is_property(node):
            body = f"return self._get({name!r})"
            return function("@property\n", f"def {name}(self)", returns(node), docstring_of(node), body)
        if name == "__aenter__":
            return function(
                "",
                "async def __aenter__(self)",
                returns(node),
                docstring_of(node),
                "return await self._enter()",
            )
        if name == "aclose" and self.channel:
            body = "await self._aclose()"
            return function("", "async def aclose(self)", "None", docstring_of(node), body)
        if name == "receive" and self.channel:
            return function(
                "",
                "async def receive(self)",
                returns(node),
                docstring_of(node),
                "return await self._receive()",
            )
        parameters = self.parameters(name, node)
        head = "async def" if isinstance(node, ast.AsyncFunctionDef) and not is_block(node) else "def"
        converted = returns(node).startswith(("PutResult[", "DeleteResult[", "LeaseGrant"))
        result, shape, words = RESULTS[name] if converted else ("", "{}", "")
        call, wanted = self.call(name, node, parameters), result or returns(node)
        text = "".join(
            f"@overload\n{head} {name}({signature(chosen, overload=True)}) -> {variant_result}: ...\n"
            for chosen, variant_result in variants(method, parameters, result)
        )
        doc = docstring_of(node)
        if parameters and parameters[0].name == "key":
            doc = doc.replace("``prefix``", "``key``").replace("\n  prefix: How", "\n  key: How")
        doc = re.sub(r"(Returns:\n)(  .*\n)+", rf"\1  {words}\n", doc) if words else doc
        if method.overloads:
            wanted = re.sub(r"\bTextT\b", "Any", wanted)
        return text + function(
            "", f"{head} {name}({signature(parameters)})", wanted, doc, f"return {shape.format(call)}"
        )

    def parameters(self, name: str, node: Function) -> list[Parameter]:
        """Etcetra's in its order, then Trio's others, by keyword."""
        arguments = node.args
        positional = [*arguments.posonlyargs, *arguments.args][1:]
        defaults: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults))
        defaults += arguments.defaults
        given = [
            *zip(positional, defaults, [False] * len(positional), strict=True),
            *zip(
                arguments.kwonlyargs, arguments.kw_defaults, [True] * len(arguments.kwonlyargs), strict=True
            ),
        ]
        ours = {argument.arg: parameter(argument, default, keyword) for argument, default, keyword in given}
        if name not in self.inventory:
            return list(ours.values())
        found: list[Parameter] = []
        for entry in self.inventory[name]["params"][1:]:
            other = entry["name"]
            theirs = NAMES_OF_TRIO.get((name, other), "prefix" if other == "key" else other)
            match = ours.pop(other) if other in ours else ours.pop(theirs)
            passed = re.sub(rf"\b{match.name}\b", other, match.passed)
            if other in NUMBERS:
                passed = f"as_number({other})"
            elif other == "lease":
                passed = "lease or 0"
            default = entry["default"] if entry["has_default"] else None
            default = DEVIATING_DEFAULTS.get((name, other), default)
            annotation = ANNOTATIONS.get(other, match.annotation)
            if other in ALWAYS:
                annotation, _, conversion = ALWAYS[other]
                passed = conversion.format(other)
                default = ALWAYS[other][1]
            found.append(Parameter(other, annotation, default, False, passed, match.under))
        if name == "put":
            ours["ignore_value"].passed = "ignore_value or value is None"
        return found + [replace(option, keyword=True, under=option.name) for option in ours.values()]

    def call(self, name: str, node: Function, parameters: list[Parameter]) -> str:
        """The expression that calls Trio's method."""
        arguments = ", ".join(
            option.argument for option in sorted(parameters, key=lambda option: bool(option.under))
        )
        comma = f", {arguments}" if arguments else ""
        if is_block(node):
            return f"self._hosted(self._trio.{name}{comma})"
        if not isinstance(node, ast.AsyncFunctionDef):
            return f"self._do(self._trio.{name}{comma})"
        if name in TRANSACTIONS:
            how = f"self._hot.{name}" if self.name == "EtcdCommunicator" else f"self._call, self._trio.{name}"
            method, _, first = how.partition(", ")
            others = [option.argument for option in parameters if option.name != "txn_builder"]
            if any(option.name == "settle" for option in parameters) and not first:
                # To find out what happened takes a watch, and so a task of Trio.
                by_trio = ", ".join(["self._call", "txn_builder", f"self._trio.{name}", *others])
                short = ", ".join([method, "txn_builder", *others])
                return f"await (carry_out({by_trio}) if settle else carry_out({short}))"
            return f"await carry_out({', '.join([method, 'txn_builder', *filter(None, [first]), *others])})"
        if self.name == "EtcdCommunicator" and is_hot(name, self.methods):
            return f"await answer(self._hot.{name}({arguments}))"
        return f"await self._call(self._trio.{name}{comma})"


def client(derived: Derived) -> str:
    """The client's constructor: etcetra's arguments, then Trio's others."""
    method = derived.methods["__init__"]
    ours = {p.name: p for p in derived.parameters("__init__", method.implementation)}
    found = [Parameter("addr", ours.pop("endpoints").annotation, None, False, "addr")]
    for entry in INVENTORY["classes"]["EtcdClient"]["init"][1:]:
        name = entry["name"]
        known = ours.pop(name, None)
        annotation = known.annotation if known else ANNOTATIONS[name]
        if name == "encoding":
            annotation = "str | None"
        found.append(Parameter(name, annotation, entry["default"], False, name if known else "", name))
    found += ours.values()
    text = inspect.getsource(sys.modules["etcetra_trio._client"])
    aliases = {}
    for node in ast.walk(ast.parse(text)):
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and node.targets[0].id.startswith("_")
        ):
            aliases[node.targets[0].id] = ast.unparse(node.value)
    for option in found:
        for alias, meaning in aliases.items():
            option.annotation = re.sub(rf"\b{alias}\b", meaning, option.annotation)
        option.annotation = option.annotation.replace("EngineName", 'Literal["lean", "h2"]')
    unsupported = [p.name for p in found if not p.passed]
    passed = ", ".join(p.argument for p in found if p.passed)
    lines = ["class EtcdClient(ClientBase[TextT]):", indented(docstring(client_doc(derived)))]
    texts = [p if p.name != "encoding" else Parameter("encoding", "str", p.default, False, "") for p in found]
    octets = [p for p in found if p.name != "encoding"]
    octets.append(Parameter("encoding", "None", None, True, ""))
    head = "def __init__(self: EtcdClient[{}], {}) -> None: ..."
    for kind, chosen in (("str", texts), ("bytes", octets)):
        ordered = sorted(chosen, key=lambda p: p.keyword)
        lines.append(indented("@overload\n" + head.format(kind, signature(ordered, overload=True)[6:])))
    body = [f"def __init__({signature(found)}) -> None:"]
    body += [
        f"    if {name}:\n        raise _trio.InvalidRequestError('{name} is not supported yet')"
        for name in unsupported
    ]
    body.append(f"    self._trio: _trio.EtcdClient[TextT] = do(_trio.EtcdClient, {passed})")
    body += [
        f"    self.{p.name}: {p.annotation} = {p.name}"
        for p in found
        if p.name in {"addr", "secure", "encoding"}
    ]
    body.append("    self._links: Links = Links(self._trio)")
    lines.append(indented("\n".join(body)))
    return "\n\n".join(lines)


def client_doc(derived: Derived) -> str:
    """Trio's, with etcetra's name of the first argument."""
    return (inspect.getdoc(derived.cls) or "").replace("  endpoints: Where", "  addr: Where")


def parameter(argument: ast.arg, default: ast.expr | None, keyword: bool) -> Parameter:
    """One of Trio's."""
    name = argument.arg
    annotation = "" if argument.annotation is None else translated(ast.unparse(argument.annotation))
    value = None if default is None else ast.unparse(default)
    passed = name
    if name in ALWAYS:
        annotation, value, passed = ALWAYS[name][0], ALWAYS[name][1], ALWAYS[name][2].format(name)
    elif annotation.startswith("Callable[") and any(re.search(rf"\b{live}\b", annotation) for live in LIVE):
        passed = f"self.{'_coroutine' if 'Awaitable[' in annotation else '_callback'}({name})"
    return Parameter(name, annotation, value, keyword, passed, name if keyword else "")


def variants(method: Method, parameters: list[Parameter], result: str) -> list[tuple[list[Parameter], str]]:
    """The parameters and the result of each overload."""
    found: list[tuple[list[Parameter], str]] = []
    for node in method.overloads:
        special = {a.arg: ast.unparse(a.annotation) for a in node.args.kwonlyargs if a.annotation is not None}
        encoding = special.get("encoding")
        chosen: list[Parameter] = []
        for option in parameters:
            if option.name == "encoding":
                kind = {None: "None", "str": "str", "None": "type[bytes]"}[encoding]
                new = Parameter(
                    "encoding", kind, None if encoding else "None", option.keyword or encoding is not None, ""
                )
                chosen.append(new)
            elif option.name == "batches":
                batches = special.get("batches")
                if batches:
                    chosen.append(Parameter("batches", batches, None, True, ""))
            else:
                chosen.append(option)
        text = {None: "TextT", "str": "str", "None": "bytes"}[encoding]
        wanted = result.replace("TextT", text) if result else returns(node)
        found.append((sorted(chosen, key=lambda p: p.keyword), wanted))
    return found


def signature(parameters: list[Parameter], *, overload: bool = False) -> str:
    """The text between the parentheses."""
    parts = ["self"]
    keyword = False
    for option in parameters:
        if option.keyword and not keyword:
            keyword = True
            parts.append("*")
        parts.append(option.text(overload=overload))
    return ", ".join(parts)


def function(decorators: str, head: str, result: str, doc: str, body: str) -> str:
    """A definition."""
    return f"{decorators}{head} -> {result}:\n{indented(docstring(doc))}\n{indented(body)}"


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


def returns(node: Function) -> str:
    """The annotation of the result, as the shim has it."""
    text = "None" if node.returns is None else translated(ast.unparse(node.returns))
    if is_block(node):
        return re.sub(r"^\w+\[(.*?)(, None)?\]$", r"Hosted[\1]", text)
    return text


def translated(annotation: str) -> str:
    """An annotation in the shim's words."""
    return annotation.replace("trio.Event", "asyncio.Event").replace("TxnAction[", "EtcdTransactionAction[")


def docstring_of(node: Function) -> str:
    """Its docstring."""
    return ast.get_docstring(node) or ""


def docstring(text: str) -> str:
    """In quotes."""
    if not text:
        return ""
    text = text.replace("trio.Event", "asyncio.Event")
    raw = "r" if "\\" in text else ""
    return f'{raw}"""{text}"""' if len(text.splitlines()) == 1 else f'{raw}"""{text}\n"""'


def indented(text: str) -> str:
    """By one level."""
    return textwrap.indent(text, "    ")


if __name__ == "__main__":
    sys.exit(main())
