"""One of Trio's classes as asyncio programs use it."""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import replace

import trio

from .api import BY_HAND, Function, Method, class_node, docstring_of, is_block, is_hot, is_property, methods
from .definitions import Parameter, docstring, function, indented, parameter, returns, signature, variants
from .etcetra import (
    ALWAYS,
    ANNOTATIONS,
    DEVIATING_DEFAULTS,
    INVENTORY,
    NAMES_OF_TRIO,
    NUMBERS,
    OWN,
    RESULTS,
    TRANSACTIONS,
)


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
