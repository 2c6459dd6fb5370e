"""A queue of many programs: ``await queue.put(value)``, ``await queue.get()``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, final

import trio

from ._compare import CompareKey
from ._errors import EtcdError
from ._keys import TextT, key_space
from ._proto import _codec as pb
from ._proto._methods import PUT, RANGE, TXN
from ._proto._projections import put_revision
from ._server_errors import CompactedError
from ._types import SortOrder, SortTarget, revision
from ._watch_events import WatchFilter
from ._watches import Watches

if TYPE_CHECKING:
    from ._keys import KeySpace
    from .streams._endpoints import Endpoints

#: How long a cancelled ``get`` waits for the answer that says whether it has taken an item, in seconds.
_GRACE: Final = 1.0
_RAW: Final = key_space(None)


class _Item(NamedTuple):
    key: bytes
    value: bytes
    mod_revision: int


class _Look(NamedTuple):
    """The first item (None: there was none), as of a revision."""

    item: _Item | None
    revision: int


@final
class Queue(Generic[TextT]):
    """A queue in etcd: first in, first out, for any number of programs that put and get.

    Made by :meth:`EtcdCommunicator.queue`. An item is a key below the queue's name, in the layout of etcd's Go recipes,
    so that Go programs may use the same queue. Each item is given to one ``get`` only, in the order in which the puts
    were carried out; an item is gone from the queue when it was given, whatever becomes of who got it.
    """

    __slots__ = ("_endpoints", "_keys", "_prefix", "_range_end")

    def __init__(self, endpoints: Endpoints, keys: KeySpace[TextT], name: str | bytes) -> None:
        self._endpoints = endpoints
        self._keys: KeySpace[TextT] = keys
        self._prefix, self._range_end = _RAW.prefix(keys.key(name) + b"/")

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
        key = self._prefix + os.urandom(16).hex().encode()
        message = pb.put_request(key, self._keys.value(value, key))
        await self._endpoints.call(PUT, message, put_revision, write=True)

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
          trio.ClosedResourceError: the client is closed.
        """
        value, empty_at = await self._take_first(await self._look())
        while value is None:
            events = Watches(self._endpoints, _RAW).watch_prefix(self._prefix, filters=[WatchFilter.NODELETE])
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
        return _found(await self._endpoints.call(RANGE, self._first(), pb.decode_range_response))

    def _first(self) -> bytes:
        return pb.range_request(
            self._prefix, self._range_end, 1, sort_order=SortOrder.ASCEND, sort_target=SortTarget.MOD
        )

    async def _take_first(self, look: _Look) -> tuple[TextT | None, int]:
        """Take the first item; None, and the revision at which there was none left, if others took them all."""
        while look.item is not None:
            # Decoded before it is taken: what is no text must not be lost.
            value = self._keys.text_value(look.item.value, look.item.key)
            taken, look = await self._take(look.item)
            if taken:
                return value, look.revision
        return None, look.revision  # noqa: ASYNC910 - who looked for an item has made a checkpoint

    async def _take(self, item: _Item) -> tuple[bool, _Look]:
        """Delete an item; whether it was still there, and else the first one now."""
        taking = _Taking(
            self._endpoints,
            pb.txn_request(
                [(CompareKey(item.key).mod == item.mod_revision).encode(_RAW)],
                [pb.request_op(request_delete_range=pb.delete_range_request(item.key))],
                [pb.request_op(request_range=self._first())],
            ),
        )
        await taking.wait()
        answer = taking.result()
        if answer.succeeded:
            return True, _Look(None, revision(answer.header))
        found = answer.responses[0].response_range
        assert found is not None
        return False, _found(found)._replace(revision=revision(answer.header))


class _Taking:
    """A transaction whose answer a task of its own waits for, so that who is cancelled can still learn it."""

    __slots__ = ("_answer", "_done", "_endpoints", "_failure", "_message", "_scope")

    def __init__(self, endpoints: Endpoints, message: bytes) -> None:
        self._endpoints = endpoints
        self._message = message
        self._scope = trio.CancelScope()
        self._done = trio.Event()
        self._answer: pb.TxnResponse | None = None
        self._failure: Exception | None = None

    async def wait(self) -> None:
        """Wait for the answer.

        Cancellation:
          No effect if the answer is that it was carried out; then this returns.
        """
        service = self._endpoints.service
        await trio.lowlevel.checkpoint_if_cancelled()
        try:
            with service.guard():
                service.start_soon(self._run, name="queue")
                await self._done.wait()
        except trio.Cancelled:  # noqa: ASYNC103 - an item that is taken has to be returned
            with trio.move_on_after(_GRACE, shield=True):
                await self._done.wait()
            self._scope.cancel("the server does not answer")
            if self._answer is None or not self._answer.succeeded:
                raise

    def result(self) -> pb.TxnResponse:
        """The answer, or the error."""
        if self._failure is not None:
            raise self._failure
        assert self._answer is not None
        return self._answer

    async def _run(self) -> None:  # noqa: ASYNC910 - a call is one
        try:
            with self._scope:
                self._answer = await self._endpoints.call(
                    TXN, self._message, pb.decode_txn_response, write=True
                )
        except (EtcdError, trio.ClosedResourceError) as error:
            self._failure = error
        finally:
            self._done.set()


def _found(answer: pb.RangeResponse) -> _Look:
    item = _Item(answer.kvs[0].key, answer.kvs[0].value, answer.kvs[0].mod_revision) if answer.kvs else None
    return _Look(item, revision(answer.header))
