"""Judges a small history by trying all orders: the plain meaning of the checker's rules, to compare it with.

It shares no code with the checker but the types of the history: a transaction is carried out anew here, on a dict.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ._history import Event, History, Hold, LeaseLife, Op, Record, Revision

State = dict[str, Record]


def is_possible(history: History) -> bool:
    """Whether some order of what happened explains the answers and the log."""
    return _Search(history).found()


@dataclass(slots=True)
class _Todo:
    """Something that must be carried out, or may be, at one moment between its call and its return."""

    call: float
    ret: float
    must: bool
    what: Op | LeaseLife | Hold
    #: Of a hold: whether this is its end.
    end: bool = False


class _Search:
    def __init__(self, history: History) -> None:
        self.log = history.log
        self.foreign = tuple(history.foreign)
        self.serializable: list[Op] = []
        self.todo: list[_Todo] = []
        taken: set[str] = set()
        for op in history.ops:
            if op.verdict == "not_applied":
                continue
            taken |= {step[1] for step in op.success if step[0] == "delete"}
            if op.serializable:
                self.serializable.append(op)
            else:
                self.todo.append(_Todo(op.call, op.ret, op.verdict == "ok", op))
        self.todo += [_Todo(lease.told, math.inf, False, lease) for lease in history.leases]
        self.holds = [hold for hold in history.holds if hold.key not in taken]
        for hold in history.holds:
            self.todo.append(_Todo(hold.call, hold.ret, True, hold))
        self.todo += [_Todo(hold.told, math.inf, False, hold, end=True) for hold in self.holds]
        self.states: list[State] = [{}]

    def found(self) -> bool:
        return self._search(frozenset(range(len(self.todo))), 0)

    def _search(self, left: frozenset[int], done: int) -> bool:
        """``done``: how many revisions of the log are explained."""
        must = [number for number in left if self.todo[number].must]
        if not must and done == len(self.log):
            return all(self._serves(op) for op in self.serializable)
        soonest = min((self.todo[number].ret for number in must), default=math.inf)
        if done < len(self.log) and self._by_others(self.log[done]) and self._enter(self.log[done][1], done):
            if self._search(left, done + 1):
                return True
            self.states.pop()
        for number in left:
            todo = self.todo[number]
            if todo.call > soonest:
                continue  # something must have been before it, and is still to come
            events = self._carry_out(todo, done)
            if events is None:
                continue
            if not events:
                if todo.must and self._search(left - {number}, done):
                    return True
            elif done < len(self.log) and self._enter(events, done):
                if self._search(left - {number}, done + 1):
                    return True
                self.states.pop()
        return False

    def _enter(self, events: list[Event], done: int) -> bool:
        """Go to the next state, if the log says that these events come next."""
        if self.log[done] != (done + 2, events):
            return False
        state = dict(self.states[-1])
        for event in events:
            old = state.pop(event.key, None)
            if event.deleted:
                if old is None or event != _deletion(event.key):
                    return False
                continue
            create, version = (done + 2, 1) if old is None else (old.create, old.version + 1)
            if (create, version) != (event.create, event.version):
                return False
            state[event.key] = Record(event.key, event.value, create, done + 2, version, event.lease)
        self.states.append(state)
        return True

    def _by_others(self, revision: Revision) -> bool:
        """Whether it is the work of who keeps locks, and not the end of a hold."""
        ends = {hold.key for hold in self.holds}
        return all(
            event.key.startswith(self.foreign) and not (event.deleted and event.key in ends)
            for event in revision[1]
        )

    def _carry_out(self, todo: _Todo, done: int) -> list[Event] | None:
        """The events it makes now; None if it cannot be now."""
        state = self.states[-1]
        what = todo.what
        if isinstance(what, Op):
            return self._op(what, state, done)
        if isinstance(what, LeaseLife):
            keys = sorted(key for key, record in state.items() if record.lease == what.id)
            return [_deletion(key) for key in keys]
        oldest = _oldest(state, what.prefix)
        if todo.end:
            held = state.get(what.key)
            return [_deletion(what.key)] if held is not None and held.create == what.fence else None
        return [] if oldest is not None and (oldest.key, oldest.create) == (what.key, what.fence) else None

    def _op(self, op: Op, state: State, done: int) -> list[Event] | None:
        succeeded, events, answers = _execute(op, state, done + 1)
        if op.verdict == "ok":
            if op.revision is None:
                (found,) = answers
                assert isinstance(found, list)
                if [record.value for record in found] != [value for value in op.answers if value is not None]:
                    return None
            elif (succeeded, answers) != (op.succeeded, op.answers) or op.revision != done + 1 + bool(events):
                return None
        if events and op.guard is not None:
            oldest = _oldest(state, op.guard[0])
            if oldest is None or oldest.create != op.guard[1]:
                return None
        return events

    def _serves(self, op: Op) -> bool:
        """Whether a serializable read could be answered so, at any time."""
        assert op.revision is not None
        if not 1 <= op.revision <= len(self.states):
            return False
        state = self.states[op.revision - 1]
        return _execute(op, state, op.revision) == (op.succeeded, [], op.answers)


def _oldest(state: State, prefix: str) -> Record | None:
    queue = [record for key, record in state.items() if key.startswith(prefix)]
    return min(queue, key=lambda record: record.create, default=None)


def _deletion(key: str) -> Event:
    return Event(deleted=True, key=key, value="", create=0, version=0, lease=0)


def _execute(op: Op, before: State, revision: int) -> tuple[bool, list[Event], list[Any]]:
    state = dict(before)
    succeeded = all(_holds(compare, state) for compare in op.compares)
    events: list[Event] = []
    answers: list[Any] = []
    for step in op.success if succeeded else op.failure:
        if step[0] == "put":
            _, key, value, lease = step  # type: ignore[misc]
            old = state.get(key)
            create, version = (old.create, old.version + 1) if old else (revision + 1, 1)
            state[key] = Record(key, value, create, revision + 1, version, lease)
            events.append(
                Event(deleted=False, key=key, value=value, create=create, version=version, lease=lease)
            )
            answers.append(None)
            continue
        inside = [key for key in sorted(state) if key == step[1] or (step[2] and step[1] <= key < step[2])]
        if step[0] == "get":
            answers.append([state[key] for key in inside])
        else:
            for key in inside:
                del state[key]
                events.append(_deletion(key))
            answers.append(len(inside))
    return succeeded, events, answers


def _holds(compare: Any, state: State) -> bool:
    target, key, sign, operand = compare
    record = state.get(key)
    if target == "value":
        if record is None:
            return False
        actual: Any = record.value
    else:
        actual = getattr(record, target) if record else 0
    if sign in {"==", "!="}:
        return bool((actual == operand) == (sign == "=="))
    return bool(actual > operand if sign == ">" else actual < operand)
