"""A queue of many programs: ``await queue.put(value)``, ``await queue.get()``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, final

import trio

from ._compare import CompareKey, encode_compare
from ._contender import below
from ._keys import RAW, TextT
from ._proto import _codec as pb
from ._proto._methods import PUT, RANGE, TXN
from ._proto._projections import put_revision
from ._proto._wire import DecodeError
from ._server_errors import CompactedError
from ._types import SortOrder, SortTarget, revision
from ._watch_events import WatchFilter
from ._watches import Watches
from .streams._pursued import Pursued

if TYPE_CHECKING:
    from ._keys import KeySpace
    from .streams._endpoints import Endpoints

#: How long a cancelled ``get`` waits for the answer that says whether it has taken an item, in seconds.
_GRACE: Final = 1.0


class _Item(NamedTuple):
    key: bytes
    value: bytes
    mod_revision: int


class _Look(NamedTuple):
    """The first item (None: there is none), as of a revision."""

    item: _Item | None
    revision: int
    #: The item before was taken; then this says nothing of others.
    taken: bool = False


@final
class Queue(Generic[TextT]):
    """A queue in etcd: first in, first out, for any number of programs that put and get.

    Made by :meth:`EtcdCommunicator.queue`. An item is a key below the queue's name, in the layout of etcd's Go recipes,
    so that Go programs may use the same queue. Each item is given to one ``get`` only, in the order in which the puts
    were carried out; an item is gone from the queue when it was given, whatever becomes of who got it.
    """

    __slots__ = ("_endpoints", "_keys", "_name", "_range")

    def __init__(self, endpoints: Endpoints, keys: KeySpace[TextT], name: str | bytes) -> None:
        self._endpoints = endpoints
        self._keys: KeySpace[TextT] = keys
        keys.key(name, "name of the queue")
        self._name = name
        self._range = keys.prefix(below(name, ""))

    async def put(self, value: str | bytes) -> None:
        """Put an item at the end.

        Cancellation:
          May have happened.

        Args:
          value: The item.

        Raises:
          InvalidRequestError: a bad argument (or TypeError).
          OutcomeUnknownError: the item may be in the queue, or not.
          EtcdError: as every write.
        """
        key = below(self._name, os.urandom(16).hex())
        message = pb.put_request(self._keys.key(key), self._keys.value(value, key))
        await self._endpoints.call(PUT, message, put_revision, write=True)

    @trio.lowlevel.enable_ki_protection  # an interrupt between taking an item and returning it would lose it
    async def get(self) -> TextT:
        """Take the first item; wait for one if there is none.

        Cancellation:
          No effect: an item that was taken when the cancellation came is returned nevertheless. Only where the server
          does not say within 1 s whether it was, the item may be lost.

        Returns:
          The item.

        Raises:
          EncodingError: the first item is no text; it stays where it is.
          OutcomeUnknownError: the first item may be lost: the connection broke as it was taken.
          EtcdError: as every transaction and watch.
          trio.ClosedResourceError: the client is closed; if it was as the first item was taken, that may be lost.
        """
        value, empty_at = await self._take_first(await self._look())
        while value is None:
            events = Watches(self._endpoints, RAW).watch_range(*self._range, filters=[WatchFilter.NODELETE])
            try:
                with trio.CancelScope() as scope:
                    async with events:
                        value, empty_at = await self._take_first(await self._look())
                        while value is None:
                            event = await events.receive()
                            if event.revision > empty_at:
                                item = _Item(event.key, event.value, event.revision)
                                value, empty_at = await self._take_first(_Look(item, event.revision))
                        # Leaving the watch is a checkpoint, and the item is gone from the queue already.
                        scope.shield = True
            except CompactedError:  # while no server was there
                continue
        return value

    async def _look(self) -> _Look:
        return await self._endpoints.call(RANGE, self._first(), _decode_look)

    def _first(self) -> bytes:
        return pb.range_request(*self._range, 1, sort_order=SortOrder.ASCEND, sort_target=SortTarget.MOD)

    async def _take_first(self, look: _Look) -> tuple[TextT | None, int]:
        """Take the first item; None, and the revision at which there was none left, if others took them all."""
        while look.item is not None:
            # Decoded before it is taken: what is no text must not be lost.
            value = self._keys.text_value(look.item.value, look.item.key)
            look = await _take(self._endpoints, look.item, self._first())
            if look.taken:
                return value, look.revision
        return None, look.revision  # noqa: ASYNC910 - who looked for an item has made a checkpoint


async def _take(endpoints: Endpoints, item: _Item, first: bytes) -> _Look:
    """Take the item, or else look for the first one that is there now.

    Cancellation:
      No effect; if it was taken, this returns.

    Raises:
      EtcdError: as every transaction.
      trio.ClosedResourceError: the client is closed.
    """
    message = pb.txn_request(
        [encode_compare(CompareKey(item.key).mod == item.mod_revision, RAW)],
        [pb.request_op(request_delete_range=pb.delete_range_request(item.key))],
        [pb.request_op(request_range=first)],
    )
    await trio.lowlevel.checkpoint_if_cancelled()
    service = endpoints.service
    service.check_open()
    taking = Pursued(service, lambda: endpoints.call(TXN, message, _decode_taking, write=True), "queue")
    try:
        with service.guard():
            await taking.over.wait()
    except trio.Cancelled:  # noqa: ASYNC103 - an item that is taken has to be returned
        with trio.move_on_after(_GRACE, shield=True):
            await taking.over.wait()
        taking.scope.cancel("the server does not answer")
        if taking.result is None or not taking.result.taken:
            raise
    return taking.outcome()


def _decode_look(data: bytes) -> _Look:
    answer = pb.decode_range_response(data)
    return _Look(_first_of(answer), revision(answer.header))


def _decode_taking(data: bytes) -> _Look:
    answer = pb.decode_txn_response(data)
    found = answer.responses[0].response_range if answer.responses else None
    if found is None and not answer.succeeded:
        raise DecodeError("the answer does not fit the transaction")
    return _Look(None if found is None else _first_of(found), revision(answer.header), answer.succeeded)


def _first_of(answer: pb.RangeResponse) -> _Item | None:
    return _Item(answer.kvs[0].key, answer.kvs[0].value, answer.kvs[0].mod_revision) if answer.kvs else None
