"""The limits that our client has to keep. Ratios within one run: the machine's speed does not matter."""

from collections.abc import Collection
from dataclasses import dataclass

from .imports import ImportTime
from .report import BASE
from .run import Results
from .stats import cpu_ratio, median_turn

OURS = "etcetra_trio lean"
CPU_LIMITS = {"get-1": 0.45, "get-100": 0.30}
IMPORT_LIMIT_MS = 30.0


@dataclass(frozen=True, slots=True)
class Check:
    """One limit and what was measured; ``value`` is None where a figure is missing, which is a failure."""

    text: str
    limit: float
    value: float | None

    @property
    def passed(self) -> bool:
        return self.value is not None and self.value <= self.limit

    def __str__(self) -> str:
        value = "not measured" if self.value is None else f"{self.value:.3g}"
        return f"{'ok  ' if self.passed else 'FAIL'} {self.text}: {value} (limit {self.limit:g})"


def checks(results: Results, imports: ImportTime | None, absent: Collection[str]) -> list[Check]:
    """Every limit against the medians of a run (workload, client, turns), and that no client was absent."""
    found: list[Check] = []
    for workload, limit in CPU_LIMITS.items():
        turns = results.get(workload, {})
        value = None
        if OURS in turns and BASE in turns:
            value = cpu_ratio(median_turn(turns[OURS]), median_turn(turns[BASE]))
        found.append(Check(f"{workload}: CPU per operation, {OURS} / {BASE}", limit, value))
    milliseconds = imports.cpu_ms if imports else None
    found.append(Check("import etcetra_trio over trio, CPU ms", IMPORT_LIMIT_MS, milliseconds))
    found.append(Check("clients that are missing or failed", 0, len(absent)))
    return found
