"""Definitions as text: signatures, their parts, docstrings."""

from __future__ import annotations

import ast
import re
import textwrap
from dataclasses import dataclass

from .api import LIVE, Function, Method, is_block
from .etcetra import ALWAYS


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


def returns(node: Function) -> str:
    """The annotation of the result, as the shim has it."""
    text = "None" if node.returns is None else translated(ast.unparse(node.returns))
    if is_block(node):
        return re.sub(r"^\w+\[(.*?)(, None)?\]$", r"Hosted[\1]", text)
    return text


def translated(annotation: str) -> str:
    """An annotation in the shim's words."""
    return annotation.replace("trio.Event", "asyncio.Event").replace("TxnAction[", "EtcdTransactionAction[")


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
