"""Software transactional memory: a function reads and writes keys as if it were alone; if it was not, it runs again."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Generic, Literal, TypeAlias, TypeVar, final, get_args

import trio

from ._compare import CompareKey, encode_compare
from ._errors import InvalidRequestError
from ._keys import RAW, TextT
from ._kv import put_message
from ._proto import _codec as pb
from ._proto._methods import RANGE, TXN
from ._proto._wire import DecodeError
from ._server_errors import CompactedError
from ._types import revision

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._compare import Compare
    from ._keys import KeySpace
    from ._kv import SupportsLease
    from .streams._endpoints import Endpoints

ResultT = TypeVar("ResultT")
#: What :meth:`EtcdCommunicator.stm` promises about other transactions, in the words of etcd's Go client.
Isolation: TypeAlias = Literal["serializable_snapshot", "serializable", "repeatable_reads"]


@final
class StmTransaction(Generic[TextT]):
    """What a function that :meth:`EtcdCommunicator.stm` runs reads and writes with; of no use once that has returned.

    Tasks that the function starts may share it.
    """

    __slots__ = ("_attempt", "_keys")

    def __init__(self, attempt: Attempt, keys: KeySpace[TextT]) -> None:
        self._attempt = attempt
        self._keys: KeySpace[TextT] = keys

    async def get(self, key: str | bytes) -> TextT | None:
        """Read one key: as this transaction wrote it, or else as it was read first, or else from the server.

        Cancellation:
          No effect.

        Args:
          key: The key.

        Returns:
          The value; None if there is no such key.

        Raises:
          EncodingError: the value is no text.
          CompactedError: the history of this attempt was compacted away; ``stm`` begins a new one.
          EtcdError: as every read.
          trio.ClosedResourceError: the function has returned, or the client is closed.
        """
        raw = self._keys.key(key)
        value = await self._attempt.read(raw)
        return None if value is None else self._keys.text_value(value, raw)

    def put(self, key: str | bytes, value: str | bytes, *, lease: SupportsLease | int = 0) -> None:
        """Write a key once the function has returned; nothing is sent before.

        Args:
          key: The key.
          value: Its new value.
          lease: The lease, or the id of the lease, that the key goes with when it ends; 0 for none.

        Raises:
          InvalidRequestError: a bad argument (or TypeError).
          trio.ClosedResourceError: the function has returned.
        """
        message = put_message(
            self._keys, key, value, lease=lease, prev_kv=False, ignore_value=False, ignore_lease=False
        )
        raw = self._keys.key(key)
        self._attempt.write(raw, self._keys.value(value, key), pb.request_op(request_put=message))

    def delete(self, key: str | bytes) -> None:
        """Delete a key once the function has returned; it is no error if there is none.

        Args:
          key: The key.

        Raises:
          InvalidRequestError: a bad argument (or TypeError).
          trio.ClosedResourceError: the function has returned.
        """
        raw = self._keys.key(key)
        self._attempt.write(raw, None, pb.request_op(request_delete_range=pb.delete_range_request(raw)))


class Attempt:
    """One run of the function: what it has read, as of which revision, and what it wants to write.

    Args:
      endpoints: Where to read and write.
      isolation: As for ``stm``.
      revision: The revision that ``known`` is of; 0: nothing is known yet.
      known: Keys that the last attempt read, as they are since; None for what is not there.
    """

    __slots__ = (
        "_endpoints",
        "_isolation",
        "_known",
        "_lock",
        "_reads",
        "_revision",
        "_writes",
        "over",
        "stale",
    )

    def __init__(
        self,
        endpoints: Endpoints,
        isolation: Isolation,
        revision: int = 0,
        known: Mapping[bytes, pb.KeyValue | None] | None = None,
    ) -> None:
        self._endpoints = endpoints
        self._isolation: Isolation = isolation
        self._revision = revision
        self._known = known or {}
        self._reads: dict[bytes, pb.KeyValue | None] = {}
        # For each key its new value (None: deleted), and the operation.
        self._writes: dict[bytes, tuple[bytes | None, bytes]] = {}
        # One read at a time: the first one settles of which revision the others are.
        self._lock = trio.Lock()
        #: Whether the function has returned.
        self.over: bool = False
        #: Whether the revision that it reads was compacted.
        self.stale: bool = False

    async def read(self, key: bytes) -> bytes | None:
        """The value of a key, as this attempt sees it."""
        async with self._lock:
            self._check()
            if key in self._writes:
                return self._writes[key][0]
            if key not in self._reads:
                self._reads[key] = self._known[key] if key in self._known else await self._fetch(key)
            kv = self._reads[key]
        return None if kv is None else kv.value

    def write(self, key: bytes, value: bytes | None, operation: bytes) -> None:
        """Note what is to be written; the last word on a key counts."""
        self._check()
        self._writes[key] = (value, operation)

    async def commit(self) -> Attempt | None:
        """Write, if nobody interfered; else the attempt that comes next, with what this one read as it is now."""
        if not self._writes and self._isolation != "repeatable_reads":
            await trio.lowlevel.checkpoint()  # it read one revision, and changes nothing
            return None
        compares: list[Compare] = [
            CompareKey(key).mod == (0 if kv is None else kv.mod_revision) for key, kv in self._reads.items()
        ]
        if self._isolation == "serializable_snapshot" and self._revision:
            blind = self._writes.keys() - self._reads.keys()
            compares += [CompareKey(key).mod < self._revision + 1 for key in blind]
        message = pb.txn_request(
            [encode_compare(compare, RAW) for compare in compares],
            [operation for _, operation in self._writes.values()],
            [pb.request_op(request_range=pb.range_request(key)) for key in self._reads],
        )
        return await self._endpoints.call(TXN, message, self._following, write=bool(self._writes))

    def _following(self, data: bytes) -> Attempt | None:
        answer = pb.decode_txn_response(data)
        if answer.succeeded:
            return None
        found = [response.response_range for response in answer.responses]
        if len(found) != len(self._reads):
            raise DecodeError(f"{len(found)} answers to {len(self._reads)} operations")
        known = {
            key: answer.kvs[0] if answer is not None and answer.kvs else None
            for key, answer in zip(self._reads, found, strict=True)
        }
        return Attempt(self._endpoints, self._isolation, revision(answer.header), known)

    async def _fetch(self, key: bytes) -> pb.KeyValue | None:
        pinned = self._isolation != "repeatable_reads"
        message = pb.range_request(key, revision=self._revision if pinned else 0)
        try:
            answer = await self._endpoints.call(RANGE, message, pb.decode_range_response)
        except CompactedError:
            self.stale = True
            raise
        if not self._revision:
            self._revision = revision(answer.header)
        return answer.kvs[0] if answer.kvs else None

    def _check(self) -> None:
        if self.over:
            raise trio.ClosedResourceError("the function of this transaction has returned")


async def run_stm(
    endpoints: Endpoints,
    keys: KeySpace[TextT],
    function: Callable[[StmTransaction[TextT]], Awaitable[ResultT]],
    isolation: Isolation,
) -> ResultT:
    """:meth:`EtcdCommunicator.stm`, for checked keys."""
    if isolation not in get_args(Isolation):
        words = ", ".join(map(repr, get_args(Isolation)))
        raise InvalidRequestError(f"isolation is {isolation!r}: use one of {words}")
    attempt = Attempt(endpoints, isolation)
    while True:  # noqa: ASYNC913 - an attempt that did not commit has called the server
        following: Attempt | None = None
        try:
            running = function(StmTransaction(attempt, keys))
            _check_async(running)
            result = await running
            attempt.over = True
            if not attempt.stale:
                following = await attempt.commit()
                if following is None:
                    return result
        except Exception:
            if not attempt.stale:
                raise
        finally:
            attempt.over = True
        attempt = following or Attempt(endpoints, isolation)


def _check_async(running: object) -> None:
    if not isinstance(running, Awaitable):
        raise TypeError("stm runs an async function, not a plain one")
