"""Fixtures for all of them."""

from __future__ import annotations

import pytest

from tls._kit import Authority


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The one that everybody here trusts."""
    return Authority.new(tmp_path_factory.mktemp("tls") / "ours")


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """One that nobody trusts."""
    return Authority.new(tmp_path_factory.mktemp("tls") / "theirs")
