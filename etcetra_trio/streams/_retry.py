"""What to do about a call that failed: which error is worth another try, and where. Pure.

Which calls may be repeated when nobody knows whether they were carried out is a column of the table of methods
(``_proto/_methods.py``); it follows etcd's own client. All others are repeated only where they provably were not
carried out.
"""

from __future__ import annotations

import random
from typing import Final, Literal

import etcetra_trio._admin_errors as a
import etcetra_trio._server_errors as e

from .._errors import (
    ConnectionFailedError,
    ConnectionLostError,
    EtcdError,
    OutcomeUnknownError,
    RemoteProtocolError,
    UnavailableError,
)

#: "elsewhere": over another endpoint, if there is one, and at once. "later": over the same one, after a pause.
#: "connect": as soon as there is a connection again. "renew": with another token.
Next = Literal["give up", "connect", "elsewhere", "later", "renew"]

#: How long a call is repeated after its first failure, in seconds: longer than an election takes (1 to 2 s).
PATIENCE: Final = 5.0
#: Between two tries, in seconds: half of a bound that doubles up to the longest, and as much again at random.
FIRST_PAUSE, LONGEST_PAUSE = 0.025, 0.2

# The first class that fits counts.
_NEXT: Final[tuple[tuple[type[EtcdError], Next], ...]] = (
    (ConnectionFailedError, "connect"),
    (a.AuthRevisionOldError, "renew"),
    (a.InvalidAuthTokenError, "renew"),
    (a.NotAuthenticatedError, "renew"),
    (RemoteProtocolError, "give up"),
    (ConnectionLostError, "elsewhere"),
    (a.LearnerRefusedError, "elsewhere"),
    (e.LeaderChangedError, "later"),
    (e.ServerTimeoutError, "elsewhere"),
    (e.ServerCanceledError, "later"),
    (e.ProposalDroppedError, "later"),
    (e.TooManyRequestsError, "later"),
    (UnavailableError, "elsewhere"),
)


def next_try(error: EtcdError, *, write: bool) -> Next:
    """What to do after ``error``. ``write``: the call must not be carried out twice."""
    if isinstance(error, OutcomeUnknownError):
        cause = error.__cause__
        if write or cause is None:
            return "give up"
    elif write and error.outcome != "not_applied":
        return "give up"
    else:
        cause = error
    for cls, following in _NEXT:
        if isinstance(cause, cls):
            return following
    return "give up"


def pause(tries: int) -> float:
    """How long to wait before another try, in seconds, after so many with a pause."""
    bound = min(FIRST_PAUSE * 2.0 ** min(tries, 16), LONGEST_PAUSE)
    return bound * (1 + random.random()) / 2  # noqa: S311 - no secret


def after_unknown(earlier: OutcomeUnknownError, error: EtcdError) -> EtcdError:
    """The error of a repeated write, one of whose tries may have been carried out; whatever the last one says.

    The last one's error is the cause: for a lease that was granted it says that the lease exists, for one that was
    revoked that it does not.
    """
    if isinstance(error, OutcomeUnknownError):
        return error
    unknown = OutcomeUnknownError(earlier.code, earlier.message, earlier.method, earlier.endpoint, "unknown")
    unknown.__cause__ = error
    return unknown
