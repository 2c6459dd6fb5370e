"""A nursery that its users never see: whatever runs in it, only the body's own exception leaves the block."""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

import trio

from .._errors import InternalError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
    from typing import TypeVarTuple

    Ts = TypeVarTuple("Ts")


class Service:
    """Background tasks of one ``connect()`` block.

    They are shielded until the body has left, so that clean-up code in a cancelled body still has its
    connection, and they never raise what is expected: they store it for the operation that meets it.
    """

    def __init__(self, nursery: trio.Nursery) -> None:
        self._nursery = nursery
        self._scopes: set[trio.CancelScope] = set()
        #: Called when the body leaves.
        self.at_close: list[Callable[[], None]] = []
        #: True once the body has left.
        self.closed: bool = False

    def start_soon(self, function: Callable[[*Ts], Awaitable[object]], *args: *Ts, name: str) -> None:
        """Start a background task."""
        self._nursery.start_soon(self._run, function, args, name=f"etcetra_trio {name}")

    @trio.lowlevel.enable_ki_protection  # an interrupt belongs to the main task, not to half a step of ours
    async def _run(self, function: Callable[[*Ts], Awaitable[object]], args: tuple[*Ts]) -> None:
        with trio.CancelScope(shield=True) as scope:
            self._scopes.add(scope)
            try:
                if self.closed:
                    scope.cancel("etcetra_trio client closed")
                await function(*args)
            finally:
                self._scopes.discard(scope)

    @contextmanager
    def guard(self) -> Generator[None]:
        """Around what a user's task waits for: ends it when the body leaves.

        Raises:
          trio.ClosedResourceError: the body left, before or meanwhile.
        """
        with trio.CancelScope() as scope:
            self._scopes.add(scope)
            try:
                self.check_open()
                yield
            finally:
                self._scopes.discard(scope)
        if scope.cancelled_caught:
            self.check_open()

    def check_open(self) -> None:
        """Raise trio.ClosedResourceError once the body has left."""
        if self.closed:
            raise trio.ClosedResourceError("the connect() block of this communicator was left")

    @trio.lowlevel.enable_ki_protection
    def close(self) -> None:
        """Cancel every background task."""
        self.closed = True
        for scope in self._scopes:
            scope.cancel("etcetra_trio client closed")
        for callback in self.at_close:
            callback()


@asynccontextmanager
async def open_service() -> AsyncGenerator[Service]:
    """Run background tasks beside the body.

    Cancellation:
      Reaches the body at once and the tasks only after the body has left.

    Raises:
      InternalError: a background task failed unexpectedly: a bug of ours.
    """
    failure: BaseException | None = None
    try:
        async with trio.open_nursery(strict_exception_groups=True) as nursery:
            service = Service(nursery)
            try:
                yield service
            except BaseException as exc:  # noqa: ASYNC103, BLE001 - the nursery would wrap it; raised below
                failure = exc
            finally:
                service.close()
    except BaseExceptionGroup as group:
        raise _bug(group, failure) from group
    if failure is not None:
        try:
            raise failure
        finally:
            del failure  # no reference cycle with our own frame


def _bug(group: BaseExceptionGroup[BaseException], body: BaseException | None) -> BaseException:
    """What to raise for failed background tasks: an interrupt as itself, everything else as a bug."""
    interrupt = interrupt_in(group)
    if interrupt is not None:
        return interrupt
    bug = InternalError("a background task failed")
    bug.__context__ = body
    return bug


def interrupt_in(group: BaseExceptionGroup[BaseException]) -> BaseException | None:
    """A KeyboardInterrupt or SystemExit in a group, to be raised as itself."""
    interrupts = group.subgroup((KeyboardInterrupt, SystemExit))
    if interrupts is None:
        return None
    first: BaseException = interrupts
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return type(first)(*first.args)
