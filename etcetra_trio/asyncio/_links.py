"""One connection of a client and loop, however many ``connect()`` blocks use it, and for a while after the last."""

# pyright: reportPrivateUsage=false
# This package stands on the insides of the Trio client.

from __future__ import annotations

import asyncio
import contextvars
from typing import TYPE_CHECKING, Any

import trio

from ._calls import Scope
from ._hot import HotEndpoints
from ._portal import Portal, open_portal
from .errors import translated

if TYPE_CHECKING:
    from .._client import EtcdClient
    from .._communicator import EtcdCommunicator
    from ..streams._endpoints import Endpoints

#: How long a connection stays open after its last block, in seconds.
IDLE = 30.0


class Link:
    """A ``connect()`` block of the Trio client that outlives those of the asyncio client."""

    def __init__(self, client: EtcdClient[Any], portal: Portal) -> None:
        self._client = client
        self.portal: Portal = portal
        self.loop: asyncio.AbstractEventLoop = portal.loop
        self.opened: asyncio.Future[None] = self.loop.create_future()
        self.closed: asyncio.Future[None] = self.loop.create_future()
        self.failure: Exception | None = None
        #: Whether it takes no further block.
        self.closing: bool = False
        self.communicator: EtcdCommunicator[Any]
        self._nursery: trio.Nursery
        self._scope = trio.CancelScope()
        self._blocks: set[Block] = set()
        self._idle_since = 0.0
        self._timer: asyncio.TimerHandle | None = None
        # Not in the context of whoever happens to be first.
        contextvars.Context().run(portal.nursery.start_soon, self._run)

    async def _run(self) -> None:
        try:
            with self._scope:
                async with (
                    self._client.connect(wait=False) as self.communicator,
                    trio.open_nursery(strict_exception_groups=True) as self._nursery,
                ):
                    self._tell(self.opened)
                    try:
                        await trio.sleep_forever()
                    finally:
                        self.close()
        except Exception as error:  # noqa: BLE001 - it is raised where the connection is asked for
            self.failure = error
        finally:
            self.closing = True
            self._tell(self.opened)
            self._tell(self.closed)
            self.portal.leave()

    def _tell(self, future: asyncio.Future[None]) -> None:
        if not future.done() and not self.loop.is_closed():
            future.set_result(None)

    @property
    def endpoints(self) -> Endpoints:
        """Of the Trio client."""
        return self.communicator._endpoints

    def open_block(self) -> Block:
        """For one ``connect()`` block."""
        block = Block(self, self._nursery)
        if not self._blocks:
            self.portal.active += 1
        self._blocks.add(block)
        return block

    def left(self, block: Block) -> None:
        """A block was left; the connection is closed a while after the last one."""
        if block not in self._blocks:
            return
        self._blocks.discard(block)
        if not self._blocks:
            self.portal.active -= 1
            self._idle_since = self.loop.time()
            if self._timer is None and not self.closing:
                self._timer = self.loop.call_later(IDLE, self._look)

    def _look(self) -> None:
        """Close the connection if it was not used for long enough."""
        self._timer = None
        if not self._blocks and not self.closing:
            rest = self._idle_since + IDLE - self.loop.time()
            if rest <= 0:
                self.close()
            else:
                self._timer = self.loop.call_later(rest, self._look)

    def close(self) -> None:
        """Close the connection; :attr:`closed` tells when that is done."""
        self.closing = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for block in list(self._blocks):
            block.leave()
        self._scope.cancel("the client was closed")


class Block(Scope):
    """What one ``async with client.connect()`` uses."""

    def __init__(self, link: Link, nursery: trio.Nursery) -> None:
        super().__init__(link.portal.turns, nursery)
        self.link: Link = link
        self.endpoints: Endpoints = link.endpoints
        self.hot: HotEndpoints = HotEndpoints(self.endpoints, self)

    async def connected(self) -> None:
        """Wait for a connection if there is none."""
        live = self.endpoints.live
        if live is None or not live.engine.accepting:
            await self.call(self.endpoints.connection)

    def leave(self) -> None:
        """End what still runs in it."""
        self.close()
        self.link.left(self)


class Links:
    """The connections of one client: one for each loop."""

    def __init__(self, client: EtcdClient[Any]) -> None:
        self._client = client
        self._links: dict[asyncio.AbstractEventLoop, Link] = {}

    async def get(self) -> Link:
        """The one of the running loop."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise RuntimeError(
                "this client is for asyncio, of which no event loop runs here: "
                "use `asyncio.run`, or `from etcetra_trio import EtcdClient` in Trio programs"
            ) from None
        while True:
            link = self._links.get(loop)
            if link is None or link.closing:
                for other, old in list(self._links.items()):
                    if other.is_closed() or old.closed.done():
                        del self._links[other]
                portal = await open_portal()
                link = self._links.get(loop)
                if link is not None and not link.closing:  # somebody was faster
                    portal.leave()
                else:
                    link = self._links[loop] = Link(self._client, portal)
            if not link.opened.done():
                await asyncio.shield(link.opened)
            if link.failure is not None:
                raise translated(link.failure)
            if not link.closing:
                return link

    async def close(self) -> None:
        """Close the one of the running loop, and Trio's run if nobody else uses it."""
        link = self._links.get(asyncio.get_running_loop())
        if link is None or link.closed.done():
            return
        link.close()
        await asyncio.shield(link.closed)
        if link.portal.closing:
            await asyncio.shield(link.portal.done)
            await link.portal.dismiss_guardian()
