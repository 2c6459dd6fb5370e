"""Attempts that race, in Trio's virtual time."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from etcetra_trio import RemoteProtocolError
from etcetra_trio.streams._race import HEAD_START, Race


@pytest.fixture
def autojump() -> trio.testing.MockClock:
    return trio.testing.MockClock(autojump_threshold=0)


Outcome = float | tuple[float, Exception]


class Track:
    """Attempts that take so long and end so, and when each began and was given up."""

    def __init__(self, **outcomes: Outcome) -> None:
        self.outcomes = outcomes
        self.began: dict[str, float] = {}
        self.given_up: dict[str, float] = {}
        self.start = trio.current_time()

    @property
    def now(self) -> float:
        return round(trio.current_time() - self.start, 6)

    async def attempt(self, place: str) -> str:
        self.began[place] = self.now
        outcome = self.outcomes[place]
        try:
            await trio.sleep(outcome if isinstance(outcome, float) else outcome[0])
        except trio.Cancelled:
            self.given_up[place] = self.now
            raise
        if isinstance(outcome, tuple):
            raise outcome[1]
        return place

    async def run(self) -> Race[str, str]:
        race = Race(list(self.outcomes), self.attempt)
        assert await race.run() == race.winner
        return race


async def test_the_first_alone(autojump: trio.testing.MockClock) -> None:
    track = Track(a=0.1, b=0.0)
    race = await track.run()
    assert (race.winner, track.began, track.now) == ("a", {"a": 0}, 0.1)


async def test_a_head_start(autojump: trio.testing.MockClock) -> None:
    track = Track(a=9.0, b=9.0, c=0.3, d=0.0)
    race = await track.run()
    assert race.winner == "d"
    assert track.began == {"a": 0, "b": HEAD_START, "c": 2 * HEAD_START, "d": 3 * HEAD_START}
    assert set(track.given_up) == {"a", "b", "c"}


async def test_a_failure_starts_the_next_at_once(autojump: trio.testing.MockClock) -> None:
    track = Track(a=(0.01, OSError("refused")), b=(0.02, RemoteProtocolError("b", "HTTP/1")), c=0.1)
    race = await track.run()
    assert (race.winner, track.now) == ("c", 0.13)
    assert {place: str(error) for place, error in race.failures.items()} == {
        "a": "refused",
        "b": "the server at b does not speak the protocol properly: HTTP/1",
    }


async def test_a_slow_first_may_still_win(autojump: trio.testing.MockClock) -> None:
    track = Track(a=0.3, b=9.0)
    race = await track.run()
    assert (race.winner, track.now, track.given_up) == ("a", 0.3, {"b": 0.3})


async def test_all_fail(autojump: trio.testing.MockClock) -> None:
    track = Track(a=(3.0, OSError("1")), b=(0.0, OSError("2")), c=(1.0, OSError("3")))
    race = await track.run()
    assert race.winner is None
    assert (sorted(race.failures), track.now) == (["a", "b", "c"], 3)


async def test_a_bug_is_not_hidden(autojump: trio.testing.MockClock) -> None:
    with pytest.RaisesGroup(ValueError):
        await Track(a=(0.0, ValueError("a bug")), b=1.0).run()


async def test_cancelled(autojump: trio.testing.MockClock) -> None:
    track = Track(a=9.0, b=9.0)
    with trio.move_on_after(1) as scope:
        await track.run()
    assert scope.cancelled_caught
    assert track.given_up == {"a": 1, "b": 1}
