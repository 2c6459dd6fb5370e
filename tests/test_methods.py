"""The method table: every rpc once, and what the design says about it."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from etcetra_trio._proto import _codec, _methods
from etcetra_trio._proto._methods import METHODS, Method

WIRE = Path(__file__).parent / "facts" / "etcd-wire.tsv"

# Sent again on an unclear failure: what etcd's own client calls repeatable, and the reads that it has no word for.
REPEATABLE = {
    "KV": {"Range"},
    "Lease": {"LeaseGrant", "LeaseRevoke", "LeaseKeepAlive", "LeaseTimeToLive", "LeaseLeases"},
    "Cluster": {"MemberList"},
    "Maintenance": {"Alarm", "Status", "Hash", "HashKV", "Snapshot", "MoveLeader"},
    "Auth": {"UserList", "UserGet", "RoleList", "RoleGet", "AuthStatus"},
    "Election": {"Leader"},
}
# These change nothing that anybody else could see.
READS = {
    "KV": {"Range", "RangeStream"},
    "Watch": {"Watch"},
    "Lease": {"LeaseTimeToLive", "LeaseLeases"},
    "Cluster": {"MemberList"},
    "Maintenance": {"Status", "Hash", "HashKV", "Snapshot"},
    "Auth": {"AuthStatus", "Authenticate", "UserGet", "UserList", "RoleGet", "RoleList"},
    "Election": {"Leader", "Observe"},
}
SINCE = {
    "RangeStream": "3.7",
    "LeaseTimeToLive": "3.1",
    "LeaseLeases": "3.3",
    "MemberPromote": "3.4",
    "HashKV": "3.3",
    "Snapshot": "3.3",
    "MoveLeader": "3.3",
    "Downgrade": "3.5",
    "AuthStatus": "3.5",
}


def service_and_name(method: Method) -> tuple[str, str]:
    service, name = method.path.removeprefix("/").split("/")
    return service.partition(".")[2], name


def listed(table: dict[str, set[str]], method: Method) -> bool:
    service, name = service_and_name(method)
    return name in table.get(service, set())


def test_every_rpc_of_the_fact_table_is_a_row() -> None:
    with WIRE.open(newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["kind"] == "rpc"]
    facts = {row["oneof_or_path"]: (row["type"], row["label"]) for row in rows}
    ours = {
        method.path: (
            f"{method.request} -> {method.response}",
            " ".join(
                ["client-stream"] * method.client_streaming + ["server-stream"] * method.server_streaming
            ),
        )
        for method in METHODS.values()
    }
    assert ours == facts
    assert len(facts) == 49


def test_every_row_has_a_constant() -> None:
    constants = [value for value in vars(_methods).values() if isinstance(value, Method)]
    assert constants == list(METHODS.values())
    assert METHODS["/etcdserverpb.Maintenance/HashKV"] is _methods.HASH_KV
    assert METHODS["/etcdserverpb.KV/DeleteRange"] is _methods.DELETE_RANGE


def test_rows_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        _methods.PUT.mutates = False  # type: ignore[misc]


@pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.path)
def test_columns(method: Method) -> None:
    service, name = service_and_name(method)
    assert method.mutates != listed(READS, method)
    assert method.repeatable == listed(REPEATABLE, method)
    assert method.require_leader == (service != "Maintenance" and name != "Authenticate")
    assert method.since == (None if service in {"Election", "Lock"} else SINCE.get(name, "3.0"))
    assert not method.newer


def test_made_for_the_newest() -> None:
    assert _methods.ETCD_VERSION == _codec.ETCD_VERSION == "3.7"


def test_the_lists_above_name_rpcs_that_exist() -> None:
    paths = {service_and_name(method) for method in METHODS.values()}
    for table in (REPEATABLE, READS):
        assert {(service, name) for service, names in table.items() for name in names} <= paths
    assert set(SINCE) <= {name for _, name in paths}


def test_hot_modules_do_not_import_betterproto2() -> None:
    program = """if True:
        import sys
        import etcetra_trio
        from etcetra_trio._proto import _codec, _methods, _projections
        assert "betterproto2" not in sys.modules
        assert "etcetra_trio._proto._messages" not in sys.modules
    """
    subprocess.run([sys.executable, "-c", program], check=True)
