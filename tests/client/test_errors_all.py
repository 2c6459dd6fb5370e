"""Every error of etcd's API: made by a real server in one of these files, or here with the reason why it cannot be."""

from __future__ import annotations

import pytest

from client import test_errors_of_auth, test_errors_of_clusters, test_errors_of_data, test_errors_of_members
from client._provoke import ROWS

PROVOKED = (
    test_errors_of_auth.NAMES
    | test_errors_of_clusters.NAMES
    | test_errors_of_data.NAMES
    | test_errors_of_members.NAMES
)

#: ``tests/test_error_table.py`` shows that their texts are mapped all the same.
NOT_PROVOKED = {
    "WatchCanceled": "etcd has the word but sends it nowhere: a watch's end is a message of the stream",
    "MemberExist": "a member's id is a hash of its URLs, and the URLs are compared first (PeerURLExist)",
    "ClusterIDMismatch": "said between members of different clusters, never to clients",
    "RequestTooManyRequests": "needs 5,000 writes that are agreed on but not yet applied: a very slow disk",
    "NotCapable": "said only while members of before 3.0 are in the cluster",
    "Stopped": "said in the few milliseconds between the order to stop and the end of the connection",
    "TimeoutDueToConnectionLost": "needs members that lose sight of each other and do not elect another leader",
    "TimeoutWaitAppliedIndex": "needs a member that is 5 s behind with applying what is agreed on",
    "NotSupportedForLearner": "needs a started learner, and a learner is never ready as EtcdServer means it",
    "ClusterVersionUnavailable": "said only in the first moments of a cluster, before clients are served",
    "DeadlineExceeded": "servers say it without `etcdserver: ` before it, and so the tests of clusters meet it",
    "Canceled": "our own cancellation resets the stream: no answer is read after it",
}


def test_no_row_is_forgotten() -> None:
    assert set(ROWS) == PROVOKED | NOT_PROVOKED.keys()
    assert not PROVOKED & NOT_PROVOKED.keys()


@pytest.mark.parametrize("name", NOT_PROVOKED)
def test_there_are_reasons(name: str) -> None:
    assert len(NOT_PROVOKED[name].split()) > 5
