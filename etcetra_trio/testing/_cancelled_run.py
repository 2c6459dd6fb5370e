"""One run of a function that is cancelled at one of its checkpoints, and what can be seen of it from outside.

A function's checkpoints are counted where they are: each time that its task gives way to Trio. The function is awaited
through a generator of ours, which sees all that passes between the two.
"""

from __future__ import annotations

import gc
import inspect
import os
import traceback
from collections.abc import Awaitable, Callable, Collection, Generator, Iterable, Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn

import outcome
import trio
from trio.lowlevel import Abort, Task, current_task, reschedule

__all__ = ["CancelledRun", "tasks_below"]

_TRIO = f"{Path(trio.__file__).parent}{os.sep}"
_END_OF_NURSERY = trio.Nursery._nested_child_finished.__code__  # pyright: ignore[reportPrivateUsage]
PRESS = 0.1  # seconds between two attempts to end a wait that should have ended


class _EndedByForce(BaseException):
    """Ends a wait that a cancellation does not: no ``except Exception`` shall keep it in."""


def _frames(awaited: object) -> Iterator[tuple[FrameType, int]]:
    """Where something that is awaited stands, from the outside to the inside."""
    while awaited is not None:
        kind = next((kind for kind in ("cr", "gi", "ag") if hasattr(awaited, f"{kind}_frame")), None)
        if kind is None:  # a step of an async generator knows its generator, but has no name for it
            awaited = next(filter(inspect.isasyncgen, gc.get_referents(awaited)), None)
            continue
        frame = getattr(awaited, f"{kind}_frame")
        if frame is not None:
            yield frame, frame.f_lineno
        awaited = getattr(awaited, "gi_yieldfrom" if kind == "gi" else f"{kind}_await")


def _stack(frames: Iterable[tuple[FrameType, int]]) -> traceback.StackSummary:
    """The lines of these frames that are neither ours nor, unless there are no others, Trio's."""
    stack = [line for line in traceback.StackSummary.extract(frames) if line.filename != __file__]
    without = [line for line in stack if not line.filename.startswith(_TRIO)]
    return traceback.StackSummary.from_list(without or stack)


def tasks_below(root: Task, but: Collection[trio.Nursery] = ()) -> list[Task]:
    """A task and all tasks in its nurseries, but not in these."""
    found = [root]
    for task in found:
        nurseries = [nursery for nursery in task.child_nurseries if nursery not in but]
        found.extend(child for nursery in nurseries for child in nursery.child_tasks)
    return found


def _waits_for_children(frames: list[tuple[FrameType, int]]) -> bool:
    """Whether it has come to the end of a nursery's block: it does not end because of somebody else."""
    return any(frame.f_code is _END_OF_NURSERY for frame, _ in frames)


class CancelledRun:
    """One run of ``function``, cancelled at its ``checkpoint``-th checkpoint, if it comes to that.

    Args:
      function: An async function without arguments.
      checkpoint: The number of the checkpoint; the first is 1.
      asleep: Cancel while its task sleeps there; else in the moment it goes on from there, or, with 0, before it
        begins.
      grace: How many seconds it may go on after that.
      on_cancel: Called in the same moment.
    """

    def __init__(
        self,
        function: Callable[[], Awaitable[object]],
        checkpoint: int,
        *,
        asleep: bool,
        grace: float = 10,
        on_cancel: Callable[[], object] = lambda: None,
    ) -> None:
        self.checkpoint = checkpoint
        self.asleep = asleep
        #: The lines of that checkpoint.
        self.stack: traceback.StackSummary = traceback.StackSummary()
        #: Whether it was told of the cancellation, in its own task.
        self.delivered: bool = False
        #: Whether the cancellation, and nothing else, came out of it.
        self.cancelled: bool = False
        #: What came out of it, unless it was the cancellation.
        self.error: Exception | None = None
        #: Where its tasks still waited when its time was over; the first of them is the one that does not end.
        self.hung: list[traceback.StackSummary] = []
        self._function = function
        self.grace = grace
        self._on_cancel = on_cancel
        self._scope = trio.CancelScope()
        self._told = trio.Event()
        self._over = False
        self._reason = f"cancel_sweep: checkpoint {checkpoint}"

    async def run(self) -> None:
        """Run it. What it raises goes into ``error``; other than exceptions of the kind :exc:`Exception` pass."""
        await trio.lowlevel.checkpoint()
        task = current_task()
        theirs = list(task.child_nurseries)  # of who called us: what is in there is not the function's
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._end_by_force, task, [*theirs, nursery])
            try:
                with self._scope:
                    await self
            except Exception as error:  # noqa: BLE001 - whatever it is, it is told
                self.error = error
            except BaseException:  # noqa: ASYNC103
                if not self.hung:  # else it was us
                    raise
            finally:
                self._over = True
            self.cancelled = self._scope.cancelled_caught and self.error is None and not self.hung
            nursery.cancel_scope.cancel("the run is over")

    def __await__(self) -> Generator[object, object, None]:
        awaited = self._awaited = self._call()
        count = 0
        answer: object = None
        try:
            while True:
                if count == self.checkpoint and not self.asleep:
                    self._cancel()
                try:
                    trap = awaited.send(answer)
                except StopIteration:
                    return
                count += 1
                if count == self.checkpoint:
                    self.stack = _stack(_frames(awaited))
                    if self.asleep:
                        self._cancel()
                answer = yield trap
                if isinstance(answer, outcome.Error) and isinstance(answer.error, trio.Cancelled):
                    self.delivered |= (
                        answer.error.reason is self._reason
                    )  # not that of a sweep around this one
        finally:
            del answer  # it has the exception, whose traceback has this frame: nothing of the function shall stay alive
            awaited.close()

    async def _call(self) -> None:
        await self._function()

    @property
    def disturbed(self) -> bool:
        """Whether it lasted long enough to be cancelled."""
        return self._told.is_set()

    def _cancel(self) -> None:
        self._on_cancel()
        self._scope.cancel(self._reason)
        self._told.set()

    async def _end_by_force(self, task: Task, theirs: Collection[trio.Nursery]) -> None:
        """What hangs behind a shield would hang for ever, and nobody would hear where."""
        await self._told.wait()
        await trio.sleep(self.grace)
        while not self._over:  # once it is, the task waits for us, and not in the function
            ours = tasks_below(task, theirs)
            self.hung = self.hung or self._stacks(ours[1:])
            for found in ours:
                _wake(found)
            await trio.sleep(PRESS)

    def _stacks(self, children: list[Task]) -> list[traceback.StackSummary]:
        waits = [list(_frames(self._awaited)), *(list(child.iter_await_frames()) for child in children)]
        waits.sort(key=_waits_for_children)
        return [stack for stack in map(_stack, waits) if stack]


def _wake(task: Task) -> None:
    """End a task's wait; a shield keeps cancellations away, but not this. Trio has no public word for it."""
    abort, task._abort_func = task._abort_func, None  # pyright: ignore[reportPrivateUsage]
    if abort is not None and abort(_raise_ended_by_force) is Abort.SUCCEEDED:
        reschedule(task, outcome.capture(_raise_ended_by_force))


def _raise_ended_by_force() -> NoReturn:
    raise _EndedByForce
