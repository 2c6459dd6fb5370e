"""The table that a run ends in, in up to three parts."""

from __future__ import annotations

from collections.abc import Mapping

from ._checker import summary
from ._mutants import Hunted
from ._recovery import shown, times
from ._run import Report

SERVED = "all clients served again"
FELT = """\
How long each kind of fault was felt, by all clients taken together. No write of anybody: the longest time between two
writes that succeeded, from the fault's beginning until five seconds after its end; it may be another one's. All clients
served again: from the fault's end until each client had had an answer."""
BUGS = "Clients with a bug, which must be caught:"


def table(report: Report, mutants: Mapping[str, Hunted] | None = None) -> str:
    """Faults, operations, events and verdicts. ``mutants``: what became of the clients with a bug, by name."""
    counts, watches = report.counts, report.history.watches
    found = times(report.history)
    every = list(found.values())
    rows = [
        ("etcd", f"{report.version}, {report.setting}"),
        ("seed", str(report.seed)),
        ("load", f"{report.seconds:.0f} s by 8 clients" + ", interrupted" * report.interrupted),
        ("operations", f"{report.operations:,}"),
        ("- writes applied", f"{counts['ok']:,}"),
        ("- writes not applied", f"{counts['not_applied']:,}"),
        ("- writes of unknown outcome", f"{counts['unknown']:,} ({report.unknown:.2%})"),
        ("- reads", f"{counts['read']:,}"),
        ("- reads that failed", f"{counts['failed read']:,}"),
        (
            "watches",
            f"{len(watches):,}, of which {sum(bool(watch.compacted) for watch in watches):,} fell behind a compaction",
        ),
        ("watch events", f"{counts['events']:,}"),
        ("bookmarks", f"{counts['bookmarks']:,}"),
        ("leases", f"{counts['leases']:,}, of which {counts['leases lost']:,} were lost"),
        ("locks held", f"{counts['locks']:,}, of which {counts['locks lost']:,} were lost"),
        ("revisions of the store", f"{len(report.history.log):,}"),
        ("checked in", f"{report.check_seconds:.1f} s"),
        ("leaders that stood still and went on", _resumed(report)),
        ("leases that these ended too early (excused)", f"{len(report.excused)}"),
        ("violations", ", ".join(f"{n} {rule}" for rule, n in summary(report.violations).items()) or "0"),
        ("faults", f"{report.faults.total()} of {len(report.faults)} kinds"),
    ]
    if every:
        pauses = shown(time for kind in every for time in kind.pauses)
        recoveries = shown(time for kind in every for time in kind.recoveries)
        rows += [
            ("no write of anybody for (median, longest)", pauses),
            ("all clients served again after (median, longest)", recoveries),
        ]
    parts = [_laid_out([("what", "how many"), *rows])]
    if every:
        parts += [
            FELT,
            _laid_out(
                [
                    (
                        "fault",
                        "times",
                        *(f"{what}: median, longest" for what in ("no write of anybody", SERVED)),
                    ),
                    *(
                        (name, str(len(kind.pauses)), shown(kind.pauses), shown(kind.recoveries))
                        for name, kind in sorted(found.items())
                    ),
                ]
            ),
        ]
    if mutants:
        parts += [
            BUGS,
            _laid_out(
                [
                    ("bug", "verdict, and what the checker found in all"),
                    *((name, str(hunted)) for name, hunted in mutants.items()),
                ]
            ),
        ]
    return "\n\n".join(parts)


def _laid_out(rows: list[tuple[str, ...]]) -> str:
    """As Markdown; the first row is the heading."""
    width = max(len(row[0]) for row in rows)
    lines = [f"| {' | '.join((row[0].ljust(width), *row[1:]))} |" for row in rows]
    return "\n".join((lines[0], "|" + "---|" * len(rows[0]), *lines[1:]))


def _resumed(report: Report) -> str:
    resumed = report.history.resumed
    ended = sum(leader.revoked for leader in resumed)
    return f"{len(resumed)}; by their own count they ended {ended} leases when they led no more"
