# Made from protos/ by `scripts/compile_protobuf.py 3.7`. Do not edit.
# ruff: noqa
# fmt: off
"""What every rpc is: one row for each."""

from typing import Final, NamedTuple

ETCD_VERSION: Final = "3.7"


class Method(NamedTuple):
    """What the layers below the API must know about one rpc."""

    path: str  # the HTTP/2 `:path`
    request: str  # full names of its two messages
    response: str
    client_streaming: bool
    server_streaming: bool
    since: str | None  # the first etcd that has it; None: every etcd v3
    newer: bool  # newer than ETCD_VERSION: a server of that version answers UNIMPLEMENTED
    mutates: bool  # can change what the cluster holds
    repeatable: bool  # may be sent again when nobody knows whether it was carried out
    require_leader: bool  # carries `hasleader`, but for serializable reads and MemberList that is not linearizable

CAMPAIGN: Final = Method('/v3electionpb.Election/Campaign', 'v3electionpb.CampaignRequest', 'v3electionpb.CampaignResponse', False, False, None, False, True, False, True)
PROCLAIM: Final = Method('/v3electionpb.Election/Proclaim', 'v3electionpb.ProclaimRequest', 'v3electionpb.ProclaimResponse', False, False, None, False, True, False, True)
LEADER: Final = Method('/v3electionpb.Election/Leader', 'v3electionpb.LeaderRequest', 'v3electionpb.LeaderResponse', False, False, None, False, False, True, True)
OBSERVE: Final = Method('/v3electionpb.Election/Observe', 'v3electionpb.LeaderRequest', 'v3electionpb.LeaderResponse', False, True, None, False, False, False, True)
RESIGN: Final = Method('/v3electionpb.Election/Resign', 'v3electionpb.ResignRequest', 'v3electionpb.ResignResponse', False, False, None, False, True, False, True)
LOCK: Final = Method('/v3lockpb.Lock/Lock', 'v3lockpb.LockRequest', 'v3lockpb.LockResponse', False, False, None, False, True, False, True)
UNLOCK: Final = Method('/v3lockpb.Lock/Unlock', 'v3lockpb.UnlockRequest', 'v3lockpb.UnlockResponse', False, False, None, False, True, False, True)
AUTH_ENABLE: Final = Method('/etcdserverpb.Auth/AuthEnable', 'etcdserverpb.AuthEnableRequest', 'etcdserverpb.AuthEnableResponse', False, False, '3.0', False, True, False, True)
AUTH_DISABLE: Final = Method('/etcdserverpb.Auth/AuthDisable', 'etcdserverpb.AuthDisableRequest', 'etcdserverpb.AuthDisableResponse', False, False, '3.0', False, True, False, True)
AUTH_STATUS: Final = Method('/etcdserverpb.Auth/AuthStatus', 'etcdserverpb.AuthStatusRequest', 'etcdserverpb.AuthStatusResponse', False, False, '3.5', False, False, True, True)
AUTHENTICATE: Final = Method('/etcdserverpb.Auth/Authenticate', 'etcdserverpb.AuthenticateRequest', 'etcdserverpb.AuthenticateResponse', False, False, '3.0', False, False, False, False)
USER_ADD: Final = Method('/etcdserverpb.Auth/UserAdd', 'etcdserverpb.AuthUserAddRequest', 'etcdserverpb.AuthUserAddResponse', False, False, '3.0', False, True, False, True)
USER_GET: Final = Method('/etcdserverpb.Auth/UserGet', 'etcdserverpb.AuthUserGetRequest', 'etcdserverpb.AuthUserGetResponse', False, False, '3.0', False, False, True, True)
USER_LIST: Final = Method('/etcdserverpb.Auth/UserList', 'etcdserverpb.AuthUserListRequest', 'etcdserverpb.AuthUserListResponse', False, False, '3.0', False, False, True, True)
USER_DELETE: Final = Method('/etcdserverpb.Auth/UserDelete', 'etcdserverpb.AuthUserDeleteRequest', 'etcdserverpb.AuthUserDeleteResponse', False, False, '3.0', False, True, False, True)
USER_CHANGE_PASSWORD: Final = Method('/etcdserverpb.Auth/UserChangePassword', 'etcdserverpb.AuthUserChangePasswordRequest', 'etcdserverpb.AuthUserChangePasswordResponse', False, False, '3.0', False, True, False, True)
USER_GRANT_ROLE: Final = Method('/etcdserverpb.Auth/UserGrantRole', 'etcdserverpb.AuthUserGrantRoleRequest', 'etcdserverpb.AuthUserGrantRoleResponse', False, False, '3.0', False, True, False, True)
USER_REVOKE_ROLE: Final = Method('/etcdserverpb.Auth/UserRevokeRole', 'etcdserverpb.AuthUserRevokeRoleRequest', 'etcdserverpb.AuthUserRevokeRoleResponse', False, False, '3.0', False, True, False, True)
ROLE_ADD: Final = Method('/etcdserverpb.Auth/RoleAdd', 'etcdserverpb.AuthRoleAddRequest', 'etcdserverpb.AuthRoleAddResponse', False, False, '3.0', False, True, False, True)
ROLE_GET: Final = Method('/etcdserverpb.Auth/RoleGet', 'etcdserverpb.AuthRoleGetRequest', 'etcdserverpb.AuthRoleGetResponse', False, False, '3.0', False, False, True, True)
ROLE_LIST: Final = Method('/etcdserverpb.Auth/RoleList', 'etcdserverpb.AuthRoleListRequest', 'etcdserverpb.AuthRoleListResponse', False, False, '3.0', False, False, True, True)
ROLE_DELETE: Final = Method('/etcdserverpb.Auth/RoleDelete', 'etcdserverpb.AuthRoleDeleteRequest', 'etcdserverpb.AuthRoleDeleteResponse', False, False, '3.0', False, True, False, True)
ROLE_GRANT_PERMISSION: Final = Method('/etcdserverpb.Auth/RoleGrantPermission', 'etcdserverpb.AuthRoleGrantPermissionRequest', 'etcdserverpb.AuthRoleGrantPermissionResponse', False, False, '3.0', False, True, False, True)
ROLE_REVOKE_PERMISSION: Final = Method('/etcdserverpb.Auth/RoleRevokePermission', 'etcdserverpb.AuthRoleRevokePermissionRequest', 'etcdserverpb.AuthRoleRevokePermissionResponse', False, False, '3.0', False, True, False, True)
MEMBER_ADD: Final = Method('/etcdserverpb.Cluster/MemberAdd', 'etcdserverpb.MemberAddRequest', 'etcdserverpb.MemberAddResponse', False, False, '3.0', False, True, False, True)
MEMBER_REMOVE: Final = Method('/etcdserverpb.Cluster/MemberRemove', 'etcdserverpb.MemberRemoveRequest', 'etcdserverpb.MemberRemoveResponse', False, False, '3.0', False, True, False, True)
MEMBER_UPDATE: Final = Method('/etcdserverpb.Cluster/MemberUpdate', 'etcdserverpb.MemberUpdateRequest', 'etcdserverpb.MemberUpdateResponse', False, False, '3.0', False, True, False, True)
MEMBER_LIST: Final = Method('/etcdserverpb.Cluster/MemberList', 'etcdserverpb.MemberListRequest', 'etcdserverpb.MemberListResponse', False, False, '3.0', False, False, True, True)
MEMBER_PROMOTE: Final = Method('/etcdserverpb.Cluster/MemberPromote', 'etcdserverpb.MemberPromoteRequest', 'etcdserverpb.MemberPromoteResponse', False, False, '3.4', False, True, False, True)
RANGE: Final = Method('/etcdserverpb.KV/Range', 'etcdserverpb.RangeRequest', 'etcdserverpb.RangeResponse', False, False, '3.0', False, False, True, True)
RANGE_STREAM: Final = Method('/etcdserverpb.KV/RangeStream', 'etcdserverpb.RangeRequest', 'etcdserverpb.RangeStreamResponse', False, True, '3.7', False, False, False, True)
PUT: Final = Method('/etcdserverpb.KV/Put', 'etcdserverpb.PutRequest', 'etcdserverpb.PutResponse', False, False, '3.0', False, True, False, True)
DELETE_RANGE: Final = Method('/etcdserverpb.KV/DeleteRange', 'etcdserverpb.DeleteRangeRequest', 'etcdserverpb.DeleteRangeResponse', False, False, '3.0', False, True, False, True)
TXN: Final = Method('/etcdserverpb.KV/Txn', 'etcdserverpb.TxnRequest', 'etcdserverpb.TxnResponse', False, False, '3.0', False, True, False, True)
COMPACT: Final = Method('/etcdserverpb.KV/Compact', 'etcdserverpb.CompactionRequest', 'etcdserverpb.CompactionResponse', False, False, '3.0', False, True, False, True)
LEASE_GRANT: Final = Method('/etcdserverpb.Lease/LeaseGrant', 'etcdserverpb.LeaseGrantRequest', 'etcdserverpb.LeaseGrantResponse', False, False, '3.0', False, True, True, True)
LEASE_REVOKE: Final = Method('/etcdserverpb.Lease/LeaseRevoke', 'etcdserverpb.LeaseRevokeRequest', 'etcdserverpb.LeaseRevokeResponse', False, False, '3.0', False, True, True, True)
LEASE_KEEP_ALIVE: Final = Method('/etcdserverpb.Lease/LeaseKeepAlive', 'etcdserverpb.LeaseKeepAliveRequest', 'etcdserverpb.LeaseKeepAliveResponse', True, True, '3.0', False, True, True, True)
LEASE_TIME_TO_LIVE: Final = Method('/etcdserverpb.Lease/LeaseTimeToLive', 'etcdserverpb.LeaseTimeToLiveRequest', 'etcdserverpb.LeaseTimeToLiveResponse', False, False, '3.1', False, False, True, True)
LEASE_LEASES: Final = Method('/etcdserverpb.Lease/LeaseLeases', 'etcdserverpb.LeaseLeasesRequest', 'etcdserverpb.LeaseLeasesResponse', False, False, '3.3', False, False, True, True)
ALARM: Final = Method('/etcdserverpb.Maintenance/Alarm', 'etcdserverpb.AlarmRequest', 'etcdserverpb.AlarmResponse', False, False, '3.0', False, True, True, False)
STATUS: Final = Method('/etcdserverpb.Maintenance/Status', 'etcdserverpb.StatusRequest', 'etcdserverpb.StatusResponse', False, False, '3.0', False, False, True, False)
DEFRAGMENT: Final = Method('/etcdserverpb.Maintenance/Defragment', 'etcdserverpb.DefragmentRequest', 'etcdserverpb.DefragmentResponse', False, False, '3.0', False, True, False, False)
HASH: Final = Method('/etcdserverpb.Maintenance/Hash', 'etcdserverpb.HashRequest', 'etcdserverpb.HashResponse', False, False, '3.0', False, False, True, False)
HASH_KV: Final = Method('/etcdserverpb.Maintenance/HashKV', 'etcdserverpb.HashKVRequest', 'etcdserverpb.HashKVResponse', False, False, '3.3', False, False, True, False)
SNAPSHOT: Final = Method('/etcdserverpb.Maintenance/Snapshot', 'etcdserverpb.SnapshotRequest', 'etcdserverpb.SnapshotResponse', False, True, '3.3', False, False, True, False)
MOVE_LEADER: Final = Method('/etcdserverpb.Maintenance/MoveLeader', 'etcdserverpb.MoveLeaderRequest', 'etcdserverpb.MoveLeaderResponse', False, False, '3.3', False, True, True, False)
DOWNGRADE: Final = Method('/etcdserverpb.Maintenance/Downgrade', 'etcdserverpb.DowngradeRequest', 'etcdserverpb.DowngradeResponse', False, False, '3.5', False, True, False, False)
WATCH: Final = Method('/etcdserverpb.Watch/Watch', 'etcdserverpb.WatchRequest', 'etcdserverpb.WatchResponse', True, True, '3.0', False, False, False, True)

