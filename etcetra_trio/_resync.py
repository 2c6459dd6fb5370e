"""What changed while the history of a watch was compacted away: the differences between two states of its keys."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ._errors import ConnectionFailedError, ConnectionLostError, UnavailableError
from ._proto import _codec as pb
from ._proto._changes import Change
from ._proto._methods import RANGE
from ._range_reader import RangeReader
from ._server_errors import CompactedError
from ._types import revision
from .streams._backoff import Backoff

if TYPE_CHECKING:
    from collections.abc import Collection

    from .streams._endpoints import Endpoints

_PUT, _DELETE = 0, 1


class Known:
    """Which keys the reader of a watch knows, and at which revision each was last written."""

    __slots__ = ("_revisions", "_unwanted", "complete")

    def __init__(self, filters: Collection[int] = ()) -> None:
        self._revisions: dict[bytes, int] = {}
        # Filters are ours to apply: of events that the server left out, nobody would know that they belong to a
        # difference. A filter's number is that of the event type it is about.
        self._unwanted = frozenset(filters)
        #: Whether what there was at the beginning is known.
        self.complete: bool = False

    def note(self, event: Change) -> None:
        """The reader got this event."""
        if event.kind == _DELETE:
            self._revisions.pop(event.key, None)
        else:
            self._revisions[event.key] = event.mod_revision

    def wanted(self, events: list[Change]) -> list[Change]:
        """The events that the reader asked for."""
        return [event for event in events if event.kind not in self._unwanted] if self._unwanted else events

    def differences(self, state: list[pb.KeyValue], at_revision: int) -> list[Change]:
        """The events that lead from what the reader knows to ``state``: deletions first, then puts by revision.

        All of them are noted.
        """
        present = {kv.key for kv in state}
        events = [
            Change(key, b"", None, _DELETE, at_revision, 0, 0, 0)
            for key in self._revisions
            if key not in present
        ]
        changed = [kv for kv in state if self._revisions.get(kv.key) != kv.mod_revision]
        events += [_put(kv) for kv in sorted(changed, key=lambda kv: kv.mod_revision)]
        for event in events:
            self.note(event)
        self.complete = True
        return events


async def list_state(
    endpoints: Endpoints, key: bytes, range_end: bytes, *, at_revision: int = 0
) -> tuple[list[pb.KeyValue], int]:
    """All records of a range, and the revision they are of.

    Cancellation:
      No effect.

    Raises:
      EtcdError: as every read.
    """

    def message(first: bytes, limit: int, revision: int) -> bytes:
        return pb.range_request(first, range_end, limit, revision)

    reader = RangeReader(endpoints, key, message, at_revision)
    state: list[pb.KeyValue] = []
    try:
        while not reader.done:
            state += await reader.part()
    finally:
        reader.close()
    return state, reader.revision  # noqa: ASYNC910 - a new reader has a part to read


async def current_revision(endpoints: Endpoints, key: bytes) -> int:
    """The store's revision, linearizably; a huge one if no server answers.

    Cancellation:
      No effect.
    """
    message = pb.range_request(key, count_only=True)
    try:
        return revision((await endpoints.call(RANGE, message, pb.decode_range_response)).header)
    except (ConnectionFailedError, ConnectionLostError, UnavailableError):
        return sys.maxsize  # noqa: ASYNC910 - the call was a checkpoint


async def list_state_patiently(
    endpoints: Endpoints, key: bytes, range_end: bytes, *, at_revision: int = 0
) -> tuple[list[pb.KeyValue], int]:
    """:func:`list_state`, tried again for as long as no server answers.

    Cancellation:
      No effect.

    Raises:
      EtcdError: what another try cannot change.
    """
    backoff = Backoff()
    while True:
        try:
            return await list_state(endpoints, key, range_end, at_revision=at_revision)
        except (ConnectionFailedError, ConnectionLostError, UnavailableError):
            pass
        except CompactedError:  # between two parts, unless a revision was asked for
            if at_revision:
                raise
        await backoff.wait()


def _put(kv: pb.KeyValue) -> Change:
    return Change(kv.key, kv.value, None, _PUT, kv.mod_revision, kv.create_revision, kv.version, kv.lease)
