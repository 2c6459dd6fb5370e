"""The checker agrees with brute force on random histories; each of its rules is needed; it says what is wrong."""

from __future__ import annotations

import itertools
import math
import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from robustness import _checker, _locks, _realtime
from robustness._brute import is_possible
from robustness._checker import check
from robustness._history import (
    Event,
    History,
    LeaseLife,
    Op,
    Record,
    Resumed,
    Revision,
    WatchLog,
    load,
    save,
)
from robustness._matching import match
from robustness._random_history import Maker
from robustness._store import rebuilt
from robustness._timeline import timeline

HISTORIES = 100_000
PROCESSES = 2


def differences(seeds: range) -> tuple[int, list[int]]:
    """How many of the histories are possible, and the seeds of those about which the two do not agree."""
    possible, differing = 0, []
    for seed in seeds:
        history = Maker(Random(seed)).make()
        verdict = is_possible(history)
        possible += verdict
        if verdict == bool(check(history)):
            differing.append(seed)
    return possible, differing


def test_agrees_with_brute_force() -> None:
    parts = [range(start, HISTORIES, PROCESSES) for start in range(PROCESSES)]
    with multiprocessing.get_context("fork").Pool(PROCESSES) as pool:
        found = pool.map(differences, parts)
    assert [seed for _, differing in found for seed in differing] == []
    possible = sum(count for count, _ in found)
    assert HISTORIES * 0.3 < possible < HISTORIES * 0.75, "both verdicts are common"


def nothing(*_: object) -> None:
    pass


