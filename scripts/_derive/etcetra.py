"""What etcetra 0.1.19 has otherwise than Trio's API."""

from __future__ import annotations

import json
from pathlib import Path

_FACTS = Path(__file__).parents[2] / "tests/facts/etcetra-0.1.19-inventory.json"
INVENTORY = json.loads(_FACTS.read_text(encoding="utf-8"))

# What etcetra's parameters are, by their names.
NUMBERS = {"limit", "revision", "start_revision", "watch_id", "id"} | {
    f"{bound}_{what}_revision" for bound in ("min", "max") for what in ("mod", "create")
}
ANNOTATIONS = {
    **dict.fromkeys(NUMBERS, "int | str | None"),
    **dict.fromkeys(("key", "prefix", "range_end"), "str | bytes"),
    **dict.fromkeys(("prev_kv", "serializable", "progress_notify", "secure"), "bool"),
    "value": "str | bytes | None",
    "lease": "SupportsLease | int | None",
    "ttl": "int",
    "credentials": "EtcdCredential | None",
}
ALWAYS = {
    "sort_order": ("SortOrder | RangeRequestSortOrder", "RangeRequestSortOrder.NONE", "as_sort({})"),
    "sort_target": ("SortTarget | RangeRequestSortTarget", "RangeRequestSortTarget.KEY", "as_sort({})"),
    "filters": ("Sequence[WatchFilter | WatchCreateRequestFilterType] | None", "None", "as_filters({})"),
    "ready_event": ("asyncio.Event | None", "None", "{}"),
    "encoding": ("str | type[bytes] | None", "None", "as_codec({})"),
}
# etcetra's results, and what the docstring then says.
RESULTS = {
    "grant_lease": ("int", "({}).id", "Its id."),
    "put": (
        "TextT | None",
        "previous({})",
        "With ``prev_kv=True`` the value before, if there was one; else None. :meth:`txn` tells more.",
    ),
    "delete": (
        "TextT | None",
        "deleted({})",
        "With ``prev_kv=True`` the value before, if there was one; else None. :meth:`txn` tells more.",
    ),
    **dict.fromkeys(
        ("delete_prefix", "delete_range"),
        (
            "list[TextT] | None",
            "all_deleted({}, asked=prev_kv)",
            "With ``prev_kv=True`` the values before, else None.",
        ),
    ),
}
# Methods that etcetra_trio/asyncio/client.py has, because they make communicators.
OWN = {"EtcdCommunicator": {"namespaced", "channel"}}
TRANSACTIONS = {"txn", "txn_compare"}
# Where Trio's parameters have other names.
NAMES_OF_TRIO = {("grant_lease", "id"): "lease_id", ("revoke_lease", "id"): "lease"}
DEVIATING_DEFAULTS = {("keys_range", "serializable"): "False"}  # docs/deviations.csv
