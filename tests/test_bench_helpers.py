"""The benchmark's arithmetic and tables: a wrong median or limit would go unnoticed in its output."""

import math
import re
import sys
from pathlib import Path

import pytest
from bench.__main__ import options
from bench.checks import CPU_LIMITS, IMPORT_LIMIT_MS, OURS, checks
from bench.flat import TOGETHER, flatness
from bench.flat import name as calls
from bench.imports import ImportTime
from bench.locks import BASE as LOCKS_BASE
from bench.locks import LOCK_WORKLOADS, RATES, lock_checks, lock_table
from bench.locks import OURS as OUR_LOCKS
from bench.many_watches import ManyWatches
from bench.peer import WrongAnswerError
from bench.peer_h2load import figures
from bench.report import BASE, CEILING, table, workload_table
from bench.shim_limits import LOOPS, SHIM_LIMITS, shim_checks
from bench.stats import Turn, WatchTurn, cpu_ratio, median_turn, percentile
from bench.targets import CPU_TARGETS, RATE_WORKLOADS, peer_checks, target_table
from bench.tls import PLAIN, tls_checks, tls_table
from bench.watch_report import (
    KIB_LIMIT,
    LIMITS,
    SECONDS_LIMIT,
    many_checks,
    many_table,
    watch_checks,
    watch_table,
)
from bench.watch_workloads import CANNOT, WATCH_WORKLOADS
from bench.workloads import FULL, QUICK, QUICK_CHECK, WORKLOADS, key


def turn(cpu_us: float) -> Turn:
    return Turn(cpu_us=cpu_us, ops_s=1000 - cpu_us, p50_us=2 * cpu_us, p99_us=3 * cpu_us)


@pytest.mark.parametrize(
    ("values", "part", "expected"),
    [
        ([7.0], 0.5, 7.0),
        ([7.0], 0.99, 7.0),
        ([4.0, 1.0, 3.0, 2.0], 0.5, 2.0),
        ([3.0, 1.0, 2.0], 0.5, 2.0),
        ([float(value) for value in range(100, 0, -1)], 0.99, 99.0),
        ([float(value) for value in range(1, 201)], 0.99, 198.0),
    ],
)
def test_percentile(values: list[float], part: float, expected: float) -> None:
    assert percentile(values, part) == expected


def test_median_turn_takes_each_figure_by_itself() -> None:
    turns = [Turn(1, 30, 5, 9), Turn(3, 10, 7, 8), Turn(2, 20, 600, 7)]
    assert median_turn(turns) == Turn(2, 20, 7, 8)


def test_cpu_ratio() -> None:
    assert cpu_ratio(turn(25), turn(100)) == 0.25


def test_table_is_aligned_markdown() -> None:
    assert table(("client", "us"), [["ours", "15.0"], ["x", "1,000"]]).splitlines() == [
        "| client |    us |",
        "|--------|------:|",
        "| ours   |  15.0 |",
        "| x      | 1,000 |",
    ]


def test_workload_table_gives_ratios_and_reasons() -> None:
    text = workload_table(
        {
            BASE: [turn(100), turn(300), turn(200)],
            OURS: [turn(50)],
            CEILING: [Turn(cpu_us=5, ops_s=1000, p50_us=math.nan, p99_us=math.nan)],
        },
        {"grpclib": "not installed"},
    )
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()[2:]]
    assert rows == [
        [BASE, "200", "1.00", "1.00", "800", "1.00", "0.80", "400", "600", "100 .. 300"],
        [OURS, "50.0", "0.25", "0.25", "950", "1.19", "0.95", "100", "150", "50.0 .. 50.0"],
        [CEILING, "5.0", "0.03", "0.03", "1,000", "1.25", "1.00", "-", "-", "5.0 .. 5.0"],
        ["grpclib", "not installed", *[""] * 8],
    ]


