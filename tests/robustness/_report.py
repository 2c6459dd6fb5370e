"""The one table that a run ends in."""

from __future__ import annotations

from ._checker import summary
from ._run import Report


def table(report: Report) -> str:
    """Faults, operations, events and verdicts."""
    counts = report.counts
    writes = sum(counts[verdict] for verdict in ("ok", "unknown", "not_applied"))
    rows = [
        ("etcd", f"{report.version}, 3 members"),
        ("seed", str(report.seed)),
        ("load", f"{report.seconds:.0f} s by 8 clients"),
        ("faults", str(sum(report.faults.values()))),
        *((f"- {name}", str(count)) for name, count in sorted(report.faults.items())),
        ("operations", f"{report.operations:,}"),
        ("- writes applied", f"{counts['ok']:,}"),
        ("- writes not applied", f"{counts['not_applied']:,}"),
        ("- writes of unknown outcome", f"{counts['unknown']:,} ({counts['unknown'] / max(1, writes):.2%})"),
        ("- reads", f"{counts['read']:,}"),
        ("- reads that failed", f"{counts['failed read']:,}"),
        (
            "watches",
            f"{counts['watches']:,}, of which {counts['watches compacted']:,} fell behind a compaction",
        ),
        ("watch events", f"{counts['events']:,}"),
        ("bookmarks", f"{counts['bookmarks']:,}"),
        ("leases", f"{counts['leases']:,}, of which {counts['leases lost']:,} were lost"),
        ("leaders that went on", f"{len(report.history.resumed)}, each of which may have ended leases"),
        ("locks held", f"{counts['locks']:,}, of which {counts['locks lost']:,} were lost"),
        ("revisions of the store", f"{len(report.history.log):,}"),
        ("checked in", f"{report.check_seconds:.1f} s"),
        ("violations", ", ".join(f"{n} {rule}" for rule, n in summary(report.violations).items()) or "0"),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"| {name:{width}} | {value} |" for name, value in rows)
