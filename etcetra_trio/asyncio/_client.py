"""What is written by hand of the client, and what it makes."""

# pyright: reportPrivateUsage=false
# This package stands on the insides of the Trio client.

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Generic, Protocol, cast

from .._blocks import ToEnter
from .._checks import check_seconds
from .._communicator import EtcdCommunicator as TrioCommunicator
from .._keys import KeySpace, TextT, key_space
from ._channel import EtcdChannel
from ._derived import DerivedEtcdCommunicator
from ._hosted import Hosted
from ._locks import hold_lock
from ._wrapped import do
from .types import EtcdLockOption

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from types import TracebackType

    from .._lock import Lock
    from ._links import Block, Links
    from ._locks import OnLost


class EtcdCommunicator(DerivedEtcdCommunicator[TextT]):
    """The calls to etcd over one client's connection; made by :meth:`EtcdClient.connect`.

    Any number of tasks may use it at once. Once the block is left, every call raises
    ``errors.ClosedResourceError``.

    Args:
      channel: That of another communicator.
      encoding: The text codec of keys and values.
    """

    _scope: Block

    def __init__(self: EtcdCommunicator[str], channel: EtcdChannel, encoding: str = "utf-8") -> None:
        self._fill(channel._block, do(key_space, encoding, channel._namespace))

    @classmethod
    def over(cls, block: Block, keys: KeySpace[TextT]) -> EtcdCommunicator[TextT]:
        """For a ``connect()`` block."""
        new = cls.__new__(cls)
        new._fill(block, keys)
        return new

    def _fill(self, block: Block, keys: KeySpace[TextT], held: Lock[TextT] | None = None) -> None:
        super().__init__(block, TrioCommunicator(block.endpoints, keys, held))
        self._hot = TrioCommunicator(cast("Any", block.hot), keys)
        self._keys: KeySpace[TextT] = keys
        self.encoding: str | None = getattr(keys, "encoding", None)

    @property
    def channel(self) -> EtcdChannel:
        """What this works over."""
        return EtcdChannel(self._scope, self._keys.namespace)

    def holding(self, lock: Lock[TextT]) -> EtcdCommunicator[TextT]:
        """The same, with that as its :attr:`held_lock`."""
        new = EtcdCommunicator[TextT].over(self._scope, self._keys)
        new._fill(self._scope, self._keys, lock)
        return new

    def create_lease_keepalive_task(self, id: int, interval: float) -> asyncio.Task[None]:  # noqa: A002 - etcetra's
        """Renew a lease every ``interval`` seconds, until the task is cancelled.

        :meth:`lease` does that by itself, and tells when the lease is lost.

        Args:
          id: The lease's id.
          interval: The seconds between two renewals.

        Returns:
          The task; it ends with :exc:`LeaseNotFoundError` when there is no such lease any more.
        """
        pause: float = do(check_seconds, "interval", interval, any_wait=True)

        async def keep_alive() -> None:
            while True:
                await self.keepalive_once(id)
                await asyncio.sleep(pause)

        return asyncio.get_running_loop().create_task(keep_alive())

    def namespaced(self, prefix: str | bytes) -> EtcdCommunicator[TextT]:
        """The same connection below ``prefix``: put before every key, and removed from every answer.

        Args:
          prefix: What the keys begin with; inside another namespace it comes after that one's.
        """
        return EtcdCommunicator[TextT].over(self._scope, do(self._keys.nested, prefix))


class ClientBase(Generic[TextT]):
    """Connecting; the settings are derived from those of the Trio client."""

    _links: Links
    encoding: str | None

    def connect(self, *, wait: bool = True) -> EtcdConnectionManager[TextT]:
        """Connect for the length of a block: ``async with client.connect() as communicator: ...``.

        The connection is shared by all blocks of this client in this event loop. It is closed 30 s after the last one
        was left, by :meth:`aclose`, or by ``asyncio.run`` as it ends.

        Args:
          wait: Enter once an endpoint answered. False: enter at once; the first call connects.

        Returns:
          A context manager that gives an :class:`EtcdCommunicator`.
        """
        return EtcdConnectionManager(_Connector[TextT](self, wait=wait))

    def with_lock(
        self,
        lock_name: str | bytes,
        timeout: float | None = None,
        ttl: float | None = None,
        *,
        lease_ttl: int = 10,
        on_lost: OnLost = "readme",
    ) -> EtcdConnectionManager[TextT]:
        """Connect and hold a lock, both for the length of a block.

        Args:
          lock_name: What is locked.
          timeout: For how many seconds to try, connecting included; None: for ever.
          ttl: Hold it for so many seconds at most.
          lease_ttl: After so many seconds it frees itself if this program dies.
          on_lost: ``"readme"``: when ``ttl`` is over the block runs on without the lock, and a
            :class:`LockLostWarning` is issued; any other loss cancels the block, which then raises
            :exc:`LockLostError`. ``"cancel"``: any loss does. ``"flag"``: none does; see :attr:`Lock.lost`.

        Returns:
          A context manager that gives an :class:`EtcdCommunicator`, whose ``held_lock`` is the :class:`Lock`. Entering
          raises :exc:`LockTimeoutError`, an :exc:`asyncio.TimeoutError`, when the lock was not acquired in time.
        """
        option = EtcdLockOption(lock_name, timeout, ttl, lease_ttl=lease_ttl, on_lost=on_lost)
        return EtcdConnectionManager(_Connector[TextT](self, wait=False), self.encoding or "utf-8", option)

    async def aclose(self) -> None:
        """Close this client's connection in this event loop; a later :meth:`connect` opens another.

        Programs whose loop ends with ``asyncio.run`` need not call it.
        """
        await self._links.close()