def test_targets_beside_other_clients_and_the_ceiling() -> None:
    def made(cost: float) -> Turn:
        return Turn(cpu_us=cost, ops_s=1e6 / cost, p50_us=cost, p99_us=1)

    def missed(ours: float) -> list[str]:
        rows = {
            OURS: [made(ours)],
            "etcetra": [made(100)],
            "aetcd": [made(80)],
            "grpc.aio": [made(90)],
            CEILING: [made(12)],
        }
        workloads = {*CPU_TARGETS, *RATE_WORKLOADS}
        return [check.text for check in peer_checks(dict.fromkeys(workloads, rows)) if not check.passed]

    assert missed(17) == []
    assert [text.partition(":")[0] for text in missed(18)] == ["get-100", "put-100", "get-1000", "put-1000"]
    assert len(missed(19)) == 8, "further from the ceiling than it should be, too"
    assert len(missed(36)) == 12, "slower than 2.3 times the others as well"
    assert all(check.value is None and not check.passed for check in peer_checks({}))
    words = " ".join(target_table(peer_checks({})).split())
    assert "| get-100: CPU per operation, / the cheapest other client | <= 0.22 | not measured | - |" in words


def test_h2load_is_read_and_its_answers_are_looked_at() -> None:
    text = (
        "finished in 200.10ms, 33000.00 req/s, 4.73MB/s\nrequests: 6600 total, 6700 started, 6600 done, "
        "6600 succeeded, {} failed, {} errored, 0 timeout\n"
        "traffic: 946.45KB (969168) total, 12.89KB (13200) headers (space savings 97.00%), {} data\n"
    )
    good = text.format(0, 0, "837.89KB (858000)")
    assert figures(good, 0.033, 130).cpu_us == pytest.approx(5.0)
    assert figures(good, 0.033, 130).ops_s == 33000
    for bad in (text.format(0, 1, "837.89KB (858000)"), text.format(0, 0, "0B (0)"), ""):
        with pytest.raises(WrongAnswerError):
            figures(bad, 0.033, 130)


def test_the_cost_of_a_call_is_flat() -> None:
    turns = {calls(OURS, tasks): [turn(100)] for tasks in TOGETHER}
    assert flatness(turns).passed
    assert not flatness({**turns, calls(OURS, 10_000): [turn(151)]}).passed
    assert not flatness({}).passed


def test_limits_of_the_shim_beside_etcetra() -> None:
    def failures(ours: float) -> list[str]:
        rows = {f"etcetra_trio.asyncio, {loop}": [turn(ours)] for loop in LOOPS}
        rows["etcetra"] = [turn(100)]
        return [check.text for check in shim_checks(dict.fromkeys(SHIM_LIMITS, rows)) if not check.passed]

    assert failures(40) == []
    assert len(failures(41)) == 2, "at 100 tasks, under asyncio and uvloop"
    assert len(failures(101)) == 4
    assert not any(check.passed for check in shim_checks({}))


def test_workload_table_without_the_base_has_no_ratios() -> None:
    assert " - " in workload_table({OURS: [turn(50)]}, {BASE: "failed"})


def results(ours: float) -> dict[str, dict[str, list[Turn]]]:
    return {name: {OURS: [turn(limit * 100 + ours)], BASE: [turn(100)]} for name, limit in CPU_LIMITS.items()}


def failed(ours: float, import_ms: float, absent: tuple[str, ...] = ()) -> int:
    return sum(not check.passed for check in checks(results(ours), ImportTime(150, import_ms, 40), absent))


def test_checks_pass_below_the_limits_and_fail_above() -> None:
    assert failed(-1, IMPORT_LIMIT_MS) == 0
    assert failed(+1, IMPORT_LIMIT_MS) == len(CPU_LIMITS)
    assert failed(-1, IMPORT_LIMIT_MS + 1) == 1
    assert failed(-1, IMPORT_LIMIT_MS, ("grpclib",)) == 1


def test_what_was_not_measured_does_not_pass() -> None:
    found = checks({name: {OURS: [turn(1)]} for name in CPU_LIMITS}, None, ())
    assert [check.passed for check in found] == [False] * len(CPU_LIMITS) + [False, True]
    assert "not measured" in str(found[0])


def test_checked_workloads_exist_and_keys_are_33_bytes() -> None:
    assert set(CPU_LIMITS) <= set(WORKLOADS)
    assert {len(key(operation, index)) for operation in ("get", "put") for index in (0, 999, 123456)} == {33}


def watched(cpu_us: float) -> WatchTurn:
    return WatchTurn(cpu_us=cpu_us, events_s=1000 - cpu_us)


