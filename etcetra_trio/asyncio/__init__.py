"""etcetra_trio for asyncio programs: the same names, and those of etcetra 0.1.19.

Written by scripts/derive_asyncio.py: never edit it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from .. import AuthenticationFailedError as AuthenticationFailedError
from .. import AuthError as AuthError
from .. import AuthNotEnabledError as AuthNotEnabledError
from .. import AuthRevisionOldError as AuthRevisionOldError
from .. import AuthSetupError as AuthSetupError
from .. import BadLeaderTransfereeError as BadLeaderTransfereeError
from .. import CallTimeoutError as CallTimeoutError
from .. import ClientStatistics as ClientStatistics
from .. import ClusterCorruptError as ClusterCorruptError
from .. import ClusterIdMismatchError as ClusterIdMismatchError
from .. import CompactedError as CompactedError
from .. import Compare as Compare
from .. import ConnectionFailedError as ConnectionFailedError
from .. import ConnectionLostError as ConnectionLostError
from .. import ConnectionStatistics as ConnectionStatistics
from .. import DeleteResult as DeleteResult
from .. import DowngradeError as DowngradeError
from .. import DuplicateKeyError as DuplicateKeyError
from .. import EmptyKeyError as EmptyKeyError
from .. import EncodingError as EncodingError
from .. import EtcdError as EtcdError
from .. import EtcdToken as EtcdToken
from .. import FutureRevisionError as FutureRevisionError
from .. import InternalError as InternalError
from .. import InvalidArgumentError as InvalidArgumentError
from .. import InvalidAuthManagementError as InvalidAuthManagementError
from .. import InvalidAuthTokenError as InvalidAuthTokenError
from .. import InvalidRequestError as InvalidRequestError
from .. import Isolation as Isolation
from .. import KeyNotFoundError as KeyNotFoundError
from .. import KeyValue as KeyValue
from .. import LeaderChangedError as LeaderChangedError
from .. import LeadershipLostError as LeadershipLostError
from .. import LearnerNotReadyError as LearnerNotReadyError
from .. import LearnerRefusedError as LearnerRefusedError
from .. import LeaseExistsError as LeaseExistsError
from .. import LeaseGrant as LeaseGrant
from .. import LeaseLostError as LeaseLostError
from .. import LeaseNotFoundError as LeaseNotFoundError
from .. import LeaseTimeToLive as LeaseTimeToLive
from .. import LeaseTTLTooLargeError as LeaseTTLTooLargeError
from .. import LockLostError as LockLostError
from .. import LockTimeoutError as LockTimeoutError
from .. import MemberBadURLsError as MemberBadURLsError
from .. import MemberExistsError as MemberExistsError
from .. import MemberNotEnoughStartedError as MemberNotEnoughStartedError
from .. import MemberNotFoundError as MemberNotFoundError
from .. import MemberNotLearnerError as MemberNotLearnerError
from .. import MirrorChange as MirrorChange
from .. import NoLeaderError as NoLeaderError
from .. import NoSpaceError as NoSpaceError
from .. import NotAuthenticatedError as NotAuthenticatedError
from .. import NotCapableError as NotCapableError
from .. import NotLeaderError as NotLeaderError
from .. import Outcome as Outcome
from .. import OutcomeUnknownError as OutcomeUnknownError
from .. import PermissionDeniedError as PermissionDeniedError
from .. import PermissionNotGrantedError as PermissionNotGrantedError
from .. import ProposalDroppedError as ProposalDroppedError
from .. import PutResult as PutResult
from .. import RangeResult as RangeResult
from .. import RemoteProtocolError as RemoteProtocolError
from .. import RequestTooLargeError as RequestTooLargeError
from .. import RoleExistsError as RoleExistsError
from .. import RoleNotFoundError as RoleNotFoundError
from .. import RoleNotGrantedError as RoleNotGrantedError
from .. import RpcError as RpcError
from .. import ServerCanceledError as ServerCanceledError
from .. import ServerStoppedError as ServerStoppedError
from .. import ServerTimeoutError as ServerTimeoutError
from .. import SortOrder as SortOrder
from .. import SortTarget as SortTarget
from .. import StatusCode as StatusCode
from .. import SupportsLease as SupportsLease
from .. import TLSConfig as TLSConfig
from .. import TLSError as TLSError
from .. import TooManyLearnersError as TooManyLearnersError
from .. import TooManyOpsError as TooManyOpsError
from .. import TooManyRequestsError as TooManyRequestsError
from .. import TxnResponse as TxnResponse
from .. import UnavailableError as UnavailableError
from .. import UnhealthyError as UnhealthyError
from .. import UnknownServerError as UnknownServerError
from .. import UnsupportedByServerError as UnsupportedByServerError
from .. import UserExistsError as UserExistsError
from .. import UserNotFoundError as UserNotFoundError
from .. import WatchCanceledError as WatchCanceledError
from .. import WatchFilter as WatchFilter
from .. import WatchLaggedError as WatchLaggedError
from .. import WatchStatistics as WatchStatistics
from .. import __version__ as __version__
from . import errors as errors
from ._derived import Barrier as Barrier
from ._derived import LeaderObserver as LeaderObserver
from ._derived import Leadership as Leadership
from ._derived import Lease as Lease
from ._derived import Lock as Lock
from ._derived import Mirror as Mirror
from ._derived import MirrorChanges as MirrorChanges
from ._derived import Queue as Queue
from ._derived import RangeIterator as RangeIterator
from ._derived import RWLock as RWLock
from ._derived import StmTransaction as StmTransaction
from ._derived import Watch as Watch
from ._door import run as run
from ._hosted import Hosted as Hosted
from ._txn import TxnItem as TxnItem
from ._txn import TxnResult as TxnResult
from .client import EtcdChannel as EtcdChannel
from .client import EtcdClient as EtcdClient
from .client import EtcdCommunicator as EtcdCommunicator
from .client import EtcdConnectionManager as EtcdConnectionManager
from .client import EtcdLockManager as EtcdLockManager
from .client import EtcdTransactionAction as EtcdTransactionAction
from .client import GrpcStream as GrpcStream
from .client import LockLostWarning as LockLostWarning
from .client import TxnAction as TxnAction
from .types import CompareBuilder as CompareBuilder
from .types import CompareCompareResult as CompareCompareResult
from .types import CompareCompareTarget as CompareCompareTarget
from .types import CompareKey as CompareKey
from .types import EtcdCredential as EtcdCredential
from .types import EtcdLockOption as EtcdLockOption
from .types import HostPortPair as HostPortPair
from .types import RangeRequestSortOrder as RangeRequestSortOrder
from .types import RangeRequestSortTarget as RangeRequestSortTarget
from .types import TxnReturnType as TxnReturnType
from .types import TxnReturnValues as TxnReturnValues
from .types import WatchBatch as WatchBatch
from .types import WatchCreateRequestFilterType as WatchCreateRequestFilterType
from .types import WatchEvent as WatchEvent
from .types import WatchEventType as WatchEventType

NoneType: type[None] = type(None)

if TYPE_CHECKING:
    from etcetra_trio import Alarm as Alarm
    from etcetra_trio import AlarmAction as AlarmAction
    from etcetra_trio import AlarmType as AlarmType
    from etcetra_trio import AuthStatus as AuthStatus
    from etcetra_trio import DowngradeAction as DowngradeAction
    from etcetra_trio import HashKV as HashKV
    from etcetra_trio import Member as Member
    from etcetra_trio import MemberAddResult as MemberAddResult
    from etcetra_trio import MemberStatus as MemberStatus
    from etcetra_trio import Permission as Permission
    from etcetra_trio import PermissionType as PermissionType
    from etcetra_trio import SnapshotResult as SnapshotResult
    from etcetra_trio.asyncio._derived_admin import Auth as Auth
    from etcetra_trio.asyncio._derived_admin import Cluster as Cluster
    from etcetra_trio.asyncio._derived_admin import Maintenance as Maintenance
    from etcetra_trio.asyncio.types import DeleteRangeRequestType as DeleteRangeRequestType
    from etcetra_trio.asyncio.types import PutRequestType as PutRequestType
    from etcetra_trio.asyncio.types import RangeRequestType as RangeRequestType
    from etcetra_trio.asyncio.types import TransactionRequest as TransactionRequest


# These bring all of etcd's messages with them, which few need and which take long to import.
_LATER = {
    "Alarm": "etcetra_trio",
    "AlarmAction": "etcetra_trio",
    "AlarmType": "etcetra_trio",
    "Auth": "etcetra_trio.asyncio._derived_admin",
    "AuthStatus": "etcetra_trio",
    "Cluster": "etcetra_trio.asyncio._derived_admin",
    "DeleteRangeRequestType": "etcetra_trio.asyncio.types",
    "DowngradeAction": "etcetra_trio",
    "HashKV": "etcetra_trio",
    "Maintenance": "etcetra_trio.asyncio._derived_admin",
    "Member": "etcetra_trio",
    "MemberAddResult": "etcetra_trio",
    "MemberStatus": "etcetra_trio",
    "Permission": "etcetra_trio",
    "PermissionType": "etcetra_trio",
    "PutRequestType": "etcetra_trio.asyncio.types",
    "RangeRequestType": "etcetra_trio.asyncio.types",
    "SnapshotResult": "etcetra_trio",
    "TransactionRequest": "etcetra_trio.asyncio.types",
}


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LATER[name]), name)
