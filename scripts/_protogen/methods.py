"""Writes the method table."""

from __future__ import annotations

import re

from .schema import Schema, version

_HEAD = '''\
# fmt: off
"""What every rpc is: one row for each."""

from typing import Final, NamedTuple

ETCD_VERSION: Final = "{etcd}"


class Method(NamedTuple):
    """What the layers below the API must know about one rpc."""

    path: str  # the HTTP/2 `:path`
    request: str  # full names of its two messages
    response: str
    client_streaming: bool
    server_streaming: bool
    since: str | None  # the first etcd that has it; None: every etcd v3
    newer: bool  # newer than ETCD_VERSION: a server of that version answers UNIMPLEMENTED
    mutates: bool  # can change what the cluster holds
    repeatable: bool  # may be sent again when nobody knows whether it was carried out
    require_leader: bool  # carries `hasleader`, but for serializable reads and MemberList that is not linearizable
'''


def constant(rpc: str) -> str:
    """`HashKV` → `HASH_KV`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", rpc).upper()


def write(schema: Schema, etcd: str) -> list[str]:
    """The lines of `_methods.py`."""
    names = [constant(rpc.name) for rpc in schema.rpcs]
    assert len(set(names)) == len(names), "two services have an rpc of the same name"
    lines = [*_HEAD.format(etcd=etcd).split("\n")]
    for name, rpc in zip(names, schema.rpcs, strict=True):
        row = (
            rpc.path,
            rpc.request,
            rpc.response,
            rpc.client_streaming,
            rpc.server_streaming,
            rpc.since or None,
            version(rpc.since) > version(etcd),
            rpc.mutates,
            rpc.repeatable,
            rpc.require_leader,
        )
        lines.append(f"{name}: Final = Method{row}")
    return [
        *lines,
        "",
        "METHODS: Final[dict[str, Method]] = {",
        *(f"    {name}.path: {name}," for name in names),
        "}",
    ]
