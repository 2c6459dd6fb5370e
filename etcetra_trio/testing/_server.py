"""One real etcd for tests."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import trio

from ._arguments import check_flags, check_kind
from ._binary import find_etcd, inspect_etcd
from ._process import EtcdProcess
from ._server_tls import ServerTLS
from ._steps import run_blocking, run_in_trio

__all__ = ["EtcdMember", "EtcdServer"]


class EtcdMember:
    """A running etcd: where it is, and what can be done to it.

    You get one from :class:`EtcdServer` (which is one) or from ``EtcdCluster.members``. Methods that wait have two
    forms: ``restart()`` for plain programs and ``await arestart()`` for Trio. All others return at once.
    """

    def __init__(self, process: EtcdProcess) -> None:
        self._process = process

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} of etcd {self.version}>"

    @property
    def name(self) -> str:
        """Its name in the cluster."""
        return self._process.name

    @property
    def version(self) -> str:
        """The version of etcd, as in ``"3.5.30"``."""
        return self._process.binary.version

    @property
    def binary(self) -> Path:
        """The program that it runs."""
        return self._process.binary.path

    @property
    def endpoint(self) -> str:
        """Where clients reach it, as in ``"http://127.0.0.1:20379"``, or ``"https://..."``."""
        return self._process.client_url

    @property
    def unix_endpoint(self) -> str:
        """Where clients reach it through a unix socket, as in ``"unix:///tmp/etcetra-trio-etcd-x/etcd:0"``."""
        return f"unix://{self._process.socket_path}"

    @property
    def host(self) -> str:
        """The address of :attr:`endpoint`, without brackets."""
        return self._process.listen

    @property
    def port(self) -> int:
        """The port of :attr:`endpoint`."""
        return self._process.client_port

    @property
    def pid(self) -> int:
        """The process, or the last one if it is dead."""
        return self._process.pid

    @property
    def log_path(self) -> Path:
        """What etcd wrote, over all restarts."""
        return self._process.log_path

    @property
    def data_dir(self) -> Path:
        """Where etcd keeps its data. It is removed at the end in any case."""
        return self._process.data_dir

    @property
    def keep_log(self) -> bool:
        """Keep the log at the end, even if nothing went wrong; False unless you set it."""
        return self._process.keep_log

    @keep_log.setter
    def keep_log(self, keep: bool) -> None:
        self._process.keep_log = keep

    def kill(self) -> None:
        """End it with SIGKILL, also when it is stopped; when this returns it is gone. Its data stay for a restart."""
        self._process.kill()

    def terminate(self) -> None:
        """Ask it to end, with SIGTERM, and do not wait for that: it says good-bye to its clients first."""
        self._process.terminate()

    def stop(self) -> None:
        """Freeze it with SIGSTOP: it still accepts connections (the system does) and answers nothing.

        Raises:
          EtcdServerError: it is not running.
        """
        self._process.stop()

    def cont(self) -> None:
        """Let it go on after :meth:`stop`, with SIGCONT."""
        self._process.cont()

    def restart(self) -> None:
        """Start it again with the same data and ports, and wait until it is ready.

        If it still runs it is asked to end first, and killed if it does not within 10 seconds.

        Raises:
          EtcdServerError: it did not become ready within 30 seconds.
        """
        run_blocking(self._process.restart())

    async def arestart(self) -> None:
        """Do as :meth:`restart` in a Trio task.

        Cancellation:
          May have happened: it can be down, starting or ready.

        Raises:
          EtcdServerError: it did not become ready within 30 seconds.
        """
        await run_in_trio(self._process.restart())

    def wait_ready(self) -> None:
        """Wait until it answers linearizable reads, which in a cluster needs a leader and a majority.

        Raises:
          EtcdServerError: it is not running, or did not become ready within 30 seconds.
        """
        run_blocking(self._process.ready())

    async def await_ready(self) -> None:
        """Do as :meth:`wait_ready` in a Trio task.

        Cancellation:
          No effect.

        Raises:
          EtcdServerError: it is not running, or did not become ready within 30 seconds.
        """
        await run_in_trio(self._process.ready())


class EtcdServer(EtcdMember):
    """A real etcd of its own, for the time of a block.

    Both forms give the server itself, ready to serve::

        with EtcdServer() as server:          # also in a session-scoped fixture
            trio.run(main, server.endpoint)

        async with EtcdServer() as server:    # in a Trio task
            ...

    It listens on a free loopback port and on a unix socket, has its own folder in the system's place for temporary
    files (``TMPDIR``), and writes without fsync where etcd can. Afterwards, and also when the test process is killed
    (on Linux), the process is gone and so are its files. The log alone is kept, and named, if an exception leaves the
    block or etcd died by itself.

    Cancellation:
      Entering ``async with`` cleans up: nothing is left behind. Leaving it waits only for the killed process.

    Args:
      binary: The etcd to run; see :func:`find_etcd` for what None means.
      extra_args: More flags for etcd, as in ``["--quota-backend-bytes", "16777216"]``. They win over its own.
      listen: The loopback address to listen on, ``"127.0.0.1"`` or ``"::1"``.
      tls: Speak TLS on the port; the unix socket stays as it is.

    Raises:
      EtcdNotFoundError: there is no etcd to run. Raised at once, not on entering.
      EtcdServerError: on entering: it did not start; on leaving: it had died by itself.
    """

    def __init__(
        self,
        binary: str | os.PathLike[str] | None = None,
        *,
        extra_args: Sequence[str] = (),
        listen: str = "127.0.0.1",
        tls: ServerTLS | None = None,
    ) -> None:
        flags = check_flags(extra_args)
        if tls is not None:
            check_kind("tls", tls, ServerTLS, "a ServerTLS or None")
        super().__init__(EtcdProcess("etcd", inspect_etcd(find_etcd(binary)), listen, flags, tls))

    def __enter__(self) -> Self:
        try:
            run_blocking(self._process.start())
        except BaseException as error:
            self._process.close(error)
            raise
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.close(exc)

    async def __aenter__(self) -> Self:
        try:
            await run_in_trio(self._process.start())
        except BaseException as error:
            self._process.close(error)
            raise
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.close(exc)
        await trio.lowlevel.cancel_shielded_checkpoint()
