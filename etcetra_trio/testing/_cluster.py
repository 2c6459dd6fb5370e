"""Several real etcds that form a cluster, for tests."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import trio

from ._arguments import check_flags, check_number
from ._binary import find_etcd, inspect_etcd
from ._process import ATTEMPTS, START_TIMEOUT, EtcdProcess, EtcdServerError, PortTakenError
from ._server import EtcdMember
from ._steps import POLL, Steps, run_blocking, run_in_trio, together

__all__ = ["EtcdCluster"]


class EtcdCluster:
    """A real etcd cluster of its own, for the time of a block.

    Used as :class:`EtcdServer` is, in a ``with`` or an ``async with`` block, which begins when all members are healthy
    and ends with the same promises::

        async with EtcdCluster(3) as cluster:
            leader = await cluster.aleader()
            leader.kill()
            new_leader = await cluster.aleader()
            await leader.arestart()

    Cancellation:
      Entering ``async with`` cleans up: nothing is left behind. Leaving it waits only for the killed processes.

    Args:
      size: How many members.
      binary: The etcd to run; see :func:`find_etcd` for what None means.
      extra_args: More flags for every member.
      listen: The loopback address that all members listen on, ``"127.0.0.1"`` or ``"::1"``.
      heartbeat_ms: Milliseconds between two heartbeats of the leader.
      election_ms: Milliseconds without a heartbeat after which a member wants to lead.

    Raises:
      EtcdNotFoundError: there is no etcd to run. Raised at once, not on entering.
      EtcdServerError: on entering: it did not start; on leaving: a member had died by itself.
    """

    def __init__(
        self,
        size: int,
        binary: str | os.PathLike[str] | None = None,
        *,
        extra_args: Sequence[str] = (),
        listen: str = "127.0.0.1",
        heartbeat_ms: int = 100,
        election_ms: int = 1000,
    ) -> None:
        check_number("size", size, whole=True)
        if size < 1:
            raise ValueError(f"a cluster needs at least one member, not {size}")
        etcd = inspect_etcd(find_etcd(binary))
        flags = [
            f"--heartbeat-interval={heartbeat_ms}",
            f"--election-timeout={election_ms}",
            *check_flags(extra_args),
        ]
        self._processes = [EtcdProcess(f"etcd{number}", etcd, listen, flags) for number in range(1, size + 1)]
        self.members: tuple[EtcdMember, ...] = tuple(EtcdMember(process) for process in self._processes)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self.members)} members of etcd {self.version}>"

    @property
    def version(self) -> str:
        """The version of etcd, as in ``"3.5.30"``."""
        return self.members[0].version

    @property
    def endpoints(self) -> list[str]:
        """Where clients reach the members, in the order of :attr:`members`."""
        return [member.endpoint for member in self.members]

    def leader(self) -> EtcdMember:
        """Wait until a member leads a majority.

        Returns:
          The member that leads now. Members that are dead or stopped do not count.

        Raises:
          EtcdServerError: there was no leader for 30 seconds.
        """
        return run_blocking(self._find_leader())

    async def aleader(self) -> EtcdMember:
        """Do as :meth:`leader` in a Trio task.

        Cancellation:
          No effect.

        Returns:
          The member that leads now.

        Raises:
          EtcdServerError: there was no leader for 30 seconds.
        """
        return await run_in_trio(self._find_leader())

    def wait_ready(self) -> None:
        """Wait until every member answers linearizable reads.

        Raises:
          EtcdServerError: a member is not running, or did not become ready within 30 seconds.
        """
        run_blocking(self._ready())

    async def await_ready(self) -> None:
        """Do as :meth:`wait_ready` in a Trio task.

        Cancellation:
          No effect.

        Raises:
          EtcdServerError: a member is not running, or did not become ready within 30 seconds.
        """
        await run_in_trio(self._ready())

    def __enter__(self) -> Self:
        try:
            run_blocking(self._start())
        except BaseException as error:
            self._close(error)
            raise
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._close(exc)

    async def __aenter__(self) -> Self:
        try:
            await run_in_trio(self._start())
        except BaseException as error:
            self._close(error)
            raise
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._close(exc)
        await trio.lowlevel.cancel_shielded_checkpoint()

    def _start(self) -> Steps[None]:
        for attempt in range(ATTEMPTS):
            for process in self._processes:
                process.prepare()
            everybody = ",".join(process.initial_cluster for process in self._processes)
            token = self._processes[0].cluster_token
            for process in self._processes:
                process.initial_cluster, process.cluster_token = everybody, token
                process.spawn()
            try:
                yield from self._ready()
            except PortTakenError:
                for process in self._processes:
                    process.kill()
                if attempt == ATTEMPTS - 1:
                    raise
            else:
                return

    def _ready(self) -> Steps[None]:
        return together(*(process.ready() for process in self._processes))

    def _find_leader(self) -> Steps[EtcdMember]:
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            for process, member in zip(self._processes, self.members, strict=True):
                if (yield from process.is_leader()):
                    return member
            yield POLL
        raise EtcdServerError(f"{self!r} has had no leader for {START_TIMEOUT:g} s")

    def _close(self, error: BaseException | None) -> None:
        with contextlib.ExitStack() as stack:
            for process in self._processes:
                stack.callback(process.close, error)
