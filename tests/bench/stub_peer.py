"""Calls made with nothing but a library's stubs, under asyncio: its own ones, not a client of etcd."""

from typing import Any

from . import asyncio_tasks
from .peer import Operations, Peer


def stub_peer(kv: Any, messages: Any) -> Peer[bytes]:
    """A peer that calls the KV service by its stubs."""

    async def get(key: bytes) -> bytes:
        answer = await kv.Range(messages.RangeRequest(key=key))
        value: bytes = answer.kvs[0].value
        return value

    async def put(key: bytes, value: bytes) -> None:
        await kv.Put(messages.PutRequest(key=key, value=value))

    async def prefix(start: bytes) -> int:
        end = start[:-1] + bytes((start[-1] + 1,))
        answer = await kv.Range(messages.RangeRequest(key=start, range_end=end))
        return len({record.key: record.value for record in answer.kvs})

    return Peer(Operations(str.encode, get, put, prefix), asyncio_tasks.together, asyncio_tasks.read_line)
