"""The names of etcetra's ``client`` module."""

from __future__ import annotations

from ._channel import EtcdChannel, GrpcStream
from ._client import EtcdCommunicator, EtcdConnectionManager, EtcdLockManager
from ._derived_client import EtcdClient
from ._locks import LockLostWarning
from ._txn import EtcdTransactionAction

__all__ = [
    "EtcdChannel",
    "EtcdClient",
    "EtcdCommunicator",
    "EtcdConnectionManager",
    "EtcdLockManager",
    "EtcdTransactionAction",
    "GrpcStream",
    "LockLostWarning",
    "TxnAction",
]

#: Trio's name for it.
TxnAction = EtcdTransactionAction
