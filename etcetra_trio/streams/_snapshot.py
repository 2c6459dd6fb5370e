"""A snapshot of a member's whole database, part by part, and the checksum behind it."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from .._errors import RemoteProtocolError
from .._proto._methods import SNAPSHOT
from .._proto._wire import DecodeError, length, skip, tag, uint64

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ._connection import Connection

HASH_SIZE = 32  # of SHA-256: the last octets that the server sends
#: How much is gathered before it is given on, in octets.
PART = 1 << 20
_REMAINING, _BLOB, _VERSION = 2 << 3, 3 << 3 | 2, 4 << 3 | 2  # tags of SnapshotResponse


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
    blob, state.remaining = b"", 0  # a zero is not sent
    try:
        i, end = 0, len(message)
        while i < end:
            number, i = tag(message, i)
            if number == _BLOB:
                size, i = length(message, i)
                blob, i = message[i : i + size], i + size
            elif number == _REMAINING:
                state.remaining, i = uint64(message, i)
            elif number == _VERSION:
                size, i = length(message, i)
                state.version, i = message[i : i + size].decode("utf-8", "replace"), i + size
            else:
                i = skip(message, i, number)
        if i != end:
            raise DecodeError("it is cut off")
    except (DecodeError, IndexError) as error:
        raise connection.malformed(DecodeError(str(error)), SNAPSHOT, write=False) from error
    return blob
