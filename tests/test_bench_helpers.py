"""The benchmark's arithmetic and tables: a wrong median or limit would go unnoticed in its output."""

import pytest
from bench.checks import CPU_LIMITS, IMPORT_LIMIT_MS, OURS, checks
from bench.imports import ImportTime
from bench.report import BASE, table, workload_table
from bench.stats import Turn, cpu_ratio, median_turn, percentile
from bench.workloads import WORKLOADS, key


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
        {BASE: [turn(100), turn(300), turn(200)], OURS: [turn(50)]}, {"grpclib": "not installed"}
    )
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()[2:]]
    assert rows == [
        [BASE, "200", "1.00", "800", "400", "600", "100 .. 300"],
        [OURS, "50.0", "0.25", "950", "100", "150", "50.0 .. 50.0"],
        ["grpclib", "not installed", "", "", "", "", ""],
    ]


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
