"""Writes the decoders of the hot responses.

For each message: a class, `_message(buf, i, end)` which expects the fields in the order in which every encoder
writes them, and `_merge_message(o, buf, i, end)` which takes whatever is left: fields out of order, repeated
singular fields, unknown fields. The first is straight-line code, because in Python a call costs more than a field.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby

from .model import RESPONSES, Field, Message, Model

INLINED_VARINT = {"KeyValue", "ResponseHeader"}  # a revision is three or four bytes long in most stores

_DEFAULTS = {"bytes": 'b""', "string": '""', "bool": "False", "message": "None"}
_READERS = {"int64": "int64", "uint64": "uint64", "enum": "int32", "bool": "uint64"}
# The rest of a number whose first byte is in v. Each byte but the last has a bit to take off again.
_FAR = """\
b = buf[i]
if b < 128:
    v += (b << 7) - 128
    i += 1
else:
    c = buf[i + 1]
    if c < 128:
        v += (b << 7) + (c << 14) - 16512
        i += 2
    else:
        d = buf[i + 2]
        if d < 128:
            v += (b << 7) + (c << 14) + (d << 21) - 2113664
            i += 3
        else:
            v, i = int64(buf, i - 1)
""".splitlines()


def snake(name: str) -> str:
    """`PutRequest` → `put_request`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def indent(lines: Iterable[str]) -> list[str]:
    """One level deeper."""
    return ["    " + line for line in lines]


def write(model: Model, docs: dict[str, str]) -> list[str]:
    """The lines of the decoding half of `_codec.py`."""
    messages = model.closure(RESPONSES)
    lines = []
    for message in messages:
        lines += _class(message, docs)
    for message in messages:
        writer = _Decoder(model, message)
        lines += writer.ordered() + writer.merge()
    for name in RESPONSES:
        lines += _entrance(model, name)
    return lines


def _class(message: Message, docs: dict[str, str]) -> list[str]:
    def type_(field: Field) -> str:
        scalar = {"bytes": "bytes", "string": "str", "bool": "bool"}.get(field.type, field.of or "int")
        scalar = "int" if field.type == "enum" else scalar
        if field.repeated:
            return f"list[{scalar}]"
        return f"{scalar} | None" if field.type == "message" else scalar

    names = [f'"{field.name}"' for field in message.fields]
    slots = ", ".join(names) if len(names) > 1 else f"{names[0]},"
    return [
        f"class {message.name}:",
        f'    """{docs[message.name] or message.name}"""',
        f"    __slots__ = ({slots})",
        *(f"    {field.name}: {type_(field)}" for field in message.fields),
        "",
    ]


def _entrance(model: Model, name: str) -> list[str]:
    depth = ", MAX_DEPTH" if model.recursive(name) else ""
    return [
        f"def decode_{snake(name)}(data: bytes) -> {name}:",
        f'    """Raises DecodeError where `data` is not a well-formed {name}."""',
        "    try:",
        f"        return _{snake(name)}(data, 0, len(data){depth})",
        "    except (IndexError, UnicodeDecodeError) as error:",
        f'        raise DecodeError(f"malformed {name} of {{len(data)}} bytes") from error',
        "",
    ]


