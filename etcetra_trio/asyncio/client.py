"""The client and what it makes: the names of etcetra's ``client`` module."""

# pyright: reportPrivateUsage=false
# This package stands on the insides of the Trio client.

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Protocol, cast

from .._communicator import EtcdCommunicator as TrioCommunicator
from .._keys import KeySpace, TextT, key_space
from ._derived import DerivedEtcdClient, DerivedEtcdCommunicator
from ._txn import EtcdTransactionAction
from ._wrapped import do

if TYPE_CHECKING:
    from types import TracebackType

    from ._links import Block
    from .types import EtcdLockOption

__all__ = [
    "EtcdChannel",
    "EtcdClient",
    "EtcdCommunicator",
    "EtcdConnectionManager",
    "EtcdTransactionAction",
    "TxnAction",
]


#: Trio's name for it.
TxnAction = EtcdTransactionAction


class EtcdChannel:
    """What communicators work over: the connection of one ``connect()`` block, and the namespace."""

    def __init__(self, block: Block, namespace: bytes) -> None:
        self._block = block
        self._namespace = namespace

    async def close(self) -> None:
        """End the block; the connection itself stays open for a while, for the next one."""
        self._block.leave()


class EtcdCommunicator(DerivedEtcdCommunicator[TextT]):
    """The calls to etcd over one client's connection; made by :meth:`EtcdClient.connect`.

    Any number of tasks may use it at once. Once the block is left, every call raises
    :exc:`~etcetra_trio.asyncio.errors.ClosedResourceError`.

    Args:
      channel: That of another communicator.
      encoding: The text codec of keys and values.
    """

    _scope: Block

    def __init__(self, channel: EtcdChannel, encoding: str = "utf-8") -> None:
        self._fill(channel._block, do(key_space, encoding, channel._namespace))

    @classmethod
    def over(cls, block: Block, keys: KeySpace[TextT]) -> EtcdCommunicator[TextT]:
        """For a ``connect()`` block."""
        new = cls.__new__(cls)
        new._fill(block, keys)
        return new

    def _fill(self, block: Block, keys: KeySpace[TextT]) -> None:
        super().__init__(block, TrioCommunicator(block.endpoints, keys))
        self._hot = TrioCommunicator(cast("Any", block.hot), keys)
        self._keys: KeySpace[TextT] = keys
        self.encoding: str | None = getattr(keys, "encoding", None)

    @property
    def channel(self) -> EtcdChannel:
        """What this works over."""
        return EtcdChannel(self._scope, self._keys.namespace)

    def namespaced(self, prefix: str | bytes) -> EtcdCommunicator[TextT]:
        """The same connection below ``prefix``: put before every key, and removed from every answer.

        Args:
          prefix: What the keys begin with; inside another namespace it comes after that one's.
        """
        return EtcdCommunicator[TextT].over(self._scope, do(self._keys.nested, prefix))


class EtcdClient(DerivedEtcdClient[TextT]):  # noqa: D101 - its docstring is derived
    __doc__ = DerivedEtcdClient.__doc__

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
    def __init__(self, client: EtcdClient[TextT], *, wait: bool) -> None:
        self._client: EtcdClient[TextT] = client
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


class EtcdConnectionManager(Generic[TextT]):
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

    async def __aenter__(self) -> EtcdCommunicator[TextT]:
        """Connect, if there is no connection."""
        if self._communicator is not None:
            raise RuntimeError("this was entered already: call connect() anew for each block")
        communicator = self._communicator = await self.communicator_builder.meth()
        return communicator

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        """Leave."""
        communicator, self._communicator = self._communicator, None
        if communicator is None:
            raise RuntimeError("this was not entered")
        communicator._scope.leave()
        return False
