"""The Trio-native etcd v3 client."""

from importlib import import_module
from typing import TYPE_CHECKING

from ._addresses import EtcdCredential as EtcdCredential
from ._addresses import EtcdToken as EtcdToken
from ._addresses import HostPortPair as HostPortPair
from ._admin_errors import AuthenticationFailedError as AuthenticationFailedError
from ._admin_errors import AuthNotEnabledError as AuthNotEnabledError
from ._admin_errors import AuthRevisionOldError as AuthRevisionOldError
from ._admin_errors import AuthSetupError as AuthSetupError
from ._admin_errors import BadLeaderTransfereeError as BadLeaderTransfereeError
from ._admin_errors import ClusterIdMismatchError as ClusterIdMismatchError
from ._admin_errors import DowngradeError as DowngradeError
from ._admin_errors import InvalidAuthManagementError as InvalidAuthManagementError
from ._admin_errors import InvalidAuthTokenError as InvalidAuthTokenError
from ._admin_errors import LearnerNotReadyError as LearnerNotReadyError
from ._admin_errors import LearnerRefusedError as LearnerRefusedError
from ._admin_errors import MemberBadURLsError as MemberBadURLsError
from ._admin_errors import MemberExistsError as MemberExistsError
from ._admin_errors import MemberNotEnoughStartedError as MemberNotEnoughStartedError
from ._admin_errors import MemberNotFoundError as MemberNotFoundError
from ._admin_errors import MemberNotLearnerError as MemberNotLearnerError
from ._admin_errors import NotAuthenticatedError as NotAuthenticatedError
from ._admin_errors import NotCapableError as NotCapableError
from ._admin_errors import NotLeaderError as NotLeaderError
from ._admin_errors import PermissionDeniedError as PermissionDeniedError
from ._admin_errors import PermissionNotGrantedError as PermissionNotGrantedError
from ._admin_errors import RoleExistsError as RoleExistsError
from ._admin_errors import RoleNotFoundError as RoleNotFoundError
from ._admin_errors import RoleNotGrantedError as RoleNotGrantedError
from ._admin_errors import TooManyLearnersError as TooManyLearnersError
from ._admin_errors import UserExistsError as UserExistsError
from ._admin_errors import UserNotFoundError as UserNotFoundError
from ._barrier import Barrier as Barrier
from ._client import EtcdClient as EtcdClient
from ._communicator import EtcdCommunicator as EtcdCommunicator
from ._compare import Compare as Compare
from ._compare import CompareBuilder as CompareBuilder
from ._compare import CompareKey as CompareKey
from ._election import LeaderObserver as LeaderObserver
from ._election import Leadership as Leadership
from ._errors import AuthError as AuthError
from ._errors import CallTimeoutError as CallTimeoutError
from ._errors import ConnectionFailedError as ConnectionFailedError
from ._errors import ConnectionLostError as ConnectionLostError
from ._errors import EncodingError as EncodingError
from ._errors import EtcdError as EtcdError
from ._errors import InternalError as InternalError
from ._errors import InvalidArgumentError as InvalidArgumentError
from ._errors import InvalidRequestError as InvalidRequestError
from ._errors import Outcome as Outcome
from ._errors import OutcomeUnknownError as OutcomeUnknownError
from ._errors import RemoteProtocolError as RemoteProtocolError
from ._errors import RpcError as RpcError
from ._errors import StatusCode as StatusCode
from ._errors import TLSError as TLSError
from ._errors import UnavailableError as UnavailableError
from ._errors import WatchLaggedError as WatchLaggedError
from ._iter_range import RangeIterator as RangeIterator
from ._kv import SupportsLease as SupportsLease
from ._lease import Lease as Lease
from ._lease import LeaseGrant as LeaseGrant
from ._leases import LeaseTimeToLive as LeaseTimeToLive
from ._lock import Lock as Lock
from ._lock_errors import LeadershipLostError as LeadershipLostError
from ._lock_errors import LeaseLostError as LeaseLostError
from ._lock_errors import LockLostError as LockLostError
from ._lock_errors import LockTimeoutError as LockTimeoutError
from ._mirror import Mirror as Mirror
from ._mirror_changes import MirrorChange as MirrorChange
from ._mirror_changes import MirrorChanges as MirrorChanges
from ._queue import Queue as Queue
from ._rwlock import RWLock as RWLock
from ._server_errors import ClusterCorruptError as ClusterCorruptError
from ._server_errors import CompactedError as CompactedError
from ._server_errors import DuplicateKeyError as DuplicateKeyError
from ._server_errors import EmptyKeyError as EmptyKeyError
from ._server_errors import FutureRevisionError as FutureRevisionError
from ._server_errors import KeyNotFoundError as KeyNotFoundError
from ._server_errors import LeaderChangedError as LeaderChangedError
from ._server_errors import LeaseExistsError as LeaseExistsError
from ._server_errors import LeaseNotFoundError as LeaseNotFoundError
from ._server_errors import LeaseTTLTooLargeError as LeaseTTLTooLargeError
from ._server_errors import NoLeaderError as NoLeaderError
from ._server_errors import NoSpaceError as NoSpaceError
from ._server_errors import ProposalDroppedError as ProposalDroppedError
from ._server_errors import RequestTooLargeError as RequestTooLargeError
from ._server_errors import ServerCanceledError as ServerCanceledError
from ._server_errors import ServerStoppedError as ServerStoppedError
from ._server_errors import ServerTimeoutError as ServerTimeoutError
from ._server_errors import TooManyOpsError as TooManyOpsError
from ._server_errors import TooManyRequestsError as TooManyRequestsError
from ._server_errors import UnhealthyError as UnhealthyError
from ._server_errors import UnknownServerError as UnknownServerError
from ._server_errors import UnsupportedByServerError as UnsupportedByServerError
from ._server_errors import WatchCanceledError as WatchCanceledError
from ._statistics import ClientStatistics as ClientStatistics
from ._statistics import ConnectionStatistics as ConnectionStatistics
from ._stm import Isolation as Isolation
from ._stm import StmTransaction as StmTransaction
from ._tls import TLSConfig as TLSConfig
from ._txn import TxnAction as TxnAction
from ._txn import TxnItem as TxnItem
from ._txn import TxnResponse as TxnResponse
from ._txn import TxnResult as TxnResult
from ._types import DeleteResult as DeleteResult
from ._types import KeyValue as KeyValue
from ._types import PutResult as PutResult
from ._types import RangeResult as RangeResult
from ._types import SortOrder as SortOrder
from ._types import SortTarget as SortTarget
from ._version import __version__ as __version__
from ._watch import Watch as Watch
from ._watch import WatchStatistics as WatchStatistics
from ._watch_events import WatchBatch as WatchBatch
from ._watch_events import WatchEvent as WatchEvent
from ._watch_events import WatchEventType as WatchEventType
from ._watch_events import WatchFilter as WatchFilter

