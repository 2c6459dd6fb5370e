"""The tables a run prints, and the same as plain data for JSON."""

import math
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from .imports import ImportTime
from .stats import Turn, TurnT, WatchTurn, cpu_ratio, median_turn
from .workloads import VALUE, Effort, key

BASE = "grpc.aio"
#: No client, but what the server gives one that costs next to nothing.
CEILING = "h2load"
HEADINGS = (
    "client",
    "CPU us/op",
    f"x {BASE}",
    "x cheapest other",
    "ops/s",
    "x fastest other",
    f"x {CEILING}",
    "p50 us",
    "p99 us",
    "CPU us/op, range",
)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table that reads well as text, too: first column to the left, others to the right."""
    widths = [max(len(row[column]) for row in [headings, *rows]) for column in range(len(headings))]

    def line(cells: Sequence[str]) -> str:
        rest = (cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True))
        return f"| {' | '.join([cells[0].ljust(widths[0]), *rest])} |"

    rules = ["-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:])]
    rule = f"|{'|'.join(rules)}|"
    return "\n".join([line(headings), rule, *map(line, rows)])


def workload_table(turns: Mapping[str, Sequence[Turn]], absent: Mapping[str, str]) -> str:
    """One workload: a row for each client, with the reason where there are no figures."""
    medians = {client: median_turn(measured) for client, measured in turns.items()}
    bases = [medians.get(client or "") for client in (BASE, cheapest_other(medians))]
    rates = [medians.get(client or "") for client in (fastest_other(medians), CEILING)]
    rows: list[list[str]] = []
    for client, measured in turns.items():
        middle = medians[client]
        costs = [turn.cpu_us for turn in measured]
        rows.append(
            [
                client,
                figure(middle.cpu_us),
                *(f"{cpu_ratio(middle, base):.2f}" if base else "-" for base in bases),
                figure(middle.ops_s),
                *(f"{middle.ops_s / base.ops_s:.2f}" if base else "-" for base in rates),
                *(figure(value) for value in (middle.p50_us, middle.p99_us)),
                f"{figure(min(costs))} .. {figure(max(costs))}",
            ]
        )
    rows += [[client, reason, *[""] * (len(HEADINGS) - 2)] for client, reason in absent.items()]
    return table(HEADINGS, rows)


def cheapest_other(medians: Mapping[str, Turn]) -> str | None:
    """The client that is not ours and costs the least CPU."""
    others = _others(medians)
    return min(others, key=lambda client: others[client].cpu_us, default=None)


def fastest_other(medians: Mapping[str, Turn]) -> str | None:
    """The client that is not ours and does the most operations a second."""
    others = _others(medians)
    return max(others, key=lambda client: others[client].ops_s, default=None)


def _others(medians: Mapping[str, Turn]) -> dict[str, Turn]:
    return {
        client: turn
        for client, turn in medians.items()
        if not client.startswith("etcetra_trio") and client != CEILING
    }


def import_table(imports: ImportTime, others: Mapping[str, float]) -> str:
    """The cost of importing us, and that of trio and of other clients for comparison."""
    rows = [
        ["trio", figure(imports.trio_cpu_ms), ""],
        ["etcetra_trio, after trio", figure(imports.cpu_ms), figure(imports.wall_ms)],
        *([f"{client}, alone", figure(cpu_ms), ""] for client, cpu_ms in others.items()),
    ]
    return table(("import of", "CPU ms", "wall ms"), rows)


def heading(effort: Effort, server: str, stubs: str, versions: Mapping[str, str]) -> dict[str, str]:
    """Everything needed to read the tables, and to measure the same again."""
    return {
        "machine": _machine(),
        "server": server,
        "stubs": stubs,
        "versions": ", ".join(f"{package} {version}" for package, version in versions.items()),
        "load": f"{len(key('get', 0))} B keys, {len(VALUE)} B values, one connection for each client",
        "figures": f"medians of {effort.rounds} interleaved rounds of {effort.seconds:g} s each",
        "CPU": "user + system, of the client's process only",
    }


def _machine() -> str:
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = models[0].partition(":")[2].strip() if models else cpu
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"{os.cpu_count()} x {cpu}, {platform.system()} {platform.release()}, "
        f"{platform.python_implementation()} {platform.python_version()}, load {load}"
    )


def workload_data(turns: Mapping[str, Sequence[TurnT]], absent: Mapping[str, str]) -> dict[str, object]:
    """The same as plain data: medians and every round."""
    figures = {
        client: {"median": _plain(median_turn(measured)), "rounds": [_plain(turn) for turn in measured]}
        for client, measured in turns.items()
    }
    return {"clients": figures, "absent": dict(absent)}


def _plain(turn: Turn | WatchTurn) -> dict[str, float | None]:
    """JSON has no number for what was not measured."""
    return {name: None if math.isnan(value) else value for name, value in asdict(turn).items()}


def figure(value: float) -> str:
    """A number with as many digits as matter."""
    if math.isnan(value):
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
