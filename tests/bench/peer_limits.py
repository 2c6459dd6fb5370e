"""The limits beside the clients of others, which ``--peers`` installs."""

from .checks import OURS, Check
from .report import cheapest_other
from .run import Results
from .stats import cpu_ratio, median_turn

BEST = "the cheapest other client"
PEER_LIMITS = {
    "get-1": ("etcetra", 0.45),
    "get-100": (BEST, 0.22),
    "put-100": (BEST, 0.22),
    "get-1000": (BEST, 0.22),
    "put-1000": (BEST, 0.22),
    "prefix-1": ("etcetra", 1.0),
    "get_mib-1": (BEST, 1.0),
    "put_mib-1": (BEST, 1.0),
}
"""Of CPU per operation: beside which client, and how many times its cost ours may have."""
THROUGHPUT = 2.3
"""With 100 tasks and more: operations a second, to those of the fastest other client."""


def peer_checks(results: Results) -> list[Check]:
    """Whether they were kept."""
    found: list[Check] = []
    for workload, (base, limit) in PEER_LIMITS.items():
        middle = {client: median_turn(turns) for client, turns in results.get(workload, {}).items()}
        other = cheapest_other(middle) if base == BEST else base
        value = None
        if OURS in middle and other in middle:
            value = cpu_ratio(middle[OURS], middle[other])
        found.append(Check(f"{workload}: CPU per operation, {OURS} / {base}", limit, value))
        if workload.endswith("00"):
            others = [turn.ops_s for client, turn in middle.items() if not client.startswith("etcetra_trio")]
            slowness = max(others) / middle[OURS].ops_s if others and OURS in middle else None
            text = f"{workload}: operations a second of the fastest other client, / {OURS}"
            found.append(Check(text, 1 / THROUGHPUT, slowness))
    return found
