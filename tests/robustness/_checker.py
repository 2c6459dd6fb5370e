"""Judges a history by the store's own log.

etcd tells the revision with each answer, so that nothing has to be searched: every operation has its place in the log,
and what is left to ask is whether it does and tells what belongs there, and whether the places agree with the clock.
One pass in time order and binary searches: n log n. The rules are exact; ``_brute.py`` says the same in the naive way,
and a test compares the two on random histories.

What is to be proved from the log alone, without a word by the client that is judged: whose each revision is. Values
are unique, so puts name their transaction. Deletions are named by the revision that their answer told. For those of
unknown outcome, and of leases that ended, there are several possible causes, each of them once.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from heapq import merge

from ._history import Event, History, LeaseLife, Op
from ._locks import check_guards, check_holds
from ._matching import match
from ._realtime import Item, Order, at
from ._store import Store, rebuilt
from ._verdict import Violation
from ._watching import check_watches

ANY = ""  # stands for all keys that an operation may delete whose range is not looked into


@dataclass(slots=True)
class Case:
    """What the rules share about the history in question."""

    history: History
    store: Store
    log: dict[int, list[Event]]
    #: Whose each revision is, as far as it is known.
    owner: dict[int, Op] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)

    def wrong(self, rule: str, text: str, ops: Iterable[Op] = (), revisions: Iterable[int] = ()) -> None:
        self.violations.append(Violation(rule, text, list(ops), list(revisions)))


def judge(history: History) -> tuple[list[Violation], list[Violation]]:
    """What is wrong with a history, and what would be, had not leaders that went on ended leases by themselves.

    These are excused only if there are not more of them than the leaders say that they ended: see ``History.resumed``.
    """
    wrong = check(replace(history, resumed=[]))
    ended = sum(leader.revoked for leader in history.resumed)
    if not wrong or not ended:
        return wrong, []
    left = check(history)
    excused = [violation for violation in wrong if violation not in left]
    return (left, excused) if len(excused) <= ended else (wrong, [])


def check(history: History) -> list[Violation]:
    """All that is wrong with a history, but for leases that leaders ended by themselves."""
    store, log, wrong = rebuilt(history.log)
    case = Case(history, store, log)
    for revision, text in wrong:
        case.wrong("log", text, revisions=[revision])
    if history.log and history.log[0][0] != 2:
        case.wrong("log", f"the log begins with revision {history.log[0][0]}: a new store's begins with 2")
    own_puts(case)
    own_told_revisions(case)
    check_answers(case)
    check_guards(case)
    holds = check_holds(case)
    order = Order(case.items + holds)
    case.violations += order.violations
    check_unknown_puts(case, order)
    match_deletions(case, order)
    check_watches(case)
    return case.violations


def own_puts(case: Case) -> None:
    """Each value was written by one operation, once, and not by one that is said to have failed."""
    owners: dict[str, Op] = {}
    for op in case.history.ops:
        for step in (*op.success, *op.failure):
            if step[0] == "put":
                owners[step[2]] = op
    seen: dict[int, int] = {}
    for revision, events in case.log.items():
        puts = [event for event in events if not event.deleted and not _is_foreign(case, event.key)]
        if not puts:
            continue
        ops = {id(found): found for event in puts if (found := owners.get(event.value)) is not None}
        if len(ops) != 1 or any(event.value not in owners for event in puts):
            case.wrong("phantom", f"nobody wrote revision {revision}", ops.values(), [revision])
            continue
        (writer,) = ops.values()
        if writer.verdict == "not_applied":
            case.wrong("lie", "a write is in the log that is said not to be applied", [writer], [revision])
        elif id(writer) in seen:
            case.wrong("twice", "a write was applied twice", [writer], [seen[id(writer)], revision])
        elif writer.verdict == "ok" and writer.revision != revision:
            case.wrong("lie", f"a write of revision {revision} told another one", [writer], [revision])
        else:
            case.owner[revision] = writer
        seen[id(writer)] = revision


def own_told_revisions(case: Case) -> None:
    """Who told that it deleted something owns the revision that it told."""
    for op in case.history.ops:
        if op.verdict == "ok" and op.revision is not None and changed(op):
            events = case.log.get(op.revision)
            if events is None:
                case.wrong("lost", f"revision {op.revision}, which was told, is not in the log", [op])
            elif case.owner.setdefault(op.revision, op) is not op:
                both = [case.owner[op.revision], op]
                case.wrong("lie", f"two writes told revision {op.revision}", both, [op.revision])


def changed(op: Op) -> bool:
    """Whether the operation told that it changed something."""
    steps = op.success if op.succeeded else op.failure
    if any(step[0] == "put" for step in steps):
        return True
    deletions = zip(steps, op.answers, strict=False)
    return any(step[0] == "delete" and isinstance(answer, int) and answer > 0 for step, answer in deletions)


def check_answers(case: Case) -> None:
    """Each operation did and told exactly what belongs to its place; gives the places to the order."""
    for op in case.history.ops:
        if op.verdict != "ok":
            continue
        if op.revision is None:
            case.items.append(_value_only(case.store, op))
            continue
        effective = changed(op)
        if effective and op.revision not in case.log:
            continue  # it is said to be lost already
        before = op.revision - 1 if effective else op.revision
        if not case.store.first - 1 <= before <= case.store.last:
            case.wrong("lie", f"there is no revision {op.revision}", [op])
            continue
        succeeded, events, answers = case.store.run(op, before)
        if succeeded != op.succeeded:
            text = f"the compares {'hold' if succeeded else 'do not hold'} after revision {before}"
            case.wrong("answer", text, [op], [before])
        elif answers != op.answers:
            text = f"after revision {before} the answer is {answers!r}"
            case.wrong("answer", text, [op], [before])
        elif effective and events != case.log[op.revision]:
            case.wrong("effect", f"revision {op.revision} is not what the write does", [op], [op.revision])
        elif not effective and events:
            case.wrong("effect", "the write changes something, but told otherwise", [op], [before])
        elif not op.serializable:
            place = 2 * op.revision if effective else 2 * op.revision + 1
            case.items.append(Item(op.call, op.ret, at(place), f"{op.client}'s operation", op))


def _value_only(store: Store, op: Op) -> Item:
    """A get that told a value and no revision: it was while the key had that value."""
    key = op.success[0][1]
    (value,) = op.answers
    assert value is None or isinstance(value, str)

    def earliest(bound: int) -> int | None:
        period = store.periods(key, value, bound // 2 if bound >= 0 else store.first - 1)
        return None if period is None else max(bound, 2 * period[0] + 1) | 1

    return Item(op.call, op.ret, earliest, f"{op.client}'s get", op)


def check_unknown_puts(case: Case, order: Order) -> None:
    """A write of unknown outcome that was applied did what it should, and not before it was called."""
    for revision, op in case.owner.items():
        if op.verdict != "unknown":
            continue
        if case.store.run(op, revision - 1)[1] != case.log[revision]:
            case.wrong("effect", f"revision {revision} is not what the write does", [op], [revision])
        _not_before_its_call(case, order, op, revision)


def _not_before_its_call(case: Case, order: Order, op: Op, revision: int) -> None:
    bound, other = order.bound(op.call)
    if bound > 2 * revision:
        ops = [op] if other is None or other.op is None else [other.op, op]
        case.wrong("real time", f"applied at revision {revision}, before it was called", ops, [revision])


def match_deletions(case: Case, order: Order) -> None:
    """Each revision that only deletes, and that nobody told, has one cause: an unknown outcome, or a lease's end."""
    revisions = [
        revision
        for revision, events in case.log.items()
        if revision not in case.owner
        and all(event.deleted for event in events)
        and not all(_is_foreign(case, event.key) for event in events)
    ]
    causes = _causes(case)
    of_key: dict[str, list[int]] = {}
    for number, cause in enumerate(causes):
        for key in cause.keys:
            of_key.setdefault(key, []).append(number)
    possible: list[list[int]] = []
    for revision in revisions:
        events = case.log[revision]
        possible.append(
            [
                number
                for number in merge(of_key.get(events[0].key, []), of_key.get(ANY, []))
                if order.bound(causes[number].call)[0] <= 2 * revision
                and causes[number].effect(revision - 1) == events
            ]
        )
    for revision, found in zip(revisions, match(possible), strict=True):
        if found is None:
            text, ops = _why_no_cause(case, causes, order, revision)
            case.wrong("deletion", text, ops, [revision])


