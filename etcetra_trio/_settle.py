"""Transactions whose outcome is found out when it is unknown: ``txn_compare(..., settle=True)``.

It works for those that write a key on the condition that it was not written since (``mod == m``), or does not exist.
Such a condition holds for one revision of the key only. So of all tries at most one is carried out, and the transaction
may be sent again; and the first thing that happened to the key since then tells whether an earlier try was the one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import trio

from ._errors import EtcdError, InvalidRequestError, OutcomeUnknownError
from ._proto._methods import TXN
from ._proto._wire import uint64
from ._txn import TxnResult
from ._types import PutResult
from ._watch_events import WatchEvent, WatchEventType
from .streams._fields import bytes_tag, fields, number_tag

if TYPE_CHECKING:
    from ._communicator import EtcdCommunicator
    from ._keys import TextT
    from ._txn import Txn
    from ._types import RangeResult
    from .streams._endpoints import Endpoints

# Tags (etcd's rpc.proto): of TxnRequest, Compare, RequestOp and PutRequest.
_COMPARE, _SUCCESS, _FAILURE = bytes_tag(1), bytes_tag(2), bytes_tag(3)
_RESULT, _TARGET, _KEY, _RANGE_END = number_tag(1), number_tag(2), bytes_tag(3), bytes_tag(64)
_VERSION, _CREATE, _MOD = number_tag(4), number_tag(5), number_tag(6)
_RANGE_OP, _PUT_OP = bytes_tag(1), bytes_tag(2)
_PUT_KEY, _PUT_VALUE, _PUT_LEASE = bytes_tag(1), bytes_tag(2), number_tag(3)
#: By the octets of Compare.CompareTarget.
_TARGETS: Final = {b"": _VERSION, b"\1": _CREATE, b"\2": _MOD}


class Guard(NamedTuple):
    """The condition that makes a transaction happen once, and how to know what it writes."""

    key: bytes
    #: The key's last revision; 0: it does not exist.
    revision: int
    value: bytes
    lease: int

    def wrote(self, event: WatchEvent[bytes]) -> bool:
        """Whether this is what the transaction writes."""
        return event.event is WatchEventType.PUT and event.value == self.value and event.lease == self.lease


def find_guard(message: bytes) -> Guard:
    """The guard of a TxnRequest.

    Raises:
      InvalidRequestError: it has none, or does more than can be told afterwards.
    """
    parts = fields(message)
    puts: dict[bytes, dict[int, bytes]] = {}
    for tag, operation in parts:
        if tag in {_SUCCESS, _FAILURE}:
            [(kind, request)] = fields(operation)
            if tag == _FAILURE and kind != _RANGE_OP:
                raise InvalidRequestError("settle=True: the failure branch may only read")
            if tag == _SUCCESS:
                put = dict(fields(request))
                if kind != _PUT_OP or not put.keys() <= {_PUT_KEY, _PUT_VALUE, _PUT_LEASE}:
                    raise InvalidRequestError(
                        "settle=True: the success branch may only put, without prev_kv and ignore_…"
                    )
                puts[put[_PUT_KEY]] = put
    for tag, part in parts:
        compare = dict(fields(part)) if tag == _COMPARE else {}
        target = _TARGETS.get(compare.get(_TARGET, b""))
        key = compare.get(_KEY)
        if key not in puts or _RANGE_END in compare or compare.get(_RESULT, b"\0") != b"\0" or target is None:
            continue
        revision = uint64(compare.get(target, b"\0"), 0)[0]
        if target == _MOD or not revision:
            put = puts[key]
            lease = uint64(put.get(_PUT_LEASE, b"\0"), 0)[0]
            return Guard(key, revision, put.get(_PUT_VALUE, b""), lease)
    raise InvalidRequestError(
        "settle=True: a condition must be that a key which is put has a mod revision, or does not exist "
        '(CompareKey("k").mod == m)'
    )


async def carry_out(
    endpoints: Endpoints, raw: EtcdCommunicator[bytes], txn: Txn[TextT], guard: Guard
) -> TxnResult[TextT]:
    """Send a transaction until its outcome is known. ``raw`` has no namespace.

    Cancellation:
      May have happened.

    Raises:
      OutcomeUnknownError: what became of a try cannot be found out.
      EtcdError: as for any transaction.
    """
    before = await raw.range(guard.key)
    # Once the key has another revision the condition can never hold again, whoever wrote the same.
    hopeless = guard.revision and guard.revision != _last_revision(before)
    unknown: OutcomeUnknownError | None = None
    while True:  # noqa: ASYNC913 - every call is one
        result: TxnResult[TextT] | None = None
        try:
            result = await endpoints.call(TXN, txn.message, txn.decode, write=True)
        except OutcomeUnknownError as error:
            unknown = unknown or error
        except EtcdError:
            if unknown is None:
                raise
            raise unknown from None
        if result is not None and (unknown is None or result.succeeded):
            return result  # noqa: ASYNC910 - the call was a checkpoint
        assert unknown is not None
        try:
            revision = 0 if hopeless else await _find(raw, guard, before.revision)
        except (EtcdError, trio.ClosedResourceError):
            raise unknown from unknown.__cause__
        if revision:
            return _applied(txn, revision)
        if result is not None:
            return result


async def _find(raw: EtcdCommunicator[bytes], guard: Guard, since: int) -> int:
    """The revision at which a try was carried out; 0 if none was so far."""
    last = _last_revision(await raw.range(guard.key))
    if last == guard.revision or (not guard.revision and last <= since):
        return 0
    async with raw.watch(guard.key, start_revision=since + 1) as events:
        async for event in events:
            if guard.wrote(event) and (guard.revision or event.version == 1):
                return event.revision
            if guard.revision or event.revision >= last:
                break
    return 0


def _last_revision(found: RangeResult[bytes]) -> int:
    return found.kvs[0].mod_revision if found.kvs else 0


def _applied(txn: Txn[TextT], revision: int) -> TxnResult[TextT]:
    """The answer that got lost."""
    result: TxnResult[TextT] = TxnResult()
    result.succeeded = True
    result.revision = revision
    result.responses = []
    for _ in txn.success.shapes:
        put: PutResult[TextT] = PutResult(revision, None)
        result.append(put)
        result.responses.append(put)
    return result