def test_watch_table_gives_the_ratio_to_each_base() -> None:
    text = watch_table(
        {OURS: [watched(50), watched(10), watched(20)], BASE: [watched(40)], "aetcd": [watched(80)]},
        {"etcetra": "not installed"},
    )
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()[2:]]
    assert rows == [
        [OURS, "20.0", "0.50", "-", "0.25", "980", "10.0 .. 50.0"],
        [BASE, "40.0", "1.00", "-", "0.50", "960", "40.0 .. 40.0"],
        ["aetcd", "80.0", "2.00", "-", "1.00", "920", "80.0 .. 80.0"],
        ["etcetra", "not installed", "", "", "", "", ""],
    ]


def test_watch_checks_compare_with_the_named_client_and_miss_what_is_missing() -> None:
    def passed(ours: float) -> list[bool]:
        turns = {
            name: {OURS: [watched(limit * 100 + ours)], base: [watched(100)]}
            for name, (base, limit) in LIMITS.items()
        }
        return [check.passed for check in watch_checks(turns)]

    assert passed(-1) == [True] * len(LIMITS)
    assert passed(+1) == [False] * len(LIMITS)
    assert [check.passed for check in watch_checks({})] == [False] * len(LIMITS)
    assert not any(
        check.passed for check in watch_checks({"watch-1": {OURS: [watched(1)], BASE: [watched(9)]}})
    )


def test_many_watches_are_checked_for_time_and_memory() -> None:
    def passed(seconds: float, kib: float) -> list[bool]:
        return [check.passed for check in many_checks({OURS: ManyWatches(seconds, kib)})]

    assert passed(SECONDS_LIMIT, KIB_LIMIT) == [True, True]
    assert passed(SECONDS_LIMIT + 0.01, KIB_LIMIT) == [False, True]
    assert passed(SECONDS_LIMIT, KIB_LIMIT + 0.1) == [True, False]
    assert [check.passed for check in many_checks({})] == [False, False]
    assert "| 0.125 |" in " ".join(many_table({OURS: ManyWatches(0.125, 3)}).split())


def test_watch_workloads_are_whole_transactions_and_limits_are_theirs() -> None:
    assert set(LIMITS) | set(CANNOT) <= set(WATCH_WORKLOADS)
    for workload in WATCH_WORKLOADS.values():
        for effort in (FULL, QUICK, QUICK_CHECK):
            assert workload.events(effort) > 0
            assert workload.events(effort) % workload.transaction == 0


def test_tls_counts_its_cheapest_round_and_has_a_limit_for_each_way() -> None:
    turns = {PLAIN: [turn(100), turn(10)], "TLS by net/http": [turn(50), turn(15)], "other": [turn(17)]}
    assert [check.passed for check in tls_checks(turns)] == [True, False]
    assert [check.passed for check in tls_checks({})] == [False]
    assert "| TLS by net/http | 15.0 | 1.50 |" in " ".join(tls_table(turns).split())


def test_locks_are_checked_for_their_rate() -> None:
    def locked(rate: float) -> list[Turn]:
        return [Turn(cpu_us=1, ops_s=rate, p50_us=1, p99_us=1)]

    def passed(factor: float) -> list[bool]:
        turns = {
            name: {OUR_LOCKS: locked(100 * rate * factor), LOCKS_BASE: locked(100)}
            for name, rate in RATES.items()
        }
        return [check.passed for check in lock_checks(turns)]

    assert set(RATES) == set(LOCK_WORKLOADS)
    assert passed(1.01) == [True, True]
    assert passed(0.99) == [False, False]
    assert [check.passed for check in lock_checks({})] == [False, False]
    text = lock_table({OUR_LOCKS: locked(250), LOCKS_BASE: locked(100)}, {"x": "failed"})
    assert f"| {OUR_LOCKS} | 250 | 2.50 |" in " ".join(text.split())


def test_whoever_measures_is_told_with_which_python_and_for_how_long(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["bench", "--help"])
    with pytest.raises(SystemExit):
        options()
    said = " ".join(capsys.readouterr().out.split())
    assert said.startswith("usage: .venv/bin/python -m tests.bench")
    root = Path(__file__).parents[1]
    for text in (
        said,
        *((root / name).read_text(encoding="utf-8") for name in ("README.md", "docs/performance.md")),
    ):
        assert "about five minutes" in text
        assert not re.findall(r"(?<!\.venv/bin/)python -m tests\.bench", text)
