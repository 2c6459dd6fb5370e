"""Locks: how many times a second one is acquired and released, alone and among tasks that all want the same one."""

from collections.abc import Mapping, Sequence

from .checks import Check
from .report import figure, table
from .run import Clients, Results, measure
from .stats import Turn, median_turn
from .workloads import Effort, Workload

LOCK_WORKLOADS = {workload.name: workload for workload in (Workload("lock", 1), Workload("lock", 10))}
OURS = "etcetra_trio lock"
"""Over one connection; the others connect for each lock, as ``with_lock`` does."""
BASE = "etcetra"
RATES = {"lock-1": 1.5, "lock-10": 3.0}
"""How many times as often as etcetra, at least."""


def lock_commands(port: int) -> dict[str, Sequence[str]]:
    """The peers: the name in the tables, and the module with its arguments."""
    return {
        OURS: ("lock_ours", "lock", str(port)),
        "etcetra_trio with_lock": ("lock_ours", "with_lock", str(port)),
        BASE: ("lock_etcetra", str(port)),
    }


async def lock_turns(clients: Clients, name: str, effort: Effort) -> dict[str, list[Turn]]:
    """The turns of each client."""
    workload = LOCK_WORKLOADS[name]
    return await measure(clients, name, effort.rounds, lambda peer: peer.turn(workload, effort.seconds))


def lock_table(turns: Mapping[str, Sequence[Turn]], absent: Mapping[str, str]) -> str:
    """A row for each client."""
    headings = ("client", "locks/s", f"x {BASE}", "CPU us/lock", "p50 us", "p99 us")
    middle = {client: median_turn(measured) for client, measured in turns.items()}
    base = middle.get(BASE)
    rows = [
        [
            client,
            figure(turn.ops_s),
            f"{turn.ops_s / base.ops_s:.2f}" if base else "-",
            *(figure(value) for value in (turn.cpu_us, turn.p50_us, turn.p99_us)),
        ]
        for client, turn in middle.items()
    ]
    rows += [[client, reason, *[""] * (len(headings) - 2)] for client, reason in absent.items()]
    return table(headings, rows)


def lock_checks(results: Results) -> list[Check]:
    """Whether we are as quick as we want to be."""
    found: list[Check] = []
    for name, rate in RATES.items():
        middle = {client: median_turn(turns) for client, turns in results.get(name, {}).items()}
        faster = None
        if OURS in middle and BASE in middle:
            faster = middle[OURS].ops_s / middle[BASE].ops_s
        found.append(Check(f"{name}: locks a second, / {BASE}", rate, faster, at_least=True))
    return found
