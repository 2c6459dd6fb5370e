"""Every test of the suite runs once per engine."""

from __future__ import annotations

import pytest

from engines._kit import ENGINES, EngineClass, Pair, Wire


@pytest.fixture(params=ENGINES, ids=["lean", "h2"])
def engine_class(request: pytest.FixtureRequest) -> EngineClass:
    chosen: EngineClass = request.param
    return chosen


@pytest.fixture
def wire(engine_class: EngineClass) -> Wire:
    """An engine whose server is a script; SETTINGS are exchanged."""
    return Wire(engine_class)


@pytest.fixture
def pair(engine_class: EngineClass) -> Pair:
    """An engine back to back with h2's server."""
    return Pair(engine_class)