if TYPE_CHECKING:
    from ._auth import Auth as Auth
    from ._auth import AuthStatus as AuthStatus
    from ._auth import Permission as Permission
    from ._auth import PermissionType as PermissionType
    from ._cluster import Cluster as Cluster
    from ._cluster import Member as Member
    from ._cluster import MemberAddResult as MemberAddResult
    from ._maintenance import Alarm as Alarm
    from ._maintenance import AlarmAction as AlarmAction
    from ._maintenance import AlarmType as AlarmType
    from ._maintenance import DowngradeAction as DowngradeAction
    from ._maintenance import HashKV as HashKV
    from ._maintenance import Maintenance as Maintenance
    from ._maintenance import MemberStatus as MemberStatus
    from ._maintenance import SnapshotResult as SnapshotResult

# For operators: imported when they are asked for, with all the messages that the rest does without.
_ADMINISTRATION = {
    "Auth": "_auth",
    "AuthStatus": "_auth",
    "Permission": "_auth",
    "PermissionType": "_auth",
    "Cluster": "_cluster",
    "Member": "_cluster",
    "MemberAddResult": "_cluster",
    "Alarm": "_maintenance",
    "AlarmAction": "_maintenance",
    "AlarmType": "_maintenance",
    "DowngradeAction": "_maintenance",
    "HashKV": "_maintenance",
    "Maintenance": "_maintenance",
    "MemberStatus": "_maintenance",
    "SnapshotResult": "_maintenance",
}


def __getattr__(name: str) -> object:
    if name not in _ADMINISTRATION:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    public: object = getattr(import_module(f".{_ADMINISTRATION[name]}", __name__), name)
    globals()[name] = public
    _show_public_names()
    return public


def _show_public_names() -> None:
    """Let tracebacks, pickles and the documentation show ``etcetra_trio.X``."""
    for public in globals().values():
        if isinstance(public, type) and public.__module__.startswith(f"{__name__}._"):
            public.__module__ = __name__


_show_public_names()