class Connector(Protocol[TextT]):
    """What makes communicators."""

    async def meth(self) -> EtcdCommunicator[TextT]:
        """Make one."""
        ...


class _Connector(Generic[TextT]):
    def __init__(self, client: ClientBase[TextT], *, wait: bool) -> None:
        self._client: ClientBase[TextT] = client
        self._wait = wait

    async def meth(self) -> EtcdCommunicator[TextT]:
        """Open a block."""
        link = await self._client._links.get()
        block = link.open_block()
        if self._wait:
            try:
                await block.connected()
            except BaseException:
                block.leave()
                raise
        return EtcdCommunicator[TextT].over(block, link.communicator._keys)


class EtcdLockManager:
    """``async with`` it to hold a lock; :meth:`EtcdCommunicator.lock` is the same and gives the :class:`Lock`.

    Args:
      name: What is locked.
      channel: That of a communicator.
      encoding: The text codec of the name.
      ttl: Hold it for so many seconds at most.
      timeout_seconds: For how many seconds to try; None: for ever.
      lease_ttl: After so many seconds it frees itself if this program dies.
      on_lost: As for :meth:`EtcdClient.with_lock`.
    """

    def __init__(
        self,
        name: str | bytes,
        channel: EtcdChannel,
        encoding: str = "utf-8",
        ttl: float | None = None,
        timeout_seconds: float | None = None,
        *,
        lease_ttl: int = 10,
        on_lost: OnLost = "readme",
    ) -> None:
        self.name = name
        self.channel = channel
        self.encoding = encoding
        self.ttl = ttl
        self.timeout_seconds = timeout_seconds
        self._lease_ttl = lease_ttl
        self._on_lost: OnLost = on_lost
        self._block: Hosted[Lock[Any]] | None = None
        #: Trio's lock, while it is held.
        self.held: Lock[Any]

    async def __aenter__(self) -> None:
        """Acquire the lock."""
        if self._block is not None:
            raise RuntimeError("this was entered already: make a new one for each block")
        block, name = self.channel._block, self.name
        keys: KeySpace[Any] = do(key_space, self.encoding, self.channel._namespace)
        communicator = TrioCommunicator(block.endpoints, keys)

        def lock() -> AbstractAsyncContextManager[Lock[Any]]:
            return hold_lock(
                communicator, name, self.timeout_seconds, self.ttl, self._lease_ttl, self._on_lost
            )

        hosted: Hosted[Lock[Any]] = Hosted(block, lock, lambda held: held)
        self.held = await hosted.__aenter__()
        self._block = hosted

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        """Release the lock."""
        block, self._block = self._block, None
        if block is None:
            raise RuntimeError("this was not entered")
        return await block.__aexit__(exc_type, exc, traceback)


class EtcdConnectionManager(ToEnter, Generic[TextT]):
    """``async with`` it to get a communicator, and hold a lock if one is asked for.

    Args:
      communicator_builder: Has a coroutine ``meth`` that makes a communicator.
      encoding: The text codec of the lock's name.
      lock_option: The lock to hold.
    """

    def __init__(
        self,
        communicator_builder: Connector[TextT],
        encoding: str = "utf-8",
        lock_option: EtcdLockOption | None = None,
    ) -> None:
        self.communicator_builder: Connector[TextT] = communicator_builder
        self.encoding = encoding
        self._lock_option = lock_option
        self._communicator: EtcdCommunicator[TextT] | None = None
        self._lock: EtcdLockManager | None = None

    async def __aenter__(self) -> EtcdCommunicator[TextT]:
        """Connect, if there is no connection."""
        if self._communicator is not None:
            raise RuntimeError("this was entered already: call connect() anew for each block")
        communicator = await self.communicator_builder.meth()
        option = self._lock_option
        if option is not None:
            lock = EtcdLockManager(
                option.lock_name,
                communicator.channel,
                self.encoding,
                option.ttl,
                option.timeout,
                lease_ttl=option.lease_ttl,
                on_lost=option.on_lost,
            )
            try:
                await lock.__aenter__()
            except BaseException:
                await communicator.channel.close()
                raise
            self._lock = lock
            communicator = communicator.holding(lock.held)
        self._communicator = communicator
        return communicator

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        """Leave."""
        communicator, self._communicator = self._communicator, None
        if communicator is None:
            raise RuntimeError("this was not entered")
        lock, self._lock = self._lock, None
        try:
            return await lock.__aexit__(exc_type, exc, traceback) if lock is not None else False
        finally:
            await communicator.channel.close()
