"""A picture of a history around what is wrong with it: a row for each client, a line for each revision. SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from ._history import History, Op, describe, describe_revision
from ._verdict import Violation

WIDTH, ROW, LEFT = 1200, 22, 130
MOST = 400  # operations in a picture
COLOURS = {"ok": "#4c9", "unknown": "#fb4", "not_applied": "#bbb"}


def timeline(history: History, violations: Sequence[Violation]) -> str:
    """The operations around the first violation (with none: the first ones); each tells itself under the pointer."""
    guilty = violations[0].ops if violations else []
    revisions = set(violations[0].revisions) if violations else set()
    ops = _around(history.ops, guilty, revisions)
    if not ops:
        return f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{ROW}"></svg>'
    begin = min(op.call for op in ops)
    end = max([op.call for op in ops] + [op.ret for op in ops if op.ret < math.inf]) + 1e-6
    rows = {client: number for number, client in enumerate(sorted({op.client for op in ops}))}
    height = (len(rows) + 2) * ROW

    def x(time: float) -> float:
        return LEFT + (min(time, end) - begin) / (end - begin) * (WIDTH - LEFT - 10)

    parts = [
        f'<text x="4" y="{number * ROW + 15}">{escape(client)}</text>' for client, number in rows.items()
    ]
    blamed = {id(op) for op in guilty}
    for op in ops:
        stroke = ' stroke="#c00" stroke-width="2"' if id(op) in blamed else ""
        dash = ' stroke-dasharray="3" stroke="#a60"' if op.ret == math.inf and not stroke else ""
        parts.append(
            f'<rect x="{x(op.call):.1f}" y="{rows[op.client] * ROW + 4}" height="{ROW - 8}" '
            f'width="{max(1.5, x(op.ret) - x(op.call)):.1f}" fill="{COLOURS[op.verdict]}"{stroke}{dash}>'
            f"<title>{escape(describe(op))}</title></rect>"
        )
    told = {op.revision: op for op in ops if op.revision is not None and op.writes}
    for entry in history.log:
        op_ = told.get(entry[0])
        if op_ is None and entry[0] not in revisions:
            continue
        middle = x((op_.call + min(op_.ret, end)) / 2) if op_ is not None else x(begin)
        colour = "#c00" if entry[0] in revisions else "#999"
        parts.append(
            f'<line x1="{middle:.1f}" x2="{middle:.1f}" y1="0" y2="{len(rows) * ROW}" stroke="{colour}" '
            f'stroke-dasharray="2"><title>{escape(describe_revision(entry))}</title></line>'
        )
    caption = violations[0].text if violations else "nothing is wrong"
    parts.append(f'<text x="4" y="{height - ROW}">{begin:.4f} to {end:.4f} s. {escape(caption)}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'font-family="sans-serif" font-size="11">{"".join(parts)}</svg>\n'
    )


def _around(ops: list[Op], guilty: list[Op], revisions: set[int]) -> list[Op]:
    """What happened between the first and the last of the guilty ones, and a little before and after."""
    concerned = guilty or [op for op in ops if op.revision in revisions]
    if not concerned:
        return sorted(ops, key=lambda op: op.call)[:MOST]
    begin = min(op.call for op in concerned) - 0.05
    end = max([op.call for op in concerned] + [op.ret for op in concerned if op.ret < math.inf]) + 0.05
    near = [
        op for op in ops if op.call <= end and (op.ret >= begin and (op.ret < math.inf or op.call >= begin))
    ]
    blamed = {id(op) for op in concerned}
    return [op for op in near if id(op) in blamed][:MOST] + [op for op in near if id(op) not in blamed][:MOST]
