"""The smallest thing one task can wait on: cheaper than an Event, and reusable."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio
from trio.lowlevel import Abort, current_task, enable_ki_protection, reschedule, wait_task_rescheduled

if TYPE_CHECKING:
    from collections.abc import Callable


class Waiter:
    """A place where at most one task waits; waking it when nobody is there does nothing.

    Where every microsecond counts, a task waits without :meth:`wait`: it puts itself into :attr:`task`, which is
    None, and calls ``wait_task_rescheduled`` with :meth:`abort`.
    """

    __slots__ = ("task",)

    def __init__(self) -> None:
        self.task: trio.lowlevel.Task | None = None

    @enable_ki_protection
    async def wait(self) -> None:
        """Wait for the next :meth:`wake`.

        Cancellation:
          No effect.

        Raises:
          trio.BusyResourceError: another task waits here.
        """
        if self.task is not None:
            msg = "another task is already doing this"
            raise trio.BusyResourceError(msg)
        self.task = current_task()
        await wait_task_rescheduled(self.abort)

    def wake(self) -> None:
        """Let the waiting task go on."""
        task = self.task
        if task is not None:
            self.task = None
            reschedule(task)

    def abort(self, _raise_cancel: Callable[[], None]) -> Abort:
        """Trio's abort function."""
        self.task = None
        return Abort.SUCCEEDED
