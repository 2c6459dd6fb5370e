"""A real etcd for tests: yours and ours.

:class:`EtcdServer` and :class:`EtcdCluster` start and end etcd processes; :class:`FaultProxy` stands before one and
breaks its connections on request; :func:`cancel_sweep` cancels a function wherever that can be done.

With pytest there are fixtures too, which need no import:

* ``etcd_server``: one :class:`EtcdServer` for the whole run;
* ``etcd``: an ``EtcdClient`` of it, in a namespace of the test's own that is emptied afterwards;
* ``communicator``: the same, connected, for async tests.

Async tests are run by `pytest-trio <https://pytest-trio.readthedocs.io>`_, which comes with the extra ``testing``
(``pip install 'etcetra-trio[server,testing]'``). It runs those that are marked with ``@pytest.mark.trio``, and all of
them with ``trio_mode = true`` in pytest's configuration, as in ``pyproject.toml``::

    [tool.pytest.ini_options]
    trio_mode = true
"""

from __future__ import annotations

from ._binary import EtcdNotFoundError as EtcdNotFoundError
from ._binary import find_etcd as find_etcd
from ._binary import find_etcdctl as find_etcdctl
from ._cancel_sweep import CancelSweep as CancelSweep
from ._cancel_sweep import CancelSweepError as CancelSweepError
from ._cancel_sweep import cancel_sweep as cancel_sweep
from ._cluster import EtcdCluster as EtcdCluster
from ._process import EtcdServerError as EtcdServerError
from ._proxy import FaultProxy as FaultProxy
from ._proxy import ProxyStatistics as ProxyStatistics
from ._server import EtcdMember as EtcdMember
from ._server import EtcdServer as EtcdServer
from ._server_tls import ServerTLS as ServerTLS

__all__ = [
    "CancelSweep",
    "CancelSweepError",
    "EtcdCluster",
    "EtcdMember",
    "EtcdNotFoundError",
    "EtcdServer",
    "EtcdServerError",
    "FaultProxy",
    "ProxyStatistics",
    "ServerTLS",
    "cancel_sweep",
    "find_etcd",
    "find_etcdctl",
]
