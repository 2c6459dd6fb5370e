"""10,000 examples for each target: what was right, with some octets changed, or nothing but noise."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from etcetra_trio.streams._grpc import HeaderBlock
from fuzz._targets import TARGETS, changed, seeds

SEEDS = seeds()
ROUNDS, EACH = 1_000, 10  # hypothesis takes longer for an example than a target does


@pytest.mark.parametrize("name", TARGETS)
def test_ten_thousand(name: str) -> None:
    target, right = TARGETS[name], SEEDS[name]

    @settings(
        max_examples=ROUNDS,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(st.binary(max_size=38), min_size=EACH, max_size=EACH))
    def check(ways: list[bytes]) -> None:
        for how in ways:
            target(changed(right, how))

    check()


@pytest.mark.parametrize("name", TARGETS)
def test_the_seeds_are_right(name: str) -> None:
    for octets in SEEDS[name]:
        TARGETS[name](octets)


def test_a_status_of_thousands_of_digits() -> None:
    """Python refuses to make a number of them."""
    assert HeaderBlock(((b":status", b"2" * 5000),)).http_status == 0
