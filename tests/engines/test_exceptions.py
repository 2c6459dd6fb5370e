"""The table of the h2 engine's exceptions is honest: each one is met by a case, and each has its reason."""

from __future__ import annotations

import re
from pathlib import Path

from engines._exceptions import EXCEPTIONS


def test_every_exception_is_met_by_a_case_and_has_a_reason() -> None:
    sources = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    met = re.findall(r'wire\.excepted\("([^"]+)"\)', sources)
    assert set(met) == set(EXCEPTIONS)
    assert all(len(reason) > 20 for reason in EXCEPTIONS.values())
