"""Carries out operations through the client that is judged, and writes down what it says of them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import trio

from etcetra_trio import Compare as EtcdCompare
from etcetra_trio import (
    CompareKey,
    DeleteResult,
    EtcdCommunicator,
    EtcdError,
    KeyValue,
    LeaseLostError,
    Lock,
    NoSpaceError,
    OutcomeUnknownError,
    PutResult,
    RangeResult,
    TxnAction,
    TxnResult,
)

from ._history import PADDING, Answer, Compare, History, Op, Record, Step

Communicator = EtcdCommunicator[str]
PATIENCE = 10.0  # seconds that an operation has, unless it is to be cancelled early
CANCELLED = 0.002  # how many operations are
REST = 0.2  # seconds that whoever knows that the store is full leaves it alone
PROBES = 0.05  # how many of those do not


class Recorder:
    """What all clients of a run write into."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.history = History()
        self.counts: Counter[str] = Counter()
        #: Errors of writes that do not say what became of them.
        self.silent: list[str] = []
        #: When the store was last said to be full, if nothing was put since.
        self.full_at: float | None = None

    def value(self, client: str) -> str:
        """A value that nobody else writes."""
        self.counts["values"] += 1
        return f"{client}.{self.counts['values']}"

    async def wait_for_room(self) -> None:
        """Leave a full store alone: of what is refused now nobody knows whether it was written."""
        await trio.lowlevel.checkpoint()
        while self.full_at is not None and self.rng.random() > PROBES:
            await trio.sleep(REST)

    def see_room(self, error: EtcdError) -> None:
        """Note whether the store is full."""
        if isinstance(error, NoSpaceError):
            self.full_at = trio.current_time()

    async def do(self, op: Op, call: Callable[[], Awaitable[Any]], patience: float = PATIENCE) -> Any:
        """Carry ``op`` out by ``call``; its result, or None if it has none.

        Raises:
          LeaseLostError: the lock that it needs is lost.
        """
        if self.rng.random() < CANCELLED:
            patience = self.rng.random() * 0.01
        op.call, op.ret = trio.current_time(), math.inf
        op.verdict, op.error = "unknown", "cancelled"
        result = None
        try:
            with trio.move_on_after(patience):
                result = await call()
                op.verdict, op.error = "ok", ""
                _read(op, result)
        except LeaseLostError as error:
            op.verdict, op.error = "not_applied", str(error)
            raise
        except EtcdError as error:
            op.error = f"{type(error).__name__}: {error}"
            op.verdict = "unknown" if isinstance(error, OutcomeUnknownError) else "not_applied"
            if op.writes and error.outcome is None:
                self.silent.append(op.error)
            self.counts[f"error {type(error.__cause__ or error).__name__}"] += 1
            self.see_room(error)
        finally:
            self._note(op)
        return result

    def _note(self, op: Op) -> None:
        if op.verdict != "unknown":
            op.ret = trio.current_time()
        if op.verdict == "ok" and self.full_at is not None and self.full_at < op.call and _has_put(op):
            self.full_at = None
        if op.verdict == "ok" or op.writes:
            self.history.ops.append(op)
        self.counts[op.verdict if op.writes else "read" if op.verdict == "ok" else "failed read"] += 1


def _has_put(op: Op) -> bool:
    return any(step[0] == "put" for step in (op.success if op.succeeded else op.failure))


def _read(op: Op, result: Any) -> None:
    """Note the answer of a call."""
    if isinstance(result, TxnResult):
        op.succeeded, op.revision = result.succeeded, result.revision
        op.answers = [_answer(response) for response in result.responses]
    elif isinstance(result, _Value):
        op.answers = [result.value]
    else:
        op.revision = result.revision
        op.answers = [_answer(result)]


class _Value:
    """What ``get`` gives: no revision."""

    def __init__(self, value: str | None) -> None:
        self.value = value


def _answer(response: Any) -> Answer:
    match response:
        case RangeResult():
            return [_record(kv) for kv in response.kvs]
        case DeleteResult():
            return response.deleted
        case PutResult():
            return None
    raise TypeError(response)


def _record(kv: KeyValue[str]) -> Record:
    return Record(kv.key, kv.value, kv.create_revision, kv.mod_revision, kv.version, kv.lease)


async def put(
    recorder: Recorder, client: str, to: Communicator | Lock[str], key: str, *, padding: int = 0, **more: Any
) -> Any:
    """Put a key, through a lock if ``to`` is one. With so many octets of padding."""
    value = recorder.value(client)
    lease = more.get("lease", 0)
    op = Op(client, 0, 0, "ok", success=[("put", key, value, getattr(lease, "id", lease))])
    if isinstance(to, Lock):
        op.guard = to.key.rpartition("/")[0] + "/", to.fence
    return await recorder.do(op, lambda: to.put(key, value + PADDING * padding, **more))


async def delete(recorder: Recorder, client: str, to: Communicator, key: str, *, prefix: bool = False) -> Any:
    """Delete a key or all keys that begin so."""
    op = Op(client, 0, 0, "ok", success=[("delete", key, end_of(key) if prefix else "")])
    return await recorder.do(op, lambda: to.delete_prefix(key) if prefix else to.delete(key))


async def get(recorder: Recorder, client: str, to: Communicator, key: str) -> None:
    """Read a value and nothing else."""
    op = Op(client, 0, 0, "ok", success=[("get", key, "")])

    async def call() -> _Value:
        return _Value(await to.get(key))

    await recorder.do(op, call)


async def read(
    recorder: Recorder, client: str, to: Communicator, key: str, *, prefix: bool = False, stale: bool = False
) -> RangeResult[str] | None:
    """Read records."""
    op = Op(client, 0, 0, "ok", success=[("get", key, end_of(key) if prefix else "")], serializable=stale)
    found: RangeResult[str] | None = await recorder.do(
        op, lambda: to.range(key, prefix=prefix, serializable=stale)
    )
    return found


async def txn(
    recorder: Recorder,
    client: str,
    to: Communicator,
    compares: list[Compare],
    success: list[Step],
    failure: list[Step],
) -> TxnResult[str] | None:
    """Any transaction."""
    op = Op(client, 0, 0, "ok", compares, success, failure)

    def build(then: TxnAction[str], otherwise: TxnAction[str]) -> None:
        for action, steps in ((then, success), (otherwise, failure)):
            for step in steps:
                _add(action, step)

    conditions = [_compare(compare) for compare in compares]
    result: TxnResult[str] | None = await recorder.do(op, lambda: to.txn_compare(conditions, build))
    return result


def _compare(compare: Compare) -> EtcdCompare:
    target, key, sign, operand = compare
    compared = getattr(CompareKey(key), target)
    made: EtcdCompare = {
        "==": compared.__eq__,
        "!=": compared.__ne__,
        "<": compared.__lt__,
        ">": compared.__gt__,
    }[sign](operand)
    return made


def _add(action: TxnAction[str], step: Step) -> None:
    kind, key, end = step[:3]
    if kind == "put":
        action.put(key, end)
    elif kind == "delete":
        action.delete_range(key, end) if end else action.delete(key)
    elif end:
        action.get_range(key, end)
    else:
        action.get(key)


def end_of(prefix: str) -> str:
    """The first key after all that begin with ``prefix``."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)
