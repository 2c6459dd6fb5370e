"""Trio beside a running asyncio loop: as its guest, or below it where the loop is trio-asyncio's.

Both run in the loop's thread, so either side calls the other's plain functions directly; only coroutines need a way
across, which is :meth:`etcetra_trio.asyncio._calls.Scope.call`.
"""

from __future__ import annotations

import asyncio
import atexit
import queue
import sys
import threading
import warnings
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn

import trio

from ..streams._service import interrupt_in
from ._turns import Turns

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    import outcome

#: The portal of each loop that has one now.
_portals: dict[asyncio.AbstractEventLoop, Portal] = {}
#: For the timer that is only there to be dropped, in seconds.
_NEVER = 10.0**8


async def open_portal() -> Portal:
    """The portal of the running loop, opened if need be. Each call is to be followed by one of :meth:`Portal.leave`."""
    loop = asyncio.get_running_loop()
    while True:
        portal = _portals.get(loop)
        if portal is None:
            _make_room(loop)
            portal = _portals[loop] = Portal(loop)
            try:
                portal.start()
            except BaseException:
                del _portals[loop]
                raise
        if not portal.closing:
            portal.users += 1
            try:
                await asyncio.shield(portal.ready)
            except BaseException:
                portal.leave()
                raise
            return portal
        await asyncio.shield(portal.done)


def _make_room(loop: asyncio.AbstractEventLoop) -> None:
    """A thread can have one guest: end that of a loop of this thread that does not run any more."""
    thread = threading.get_ident()
    for other in list(_portals.values()):
        if other.thread == thread and other.loop is not loop and not other.below:
            if other.active and not other.loop.is_closed():
                raise RuntimeError(
                    "another event loop of this thread is inside `async with client.connect()`: "
                    "leave it, or use one loop per thread"
                )
            other.finish_without_loop()


