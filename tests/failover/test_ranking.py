"""The order of places that fail, by a clock of the test's."""

from __future__ import annotations

from etcetra_trio.streams._ranking import LONGEST_PAUSE, QUARANTINE, REMEMBERED, Ranking


class Clock:
    def __init__(self, chance: float = 0.5) -> None:
        self.now = 1000.0
        self.ranking: Ranking[str] = Ranking(lambda: self.now, lambda: chance)


def test_as_given_while_nothing_failed() -> None:
    assert Clock().ranking.order("cab") == ["c", "a", "b"]


def test_who_failed_comes_last_for_a_while() -> None:
    clock = Clock()
    clock.ranking.failed("a")
    assert clock.ranking.order("abc") == ["b", "c", "a"]
    clock.now += QUARANTINE - 0.1
    assert clock.ranking.order("abc") == ["b", "c", "a"]
    clock.now += 0.2
    assert clock.ranking.order("abc") == ["a", "b", "c"]


def test_where_all_are_bad_each_has_its_turn() -> None:
    """As in an election: no member has a leader, and the next one is asked."""
    clock = Clock()
    asked = []
    for _ in range(7):
        first = clock.ranking.order("abc")[0]
        asked.append(first)
        clock.ranking.suspect(first)
        clock.now += 0.01
    assert "".join(asked) == "abcabca"


def test_whom_no_attempt_reached_comes_last() -> None:
    clock = Clock()
    clock.ranking.failed("a")
    clock.now += 1
    clock.ranking.suspect("b")
    clock.ranking.suspect("c")
    assert clock.ranking.order("abcd") == ["d", "b", "c", "a"]


def test_pauses_grow_to_a_bound_and_vary() -> None:
    for chance, expected in (
        (0.0, [0.05, 0.1, 0.2, 0.4, 0.5, 0.5]),
        (1.0, [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]),
    ):
        clock = Clock(chance)
        pauses = []
        for _ in range(6):
            clock.ranking.failed("a")
            pauses.append(round(clock.ranking.next_attempt("a") - clock.now, 3))
            clock.now = clock.ranking.next_attempt("a")
        assert pauses == expected
    assert LONGEST_PAUSE == 1.0, "a place that is back is tried again within this"


def test_five_attempts_a_second_at_most() -> None:
    clock = Clock(0.0)
    attempts = []
    while clock.now < 1060:
        attempts.append(clock.now)
        clock.ranking.failed("a")
        clock.now = clock.ranking.next_attempt("a")
    for start in attempts:
        assert len([each for each in attempts if start <= each < start + 1]) <= 5


def test_success_ends_the_pauses_but_not_the_quarantine() -> None:
    """A member may be connected to and have no leader."""
    clock = Clock(1.0)
    for _ in range(5):
        clock.ranking.failed("a")
    clock.ranking.connected("a")
    assert clock.ranking.order("ab") == ["b", "a"]
    clock.ranking.failed("a")
    assert round(clock.ranking.next_attempt("a") - clock.now, 3) == 0.1
    assert clock.ranking.next_attempt("never seen") == 0


def test_places_that_came_and_went_are_forgotten() -> None:
    clock = Clock()
    for number in range(10 * REMEMBERED):
        clock.ranking.failed(f"{number}")
        clock.now += 1
    assert len(clock.ranking._health) <= REMEMBERED + 1
