"""Protobuf's own stubs of etcd's KV service and no client library: bare grpc.aio and bare grpclib alike."""

from importlib import import_module
from typing import Any

from .peer import Operations


def operations(stub: Any) -> Operations[bytes]:
    """What a KV stub of either can do."""
    messages: Any = import_module("etcd.server.kv_pb2")

    async def get(key: bytes) -> bytes:
        answer = await stub.Range(messages.RangeRequest(key=key))
        value: bytes = answer.kvs[0].value
        return value

    async def put(key: bytes, value: bytes) -> None:
        await stub.Put(messages.PutRequest(key=key, value=value))

    async def prefix(start: bytes) -> int:
        end = start[:-1] + bytes((start[-1] + 1,))
        answer = await stub.Range(messages.RangeRequest(key=start, range_end=end))
        return len({record.key: record.value for record in answer.kvs})

    return Operations(str.encode, get, put, prefix)
