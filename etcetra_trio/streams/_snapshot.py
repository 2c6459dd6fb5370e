"""A snapshot of a member's whole database, part by part, and the checksum behind it."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from .._errors import RemoteProtocolError
from .._proto._methods import SNAPSHOT
from .._proto._wire import DecodeError, uint64
from ._fields import bytes_tag, fields, number_tag

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ._connection import Connection

HASH_SIZE = 32  # of SHA-256: the last octets that the server sends
#: How much is gathered before it is given on, in octets.
PART = 1 << 20
_REMAINING, _BLOB, _VERSION = number_tag(2), bytes_tag(3), bytes_tag(4)  # of SnapshotResponse


class Snapshot:
    """What is known of one while it comes."""

    __slots__ = ("digest", "received", "remaining", "version")

    def __init__(self) -> None:
        #: Octets so far, and how many the server says are still to come.
        self.received: int = 0
        self.remaining: int = 0
        #: The version of the storage, as etcd 3.6 and newer tell it.
        self.version: str = ""
        #: The checksum, in hex, once all is there.
        self.digest: str = ""


async def receive_snapshot(
    connection: Connection, take: Callable[[bytes, Snapshot], Awaitable[None]]
) -> Snapshot:
    """Stream a snapshot; ``take`` is awaited for each part, in order, and the server waits meanwhile.

    Cancellation:
      Cleans up: the server stops.

    Raises:
      RemoteProtocolError: the checksum is not that of what came; or ends before its time.
      EtcdError: how the RPC failed.
    """
    state, checksum, tail = Snapshot(), sha256(), b""
    gathered: list[bytes] = []
    size = 0
    call = connection.stream(SNAPSHOT.path, message=b"", end=True, leader=False)
    try:
        while True:
            message = await call.receive()
            if message is not None:
                blob = _decode(message, state, connection)
                gathered.append(blob)
                size += len(blob)
                state.received += len(blob)
            if size >= PART or (message is None and size):
                part = b"".join(gathered)
                gathered, size = [], 0
                # The checksum is that of everything but itself.
                known = tail + part
                checksum.update(memoryview(known)[:-HASH_SIZE])
                tail = known[-HASH_SIZE:]
                await take(part, state)
            if message is None:
                break
    finally:
        call.cancel()
    assert call.end is not None
    if call.end.status:
        raise connection.error(call.end, SNAPSHOT, write=False, leader=False)
    if tail != checksum.digest():
        raise RemoteProtocolError(
            connection.endpoint,
            f"the snapshot of {state.received} octets does not fit its checksum",
            SNAPSHOT.path,
        )
    state.digest = tail.hex()
    return state


def _decode(message: bytes, state: Snapshot, connection: Connection) -> bytes:
    try:
        found = dict(fields(message))
    except DecodeError as error:
        raise connection.malformed(error, SNAPSHOT, write=False) from error
    state.remaining = uint64(found.get(_REMAINING, b"\0"), 0)[0]  # a zero is not sent
    if _VERSION in found:
        state.version = found[_VERSION].decode("utf-8", "replace")
    return found.get(_BLOB, b"")
