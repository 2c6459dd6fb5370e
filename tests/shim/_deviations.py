"""docs/deviations.csv: where the shim differs from etcetra 0.1.19. Nothing else may."""

from __future__ import annotations

import csv
from typing import NamedTuple

from shim._kit import ROOT


class Deviation(NamedTuple):
    """One row."""

    name: str
    what: str
    etcetra: str
    here: str


with (ROOT / "docs" / "deviations.csv").open(encoding="utf-8", newline="") as file:
    DEVIATIONS = {row[0]: Deviation(*row) for row in list(csv.reader(file))[1:]}
