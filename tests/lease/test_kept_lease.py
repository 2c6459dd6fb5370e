"""Until when a lease is proved to live, by a clock of the test's own."""

from __future__ import annotations

import math

import pytest
import trio
from trio.testing import MockClock

from etcetra_trio.streams import _kept_lease
from etcetra_trio.streams._kept_lease import MARGIN, KeptLease, lease_time


@pytest.fixture(autouse=True)
def no_sleep_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_kept_lease, "suspended", lambda: 0.0)


async def test_renewals(mock_clock: MockClock) -> None:
    kept = KeptLease(1, 10, lease_time())
    begin = kept.renewed_at
    assert kept.expires == pytest.approx(begin + 10 * (1 - MARGIN))
    assert kept.due == pytest.approx(begin + 10 / 3)
    mock_clock.jump(5)
    kept.renewed(begin + 4, 20)
    # What counts is when the request was sent, and what the server says.
    assert (kept.renewed_at, kept.ttl) == (begin + 4, 20)
    assert kept.expires == pytest.approx(begin + 4 + 20 * (1 - MARGIN))
    kept.renewed(begin + 3, 20)  # an earlier one, answered later
    assert kept.renewed_at == begin + 4
    mock_clock.jump(18.7)
    assert kept.lost
    kept.renewed(lease_time(), 20)
    assert kept.lost


async def test_a_body_s_deadline_moves(mock_clock: MockClock) -> None:
    kept = KeptLease(1, 10, lease_time())
    with trio.CancelScope() as scope:
        kept.attach(scope)
        assert scope.deadline == kept.deadline
        mock_clock.jump(4)
        kept.renewed(lease_time(), 10)
        assert scope.deadline == kept.deadline == trio.current_time() + 10 * (1 - MARGIN)
        mock_clock.jump(9.81)
        await trio.lowlevel.checkpoint()
        raise AssertionError
    assert scope.cancelled_caught
    assert kept.lost


async def test_a_limit(mock_clock: MockClock) -> None:
    kept = KeptLease(1, 10, lease_time())
    kept.end_at(lease_time() + 15, "enough")
    # Once more in time, and never so late that the server would keep it for longer.
    assert lease_time() + 3 < kept.due <= lease_time() + 5
    mock_clock.jump(4.7)
    kept.renewed(lease_time(), 10)
    assert kept.due <= lease_time() + 0.3
    mock_clock.jump(0.11)
    kept.renewed(lease_time(), 10)
    assert kept.due == math.inf
    mock_clock.jump(9.9)
    assert kept.lost
    assert kept.reason == "enough"
    assert kept.clean_up > 0


async def test_given_back(mock_clock: MockClock) -> None:
    kept = KeptLease(1, 10, lease_time())
    kept.let_go()
    mock_clock.jump(11)
    assert not kept.lost
    await kept.wait_lost()
