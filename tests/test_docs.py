"""The pages in ``docs/``: all of them can be found."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parent.parent / "docs"
INDEX = (DOCS / "index.rst").read_text(encoding="utf-8")


def test_the_index_leads_to_every_page() -> None:
    listed = {f"{page}.rst" for page in re.findall(r"^   ([\w-]+)$", INDEX, re.MULTILINE)}
    listed |= set(re.findall(r"<([\w/-]+\.md)>`_", INDEX))
    found = {
        str(page.relative_to(DOCS))
        for ending in ("*.rst", "*.md", "design/*.md")
        for page in DOCS.glob(ending)
    }
    assert listed == found - {"index.rst", "references.md"}  # that one is made from references.rst
