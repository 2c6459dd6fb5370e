"""A key in a queue of keys, as Go's client keeps them for locks and elections: the oldest one owns what they are about.

A key is the name, a slash, and the contender's lease in hex, so that others (etcdctl, clients in Go, etcd's own Lock
service) stand in the same queue.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

import trio

from ._compare import CompareKey, encode_compare
from ._errors import EtcdError
from ._keys import RAW
from ._proto import _codec as pb
from ._proto._methods import RANGE, TXN
from ._proto._wire import DecodeError
from ._resync import list_state_patiently
from ._server_errors import CompactedError
from ._types import SortOrder, SortTarget, revision
from ._watch import Watch
from ._watch_events import WatchFilter
from ._watch_shapes import RevisionShape
from .streams._watcher import Watcher

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._keys import KeySpace, TextT
    from .streams._endpoints import Endpoints
    from .streams._kept_lease import KeptLease
    from .streams._watcher import Batch

#: After how many seconds the own key is watched: what is over before that needs no stream.
GUARD_AFTER: Final = 0.25
#: These transactions look whether their work is done already, so they may be sent again.
_REPEATABLE_TXN: Final = TXN._replace(repeatable=True)


class Contest:
    """What is contended for.

    Args:
      name: Its name.
      what: What that is the name of.

    Raises:
      InvalidRequestError: the name is empty, or no text (or TypeError).
    """

    def __init__(self, keys: KeySpace[TextT], name: str | bytes, what: str) -> None:
        self.name: str | bytes = name
        self.what: str = what
        self.key: Callable[[str | bytes], bytes] = keys.key
        keys.key(name, f"name of the {what}")
        #: All keys of its queue.
        self.range: tuple[bytes, bytes] = keys.prefix(below(name, ""))

    def key_of(self, lease_id: int) -> bytes:
        """The key of the contender with this lease."""
        return self.key(below(self.name, f"{lease_id:x}"))


def below(name: str | bytes, rest: str) -> str | bytes:
    """A key below a name."""
    return f"{name}/{rest}" if isinstance(name, str) else b"%b/%b" % (name, rest.encode())


class Contender:
    """One contender, with a lease of its own."""

    def __init__(self, endpoints: Endpoints, contest: Contest, kept: KeptLease) -> None:
        self.key: bytes = contest.key_of(kept.id)
        #: The create revision of the key: greater than that of every owner before.
        self.fence: int = 0
        self._endpoints = endpoints
        self._range = contest.range
        self._kept = kept

    async def enter(self, value: bytes) -> bytes | None:
        """Put the key; gives the key of the contender before this one, None if there is none.

        Cancellation:
          May have happened.

        Raises:
          EtcdError: it was not put, or perhaps.
        """
        # The read comes before the put: the youngest key that it finds is the one before this one.
        youngest = pb.range_request(*self._range, 1, 0, SortOrder.DESCEND, SortTarget.CREATE, keys_only=True)
        message = pb.txn_request(
            [encode_compare(CompareKey(self.key).create == 0, RAW)],
            [
                pb.request_op(request_range=youngest),
                pb.request_op(request_put=pb.put_request(self.key, value, self._kept.id)),
            ],
            [pb.request_op(request_range=pb.range_request(self.key, keys_only=True))],
        )
        entry = await self._endpoints.call(_REPEATABLE_TXN, message, _decode_entry, write=True)
        if not entry.is_first_try:
            self.fence = entry.found[0].create_revision
            return await self.look()
        self.fence = entry.revision
        return entry.found[0].key if entry.found else None

    async def look(self) -> bytes | None:
        """The key of the contender before this one, None if there is none. Without its own key all is lost.

        Cancellation:
          No effect.

        Raises:
          EtcdError: as every read.
        """
        message = pb.range_request(
            *self._range,
            2,
            0,
            SortOrder.DESCEND,
            SortTarget.CREATE,
            keys_only=True,
            max_create_revision=self.fence,
        )
        found = (await self._endpoints.call(RANGE, message, pb.decode_range_response)).kvs
        others = [kv.key for kv in found if kv.key != self.key]
        if len(others) == len(found):
            self._kept.lose("its key was deleted")
        return others[0] if others else None

    async def wait_turn(self, other: bytes | None) -> None:  # noqa: ASYNC910 - its caller entered
        """Wait until this is the oldest contender; ``other`` is the one before.

        Cancellation:
          No effect.

        Raises:
          EtcdError: as every read and every watch.
        """
        while other is not None:
            # A watch from a revision in the past is served by a loop of etcd that sleeps 100 ms. One from "now" is
            # served at once, but the key may have gone before.
            with suppress(CompactedError):
                async with self._watch_deletion(other) as deletion:
                    found = await self.look()
                    if found == other:
                        await deletion.receive()
                        found = await self.look()
                other = found
                continue
            other = await self.look()  # a long break, and nobody knows what happened in it

    async def guard(self) -> None:
        """Watch the own key: when it is deleted all is lost."""
        await trio.sleep(GUARD_AFTER)
        start = self.fence + 1
        # Where it cannot be watched, the lease alone tells.
        with suppress(EtcdError, trio.ClosedResourceError):
            while self._kept.reason is None:
                try:
                    async with self._watch_deletion(self.key, start) as deletion:
                        await deletion.receive()
                except CompactedError as error:
                    start = error.compact_revision
                    state, _ = await list_state_patiently(self._endpoints, self.key, b"")
                    if state and state[0].create_revision == self.fence:
                        continue
                self._kept.lose("its key was deleted")

    async def leave(self) -> None:
        """Delete the key, and never one that somebody put after it.

        Cancellation:
          May have happened.

        Raises:
          EtcdError: it was not deleted, or perhaps.
        """
        message = pb.txn_request(
            [encode_compare(CompareKey(self.key).create == self.fence, RAW)],
            [pb.request_op(request_delete_range=pb.delete_range_request(self.key))],
        )
        await self._endpoints.call(_REPEATABLE_TXN, message, pb.decode_txn_response, write=True)

    def _watch_deletion(self, key: bytes, start: int = 0) -> Watch[Batch]:
        hub = self._endpoints.watches
        watcher = Watcher(
            key,
            b"",
            start_revision=start,
            filters=(WatchFilter.NOPUT,),
            max_events=1,
            budget=hub.budget,
        )
        return Watch(hub, watcher, RevisionShape(), known=None, ready_event=None)


class _Entry(NamedTuple):
    """The answer to :meth:`Contender.enter`."""

    is_first_try: bool
    revision: int
    #: The contender before, if there is one; the own key where an earlier try was carried out.
    found: list[pb.KeyValue]


def _decode_entry(data: bytes) -> _Entry:
    answer = pb.decode_txn_response(data)
    found = answer.responses[0].response_range if answer.responses else None
    if found is None or not (found.kvs or answer.succeeded):
        raise DecodeError("the answer does not fit the transaction")
    return _Entry(answer.succeeded, revision(answer.header), found.kvs)
