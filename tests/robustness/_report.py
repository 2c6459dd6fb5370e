"""The one table that a run ends in."""

from __future__ import annotations

from collections.abc import Mapping

from ._checker import summary
from ._recovery import shown, times
from ._run import Report


def table(report: Report, mutants: Mapping[str, str] | None = None) -> str:
    """Faults, operations, events and verdicts. ``mutants``: what became of the clients with a bug, by name."""
    counts, watches = report.counts, report.history.watches
    found = times(report.history)
    every = list(found.values())
    rows = [
        ("etcd", f"{report.version}, {report.setting}"),
        ("seed", str(report.seed)),
        ("load", f"{report.seconds:.0f} s by 8 clients"),
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
        rows += [
            (
                "no write of anybody for (median, most)",
                shown(t for kind in every for t in kind.pauses) + " s",
            ),
            ("all clients served again after", shown(t for kind in every for t in kind.recoveries) + " s"),
        ]
        rows += [
            (f"- {name}", f"{len(kind.pauses)}: {shown(kind.pauses)} s; {shown(kind.recoveries)} s")
            for name, kind in sorted(found.items())
        ]
    rows += [(f"mutant: {name}", verdict) for name, verdict in (mutants or {}).items()]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"| {name:{width}} | {value} |" for name, value in rows)


def _resumed(report: Report) -> str:
    resumed = report.history.resumed
    ended = sum(leader.revoked for leader in resumed)
    return f"{len(resumed)}; by their own count they ended {ended} leases when they led no more"