@dataclass(slots=True)
class _Cause:
    """What may have deleted something, once, after its call."""

    call: float
    effect: Callable[[int], list[Event]]
    keys: set[str]  # that it may delete
    op: Op | None = None
    lease: LeaseLife | None = None


def _causes(case: Case) -> list[_Cause]:
    owning = {id(op) for op in case.owner.values()}
    causes = [
        _Cause(op.call, lambda before, op=op: case.store.run(op, before)[1], _deleted(op), op)  # type: ignore[misc]
        for op in case.history.ops
        if op.verdict == "unknown" and op.writes and id(op) not in owning
    ]
    keys_of: dict[int, set[str]] = {}
    for events in case.log.values():
        for event in events:
            if event.lease:
                keys_of.setdefault(event.lease, set()).add(event.key)
    for lease in case.history.leases:
        keys = keys_of.get(lease.id, set())
        effect = _expiry(case.store, lease.id, sorted(keys))
        causes.append(_Cause(case.history.ended(lease.told), effect, keys, lease=lease))
    return sorted(causes, key=lambda cause: cause.call)


def _deleted(op: Op) -> set[str]:
    """The keys that it may delete."""
    steps = [step for step in (*op.success, *op.failure) if step[0] == "delete"]
    return {ANY if step[2] else step[1] for step in steps}


def _expiry(store: Store, lease: int, keys: list[str]) -> Callable[[int], list[Event]]:
    """What the end of a lease deletes after a revision."""

    def effect(before: int) -> list[Event]:
        return [
            Event(True, key, "", 0, 0, 0)
            for key in keys
            if (record := store.get(key, before)) is not None and record.lease == lease
        ]

    return effect


def _why_no_cause(case: Case, causes: list[_Cause], order: Order, revision: int) -> tuple[str, list[Op]]:
    """Words for a deletion without a cause."""
    fitting = [cause for cause in causes if cause.effect(revision - 1) == case.log[revision]]
    for cause in fitting:
        bound, other = order.bound(cause.call)
        if cause.lease is None or bound <= 2 * revision:
            continue
        ops = [] if other is None or other.op is None else [other.op]
        told = f"was told at {cause.lease.told:.4f}" if cause.lease.told < math.inf else "was never told"
        return (
            (
                f"the lease {cause.lease.id:x} of {cause.lease.client} ended on the server at revision {revision}, and "
                f"{'' if other is None else other.what} saw that before its client {told} ({cause.lease.reason})"
            ),
            ops,
        )
    ops = [cause.op for cause in fitting if cause.op is not None]
    return (
        "nobody deleted this"
        if not fitting
        else "what could have deleted this did so elsewhere, or was too late"
    ), ops


def _is_foreign(case: Case, key: str) -> bool:
    return key.startswith(tuple(case.history.foreign))


def summary(violations: Iterable[Violation]) -> dict[str, int]:
    """How many of each rule."""
    return dict(Counter(violation.rule for violation in violations))
