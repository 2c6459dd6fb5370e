"""Measure our client (both HTTP/2 engines) beside bare grpc.aio and grpclib, and its watches beside other clients'.

Each is a live process with one connection, asked in turn, round after round, against one etcd.
"""

import argparse
import json
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

import trio

from . import stubs
from .checks import CPU_LIMITS, Check, checks
from .compiled import compiled_command
from .figures import Figures, Peers
from .flat import FLAT
from .h2load_package import h2load_command
from .instructions import INSTRUCTIONS, instruction_checks
from .live import live_peer
from .locks import LOCK_WORKLOADS, lock_commands
from .memory import MEMORY
from .peer_environments import PACKAGES, Environments, environments
from .report import heading
from .run import commands, other_commands, started, store, watch_commands
from .server import server, tls_server
from .shim_limits import SHIM_LIMITS, shim_checks, shim_commands
from .targets import CPU_TARGETS, target_table, targets
from .tls import TLS, tls_checks
from .watch_report import LIMITS, many_checks
from .watch_workloads import WATCH_WORKLOADS, WATCHES
from .workloads import FULL, IMPORT, QUICK, QUICK_CHECK, WORKLOADS

NAMES = [
    *WORKLOADS,
    FLAT,
    TLS,
    *WATCH_WORKLOADS,
    WATCHES,
    *LOCK_WORKLOADS,
    MEMORY,
    INSTRUCTIONS,
    IMPORT,
]


def options() -> argparse.Namespace:
    """The command line; a wrong one ends the program with a message."""
    parser = argparse.ArgumentParser(prog=".venv/bin/python -m tests.bench", description=__doc__)
    add = parser.add_argument
    add("workloads", nargs="*", metavar="workload", help=f"some of: {', '.join(NAMES)}; else all")
    add(
        "--quick",
        action="store_true",
        help="short turns and few rounds: about five minutes in all on two cores",
    )
    add("--check", action="store_true", help="measure what has a limit; exit with 1 if one is missed")
    add(
        "--peers",
        type=Path,
        metavar="FOLDER",
        help="beside other clients, too: virtual environments in the folder, made when not there",
    )
    add("--compiled", type=Path, metavar="FOLDER", help="beside the compiled build in the folder, too")
    add("--json", type=Path, metavar="FILE", help="write the figures of every round as JSON, too")
    parsed = parser.parse_args()
    limits = {
        *CPU_LIMITS,
        TLS,
        IMPORT,
        WATCHES,
        INSTRUCTIONS,
        *({*LIMITS, *CPU_TARGETS, *LOCK_WORKLOADS, *SHIM_LIMITS, FLAT} if parsed.peers else ()),
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
    homes = await environments(parsed.peers) if parsed.peers else Environments()
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        compiled = await stubs.generate(Path(folder))
        port, description = await stack.enter_async_context(server())
        peers, watching = commands(port, folder), watch_commands(port, folder)
        if parsed.compiled:
            peers |= compiled_command(parsed.compiled, peers)
            watching |= compiled_command(parsed.compiled, watching)
        if parsed.peers or not parsed.check:
            address = await stack.enter_async_context(tls_server())
            async with live_peer("writer", *address) as writer:
                await store(writer, parsed.workloads)
            peers |= other_commands(port, address, h2load_command(parsed.peers)) | shim_commands(port)
        clients = await stack.enter_async_context(started(peers, homes))
        watchers = await stack.enter_async_context(started(watching, homes))
        lockers = await stack.enter_async_context(started(lock_commands(port), homes))
        writer = await stack.enter_async_context(live_peer("writer", str(port)))
        versions = {**clients.versions, **watchers.versions, **lockers.versions}
        head = heading(effort, description, compiled, versions)
        print(*(f"{name}: {text}" for name, text in head.items()), sep="\n", flush=True)
        await store(writer, parsed.workloads)
        for name in parsed.workloads:
            asked = Peers(clients, watchers, lockers, writer, homes)
            print(f"\n### {name}\n\n{await figures.measure(name, effort, port, asked)}", flush=True)
    print(f"\n{trio.current_time() - begin:.0f} s in all")
    failed = {
        **clients.failed,
        **{f"{client}, watching": reason for client, reason in watchers.failed.items()},
        **{f"{client}, locking": reason for client, reason in lockers.failed.items()},
    }
    for client, reason in failed.items():
        print(f"\n{client} failed: {reason}", file=sys.stderr)
    aims = targets(figures) if parsed.peers else []
    if aims:
        print(f"\n### targets\n\n{target_table(aims)}")
    if parsed.json:
        aimed = {aim.text: {"wanted": aim.bound, "measured": aim.value, "met": aim.passed} for aim in aims}
        results = {"heading": head, "results": figures.data, "targets": aimed}
        parsed.json.write_text(json.dumps(results, indent=1, allow_nan=False) + "\n")
    if not parsed.check:
        return 1 if failed else 0
    missing = {*clients.absent, *watchers.absent, *lockers.absent}
    absent = missing if parsed.peers else missing - {*PACKAGES} | {*failed}
    found: list[Check] = [*checks(figures.results, figures.imports, absent), *many_checks(figures.many)]
    found += instruction_checks(figures.instructions) + tls_checks(figures.tls)
    if parsed.peers:
        found += shim_checks(figures.results) + aims
    print(*dict.fromkeys(found), sep="\n")
    return 0 if all(check.passed for check in found) else 1


if __name__ == "__main__":
    sys.exit(trio.run(bench, options()))
