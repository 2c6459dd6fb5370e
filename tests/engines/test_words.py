"""gRPC's words that are not met through an engine: time-outs."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from etcetra_trio.streams._grpc import timeout_value

UNITS = {b"m": 0.001, b"S": 1.0}


@given(st.floats(0, 1e12))
@example(0.0)
@example(99_999.999)
@example(100_000.0)
@example(99_999_999.5)
def test_a_timeout_is_legal_and_never_shorter_than_asked(seconds: float) -> None:
    """PROTOCOL-HTTP2: at most eight digits and a unit; the server's clock may only be later than ours."""
    value = timeout_value(seconds)
    match = re.fullmatch(rb"([1-9][0-9]{0,7})([mS])", value)
    assert match is not None
    said = int(match[1]) * UNITS[match[2]]
    assert said >= min(seconds, 99_999_999.0) * (1 - 1e-9)
    if seconds < 99_999_990:
        assert said <= seconds + (1.0 if match[2] == b"S" else 0.001) + 1
