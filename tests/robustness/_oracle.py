"""The store's log through one member, read by nothing of ours: grpcio for the calls, protobuf's upb for the messages.

Run as a program: ``python -m robustness._oracle ENDPOINT FIRST LAST [USER PASSWORD]`` prints the revisions from FIRST
to LAST, one JSON line each, and then the hash of the store at LAST. Padding is left
off.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any, TypeAlias

import _upb
import grpc

from ._history import PADDING

TIMEOUT = 120  # seconds

Who: TypeAlias = tuple[tuple[str, str], ...]


def log(
    channel: grpc.Channel, first: int, last: int, who: Who
) -> Iterator[tuple[int, list[tuple[Any, ...]]]]:
    """All revisions from ``first`` to ``last``, each with its events."""
    request = _upb.message("etcdserverpb.WatchRequest")()
    request.create_request.key = request.create_request.range_end = b"\0"
    request.create_request.start_revision = first
    watch = channel.stream_stream(
        "/etcdserverpb.Watch/Watch",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=_upb.message("etcdserverpb.WatchResponse").FromString,
    )
    pending: list[tuple[Any, ...]] = []
    revision = 0
    call = watch(iter([request]), timeout=TIMEOUT, metadata=who)
    for response in call:
        if response.canceled:
            raise SystemExit(f"the watch was refused: {response.cancel_reason} {response.compact_revision}")
        for event in response.events:
            if event.kv.mod_revision != revision:
                if pending:
                    yield revision, pending
                revision, pending = event.kv.mod_revision, []
            if revision > last:
                return
            kv = event.kv
            pending.append(
                (
                    bool(event.type),
                    kv.key.decode(),
                    kv.value.decode().rstrip(PADDING),
                    kv.create_revision,
                    kv.version,
                    kv.lease,
                )
            )
        if revision == last:  # one response holds all events of a revision
            yield revision, pending
            return


def store_hash(channel: grpc.Channel, revision: int, who: Who) -> int:
    """A hash over what the member holds up to a revision."""
    request = _upb.message("etcdserverpb.HashKVRequest")(revision=revision)
    call = channel.unary_unary(
        "/etcdserverpb.Maintenance/HashKV",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=_upb.message("etcdserverpb.HashKVResponse").FromString,
    )
    return int(call(request, timeout=TIMEOUT, metadata=who).hash)


def token(channel: grpc.Channel, name: str, password: str) -> Who:
    """The metadata of a user's calls."""
    request = _upb.message("etcdserverpb.AuthenticateRequest")(name=name, password=password)
    call = channel.unary_unary(
        "/etcdserverpb.Auth/Authenticate",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=_upb.message("etcdserverpb.AuthenticateResponse").FromString,
    )
    return (("token", call(request, timeout=TIMEOUT).token),)


def main() -> None:
    endpoint, first, last, *user = sys.argv[1:]
    options = [("grpc.max_receive_message_length", -1)]
    with grpc.insecure_channel(endpoint.partition("://")[2], options=options) as channel:
        for entry in log(channel, int(first), int(last), token(channel, *user) if user else ()):
            print(json.dumps(entry, separators=(",", ":")))
        print(json.dumps({"hash": store_hash(channel, int(last), token(channel, *user) if user else ())}))


if __name__ == "__main__":
    main()
