"""The pages in ``docs/``: all of them can be found."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import etcetra_trio

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


@pytest.mark.parametrize(
    "name",
    [
        "WatchEvent",
        "WatchStatistics",
        "PutResult",
        "RangeResult",
        "MemberStatus",
        "Member",
        "HashKV",
        "Alarm",
    ],
)
def test_the_reference_has_every_field(name: str) -> None:
    reference = (DOCS / "references.md").read_text(encoding="utf-8")
    cls = getattr(etcetra_trio, name)
    for field in getattr(cls, "_fields", ()) or cls.__dataclass_fields__:
        text = reference.partition(f'<a id="etcetra_trio.{name}.{field}"></a>')[2].split("\n\n")[2]
        assert text[0] != "*", f"{field} is explained"
        assert not text.startswith("Alias for field"), field
