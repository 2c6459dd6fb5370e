"""Whether a call costs the same however many others wait on its connection."""

from collections.abc import Mapping, Sequence

from .checks import OURS, Check
from .report import BASE, figure, table
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
    """With so many gets in flight at once; the turns by :func:`name`."""
    turns: dict[str, list[Turn]] = {}
    for _ in range(effort.rounds):
        for tasks in TOGETHER:
            for client in (OURS, BASE):
                if client in clients.live:
                    seconds = max(effort.seconds, tasks * LONGEST_CALL)
                    turn = await clients.live[client].turn(Workload("get", tasks), seconds)
                    turns.setdefault(name(client, tasks), []).append(turn)
    return turns


def name(client: str, tasks: int) -> str:
    return f"{client}, {tasks:,} at once"


def flat_table(turns: Mapping[str, Sequence[Turn]]) -> str:
    """A row for each number."""
    middle = {calls: median_turn(measured) for calls, measured in turns.items()}
    rows = [[calls, figure(turn.cpu_us), figure(turn.ops_s)] for calls, turn in middle.items()]
    return table(("get", "CPU us/op", "ops/s"), rows)


def flatness(turns: Mapping[str, Sequence[Turn]]) -> Check:
    """The target."""
    many, few = turns.get(name(OURS, TOGETHER[-1])), turns.get(name(OURS, FEW))
    value = cpu_ratio(median_turn(many), median_turn(few)) if many and few else None
    return Check(f"get: CPU per operation, {TOGETHER[-1]:,} / {FEW} at once", LIMIT, value)