class Portal:
    """The Trio run of one loop. It ends when nobody uses it any more, or the loop ends."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop: asyncio.AbstractEventLoop = loop
        self.thread: int = threading.get_ident()
        self.turns: Turns = Turns(loop)
        #: Pooled connections.
        self.users: int = 0
        #: ``connect()`` blocks that are open.
        self.active: int = 0
        self.closing: bool = False
        self.ready: asyncio.Future[None] = loop.create_future()
        self.done: asyncio.Future[None] = loop.create_future()
        self.nursery: trio.Nursery
        #: Whether the loop itself runs on Trio.
        self.below: bool = _runs_on_trio(loop)
        # What Trio wants to be called back with; the loop only carries the word that there is something.
        self._calls: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self._guardian: AsyncGenerator[None] | None = None
        self._guarding = False
        self._last_resort: Callable[[], asyncio.TimerHandle | None] = lambda: None

    def start(self) -> None:
        """Begin; :attr:`ready` tells when Trio runs."""
        if self.below:
            trio_loop: Any = self.loop
            trio_loop.trio_as_future(self._main).add_done_callback(self._ended_below)
            return
        trio.lowlevel.start_guest_run(
            self._main,
            run_sync_soon_threadsafe=self._soon_from_anywhere,
            run_sync_soon_not_threadsafe=self._soon,
            done_callback=self._ended,
            host_uses_signal_set_wakeup_fd=True,
            restrict_keyboard_interrupt_to_checkpoints=True,
            strict_exception_groups=True,
        )
        # asyncio.run and its like close a loop's asynchronous generators before the loop.
        self._guardian = self._guard()
        self.loop.create_task(_begin(self._guardian))
        # Who closes a loop by hand and forgets that drops its timers.
        self._last_resort = weakref.ref(self.loop.call_later(_NEVER, _LastResort(self)))
        atexit.register(self.finish_without_loop)

    async def _main(self) -> None:
        try:
            async with trio.open_nursery(strict_exception_groups=True) as self.nursery:
                if not self.ready.done():
                    self.ready.set_result(None)
                while True:
                    try:
                        await trio.sleep_forever()
                    except KeyboardInterrupt:
                        # Where nobody else handles the signal, Trio does, and tells this task.
                        self.loop.call_soon(_interrupt)
        finally:
            if self.below:  # its loop may not call back any more
                _portals.pop(self.loop, None)

    def leave(self) -> None:
        """One user less; the last one ends Trio's run."""
        self.users -= 1
        if not self.users:
            self.close()

    def close(self) -> None:
        """End Trio's run; :attr:`done` tells when it has ended."""
        self.closing = True
        if self.ready.done():
            self.nursery.cancel_scope.cancel("nobody uses the portal any more")
        else:
            self.ready.add_done_callback(lambda _: self.close())

    async def _guard(self) -> AsyncGenerator[None]:
        try:
            yield
        finally:
            self._guarding = True
            if not self.done.done():
                self.close()
                await asyncio.shield(self.done)

    async def dismiss_guardian(self) -> None:
        """After the end: nothing is left for the loop to close."""
        guardian, self._guardian = self._guardian, None
        if guardian is not None and not self._guarding:
            await guardian.aclose()

    # -- the loop as Trio's host -------------------------------------------------------------------------

    def _soon(self, function: Callable[[], object]) -> None:
        self._calls.put(function)
        if not self.loop.is_closed():
            self.loop.call_soon(self._run_one)

    def _soon_from_anywhere(self, function: Callable[[], object]) -> None:
        self._calls.put(function)
        with suppress(RuntimeError):  # the loop is closed: finish_without_loop() takes the call
            self.loop.call_soon_threadsafe(self._run_one)

    def _run_one(self) -> None:
        try:
            function = self._calls.get_nowait()
        except queue.Empty:  # the run was finished without the loop
            return
        function()

    def _ended_below(self, running: asyncio.Future[None]) -> None:
        self._over(None if running.cancelled() else running.exception())

    def _ended(self, result: outcome.Outcome[None]) -> None:
        atexit.unregister(self.finish_without_loop)
        handle = self._last_resort()
        if handle is not None and not self.loop.is_closed():
            handle.cancel()
        self._over(getattr(result, "error", None))

    def _over(self, failure: BaseException | None) -> None:
        self.closing = True
        _portals.pop(self.loop, None)
        for future in (self.ready, self.done):
            if not future.done() and not self.loop.is_closed():
                future.set_result(None)
        if failure is not None and not isinstance(failure, trio.Cancelled):
            group = BaseExceptionGroup("of the portal", [failure])
            raise interrupt_in(group) or failure  # an interrupt leaves the loop; others go to its handler

    def finish_without_loop(self) -> None:
        """The loop has stopped for good: be Trio's host until the run has ended."""
        if self.below or self.thread != threading.get_ident() or self.loop.is_running():
            return
        self.closing = True
        hooks = sys.get_asyncgen_hooks()
        try:
            self.nursery.cancel_scope.cancel("the event loop was closed")
            while _portals.get(self.loop) is self:
                self._calls.get()()
        finally:
            sys.set_asyncgen_hooks(*hooks)  # Trio put those of the loop back


async def _begin(guardian: AsyncGenerator[None]) -> None:
    await anext(guardian)


def _interrupt() -> NoReturn:
    """In the loop: it leaves run_until_complete(), and Trio stays as it is until the loop ends."""
    raise KeyboardInterrupt


class _LastResort:
    """A timer's callback that is never called: its end is what it is for."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal

    def __call__(self) -> None:
        """Begin again: it was a long time."""
        self._portal.loop.call_later(_NEVER, self)

    def __del__(self) -> None:
        portal = self._portal
        if _portals.get(portal.loop) is portal and portal.loop.is_closed() and not sys.is_finalizing():
            text = "an event loop was closed while an etcetra_trio client was connected: await client.aclose() first"
            warnings.warn(text, ResourceWarning, stacklevel=2, source=portal.loop)
            portal.finish_without_loop()


def _runs_on_trio(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether it is a loop of trio-asyncio, which is never imported to find that out: doing so slows all loops down."""
    trio_asyncio: Any = sys.modules.get("trio_asyncio")
    return trio_asyncio is not None and isinstance(loop, trio_asyncio.BaseTrioEventLoop)