METHODS: Final[dict[str, Method]] = {
    CAMPAIGN.path: CAMPAIGN,
    PROCLAIM.path: PROCLAIM,
    LEADER.path: LEADER,
    OBSERVE.path: OBSERVE,
    RESIGN.path: RESIGN,
    LOCK.path: LOCK,
    UNLOCK.path: UNLOCK,
    AUTH_ENABLE.path: AUTH_ENABLE,
    AUTH_DISABLE.path: AUTH_DISABLE,
    AUTH_STATUS.path: AUTH_STATUS,
    AUTHENTICATE.path: AUTHENTICATE,
    USER_ADD.path: USER_ADD,
    USER_GET.path: USER_GET,
    USER_LIST.path: USER_LIST,
    USER_DELETE.path: USER_DELETE,
    USER_CHANGE_PASSWORD.path: USER_CHANGE_PASSWORD,
    USER_GRANT_ROLE.path: USER_GRANT_ROLE,
    USER_REVOKE_ROLE.path: USER_REVOKE_ROLE,
    ROLE_ADD.path: ROLE_ADD,
    ROLE_GET.path: ROLE_GET,
    ROLE_LIST.path: ROLE_LIST,
    ROLE_DELETE.path: ROLE_DELETE,
    ROLE_GRANT_PERMISSION.path: ROLE_GRANT_PERMISSION,
    ROLE_REVOKE_PERMISSION.path: ROLE_REVOKE_PERMISSION,
    MEMBER_ADD.path: MEMBER_ADD,
    MEMBER_REMOVE.path: MEMBER_REMOVE,
    MEMBER_UPDATE.path: MEMBER_UPDATE,
    MEMBER_LIST.path: MEMBER_LIST,
    MEMBER_PROMOTE.path: MEMBER_PROMOTE,
    RANGE.path: RANGE,
    RANGE_STREAM.path: RANGE_STREAM,
    PUT.path: PUT,
    DELETE_RANGE.path: DELETE_RANGE,
    TXN.path: TXN,
    COMPACT.path: COMPACT,
    LEASE_GRANT.path: LEASE_GRANT,
    LEASE_REVOKE.path: LEASE_REVOKE,
    LEASE_KEEP_ALIVE.path: LEASE_KEEP_ALIVE,
    LEASE_TIME_TO_LIVE.path: LEASE_TIME_TO_LIVE,
    LEASE_LEASES.path: LEASE_LEASES,
    ALARM.path: ALARM,
    STATUS.path: STATUS,
    DEFRAGMENT.path: DEFRAGMENT,
    HASH.path: HASH,
    HASH_KV.path: HASH_KV,
    SNAPSHOT.path: SNAPSHOT,
    MOVE_LEADER.path: MOVE_LEADER,
    DOWNGRADE.path: DOWNGRADE,
    WATCH.path: WATCH,
}
