"""When PINGs are sent and a silent server is left, in Trio's virtual time."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import cast

import pytest
import trio
import trio.testing

from etcetra_trio.streams._connection import Connection
from etcetra_trio.streams._liveness import GRACE, Pings, wait_silent

PINGS = Pings()


class Fake:
    """What is asked of a connection."""

    def __init__(self) -> None:
        self.engine = self
        self.heard = self.start = trio.current_time()
        self.streams: set[int] = {1}
        self.spare = False
        self.accepting = True
        #: When PINGs were sent.
        self.pings: list[float] = []
        #: After how many seconds each is answered; None: never.
        self.answers: float | None = None
        self.result: str | None = None
        self.ended: float | None = None

    @property
    def now(self) -> float:
        return round(trio.current_time() - self.start, 6)

    def hear(self) -> None:
        self.heard = trio.current_time()

    def ping(self, payload: bytes) -> None:
        assert len(payload) == 8
        self.pings.append(self.now)

    async def run(self) -> None:
        self.result = await wait_silent(cast("Connection", self), PINGS)
        self.ended = self.now

    async def answer(self) -> None:
        answered = 0
        while True:
            await trio.sleep(0.01)
            if len(self.pings) > answered and self.answers is not None:
                answered = len(self.pings)
                await trio.sleep(self.answers)
                self.hear()


@asynccontextmanager
async def watched() -> AsyncGenerator[Fake]:
    fake = Fake()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(fake.run)
        nursery.start_soon(fake.answer)
        yield fake
        nursery.cancel_scope.cancel("the test is over")


@pytest.fixture(autouse=True)
def autojump() -> trio.testing.MockClock:
    return trio.testing.MockClock(autojump_threshold=0)


async def test_silence(autojump: trio.testing.MockClock) -> None:
    async with watched() as fake:
        await trio.sleep(30)
    assert (fake.pings, fake.ended) == ([6], 6 + 3 + GRACE)
    assert fake.result == "the server was silent for 9.1 s, and a PING found no answer"


@pytest.mark.parametrize("last", [0.5, 5.9, 6.1, 100.25])
async def test_the_bound_counts_from_the_last_octet(autojump: trio.testing.MockClock, last: float) -> None:
    async with watched() as fake:
        while fake.now + 0.5 < last:
            await trio.sleep(0.5)
            fake.hear()
        await trio.sleep(last - fake.now)
        fake.hear()
        await trio.sleep(20)
    assert fake.ended is not None
    assert fake.ended - last == pytest.approx(PINGS.interval + PINGS.timeout + GRACE)
    assert fake.pings == [pytest.approx(last + 6)], "while something is heard, nothing is asked"


async def test_answers_keep_it(autojump: trio.testing.MockClock) -> None:
    async with watched() as fake:
        fake.answers = 2.9
        await trio.sleep(100)
    assert fake.ended is None
    gaps = [after - before for before, after in zip(fake.pings, fake.pings[1:], strict=False)]
    assert len(gaps) > 5
    assert min(gaps) >= 6, "etcd takes none that comes within 5 s of another"


async def test_an_answer_in_the_last_moment(autojump: trio.testing.MockClock) -> None:
    """As after a time in which this process stood still itself: the answer is there, but not read yet."""
    async with watched() as fake:
        fake.answers = 3 + GRACE / 2
        await trio.sleep(50)
    assert fake.ended is None


async def test_no_stream_no_ping(autojump: trio.testing.MockClock) -> None:
    async with watched() as fake:
        fake.streams.clear()
        await trio.sleep(100)
        assert fake.pings == []
        fake.streams.add(3)
        opened = fake.now
        await trio.sleep(20)
        assert fake.ended is not None
        assert fake.ended - opened <= 9.5, "a call on a connection that died while it was idle"
        assert len(fake.pings) == 1


async def test_a_call_that_ends_meanwhile(autojump: trio.testing.MockClock) -> None:
    """Its user gave up: there is nothing to save, and nothing that proves the server dead."""
    async with watched() as fake:
        await trio.sleep(7)
        fake.streams.clear()
        await trio.sleep(50)
        assert (fake.pings, fake.ended) == ([6], None)


@pytest.mark.parametrize("how", ["spare", "goodbye"])
async def test_not_needed_any_more(autojump: trio.testing.MockClock, how: str) -> None:
    async with watched() as fake:
        await trio.sleep(1)
        fake.spare, fake.accepting = how == "spare", how != "goodbye"
        fake.answers = 0.1
        await trio.sleep(20)
        assert fake.ended is None, "a call is still on it"
        fake.streams.clear()
        await trio.sleep(13)
        assert fake.result == ""
