"""What the checker finds wrong, in words for people."""

from __future__ import annotations

from dataclasses import dataclass, field

from ._history import History, Op, describe, describe_revision

AROUND = 2  # revisions of the log that are shown before and after the one in question


@dataclass(slots=True)
class Violation:
    """A rule that the history breaks, and why.

    ``rule`` is one word; ``ops`` and ``revisions`` are what the sentence is about.
    """

    rule: str
    text: str
    ops: list[Op] = field(default_factory=list)
    revisions: list[int] = field(default_factory=list)

    def explain(self, history: History) -> str:
        """The sentence with its evidence."""
        lines = [f"{self.rule}: {self.text}"]
        lines += [f"    {describe(op)}" for op in self.ops]
        shown: set[int] = set()
        for revision in self.revisions:
            shown |= set(range(revision - AROUND, revision + AROUND + 1))
        lines += [
            ("  > " if entry[0] in self.revisions else "    ") + describe_revision(entry)
            for entry in history.log
            if entry[0] in shown
        ]
        return "\n".join(lines)
