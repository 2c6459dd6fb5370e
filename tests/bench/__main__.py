"""Measure our client (both HTTP/2 engines) beside bare grpc.aio and grpclib, and its watches beside other clients'.

Each is a live process with one connection, asked in turn, round after round, against one etcd.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import trio

from . import stubs
from .checks import CPU_LIMITS, checks
from .figures import Figures, Peers
from .instructions import INSTRUCTIONS, instruction_checks
from .live import live_peer
from .locks import LOCK_WORKLOADS, lock_checks, lock_commands
from .peer_environments import PACKAGES, environments
from .peer_limits import PEER_LIMITS, peer_checks
from .report import heading
from .run import commands, started, store, watch_commands
from .server import server
from .shim_limits import SHIM_LIMITS, shim_checks, shim_commands
from .tls import TLS, tls_checks
from .watch_report import LIMITS, many_checks, watch_checks
from .watch_workloads import WATCH_WORKLOADS, WATCHES
from .workloads import FULL, IMPORT, QUICK, QUICK_CHECK, WORKLOADS

NAMES = [*WORKLOADS, TLS, *WATCH_WORKLOADS, WATCHES, *LOCK_WORKLOADS, INSTRUCTIONS, IMPORT]


def options() -> argparse.Namespace:
    """The command line; a wrong one ends the program with a message."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    add = parser.add_argument
    add("workloads", nargs="*", metavar="workload", help=f"some of: {', '.join(NAMES)}; else all")
    add("--quick", action="store_true", help="short turns and few rounds: under a minute in all")
    add("--check", action="store_true", help="measure what has a limit; exit with 1 if one is missed")
    add(
        "--peers",
        type=Path,
        metavar="FOLDER",
        help="beside other clients, too: virtual environments in the folder, made when not there",
    )
    add("--json", type=Path, metavar="FILE", help="write the figures of every round as JSON, too")
    parsed = parser.parse_args()
    limits = {
        *CPU_LIMITS,
        TLS,
        IMPORT,
        WATCHES,
        INSTRUCTIONS,
        *({*LIMITS, *PEER_LIMITS, *LOCK_WORKLOADS, *SHIM_LIMITS} if parsed.peers else ()),
    }
    limited = [name for name in NAMES if name in limits]
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
    figures = Figures()
    pythons = await environments(parsed.peers) if parsed.peers else {}
    with tempfile.TemporaryDirectory() as folder:
        compiled = await stubs.generate(Path(folder))
        async with (
            server() as (port, description),
            started(
                commands(port, folder) | (shim_commands(port) if parsed.peers else {}), pythons
            ) as clients,
            started(watch_commands(port, folder), pythons) as watchers,
            started(lock_commands(port), pythons) as lockers,
            live_peer("writer", str(port)) as writer,
        ):
            head = heading(
                effort,
                description,
                compiled,
                {**clients.versions, **watchers.versions, **lockers.versions},
            )
            print(*(f"{name}: {text}" for name, text in head.items()), sep="\n", flush=True)
            await store(writer, parsed.workloads)
            for name in parsed.workloads:
                text = await figures.measure(name, effort, port, Peers(clients, watchers, lockers, writer))
                print(f"\n### {name}\n\n{text}", flush=True)
    print(f"\n{trio.current_time() - begin:.0f} s in all")
    failed = {
        **clients.failed,
        **{f"{client}, watching": reason for client, reason in watchers.failed.items()},
        **{f"{client}, locking": reason for client, reason in lockers.failed.items()},
    }
    for client, reason in failed.items():
        print(f"\n{client} failed: {reason}", file=sys.stderr)
    if parsed.json:
        parsed.json.write_text(json.dumps({"heading": head, "results": figures.data}, indent=1) + "\n")
    if not parsed.check:
        return 1 if failed else 0
    missing = {*clients.absent, *watchers.absent, *lockers.absent}
    absent = missing if parsed.peers else missing - {*PACKAGES} | {*failed}
    found = [*checks(figures.results, figures.imports, absent), *many_checks(figures.many)]
    found += instruction_checks(figures.instructions) + tls_checks(figures.tls)
    if parsed.peers:
        found += shim_checks(figures.results)
        found += watch_checks(figures.watches) + peer_checks(figures.results) + lock_checks(figures.results)
    print(*found, sep="\n")
    return 0 if all(check.passed for check in found) else 1


if __name__ == "__main__":
    sys.exit(trio.run(bench, options()))
