"""Whether a call costs the same however many others wait on its connection."""

from collections.abc import Mapping, Sequence

from .checks import OURS, Check
from .report import figure, table
from .run import Clients
from .stats import Turn, cpu_ratio, median_turn
from .workloads import Effort, Workload

FLAT = "flat"
TOGETHER = (10, 100, 1_000, 10_000)
FEW = 100
#: For each task, in seconds: each is to make many calls, or beginning and ending so many is all that is measured.
LONGEST_CALL = 3e-4
LIMIT = 1.5
"""How many times the cost among a hundred calls one may cost among ten thousand."""


async def flat_turns(clients: Clients, effort: Effort) -> dict[str, list[Turn]]:
    """Ours alone, with so many gets in flight at once."""
    turns: dict[str, list[Turn]] = {name(tasks): [] for tasks in TOGETHER}
    for _ in range(effort.rounds):
        for tasks in TOGETHER:
            seconds = max(effort.seconds, tasks * LONGEST_CALL)
            turns[name(tasks)].append(await clients.live[OURS].turn(Workload("get", tasks), seconds))
    return turns


def name(tasks: int) -> str:
    return f"{tasks:,} at once"


def flat_table(turns: Mapping[str, Sequence[Turn]]) -> str:
    """A row for each number."""
    middle = {calls: median_turn(measured) for calls, measured in turns.items()}
    rows = [[calls, figure(turn.cpu_us), figure(turn.ops_s)] for calls, turn in middle.items()]
    return table((f"get, {OURS}", "CPU us/op", "ops/s"), rows)


def flatness(turns: Mapping[str, Sequence[Turn]]) -> Check:
    """The target."""
    many, few = turns.get(name(TOGETHER[-1])), turns.get(name(FEW))
    value = cpu_ratio(median_turn(many), median_turn(few)) if many and few else None
    return Check(f"get: CPU per operation, {name(TOGETHER[-1])} / {name(FEW)}", LIMIT, value)
