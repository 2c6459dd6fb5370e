"""The client, whose constructor takes etcetra's arguments first."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from typing import TYPE_CHECKING

from .definitions import Parameter, docstring, indented, signature
from .etcetra import ANNOTATIONS, INVENTORY

if TYPE_CHECKING:
    from .classes import Derived


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
