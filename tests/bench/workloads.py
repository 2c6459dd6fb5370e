"""What is measured: the workloads, their data, and how long a run takes."""

from dataclasses import dataclass

KEYS = 1000
VALUE = "v" * 100
#: What is under the prefix that is read as a whole.
MANY = 10_000
MANY_PREFIX = "benchmark/many/"
#: A value of a mebibyte, and the prefix of the one key that has it from the beginning.
MIB = "m" * (1 << 20)
MIB_PREFIX = "benchmark/mib/"

#: A connection, one get over it, and its end.
CONNECT = "connect"


@dataclass(frozen=True, slots=True)
class Workload:
    """One operation, done by a number of tasks at once on one connection."""

    operation: str
    tasks: int
    #: Operations in a turn at most: large writes stay in the server's history.
    most: int = 1 << 30

    @property
    def name(self) -> str:
        return f"{self.operation}-{self.tasks}"


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to measure: rounds over all clients, seconds of each turn, processes for the import and for memory."""

    rounds: int
    seconds: float
    imports: int
    held: int


WORKLOADS = {
    workload.name: workload
    for workload in (
        *(Workload(operation, tasks) for tasks in (1, 10, 100, 1000) for operation in ("get", "put")),
        Workload("prefix", 1),
        Workload("get_mib", 1),
        Workload("put_mib", 1, most=8),
        Workload(CONNECT, 1),
    )
}
IMPORT = "import"
FULL = Effort(rounds=7, seconds=1.0, imports=15, held=3)
QUICK = Effort(rounds=5, seconds=0.2, imports=7, held=1)
# Few workloads then, so many short turns: the ratio of two medians is steady only over a good number of rounds.
QUICK_CHECK = Effort(rounds=21, seconds=0.15, imports=7, held=1)


def key(operation: str, index: int) -> str:
    """A key of 33 bytes; gets and puts have their own, so that puts do not grow the history of read keys."""
    return f"benchmark/{operation}/{index % KEYS:019d}"
