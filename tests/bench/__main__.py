"""Measure our client (both HTTP/2 engines) beside bare grpc.aio and grpclib.

Each is a live process with one connection, asked in turn, round after round, against one etcd.
"""

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import trio

from . import stubs
from .checks import CPU_LIMITS, checks
from .imports import ImportTime, import_time
from .report import heading, import_table, workload_data, workload_table
from .run import Results, commands, measure, started
from .server import server
from .workloads import FULL, IMPORT, QUICK, QUICK_CHECK, WORKLOADS

NAMES = [*WORKLOADS, IMPORT]


def options() -> argparse.Namespace:
    """The command line; a wrong one ends the program with a message."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    add = parser.add_argument
    add("workloads", nargs="*", metavar="workload", help=f"some of: {', '.join(NAMES)}; else all")
    add("--quick", action="store_true", help="short turns and few rounds: under a minute in all")
    add("--check", action="store_true", help="measure what has a limit; exit with 1 if one is missed")
    add("--json", type=Path, metavar="FILE", help="write the figures of every round as JSON, too")
    parsed = parser.parse_args()
    limited = [name for name in NAMES if name in {*CPU_LIMITS, IMPORT}]
    parsed.workloads = parsed.workloads or (limited if parsed.check else NAMES)
    if unknown := set(parsed.workloads) - set(NAMES):
        parser.error(f"unknown workload: {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    if parsed.check and (needed := set(limited) - set(parsed.workloads)):
        parser.error(f"--check needs these workloads, too: {', '.join(sorted(needed))}")
    return parsed


async def bench(parsed: argparse.Namespace) -> int:
    """Measure, print each table as soon as it is there, and return the exit code."""
    begin = trio.current_time()
    effort = FULL if not parsed.quick else QUICK_CHECK if parsed.check else QUICK
    results = Results()
    data: dict[str, object] = {}
    imports: ImportTime | None = None
    with tempfile.TemporaryDirectory() as folder:
        compiled = await stubs.generate(Path(folder))
        async with server() as (port, description), started(commands(port, folder)) as clients:
            head = heading(effort, description, compiled, clients.versions)
            print(*(f"{name}: {text}" for name, text in head.items()), sep="\n", flush=True)
            for name in parsed.workloads:
                if name == IMPORT:
                    imports = await import_time(effort.imports)
                    data[name] = asdict(imports)
                    text = import_table(imports)
                else:
                    results[name] = await measure(clients, WORKLOADS[name], effort)
                    data[name] = workload_data(results[name], clients.absent)
                    text = workload_table(results[name], clients.absent)
                print(f"\n### {name}\n\n{text}", flush=True)
    print(f"\n{trio.current_time() - begin:.0f} s in all")
    for client, reason in clients.failed.items():
        print(f"\n{client} failed: {reason}", file=sys.stderr)
    if parsed.json:
        parsed.json.write_text(json.dumps({"heading": head, "results": data}, indent=1) + "\n")
    if not parsed.check:
        return 1 if clients.failed else 0
    found = checks(results, imports, clients.absent)
    print(*found, sep="\n")
    return 0 if all(check.passed for check in found) else 1


if __name__ == "__main__":
    sys.exit(trio.run(bench, options()))
