"""One watch's buffer: whole revisions, in order, none twice and none missing, however the server cuts them up."""

from __future__ import annotations

from typing import Literal, NamedTuple

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from etcetra_trio._proto._changes import Change
from etcetra_trio.streams._watcher import BUFFER_SIZE, TOTAL_SIZE, Budget, Watcher

#: What events of one revision look like: how many of them.
Log = list[tuple[int, int]]


def event(revision: int, number: int, key: bytes = b"") -> Change:
    return Change(key or b"k%d" % number, b"", None, 0, revision, revision, 1, 0)


def watcher(
    *,
    start: int = 0,
    key: bytes = b"\0",
    range_end: bytes = b"\0",
    budget: Budget | None = None,
    max_events: int = 1 << 30,
    on_lag: Literal["wait", "raise", "coalesce"] = "wait",
) -> Watcher:
    return Watcher(
        key,
        range_end,
        start_revision=start,
        max_events=max_events,
        budget=budget or Budget(),
        on_lag=on_lag,
    )


def taken(one: Watcher) -> list[tuple[int, list[bytes]]]:
    found = []
    change, one.handed = one.handed, None
    if change is not None:
        found.append((change.mod_revision, [change.key]))
    while (batch := one.take()) is not None:
        found.append((batch.revision, [each.key for each in batch.events]))
    return found


@st.composite
def logs(draw: st.DrawFn) -> Log:
    """Revisions (with gaps: other keys) and how many events each has."""
    gaps = draw(st.lists(st.integers(1, 3), min_size=1, max_size=12))
    sizes = draw(st.lists(st.integers(1, 6), min_size=len(gaps), max_size=len(gaps)))
    found, revision = [], 0
    for gap, size in zip(gaps, sizes, strict=True):
        revision += gap
        found.append((revision, size))
    return found


def flat(log: Log) -> list[Change]:
    return [event(revision, number) for revision, size in log for number in range(size)]


class Step(NamedTuple):
    """What the server does next: break, or send so many events; and whether the reader reads then.

    After that it may wait for a single event to be handed over.
    """

    breaks: bool
    events: int
    fragment: bool
    reads: bool
    waits: bool
    back: int
    size: int


STEPS = st.lists(
    st.builds(
        Step,
        st.booleans(),
        st.integers(1, 5),
        st.booleans(),
        st.booleans(),
        st.booleans(),
        st.integers(0, 2),
        st.integers(1, 999),
    ),
    max_size=40,
)
#: How it goes on when all steps are done.
TO_THE_END = Step(breaks=False, events=3, fragment=False, reads=True, waits=True, back=0, size=100)


@settings(max_examples=300, deadline=None)
@given(logs(), STEPS)
def test_any_cut_and_any_break_gives_each_revision_once(log: Log, steps: list[Step]) -> None:
    """A server that cuts at any point, breaks at any point, and begins anew where it is asked to, or earlier."""
    budget = Budget()
    one = watcher(start=1, budget=budget)
    one.on_created(0)
    got: list[tuple[int, list[bytes]]] = []
    events = flat(log)
    plan = iter(steps)
    while events:
        step = next(plan, TO_THE_END)
        if step.breaks:
            one.on_interruption(0.0)
            one.on_created(0)
            # Old servers begin earlier than they are asked to.
            events = flat([item for item in log if item[0] >= one.next_revision - step.back])
            continue
        part, events = events[: step.events], events[step.events :]
        cut_in_two = bool(events) and events[0].mod_revision == part[-1].mod_revision
        # A piece of a response says "more to come" also where it ends with a revision.
        more = cut_in_two or (bool(events) and step.fragment)
        one.on_events(part, step.size, more_fragments=more)
        if step.reads:
            got += taken(one)
            one.hand_over = step.waits
    got += taken(one)
    assert got == [(revision, [b"k%d" % number for number in range(size)]) for revision, size in log]
    assert (one.size, one.waiting_events, budget.used, one.tail) == (0, 0, 0, [])
    assert one.known_revision == log[-1][0]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 4), st.integers(1, 500)), min_size=1), st.data())
def test_the_budget_never_leaks(steps: list[tuple[int, int, int]], data: st.DataObject) -> None:
    budget = Budget()
    watchers = [watcher(start=1, budget=budget) for _ in range(3)]
    for count, action, size in steps:
        one = data.draw(st.sampled_from(watchers))
        match action:
            case 0 | 1:
                revision = one.next_revision
                one.on_events([event(revision, n) for n in range(count)], size, more_fragments=action == 1)
            case 2:
                one.take()
            case 3:
                one.coalesce() if one.inbox else one.on_interruption(0.0)
            case _:
                one.discard()
        assert budget.used == sum(each.size for each in watchers)
        for each in watchers:
            assert each.size == sum(batch.size for batch in each.inbox)
            assert each.waiting_events == sum(len(batch.events) for batch in each.inbox)
    for one in watchers:
        one.discard()
    assert budget.used == 0


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=4, unique=True), min_size=1, max_size=20))
def test_coalescing_keeps_the_newest_of_each_key(log: list[list[int]]) -> None:
    one = watcher(start=1)
    for revision, keys in enumerate(log, 1):
        one.on_events([event(revision, number) for number in keys], 100, more_fragments=False)
        if revision % 3 == 0:
            one.coalesce()
    one.coalesce()
    newest = {number: revision for revision, keys in enumerate(log, 1) for number in keys}
    left_out = {number for number in newest if sum(number in keys for keys in log) > 1}
    got = []
    while (batch := one.take()) is not None:
        for each in batch.events:
            number = int(each.key[1:])
            assert (each.key in batch.coalesced) == (number in left_out)
            got.append((batch.revision, number))
    assert [revision for revision, _ in got] == sorted(revision for revision, _ in got)
    assert sorted(got) == sorted((revision, number) for number, revision in newest.items())
    assert one.next_revision == len(log) + 1
    assert one.known_revision == len(log)


