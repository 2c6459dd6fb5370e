"""Small histories at random: each happened in a store of one thread, and then some were tampered with."""

from __future__ import annotations

import math
from dataclasses import replace
from random import Random

from ._brute import State, _execute, _oldest
from ._history import Answer, Compare, Event, History, Hold, LeaseLife, Op, Record, Step

KEYS = "ab"
LOCK = "L/"
LEASE = 7


class Maker:
    """Makes one history."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.history = History(foreign=[LOCK])
        self.state: State = {}
        self.states: list[State] = [{}]
        self.now = 0.0
        self.values = 0

    def make(self) -> History:
        rng = self.rng
        if rng.random() < 0.3:
            self.history.leases.append(LeaseLife("c", LEASE, math.inf))
        for _ in range(rng.randrange(1, 8)):
            self.now += 1
            kind = rng.random()
            if kind < 0.75:
                self._op()
            elif kind < 0.9:
                self._lock()
            elif self.history.leases:
                self._expire()
        if rng.random() < 0.85:
            for _ in range(rng.choice((1, 1, 2, 3))):
                tamper(rng, self.history)
        return self.history

    def _span(self) -> tuple[float, float]:
        """When something was called and returned that took effect now."""
        rng = self.rng
        longest = rng.choice((0.4, 0.4, 1.5, 3.0))
        return self.now - rng.random() * longest, self.now + rng.random() * longest

    def _op(self) -> None:
        rng = self.rng
        call, ret = self._span()
        op = Op("c", call, ret, "ok")
        kind = rng.choice(("put", "put", "get", "value", "delete", "txn", "stale", "guarded"))
        if kind in {"get", "stale"}:
            op.success = [self._step("get")]
            if kind == "stale":
                op.serializable = True
                op.revision = rng.randrange(1, len(self.states) + 1)
                op.answers = _execute(op, self.states[op.revision - 1], 0)[2]
                self.history.ops.append(op)
                return
        elif kind == "value":
            op.success = [("get", rng.choice(KEYS), "")]
        elif kind == "txn":
            op.compares = [self._compare() for _ in range(rng.choice((0, 1, 1)))]
            op.success = self._steps()
            op.failure = self._steps() if op.compares else []
        else:
            op.success = [self._step("put" if kind == "guarded" else kind)]
            oldest = _oldest(self.state, LOCK)
            if kind == "guarded" and oldest is not None:
                op.guard = LOCK, oldest.create
                if rng.random() < 0.5:
                    op.compares = [("create", oldest.key, "==", oldest.create)]
        fate = rng.random()
        if op.writes and fate < 0.3:
            op.verdict, op.ret, op.error = (
                ("not_applied", ret, "") if fate < 0.06 else ("unknown", math.inf, "")
            )
            if fate < 0.15:
                self.history.ops.append(op)
                return
        op.succeeded, events, op.answers = _execute(op, self.state, len(self.states))
        self._commit(events)
        op.revision = len(self.states)
        if kind == "value":
            op.revision = None
            found = op.answers[0]
            assert isinstance(found, list)
            op.answers = [found[0].value if found else None]
        if op.verdict == "unknown":
            op.revision, op.answers, op.succeeded = None, [], True
        self.history.ops.append(op)

    def _steps(self) -> list[Step]:
        keys = list(KEYS)
        self.rng.shuffle(keys)
        kinds = self.rng.choice(
            (["put"], ["put"], ["get", "put"], ["put", "delete"], ["delete"], ["get"], [])
        )
        steps: list[Step] = []
        for kind, key in zip(kinds, keys, strict=False):
            steps.append(("put", key, self._value(), 0) if kind == "put" else (kind, key, ""))
        return steps

    def _step(self, kind: str) -> Step:
        key = self.rng.choice(KEYS)
        if kind == "put":
            with_lease = self.history.leases and self.rng.random() < 0.5
            return "put", key, self._value(), LEASE if with_lease else 0
        return kind, key, self.rng.choice(("", "", "c"))

    def _compare(self) -> Compare:
        rng = self.rng
        key = rng.choice(KEYS)
        target = rng.choice(("mod", "create", "version", "value"))
        record = self.state.get(key)
        sign = rng.choice(("==", "==", "!=", "<", ">"))
        if target == "value":
            return target, key, sign, record.value if record else "v1"
        actual: int = getattr(record, target) if record else 0
        return target, key, sign, max(0, actual + rng.choice((0, 0, 0, 1, -1)))

    def _value(self) -> str:
        self.values += 1
        return f"v{self.values}"

    def _lock(self) -> None:
        """Somebody enters the queue, the oldest one is known to hold it, or somebody leaves."""
        rng = self.rng
        queue = sorted(key for key in self.state if key.startswith(LOCK))
        kind = rng.choice(("enter", "hold", "leave"))
        if kind == "enter" or not queue:
            key = f"{LOCK}{len(self.states)}"
            self._commit([Event(False, key, "", len(self.states) + 1, 1, 0)])
            self.now += 1
            kind = "hold"
        oldest = _oldest(self.state, LOCK)
        assert oldest is not None
        if kind == "leave":
            key = rng.choice(queue)
            for hold in self.history.holds:
                if hold.key == key:
                    hold.told = self.now - rng.random()
            self._commit([Event(True, key, "", 0, 0, 0)])
        elif all(hold.key != oldest.key for hold in self.history.holds):
            call, ret = self._span()
            self.history.holds.append(Hold("c", LOCK, oldest.key, oldest.create, call, ret, math.inf))

    def _expire(self) -> None:
        lease = self.history.leases[0]
        keys = sorted(key for key, record in self.state.items() if record.lease == LEASE)
        if lease.told == math.inf:
            lease.told = self.now - self.rng.random() * 2
            self._commit([Event(True, key, "", 0, 0, 0) for key in keys])

    def _commit(self, events: list[Event]) -> None:
        if not events:
            return
        revision = len(self.states) + 1
        for event in events:
            if event.deleted:
                del self.state[event.key]
            else:
                self.state[event.key] = Record(
                    event.key, event.value, event.create, revision, event.version, event.lease
                )
        self.states.append(dict(self.state))
        self.history.log.append((revision, events))


def tamper(rng: Random, history: History) -> None:
    """Change something, so that the history may be impossible now."""
    if history.ops and rng.random() < 0.7:
        _tamper_with_op(rng, history, rng.randrange(len(history.ops)))
    elif history.log and rng.random() < 0.6:
        _tamper_with_log(rng, history)
    elif history.leases and history.leases[0].told < math.inf and rng.random() < 0.5:
        history.leases[0].told += rng.choice((1.0, 2.0, math.inf))
    elif history.holds:
        hold = rng.choice(history.holds)
        shift = rng.choice((-2.0, -1.0, 1.0, 2.0))
        match rng.randrange(4):
            case 0:
                hold.call, hold.ret = hold.call + shift, hold.ret + shift
            case 1:
                hold.told += abs(shift)
            case 2:
                hold.fence += rng.choice((-1, 1))
            case _:
                hold.told = math.inf


def _tamper_with_op(rng: Random, history: History, number: int) -> None:
    op = history.ops[number] = replace(history.ops[number])
    match rng.randrange(7):
        case 0:
            shift = rng.choice((-2.0, -1.0, 1.0, 2.0))
            op.call, op.ret = op.call + shift, op.ret + shift
        case 1 if op.revision is not None:
            op.revision = max(1, op.revision + rng.choice((-1, 1)))
        case 2 if op.verdict != "ok" or op.revision is not None:
            if op.writes:
                op.verdict = rng.choice(("unknown", "not_applied"))
                if op.verdict == "unknown":
                    op.ret, op.revision, op.answers, op.succeeded = math.inf, None, [], True
        case 3 if op.answers:
            op.answers = [_tampered_answer(rng, answer) for answer in op.answers]
        case 4 if op.compares and op.verdict == "ok" and len(op.success) == len(op.failure):
            op.succeeded = not op.succeeded
        case 5 if op.guard is None:
            del history.ops[number]
        case 5:
            op.guard = LOCK, (op.guard or ("", 1))[1] + 1
        case 6 if op.ret < math.inf:
            op.call, op.ret = (op.call, op.call + 0.01) if rng.random() < 0.5 else (op.ret - 0.01, op.ret)


def _tampered_answer(rng: Random, answer: Answer) -> Answer:
    if isinstance(answer, list) and answer and rng.random() < 0.5:
        return answer[1:]
    if isinstance(answer, int):
        return max(0, answer + rng.choice((-1, 1)))
    if isinstance(answer, str):
        return rng.choice((None, "v1", "v2"))
    return answer


def _tamper_with_log(rng: Random, history: History) -> None:
    log = history.log
    place = rng.randrange(len(log))
    revision, events = log[place]
    match rng.randrange(4):
        case 0:
            del log[place]
            log[place:] = [(number - 1, later) for number, later in log[place:]]
        case 1:
            log.pop()
        case 2 if events[0].key in KEYS:
            log.append((log[-1][0] + 1, events))
        case _:
            log[place] = revision, events[1:] or [events[0]._replace(version=events[0].version + 1)]