def unlike(function: Callable[..., Any], change: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda *arguments: change(function(*arguments))


#: Ways to make the checker worse: what is replaced, and by what.
WORSE: dict[str, tuple[Any, str, Any]] = {
    "values name nobody": (_checker, "own_puts", nothing),
    "told revisions are not looked up": (_checker, "own_told_revisions", nothing),
    "answers are believed": (_checker, "check_answers", nothing),
    "guards are believed": (_checker, "check_guards", nothing),
    "holds are believed": (_checker, "check_holds", lambda _: []),
    "unknown puts may do anything": (_checker, "check_unknown_puts", nothing),
    "unknown writes may be applied before their call": (_realtime.Order, "bound", lambda *_: (-1, None)),
    "deletions need no cause": (_checker, "match_deletions", nothing),
    "a log is what it says": (_checker, "rebuilt", unlike(rebuilt, lambda found: (*found[:2], []))),
    "places are anywhere": (_checker, "at", lambda _: lambda bound: bound),
    "a value is right at any time": (
        _checker,
        "_value_only",
        lambda _, op: _realtime.Item(0, 0, lambda b: b, ""),
    ),
    "a lock may be lost unnoticed": (_locks, "at", lambda _: lambda bound: bound),
    "a lock may be had by anybody": (_locks, "_within", lambda _: lambda bound: bound),
    "keys of locks belong to the operations": (_checker, "_is_foreign", lambda *_: False),
}


@pytest.mark.parametrize("name", WORSE)
def test_each_rule_is_needed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    where, what, worse = WORSE[name]
    monkeypatch.setattr(where, what, worse)
    assert any(differences(range(start, start + 1000))[1] for start in range(0, HISTORIES // 2, 1000))


def test_as_many_causes_as_there_can_be() -> None:
    rng = Random(1)
    for _ in range(2_000):
        possible = [rng.sample(range(5), rng.randrange(4)) for _ in range(rng.randrange(1, 6))]
        found = match(possible)
        used = [cause for cause in found if cause is not None]
        assert len(set(used)) == len(used)
        assert all(cause is None or cause in possible[place] for place, cause in enumerate(found))
        choices = itertools.product(*([None, *causes] for causes in possible))
        best = max(
            len(given)
            for choice in choices
            if len(set(given := [cause for cause in choice if cause is not None])) == len(given)
        )
        assert len(used) == best


def record(value: str, revision: int, *, create: int = 2, version: int = 1) -> Record:
    return Record("k", value, create, revision, version, 0)


def put(value: str, create: int, version: int, *, key: str = "k", lease: int = 0) -> Event:
    return Event(deleted=False, key=key, value=value, create=create, version=version, lease=lease)


def two_puts() -> History:
    """One client writes 1 and then 2."""
    return History(
        ops=[
            Op("A", 0.1, 0.2, "ok", success=[("put", "k", "1", 0)], revision=2, answers=[None]),
            Op("A", 0.3, 0.4, "ok", success=[("put", "k", "2", 0)], revision=3, answers=[None]),
        ],
        log=[(2, [put("1", 2, 1)]), (3, [put("2", 2, 2)])],
    )


def test_a_stale_read_is_explained() -> None:
    history = two_puts()
    assert check(history) == []
    history.ops.append(
        Op("B", 0.5, 0.6, "ok", success=[("get", "k", "")], revision=2, answers=[[record("1", 2)]])
    )
    (violation,) = check(history)
    assert violation.rule == "real time"
    assert violation.explain(history).splitlines() == [
        (
            "real time: B's operation was called at 0.5000, after A's operation had returned at 0.4000; but it belongs "
            "after revision 2, before the other, which is at revision 3"
        ),
        "    A, 0.3000 to 0.4000 s: put k=2 -> ok at revision 3",
        (
            "    B, 0.5000 to 0.6000 s: get k -> ok at revision 2, said [[Record(key='k', value='1', create=2, mod=2, "
            "version=1, lease=0)]]"
        ),
        "  > revision 2: put k=1",
        "  > revision 3: put k=2",
    ]
    history.ops[-1].serializable = True
    assert check(history) == []


def test_a_lease_that_ended_too_early_is_explained() -> None:
    history = two_puts()
    history.log += [(4, [put("x", 4, 1, key="l", lease=7)]), (5, [Event(True, "l", "", 0, 0, 0)])]
    history.ops += [
        Op("L", 0.5, 0.6, "ok", success=[("put", "l", "x", 7)], revision=4, answers=[None]),
        Op("B", 3.0, 3.1, "ok", success=[("get", "l", "")], revision=5, answers=[[]]),
    ]
    history.leases.append(LeaseLife("L", 7, 2.9, "it could not be renewed in time"))
    assert check(history) == []
    history.leases[0].told = 3.2
    (violation,) = check(history)
    assert (violation.rule, violation.revisions) == ("deletion", [5])
    assert "ended on the server at revision 5, and B's operation saw that before its client" in violation.text


def test_a_run_is_judged_in_linear_time() -> None:
    def seconds(count: int) -> float:
        history = History()
        for number in range(count):
            value, at = str(number), number * 0.001
            history.log.append((number + 2, [put(value, 2, number + 1)]))
            steps = [("put", "k", value, 0)]
            op = Op("A", at, at + 0.01, "ok", success=steps, revision=number + 2, answers=[None])  # type: ignore[arg-type]
            history.ops.append(op)
            history.ops.append(Op("B", at, at + 0.02, "ok", success=[("get", "k", "")], answers=[value]))
        before = time.process_time()
        assert check(history) == []
        return time.process_time() - before

    small, large = (min(seconds(count) for _ in range(3)) for count in (1_000, 10_000))
    assert large < 30 * small


def watched(rng: Random) -> tuple[list[Revision], WatchLog, bool]:
    """A log, a watch of it that may have gone wrong, and whether it did."""
    log: list[Revision] = []
    versions: dict[str, int] = {}
    for revision in range(2, rng.randrange(3, 9)):
        events = []
        for key in rng.sample(("w/a", "w/b", "x"), rng.randrange(1, 4)):
            versions[key] = versions.get(key, 0) + 1
            create = 2 if key in {event.key for event in (log[0][1] if log else [])} else revision
            events.append(put(f"{revision}{key}", create, versions[key], key=key))
        log.append((revision, events))
    start = rng.randrange(2, 5)
    part = [
        (revision, mine)
        for revision, events in log
        if revision >= start and (mine := [event for event in events if event.key.startswith("w/")])
    ]
    got = [(revision, list(events)) for revision, events in part]
    bookmarks = [(given, bookmark) for given, bookmark in _bookmarks(rng, part)]
    tampering = rng.randrange(8)
    if tampering < 6 and got:
        place = rng.randrange(len(got))
        revision, events = got[place]
        match tampering:
            case 0:
                del got[place]
            case 1:
                got.insert(place, got[place])
            case 2:
                got.reverse()
            case 3:
                got[place] = revision, events[1:]
            case 4:
                got[place : place + 1] = [(revision, [event]) for event in events]
            case 5:
                got[place] = revision, [events[0]._replace(value="other"), *events[1:]]
    early = any(any(r <= bookmark for r, _ in part[given:]) for given, bookmark in bookmarks)
    return log, WatchLog("W", "w/", start, got, bookmarks), got != part or early


def _bookmarks(rng: Random, part: list[Revision]) -> list[tuple[int, int]]:
    """Sometimes one that is true, or too early by one event."""
    if not part or rng.random() < 0.5:
        return []
    given = rng.randrange(len(part))
    return [(given, part[given][0] - rng.choice((0, 1, 1)))]


def test_watches_are_judged() -> None:
    verdicts = [0, 0]
    for seed in range(5_000):
        log, watch, wrong = watched(Random(seed))
        history = History(watches=[watch], log=log)
        rules = {violation.rule for violation in check(history)} - {"log", "phantom"}
        assert bool(rules) == wrong, (seed, rules)
        verdicts[wrong] += 1
    assert min(verdicts) > 500


@pytest.mark.parametrize(
    ("compacted", "error", "rules"),
    [(0, "", {"watch"}), (0, "closed", set()), (3, "", set()), (2, "", {"watch"}), (0, "boom", {"watch"})],
)
def test_how_watches_end(compacted: int, error: str, rules: set[str]) -> None:
    history = two_puts()
    history.compactions = [2, 3]
    history.watches = [WatchLog("W", "k", 2, [], [], compacted, error)]
    history.watches[0].batches = history.log[:1] if compacted == 2 else []
    assert {violation.rule for violation in check(history)} == rules


def test_histories_are_kept_whole(tmp_path: Path) -> None:
    for seed in range(200):
        history = Maker(Random(seed)).make()
        log, watch, _ = watched(Random(seed))
        history.watches, history.notes = [watch], ["a note"]
        history.faults, history.resumed = [("cut", 0.1, 0.2)], [Resumed(0.5, 0.6, 1)]
        history.compactions = [revision for revision, _ in log]
        save(history, tmp_path / "history.jsonl")
        assert load(tmp_path / "history.jsonl") == history


def test_a_picture_of_a_violation() -> None:
    history = two_puts()
    history.ops[1].revision = 4
    history.ops[0].call, history.ops[0].ret = 0.29, math.inf
    picture = timeline(history, check(history))
    assert picture.startswith("<svg ")
    assert picture.count("<rect ") == 2
    assert "put k=2" in picture
    assert "revision 3" in picture