def test_what_was_coalesced_is_not_handed_over() -> None:
    """The reader could not be told that older events were left out."""
    one = watcher(start=1)
    one.hand_over = True
    for revision, keys in enumerate([[0, 1], [0], [1], [2]], 1):
        one.on_events([event(revision, number) for number in keys], 100, more_fragments=False)
    one.coalesce()
    assert one.handed is None
    assert [(batch.revision, len(batch.coalesced)) for batch in one.inbox] == [(2, 1), (3, 1), (4, 0)]


def test_now_is_what_the_server_says_it_is() -> None:
    one = watcher()
    one.on_created(41)
    assert (one.next_revision, one.known_revision) == (42, 41)
    one.on_created(99)  # after a break
    assert (one.next_revision, one.known_revision) == (42, 41)


def test_a_break_forgets_half_a_revision_only() -> None:
    one = watcher(start=1)
    one.on_events([event(1, 0), event(2, 0)], 100, more_fragments=True)
    assert taken(one) == [(1, [b"k0"])]
    one.on_interruption(0.0)
    assert one.next_revision == 2
    one.on_events([event(2, 0), event(2, 1)], 100, more_fragments=False)
    assert taken(one) == [(2, [b"k0", b"k1"])]


def test_a_restart_forgets_half_a_revision() -> None:
    one = watcher(start=1)
    one.on_events([event(1, 0), event(2, 0)], 100, more_fragments=True)
    one.restart(2)
    one.on_events([event(2, 0), event(2, 1)], 100, more_fragments=False)
    assert taken(one)[-1] == (2, [b"k0", b"k1"])


def test_progress_is_no_progress_within_a_revision() -> None:
    one = watcher(start=1)
    one.on_events([event(5, 0)], 100, more_fragments=True)
    one.on_progress(5, trusted=True)
    assert one.next_revision <= 5
    one.on_events([event(5, 1)], 100, more_fragments=False)
    assert taken(one) == [(5, [b"k0", b"k1"])]


@pytest.mark.parametrize(("revision", "trusted", "following"), [(9, True, 10), (9, False, 6), (3, True, 6)])
def test_progress_moves_where_it_goes_on(revision: int, trusted: bool, following: int) -> None:
    one = watcher(start=1)
    one.on_events([event(5, 0)], 100, more_fragments=False)
    one.on_progress(revision, trusted=trusted)
    assert one.next_revision == following
    assert one.known_revision == following - 1


@pytest.mark.parametrize(
    ("key", "range_end", "expected"),
    [
        (b"b", b"", [b"b"]),
        (b"b", b"d", [b"b", b"b\xff", b"c"]),
        (b"c", b"\0", [b"c", b"d"]),
        (b"\0", b"\0", [b"a", b"b", b"b\xff", b"c", b"d"]),
        (b"x", b"z", []),
    ],
)
def test_events_of_other_keys_are_left_out(key: bytes, range_end: bytes, expected: list[bytes]) -> None:
    """What a server may send (GHSA-xg4h-6gfc-h4m8) that it should not."""
    one = watcher(start=1, key=key, range_end=range_end)
    keys = (b"a", b"b", b"b\xff", b"c", b"d")
    one.on_events([event(7, 0, each) for each in keys], 100, more_fragments=False)
    assert taken(one) == ([(7, expected)] if expected else [])
    for revision, each in enumerate(keys, 8):
        one.on_events([event(revision, 0, each)], 100, more_fragments=False)
    assert [found for _, [found] in taken(one)] == expected


def is_full(one: Watcher) -> bool:
    """Its property, for type checkers that take it for a constant."""
    return one.full


def test_full() -> None:
    one = watcher(start=1, max_events=3)
    one.on_events([event(1, 0), event(1, 1)], 10, more_fragments=False)
    assert not is_full(one)
    one.on_events([event(2, 0)], 10, more_fragments=False)
    assert is_full(one)
    one.take()
    assert not is_full(one)
    one.on_events([event(3, 0)], BUFFER_SIZE, more_fragments=False)
    assert is_full(one)
    one.discard()
    assert not is_full(one)


def test_no_watch_starves_because_of_the_others() -> None:
    budget = Budget()
    greedy, modest = watcher(start=1, budget=budget), watcher(start=1, budget=budget)
    greedy.on_events([event(1, 0)], TOTAL_SIZE, more_fragments=False)
    assert not is_full(modest)  # it may always have one revision
    modest.on_events([event(1, 0)], 1, more_fragments=False)
    assert is_full(modest)
    greedy.take()
    assert not is_full(modest)


def test_the_first_failure_counts() -> None:
    one = watcher(start=1)
    first = ValueError("first")
    one.fail(first)
    one.fail(ValueError("second"))
    assert one.failure is first
