"""The limits that our client has to keep. Ratios within one run: the machine's speed does not matter."""

from collections.abc import Collection
from dataclasses import dataclass

from .imports import ImportTime
from .report import BASE
from .run import Results
from .stats import cpu_ratio, median_turn

OURS = "etcetra_trio lean"
COMPILED = f"{OURS}, compiled"
CPU_LIMITS = {"get-1": 0.45, "get-100": 0.30}
IMPORT_LIMIT_MS = 30.0


@dataclass(frozen=True, slots=True)
class Check:
    """One limit and what was measured; ``value`` is None where a figure is missing, which is a failure."""

    text: str
    limit: float
    value: float | None
    at_least: bool = False

    @property
    def passed(self) -> bool:
        if self.value is None:
            return False
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    @property
    def bound(self) -> str:
        """The limit in words."""
        return f"{'>=' if self.at_least else '<='} {self.limit:.4g}"

    @property
    def measured(self) -> str:
        """The value in words."""
        return "not measured" if self.value is None else f"{self.value:.3g}"

    def __str__(self) -> str:
        return f"{'ok  ' if self.passed else 'FAIL'} {self.text}: {self.measured} ({self.bound})"


def checks(results: Results, imports: ImportTime | None, absent: Collection[str]) -> list[Check]:
    """Every limit against the medians of a run (workload, client, turns), and that no client was absent."""
    found: list[Check] = []
    for workload, limit in CPU_LIMITS.items():
        turns = results.get(workload, {})
        value = None
        if OURS in turns and BASE in turns:
            value = cpu_ratio(median_turn(turns[OURS]), median_turn(turns[BASE]))
        found.append(Check(f"{workload}: CPU per operation, {OURS} / {BASE}", limit, value))
    found.append(import_check(imports))
    found.append(Check("clients that are missing or failed", 0, len(absent)))
    return found


def import_check(imports: ImportTime | None) -> Check:
    """The limit of the import."""
    return Check(
        "import etcetra_trio over trio, CPU ms", IMPORT_LIMIT_MS, imports.cpu_ms if imports else None
    )
