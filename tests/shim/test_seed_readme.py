"""etcetra's own README runs, with nothing changed but its import line; where that page is to be had."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from shim._kit import LOOPS, ROOT

PAGES = [page for folder in ROOT.parents if (page := folder / "shared/seed/etcetra-README.md").exists()]

DIRECTORY = "{'/testdir': 'root', '/testdir/1': '1', '/testdir/2': '2', '/testdir/2/3': '3'}\n"
VALUES = "".join(f"WatchEventType.PUT {number}\n" for number in range(1, 6))
KEYS = "".join(
    f"WatchEventType.PUT /testdir{key} {number}\n"
    for number, key in enumerate(("", "/foo", "/bar", "/foo/baz"), 1)
)
#: What each block prints and raises. Watching never ends, so there the test does it.
EXPECTED = [
    ("", ""),
    ("testvalue\n", ""),
    (DIRECTORY, ""),
    ("first: testvalue | second: testvalue\n", ""),
    ("first: testvalue\n", "asyncio.TimeoutError"),
    ("acquired lock after ", ""),
    (VALUES, "asyncio.TimeoutError"),
    (KEYS, "asyncio.TimeoutError"),
    ("", ""),
    ("['asdf']\n", ""),
    ("['asdf']\n", ""),
    ("['foo', 'baz']\n", ""),
]


def check(results: list[dict[str, Any]]) -> None:
    assert len(results) == len(EXPECTED)
    for number, (result, (printed, raised)) in enumerate(zip(results, EXPECTED, strict=True)):
        if printed.startswith("acquired"):
            seconds = float(result["printed"].removeprefix(printed).removesuffix(" seconds\n"))
            assert 4.5 < seconds < 6.5  # what is left of the first one's 5 s
            assert result["warned"] == ["LockLostWarning"]
        else:
            assert result["printed"] == printed, number
            assert set(result["warned"]) <= {"ResourceWarning"}, number
        assert result["raised"] == raised, number


if PAGES:  # else there is nothing to test

    def test_runs_on_every_kind_of_loop(beside: dict[str, subprocess.Popen[str]]) -> None:
        running = {name: process for name, process in beside.items() if name.startswith("README")}
        assert len(running) == len(LOOPS)
        for name, process in running.items():
            out, err = process.communicate(timeout=120)
            assert (process.returncode, err) == (0, ""), name
            check(json.loads(out))
