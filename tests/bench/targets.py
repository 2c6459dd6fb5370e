"""What we want to be, beside the clients of others and the server's ceiling, and what we are."""

from collections.abc import Mapping, Sequence

from .checks import OURS, Check, import_check
from .figures import Figures
from .flat import FLAT, flatness
from .locks import lock_checks
from .report import CEILING, cheapest_other, fastest_other, table
from .run import Results
from .stats import Turn, cpu_ratio, median_turn
from .watch_report import many_checks, watch_checks

BEST = "the cheapest other client"
ETCETRA = "etcetra"
CPU_TARGETS = {
    "get-1": (ETCETRA, 0.45),
    "put-1": (ETCETRA, 0.45),
    "get-100": (BEST, 0.22),
    "put-100": (BEST, 0.22),
    "get-1000": (BEST, 0.22),
    "put-1000": (BEST, 0.22),
    "prefix-1": (ETCETRA, 1.0),
    "get_mib-1": (BEST, 1.0),
    "put_mib-1": (BEST, 1.0),
    "connect-1": (ETCETRA, 0.7),
}
"""Of CPU per operation: beside which client, and how many times its cost ours may have."""
LATENCY_TARGETS = {"get-1": 0.75, "put-1": 0.75, "connect-1": 0.7}
"""How many times etcetra's p50 ours may be."""
RATE_WORKLOADS = ("get-100", "put-100", "get-1000", "put-1000")
FASTER, OF_CEILING = 2.3, 0.65
"""Operations a second, at least so many times those of the fastest other client, and of the server's ceiling."""


def targets(figures: Figures) -> list[Check]:
    """Each target with what was measured."""
    return [
        *peer_checks(figures.results),
        *watch_checks(figures.watches),
        *many_checks(figures.many),
        import_check(figures.imports),
        *lock_checks(figures.results),
        flatness(figures.results.get(FLAT, {})),
    ]


def peer_checks(results: Results) -> list[Check]:
    """Those of the operations that all clients have."""
    found: list[Check] = []
    middles = {
        workload: {client: median_turn(turns) for client, turns in clients.items()}
        for workload, clients in results.items()
    }
    for workload, (base, limit) in CPU_TARGETS.items():
        middle = middles.get(workload, {})
        other = cheapest_other(middle) if base == BEST else base
        value = cpu_ratio(middle[OURS], middle[other]) if OURS in middle and other in middle else None
        found.append(Check(f"{workload}: CPU per operation, / {base}", limit, value))
    for workload, limit in LATENCY_TARGETS.items():
        ratio = _ratio(middles.get(workload, {}), ETCETRA, "p50_us")
        found.append(Check(f"{workload}: p50, / {ETCETRA}", limit, ratio))
    for workload in RATE_WORKLOADS:
        middle = middles.get(workload, {})
        ratio = _ratio(middle, fastest_other(middle), "ops_s")
        found.append(
            Check(f"{workload}: operations/s, / the fastest other client", FASTER, ratio, at_least=True)
        )
    for workload in RATE_WORKLOADS:
        ratio = _ratio(middles.get(workload, {}), CEILING, "ops_s")
        found.append(Check(f"{workload}: operations/s, / {CEILING}", OF_CEILING, ratio, at_least=True))
    return found


def _ratio(middle: Mapping[str, Turn], base: str | None, figure: str) -> float | None:
    if OURS not in middle or base not in middle:
        return None
    ours: float = getattr(middle[OURS], figure)
    return ours / float(getattr(middle[base or ""], figure))


def target_table(found: Sequence[Check]) -> str:
    """A row for each, met or not."""
    rows = [
        [
            check.text,
            check.bound,
            check.measured,
            "met" if check.passed else "-" if check.value is None else "MISSED",
        ]
        for check in found
    ]
    return table((f"target of {OURS}", "wanted", "measured", ""), rows)
