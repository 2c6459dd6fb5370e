"""What etcd says about users, roles and members; ``_error_table`` says which text is which class."""

from __future__ import annotations

from ._errors import AuthError, InvalidArgumentError, RpcError

__all__ = [
    "AuthNotEnabledError",
    "AuthRevisionOldError",
    "AuthSetupError",
    "AuthenticationFailedError",
    "BadLeaderTransfereeError",
    "ClusterIdMismatchError",
    "DowngradeError",
    "InvalidAuthManagementError",
    "InvalidAuthTokenError",
    "LearnerNotReadyError",
    "LearnerRefusedError",
    "MemberBadURLsError",
    "MemberExistsError",
    "MemberNotEnoughStartedError",
    "MemberNotFoundError",
    "MemberNotLearnerError",
    "NotAuthenticatedError",
    "NotCapableError",
    "NotLeaderError",
    "PermissionDeniedError",
    "PermissionNotGrantedError",
    "RoleExistsError",
    "RoleNotFoundError",
    "RoleNotGrantedError",
    "TooManyLearnersError",
    "UserExistsError",
    "UserNotFoundError",
]


# Users, roles, permissions.


_LET_IN_AGAIN = (
    "Make a client with a new EtcdToken, or write it to the token's file; with user and password (EtcdCredential) "
    "only try again: the client fetches another token by itself."
)


class PermissionDeniedError(AuthError):
    """The user's roles do not allow this."""

    _advice = "Grant the user a role that may do it."


class AuthenticationFailedError(AuthError):
    """The server does not know the user or password."""

    _advice = "Check the user name and the password."


class NotAuthenticatedError(AuthError):
    """The server wants a user, and the call named none."""

    _advice = "Give the client credentials."


class InvalidAuthTokenError(AuthError):
    """The token of the call is not valid, or not any more."""

    _advice = _LET_IN_AGAIN


class AuthRevisionOldError(AuthError):
    """Users or roles were changed after the token of the call was issued."""

    _advice = _LET_IN_AGAIN


class AuthSetupError(RpcError):
    """Authentication cannot be switched on: there is no user root, or it has no role root."""

    _advice = "Add the user root and grant it the role root first."


class AuthNotEnabledError(RpcError):
    """Authentication is not switched on."""

    _advice = "Switch authentication on first, or connect without credentials."


class InvalidAuthManagementError(InvalidArgumentError):
    """The change would lock everybody out, such as taking the role root from the user root."""


class UserExistsError(RpcError):
    """A user of that name exists already."""


class UserNotFoundError(RpcError):
    """There is no user of that name."""


class RoleExistsError(RpcError):
    """A role of that name exists already."""


class RoleNotFoundError(RpcError):
    """There is no role of that name."""


class RoleNotGrantedError(RpcError):
    """The user does not have the role that was to be taken away."""


class PermissionNotGrantedError(RpcError):
    """The role does not have the permission that was to be taken away."""


# Members and versions.


class MemberNotFoundError(RpcError):
    """There is no member with that id."""


class MemberExistsError(RpcError):
    """A member with that id or peer URL exists already."""


class MemberBadURLsError(InvalidArgumentError):
    """The peer URLs given for a member are not URLs."""

    _advice = "Give URLs such as http://10.0.0.1:2380."


class MemberNotEnoughStartedError(RpcError):
    """The change of members was refused since too few members are running: it could cost the quorum."""

    _advice = "Start the members that are down first."


class MemberNotLearnerError(RpcError):
    """Only a learner can be promoted, and this member votes already."""


class LearnerNotReadyError(RpcError):
    """The learner has not caught up with the leader yet."""

    _advice = "Promote it later."


class TooManyLearnersError(RpcError):
    """The cluster has as many learners as it allows."""

    _advice = "Promote or remove one first."


class LearnerRefusedError(RpcError):
    """The endpoint is a learner, which does not serve this call."""

    _advice = "Ask a voting member."


class ClusterIdMismatchError(RpcError):
    """The member belongs to another cluster."""

    _advice = "Check the addresses: they lead to more than one cluster."


class NotLeaderError(RpcError):
    """The call must be sent to the leader, and this endpoint is not the leader."""

    _advice = "Ask the leader."


class BadLeaderTransfereeError(RpcError):
    """The member cannot become the leader: it is unknown, a learner, or not in touch."""


class DowngradeError(RpcError):
    """The downgrade cannot be done as asked: bad version, none under way, or one is already."""


class NotCapableError(RpcError):
    """The cluster as a whole runs a version without this feature."""

    _advice = "Upgrade every member."
