"""etcetra 0.1.19 and the shim, side by side: the same calls give the same, apart from docs/deviations.csv.

What etcetra gives stands in tests/facts. With the environment variable ETCETRA_PEERS (a folder that
``python -m tests.bench --peers`` made) etcetra itself is asked again, and must still say the same.
"""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from shim._deviations import DEVIATIONS
from shim._differential import CASES
from shim._kit import PEERS, ROOT

Answers = dict[str, dict[str, Any]]

RECORDED: Answers = json.loads((ROOT / "tests/facts/etcetra-0.1.19-answers.json").read_text(encoding="utf-8"))
#: The cases that may differ, and the row that says so.
DIFFERENT = {
    "result_of_put_with_prev_kv": "prev-kv",
    "delete_with_prev_kv": "prev-kv",
    "delete_prefix_with_prev_kv": "prev-kv",
    "watch_with_prev_kv_of_what_is_new": "prev-value",
    "get_prefix_with_a_slash": "prefix",
    "delete_prefix_with_a_slash": "prefix",
    "get_prefix_of_everything": "empty-prefix",
    "bytes_as_value": "bytes",
    "txn_of_gets": "txn-values",
    "txn_compare_unpacked": "txn-values",
    "compare_less_than": "less-than",
    "compare_numbers": "compare-numbers",
    "compare_fields": "compare-fields",
    "callbacks": "callback",
    "watch_from_a_revision": "revisions",
    "watch_ends_at_a_timeout": "watch-timeout",
    "lock_whose_time_is_over": "lock-ttl",
    "unpairs": "host-port",
    "large_answers": "size",
}


@pytest.fixture(scope="module")
def ours(beside: dict[str, subprocess.Popen[str]]) -> Answers:
    return answers(beside["cases, ours"])


def answers(process: subprocess.Popen[str]) -> Answers:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    found: Answers = json.loads(out)
    return found


@pytest.mark.parametrize("case", CASES)
def test_case(case: str, ours: Answers) -> None:
    if case in DIFFERENT:
        assert DIFFERENT[case] in DEVIATIONS
        assert ours[case] != RECORDED[case]
        assert "returned" in ours[case] or case == "txn_compare_unpacked"
    else:
        assert ours[case] == RECORDED[case]


def test_the_record_is_complete() -> None:
    assert RECORDED.keys() == CASES.keys()
    assert not DIFFERENT.keys() - CASES.keys()


if PEERS is not None:

    def test_the_record_is_true(beside: dict[str, subprocess.Popen[str]]) -> None:
        assert answers(beside["cases, etcetra"]) == RECORDED
