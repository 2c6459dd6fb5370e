"""The tables of the watches, and their limits."""

from collections.abc import Mapping, Sequence

from .checks import COMPILED, OURS, Check
from .many_watches import COUNT, ManyWatches
from .report import BASE, figure, table
from .run import WatchResults
from .stats import WatchTurn, cpu_ratio, median_turn

LIMITS = {
    "watch-1": ("etcetra", 0.5),
    "watch-100": ("etcetra", 1.0),
    "watch-100-each": ("etcetra", 2.5),
    "catch-up": ("aetcd", 1.0),
}
"""Of CPU per event: beside which client, and how many times its cost ours may have."""
COMPILED_LIMIT = 1.0
"""The same of the compiled build's catch-up, beside bare grpc.aio; measured with ``--compiled`` only."""
SECONDS_LIMIT = 0.2
KIB_LIMIT = 4.0
BASES = (BASE, "etcetra", "aetcd")


def watch_table(turns: Mapping[str, Sequence[WatchTurn]], absent: Mapping[str, str]) -> str:
    """One workload: a row for each client, with the ratio to each of those that ours is compared with."""
    headings = ["client", "CPU us/event", *(f"x {base}" for base in BASES), "events/s", "CPU us/event, range"]
    middle = {client: median_turn(measured) for client, measured in turns.items()}
    rows: list[list[str]] = []
    for client, measured in turns.items():
        mine, costs = middle[client], [turn.cpu_us for turn in measured]
        ratios = [f"{cpu_ratio(mine, middle[base]):.2f}" if base in middle else "-" for base in BASES]
        spread = f"{figure(min(costs))} .. {figure(max(costs))}"
        rows.append([client, figure(mine.cpu_us), *ratios, figure(mine.events_s), spread])
    rows += [[client, reason, *[""] * (len(headings) - 2)] for client, reason in absent.items()]
    return table(headings, rows)


def many_table(found: Mapping[str, ManyWatches]) -> str:
    """What many watches on one connection cost."""
    rows = [[client, f"{many.seconds:.3f}", f"{many.kib_each:.2f}"] for client, many in found.items()]
    return table((f"{COUNT:,} watches", "s until all watch", "KiB each"), rows)


def watch_checks(results: WatchResults) -> list[Check]:
    """The limits of CPU per event."""
    found: list[Check] = []
    for workload, (base, limit) in LIMITS.items():
        turns = results.get(workload, {})
        value = None
        if OURS in turns and base in turns:
            value = cpu_ratio(median_turn(turns[OURS]), median_turn(turns[base]))
        found.append(Check(f"{workload}: CPU per event, / {base}", limit, value))
    catch_up = results.get("catch-up", {})
    if COMPILED in catch_up and BASE in catch_up:
        value = cpu_ratio(median_turn(catch_up[COMPILED]), median_turn(catch_up[BASE]))
        found.append(Check(f"catch-up, compiled: CPU per event, / {BASE}", COMPILED_LIMIT, value))
    return found


def many_checks(found: Mapping[str, ManyWatches]) -> list[Check]:
    """The limits of many watches on one connection."""
    many = found.get(OURS)
    return [
        Check(f"{COUNT:,} watches: s until all watch", SECONDS_LIMIT, many.seconds if many else None),
        Check(f"{COUNT:,} watches: KiB each", KIB_LIMIT, many.kib_each if many else None),
    ]
