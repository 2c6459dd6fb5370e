"""The limits of our client for asyncio beside etcetra, which ``--peers`` installs."""

from collections.abc import Sequence

from .checks import Check
from .run import Results
from .stats import cpu_ratio, median_turn

BASE = "etcetra"
#: Of CPU per operation: how many times etcetra's cost the shim may have, on each kind of loop.
SHIM_LIMITS = {
    "get-1": {"asyncio": 1.0},
    "get-100": {"asyncio": 0.4, "uvloop": 0.4, "trio-asyncio": 1.0},
}
LOOPS = ("asyncio", "uvloop", "trio-asyncio")


def shim_commands(port: int) -> dict[str, Sequence[str]]:
    """The peers: the name in the tables, and the module with its arguments."""
    return {f"etcetra_trio.asyncio, {loop}": ("peer_shim", loop, str(port)) for loop in LOOPS}


def shim_checks(results: Results) -> list[Check]:
    """Whether they were kept."""
    found: list[Check] = []
    for workload, limits in SHIM_LIMITS.items():
        middle = {client: median_turn(turns) for client, turns in results.get(workload, {}).items()}
        for loop, limit in limits.items():
            client = f"etcetra_trio.asyncio, {loop}"
            value = cpu_ratio(middle[client], middle[BASE]) if {client, BASE} <= middle.keys() else None
            found.append(Check(f"{workload}: CPU per operation, {client} / {BASE}", limit, value))
    return found
