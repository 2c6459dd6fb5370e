"""What the table tells besides the verdict: leases that a leader ended by itself, and how long faults were felt."""

from __future__ import annotations

import pytest

from robustness._checker import judge
from robustness._history import Event, LeaseLife, Op, Resumed
from robustness._recovery import times
from robustness.test_checker import put, two_puts


def test_leases_that_a_leader_ended_are_excused_by_its_own_count_alone() -> None:
    history = two_puts()
    history.log += [(4, [put("x", 4, 1, key="l", lease=7)]), (5, [Event(True, "l", "", 0, 0, 0)])]
    history.ops += [
        Op("L", 0.5, 0.6, "ok", success=[("put", "l", "x", 7)], revision=4, answers=[None]),
        Op("B", 3.0, 3.1, "ok", success=[("get", "l", "")], revision=5, answers=[[]]),
    ]
    history.leases.append(LeaseLife("L", 7, 3.2, "it could not be renewed in time"))
    for resumed, excused in (
        ([], False),
        ([Resumed(2.5, 2.6, 0)], False),  # it says that it ended none
        ([Resumed(3.15, 3.2, 1)], False),  # it went on only after that
        ([Resumed(-3.0, -1.0, 1)], False),  # that was long ago
        ([Resumed(2.5, 2.6, 1)], True),
    ):
        history.resumed = resumed
        wrong, forgiven = judge(history)
        assert (len(wrong), len(forgiven)) == ((0, 1) if excused else (1, 0)), resumed
    history.log += [(6, [put("y", 6, 1, key="m", lease=8)]), (7, [Event(True, "m", "", 0, 0, 0)])]
    history.ops += [
        Op("L", 3.11, 3.12, "ok", success=[("put", "m", "y", 8)], revision=6, answers=[None]),
        Op("B", 3.13, 3.14, "ok", success=[("get", "m", "")], revision=7, answers=[[]]),
    ]
    history.leases.append(LeaseLife("L", 8, 3.2, "it could not be renewed in time"))
    wrong, forgiven = judge(history)
    assert (len(wrong), forgiven) == (2, []), "it ended one only"


def test_how_long_faults_were_felt() -> None:
    history = two_puts()
    history.faults = [("cut", 0.25, 0.3), ("kill", 0.35, 0.45)]
    for client, ret in (("client0/1", 0.2), ("client1/0", 0.5), ("client0/0", 0.9)):
        history.ops.append(Op(client, 0.1, ret, "ok", success=[("put", "k", "", 0)]))
    found = times(history)
    assert found["cut"].pauses + found["cut"].recoveries == pytest.approx([0.4, 0.6])
    assert found["kill"].pauses + found["kill"].recoveries == pytest.approx([0.4, 0.45])