class _Decoder:
    def __init__(self, model: Model, message: Message) -> None:
        self.model, self.message = model, message
        self.recursive = model.recursive(message.name)

    def signature(self, function: str, first: str, result: str) -> list[str]:
        depth = ", depth: int" if self.recursive else ""
        lines = [f"def {function}({first}buf: bytes, i: int, end: int{depth}) -> {result}:"]
        if self.recursive and not first:
            lines += ["    if depth < 0:", '        raise DecodeError("nested too deeply")']
        return lines

    def call(self, function: str, first: str, message: str, end: str) -> str:
        depth = ", depth - 1" if self.recursive and self.model.recursive(message) else ""
        return f"{function}_{snake(message)}({first}buf, i, {end}{depth})"

    # The straight line.

    def ordered(self) -> list[str]:
        name = self.message.name
        body = self.fields("o", self.message, "end")
        if name == "ResponseHeader":
            body = self.cached_ids(body)
        depth = ", depth" if self.recursive else ""
        return [
            *self.signature(f"_{snake(name)}", "", name),
            f"    o = {name}()",
            *indent(body),
            "    if i != end:",
            f"        _merge_{snake(name)}(o, buf, i, end{depth})",
            "    return o",
            "",
        ]

    def fields(self, o: str, message: Message, end: str) -> list[str]:
        peek = f"t = buf[i] if i < {end} else 0"
        lines = [peek]
        for oneof, group in groupby(message.fields, lambda field: field.oneof):
            fields = list(group)
            if oneof:
                lines += [f"{o}.{field.name} = None" for field in fields]
                for field in fields:
                    word = "if" if field is fields[0] else "elif"
                    lines += [f"{word} t == {field.tag}:", *indent(self.value(f"{o}.{field.name} = ", field))]
                continue
            for field in fields:
                assert field.tag < 128, "needs a tag of two bytes"
                last = field is message.fields[-1]
                if field.repeated:
                    lines += self.repeated(o, field, peek)
                    continue
                store = f"{o}.{field.name} = "
                lines += [
                    f"if t == {field.tag}:",
                    *indent(self.value(store, field, message.name in INLINED_VARINT)),
                ]
                lines += [] if last else ["    " + peek]
                lines += ["else:", f"    {store}{_DEFAULTS.get(field.type, '0')}"]
        return lines

    def repeated(self, o: str, field: Field, peek: str) -> list[str]:
        assert field.type in {"bytes", "message"}, "no hot response repeats anything else, packed or not"
        part = self.model.message(field.of) if field.type == "message" else None
        if part and not part.parts:  # a leaf is inlined: its call would cost as much as two of its fields
            item = [
                *self.length(),
                "e = i + n",
                f"item = {part.name}()",
                *self.fields("item", part, "e"),
                "if i != e:",
                f"    _merge_{snake(part.name)}(item, buf, i, e)",
                "    i = e",
                "items.append(item)",
            ]
        else:
            item = self.value("items.append(", field, close=")")
        scalar = "bytes" if field.type == "bytes" else field.of
        return [
            f"items: list[{scalar}] = []",
            f"{o}.{field.name} = items",
            f"while t == {field.tag}:",
            *indent(item),
            "    " + peek,
        ]

    def length(self) -> list[str]:
        return [
            "n = buf[i + 1]",
            "i += 2",
            "if n > 127:",
            "    b = buf[i]",  # values of a hundred octets and more have lengths of two
            "    if b < 128:",
            "        n += (b << 7) - 128",
            "        i += 1",
            "    else:",
            "        n, i = length(buf, i - 1)",
        ]

    def value(self, store: str, field: Field, inlined: bool = False, close: str = "") -> list[str]:
        """Stores the value whose tag stands at i, and moves i behind it."""
        if field.type == "bytes":
            return [*self.length(), f"{store}buf[i : i + n]{close}", "i += n"]
        if field.type == "string":
            return [*self.length(), f"{store}buf[i : i + n].decode(){close}", "i += n"]
        if field.type == "message":
            return [*self.length(), f"{store}{self.call('', '', field.of, 'i + n')}{close}", "i += n"]
        reader = _READERS[field.type]
        test = " != 0" if field.type == "bool" else ""
        far = _FAR if inlined and field.type == "int64" else [f"v, i = {reader}(buf, i - 1)"]
        return ["v = buf[i + 1]", "i += 2", "if v > 127:", *indent(far), f"{store}v{test}{close}"]

    def cached_ids(self, body: list[str]) -> list[str]:
        """Both ids are random 64-bit numbers, ten bytes or so each: half the cost of a small response."""
        rest = next(n for n, line in enumerate(body) if line == "if t == 24:")
        return [
            "ids = None",
            "behind = 0",
            "if end - i > 22:",
            "    # Where the ids end if both have nine or ten bytes. A wrong guess finds nothing, and is harmless.",
            "    behind = i + 10 if buf[i + 9] < 128 else i + 11",
            "    behind += 10 if buf[behind + 9] < 128 else 11",
            "    ids = HEADER_IDS.get(buf[i:behind])",
            "if ids is not None:",
            "    o.cluster_id, o.member_id = ids",
            "    i = behind",
            "    " + body[0],
            "else:",
            "    start = i",
            *indent(body[:rest]),
            "    if i == behind:",
            "        if len(HEADER_IDS) >= 64:",
            "            HEADER_IDS.clear()",
            "        HEADER_IDS[buf[start:i]] = o.cluster_id, o.member_id",
            *body[rest:],
        ]

    # Whatever is left.

    def merge(self) -> list[str]:
        name = self.message.name
        cases: list[str] = []
        for field in self.message.fields:
            word = "elif" if cases else "if"
            cases += [f"{word} t == {field.tag}:", *indent(self.take(field))]
        return [
            *self.signature(f"_merge_{snake(name)}", f"o: {name}, ", "None"),
            "    while i < end:",
            "        t, i = tag(buf, i)",
            *indent(indent(cases)),
            "        else:",
            "            i = skip(buf, i, t)",
            "    if i != end:",
            f'        raise DecodeError("a field runs past the end of its {name}")',
            "",
        ]

    def take(self, field: Field) -> list[str]:
        """Takes the value at i into `o`, as protobuf merges."""
        target = f"o.{field.name}"
        if field.type not in {"bytes", "string", "message"}:
            if field.type == "bool":
                return ["v, i = uint64(buf, i)", f"{target} = v != 0"]
            return [f"{target}, i = {_READERS[field.type]}(buf, i)"]
        lines = ["n, i = length(buf, i)", "j = i + n"]
        if field.type == "message":
            new = self.call("", "", field.of, "j")
            if field.repeated:
                lines += [f"{target}.append({new})"]
            else:
                group = [
                    other.name for other in self.message.fields if field.oneof and other.oneof == field.oneof
                ]
                lines += [
                    f"{field.name} = {target}",
                    f"if {field.name} is None:",
                    f"    {target} = {new}",
                    *(f"    o.{other} = None" for other in group if other != field.name),
                    "else:",
                    f"    {self.call('_merge', f'{field.name}, ', field.of, 'j')}",
                ]
        else:
            new = "buf[i:j]" if field.type == "bytes" else "buf[i:j].decode()"
            lines += [f"{target}.append({new})" if field.repeated else f"{target} = {new}"]
        return [*lines, "i = j"]
