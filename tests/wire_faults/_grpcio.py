"""As much of etcd as the interoperability tests need, on grpcio's own server (gRPC's C core)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from hashlib import sha256

import grpc
from _grpc_kit import Handler

from etcetra_trio._proto._messages import etcdserverpb as pb
from etcetra_trio._proto._messages import mvccpb

Requests = Iterator[bytes]
Answers = Iterator[bytes]


class Store:
    """What was done, and what watches are told."""

    def __init__(self) -> None:
        self.revision = 1
        self.values: dict[bytes, bytes] = {}
        self.puts: list[bytes] = []
        self.events: list[mvccpb.Event] = []
        self.renewals = 0
        #: The calls that :func:`sleeping` held back.
        self.asleep: list[str] = []
        #: The metadata of each call.
        self.metadata: list[dict[str, str | bytes]] = []

    def handlers(self) -> dict[str, Handler]:
        return {
            "Range": self.range,
            "Put": self.put,
            "Watch": self.watch,
            "LeaseGrant": self.grant,
            "LeaseRevoke": lambda requests, context: iter([b""]),
            "LeaseKeepAlive": self.keep_alive,
        }

    def range(self, requests: Requests, context: grpc.ServicerContext) -> Answers:
        key = pb.RangeRequest.parse(next(requests)).key
        self.metadata.append({item.key: item.value for item in context.invocation_metadata()})
        kvs = []
        if key in self.values:
            kvs.append(mvccpb.KeyValue(key=key, value=self.values[key], mod_revision=2, version=1))
        yield bytes(pb.RangeResponse(header=self.header(), kvs=kvs, count=len(kvs)))

    def put(self, requests: Requests, context: grpc.ServicerContext) -> Answers:
        request = pb.PutRequest.parse(next(requests))
        self.write(request.key, request.value)
        yield bytes(pb.PutResponse(header=self.header()))

    def write(self, key: bytes, value: bytes) -> None:
        self.revision += 1
        self.puts.append(key)
        self.values[key] = value
        kv = mvccpb.KeyValue(
            key=key, value=value, mod_revision=self.revision, create_revision=self.revision, version=1
        )
        self.events.append(mvccpb.Event(kv=kv))

    def watch(self, requests: Requests, context: grpc.ServicerContext) -> Answers:
        create = pb.WatchRequest.parse(next(requests)).create_request
        assert create is not None
        start = create.start_revision or self.revision + 1
        yield bytes(pb.WatchResponse(header=self.header(), watch_id=create.watch_id, created=True))
        while context.is_active():
            for event in list(self.events):
                if event.kv is not None and event.kv.key == create.key and event.kv.mod_revision >= start:
                    start = event.kv.mod_revision + 1
                    yield bytes(
                        pb.WatchResponse(header=self.header(), watch_id=create.watch_id, events=[event])
                    )
            time.sleep(0.005)

    def grant(self, requests: Requests, context: grpc.ServicerContext) -> Answers:
        request = pb.LeaseGrantRequest.parse(next(requests))
        yield bytes(pb.LeaseGrantResponse(header=self.header(), id=request.id, ttl=request.ttl))

    def keep_alive(self, requests: Requests, context: grpc.ServicerContext) -> Answers:
        for request in requests:
            self.renewals += 1
            lease = pb.LeaseKeepAliveRequest.parse(request).id
            yield bytes(pb.LeaseKeepAliveResponse(header=self.header(), id=lease, ttl=2))

    def header(self) -> pb.ResponseHeader:
        return pb.ResponseHeader(revision=self.revision)


def refusing(code: grpc.StatusCode, text: str) -> Handler:
    """A handler that answers with a status."""

    def handler(requests: Requests, context: grpc.ServicerContext) -> Answers:
        next(requests)
        context.abort(code, text)
        yield b""

    return handler


def sleeping(store: Store, seconds: float, then: Handler) -> Handler:
    """A handler that takes its time, or as much of it as the client gives it."""

    def handler(requests: Requests, context: grpc.ServicerContext) -> Answers:
        store.asleep.append(then.__name__)
        deadline = time.monotonic() + seconds
        while context.is_active() and time.monotonic() < deadline:
            time.sleep(0.005)
        yield from then(requests, context)

    return handler


def snapshot(*sizes: int, breaks_off: bool = False) -> Handler:
    """Maintenance.Snapshot with blobs of these sizes and its checksum, or an error in its place."""

    def handler(requests: Requests, context: grpc.ServicerContext) -> Answers:
        next(requests)
        content = [bytes((place,)) * size for place, size in enumerate(sizes)]
        for place, blob in enumerate(content):
            yield bytes(pb.SnapshotResponse(blob=blob, remaining_bytes=sum(sizes[place + 1 :])))
        if breaks_off:
            context.abort(grpc.StatusCode.DATA_LOSS, "the disk is gone")
        yield bytes(pb.SnapshotResponse(blob=sha256(b"".join(content)).digest()))

    return handler
