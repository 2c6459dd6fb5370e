"""Our own README keeps its word on every kind of event loop, and shows everything that etcetra's does."""

from __future__ import annotations

import subprocess

import pytest
from _readme import README, examples

from shim._kit import LOOPS

BLOCKS = list(examples(README.read_text(encoding="utf-8"), "python asyncio"))


@pytest.mark.parametrize("loop", LOOPS)
def test_the_examples_print_what_their_comments_say(
    loop: str, beside: dict[str, subprocess.Popen[str]]
) -> None:
    process = beside[f"our README, {loop}"]
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out, err) == (0, "", "")


@pytest.mark.parametrize(
    "call",
    [
        "connect()",
        "put(",
        "get(",
        "get_prefix(",
        'with_lock("foolock")',
        'with_lock("foolock", timeout=5)',
        'with_lock("foolock", ttl=5)',
        ".watch(",
        ".watch_prefix(",
        "CompareKey(",
        ".value <",
        ".value >",
        "txn_compare(",
        ".txn(",
        "prev_kv=True",
        "wait_revision(",
    ],
)
def test_shows(call: str) -> None:
    assert any(call in block.code for block in BLOCKS)
