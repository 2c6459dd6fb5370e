"""What is written down about a run, and its way into a file and back: enough for the checker to judge it alone.

Every operation is a transaction here: a put is one with a single put, a read one that only reads. Times are seconds of
one monotonic clock.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

Verdict = Literal["ok", "unknown", "not_applied"]

#: How long after a leader ended a lease its client may still hold it: a leader that stood still and goes on has the
#: cluster revoke leases that ran out meanwhile, although its successor extended them (etcd's issue 15247).
STALE = 4.0

#: Fills up values whose size matters, at their end; it is not noted.
PADDING = "~"

#: ("get", key, range end or ""), ("put", key, value, lease), ("delete", key, range end or "").
Step: TypeAlias = tuple[str, str, str] | tuple[str, str, str, int]
#: (target, key, sign, operand), as in ("mod", "k", "==", 17).
Compare: TypeAlias = tuple[str, str, str, str | int]
#: What a step told: the records of a get, how many keys a delete deleted, None for a put.
Answer: TypeAlias = "list[Record] | int | str | None"


class Record(NamedTuple):
    """A key, as the store has it."""

    key: str
    value: str
    create: int
    mod: int
    version: int
    lease: int


class Event(NamedTuple):
    """A change of a key; that of a deletion has neither value nor versions."""

    deleted: bool
    key: str
    value: str
    create: int
    version: int
    lease: int


#: All events of a revision.
Revision: TypeAlias = tuple[int, list[Event]]


@dataclass(slots=True)
class Op:
    """One call of one client."""

    client: str
    call: float
    #: When it returned; infinite while nobody knows whether, and when, it is carried out.
    ret: float
    verdict: Verdict
    compares: list[Compare] = field(default_factory=list)
    success: list[Step] = field(default_factory=list)
    failure: list[Step] = field(default_factory=list)
    #: The revision that the answer told; None for a get that tells a value and nothing else.
    revision: int | None = None
    succeeded: bool = True
    answers: list[Answer] = field(default_factory=list)
    serializable: bool = False
    #: With a lock: the beginning of its queue's keys, and the fence of the holder.
    guard: tuple[str, int] | None = None
    error: str = ""

    @property
    def writes(self) -> bool:
        return any(step[0] != "get" for step in (*self.success, *self.failure))


@dataclass(slots=True)
class LeaseLife:
    """A lease that a client kept alive. ``told``: when it knew, or chose, that it is over; infinite for never."""

    client: str
    id: int
    told: float
    reason: str = ""


@dataclass(slots=True)
class Hold:
    """A lock that was held: asked for at ``call``, had from ``ret`` on, and until ``told``."""

    client: str
    prefix: str  # of the keys of its queue
    key: str
    fence: int
    call: float
    ret: float
    told: float
    reason: str = ""


@dataclass(slots=True)
class WatchLog:
    """What a watch gave. ``start``: the first revision that it had to give."""

    client: str
    prefix: str
    start: int
    batches: list[Revision] = field(default_factory=list)
    #: (how many batches had been given, the revision up to which the client said that was all)
    bookmarks: list[tuple[int, int]] = field(default_factory=list)
    #: The first revision that was still there when it ended, behind a compaction; 0: it did not end so.
    compacted: int = 0
    error: str = ""


@dataclass(slots=True)
class Resumed:
    """A leader that stood still and went on at ``time``.

    ``revoked``: how many leases it ended since, up to ``until``, when it did not lead any more: by its own count.
    """

    time: float
    until: float
    revoked: int


@dataclass(slots=True)
class History:
    """A run: what clients saw, and the log of the store from its first revision on."""

    ops: list[Op] = field(default_factory=list)
    log: list[Revision] = field(default_factory=list)
    leases: list[LeaseLife] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    watches: list[WatchLog] = field(default_factory=list)
    #: Revisions up to which the nemesis had the store compacted.
    compactions: list[int] = field(default_factory=list)
    #: Beginnings of keys that are written by what is below the operations, such as those of locks.
    foreign: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    #: What was done to the cluster and to connections: its name, and from when to when.
    faults: list[tuple[str, float, float]] = field(default_factory=list)
    resumed: list[Resumed] = field(default_factory=list)

    def ended(self, told: float) -> float:
        """The earliest moment at which the server may end a lease that its client holds until ``told``."""
        excuses = [
            leader.time
            for leader in self.resumed
            if leader.revoked and leader.time <= told <= leader.until + STALE
        ]
        return min(excuses, default=told)


_PARTS: dict[str, type] = {
    "ops": Op,
    "leases": LeaseLife,
    "holds": Hold,
    "watches": WatchLog,
    "resumed": Resumed,
}


def save(history: History, path: Path) -> None:
    """Write one line for each thing."""
    with path.open("w", encoding="utf-8") as file:
        for line in _lines(history):
            file.write(json.dumps(line, separators=(",", ":")) + "\n")


def _lines(history: History) -> Iterable[tuple[str, Any]]:
    for part in _PARTS:
        for item in getattr(history, part):
            yield part, asdict(item)
    for revision in history.log:
        yield "log", revision
    for plain in ("compactions", "foreign", "notes", "faults"):
        yield plain, getattr(history, plain)


def load(path: Path) -> History:
    """The history that was saved.

    Raises:
      ValueError: there is something else in the file.
    """
    history = History()
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                _take(history, *json.loads(line))
            except (ValueError, TypeError, LookupError, AttributeError) as error:
                raise ValueError(f"line {number}: {error}") from error
    history.faults = [(name, begin, end) for name, begin, end in history.faults]
    return history


def _take(history: History, part: str, item: Any) -> None:
    if part == "log":
        history.log.append(_revision(item))
    elif part in _PARTS:
        getattr(history, part).append(_PARTS[part](**_restored(item)))
    else:
        setattr(history, part, item)


def _revision(item: Any) -> Revision:
    return item[0], [Event(*event) for event in item[1]]


def _restored(item: dict[str, Any]) -> dict[str, Any]:
    for name in ("compares", "success", "failure", "bookmarks"):
        if name in item:
            item[name] = [tuple(element) for element in item[name]]
    if "answers" in item:
        item["answers"] = [
            [Record(*record) for record in answer] if isinstance(answer, list) else answer
            for answer in item["answers"]
        ]
    if "batches" in item:
        item["batches"] = [_revision(batch) for batch in item["batches"]]
    if item.get("guard"):
        item["guard"] = tuple(item["guard"])
    return item


def describe(op: Op) -> str:
    """An operation in one line, for people."""
    steps = "; ".join(_step(step) for step in op.success)
    if op.compares:
        conditions = " and ".join(
            f"{key}.{target} {sign} {operand!r}" for target, key, sign, operand in op.compares
        )
        steps = f"if {conditions}: {steps or 'nothing'}"
        if op.failure:
            steps += f", else: {'; '.join(_step(step) for step in op.failure)}"
    when = f"{op.call:.4f}" + (f" to {op.ret:.4f} s" if op.ret < math.inf else " s, end unknown")
    if op.verdict == "ok":
        told = "" if op.revision is None else f" at revision {op.revision}"
        branch = "" if not op.compares else f" {'succeeded' if op.succeeded else 'failed'}"
        answers = [a for a in op.answers if a is not None or op.revision is None]
        outcome = f"ok{branch}{told}" + (f", said {answers!r}" if answers else "")
    else:
        outcome = f"{op.verdict} ({op.error})"
    kind = "serializable " if op.serializable else ""
    return f"{op.client}, {when}: {kind}{steps} -> {outcome}"


def _step(step: Step) -> str:
    match step:
        case ("put", key, value, lease):
            return f"put {key}={value}" + (f" lease {lease:x}" if lease else "")
        case (kind, key, end, *_):
            return f"{kind} {key}" + (f" to {end}" if end else "")
    raise AssertionError(step)


def describe_revision(revision: Revision) -> str:
    """A revision in one line."""
    events = (f"delete {e.key}" if e.deleted else f"put {e.key}={e.value}" for e in revision[1])
    return f"revision {revision[0]}: {'; '.join(events)}"
