"""A function, cancelled at each of its checkpoints in turn."""

from __future__ import annotations

import contextlib
import os
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import trio

from .._checks import kind_of
from ._arguments import check, check_number
from ._cancelled_run import CancelledRun, tasks_below

__all__ = ["CancelSweep", "CancelSweepError", "cancel_sweep"]

_PACKAGE = f"{Path(__file__).parent.parent}{os.sep}"


class CancelSweepError(AssertionError):
    """What :func:`cancel_sweep` has found; its ``__cause__`` is the exception behind it, if there is one.

    Attributes:
      checkpoint: The number of the checkpoint that the function was cancelled at, from 1; 0 for before it began; None
        if it was not cancelled.
      place: Where that is: file, line and function, and the line itself. It is the innermost line that is neither
        this package's nor Trio's, if there is one; what it waits for inside of this package comes behind it, as in
        ``app.py:12 in move: await communicator.put("to", "1") (waiting in etcetra_trio/streams/_calls.py:80, wait)``.
    """

    def __init__(self, found: str, run: CancelledRun) -> None:
        self.checkpoint: int | None = run.checkpoint if run.disturbed else None
        self.place: str = place(run.stack)
        if not run.disturbed:
            when = "not cancelled"
        elif run.asleep:
            when = f"cancelled asleep at its checkpoint {run.checkpoint}: {self.place}"
        elif run.checkpoint:
            when = f"cancelled as it went on from its checkpoint {run.checkpoint}: {self.place}"
        else:
            when = "cancelled before it began"
        super().__init__(f"{found}; it was {when}")
        if run.stack:
            self.add_note("Cancelled at:\n" + "".join(run.stack.format()).rstrip())


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelSweep:
    """What :func:`cancel_sweep` has done.

    Attributes:
      checkpoints: How many checkpoints the function has.
      runs: How often it ran.
      cancelled: How many runs ended by the cancellation. The others came to their end nevertheless: there was no
        checkpoint any more that was not shielded.
      places: Where each checkpoint is, as ``place`` of :exc:`CancelSweepError` says it.
    """

    checkpoints: int
    runs: int
    cancelled: int
    places: tuple[str, ...]


async def cancel_sweep(
    function: Callable[[], Awaitable[object]],
    invariant: Callable[[], Awaitable[object]] | None = None,
    *,
    may_finish: bool = False,
    max_checkpoints: int = 1000,
    grace: float = 10,
) -> CancelSweep:
    """Run a function again and again, each time cancelled at another one of its checkpoints, until none is left.

    Each checkpoint of the function's own task has its turn twice: the function is cancelled while it sleeps there, and
    in another run at the moment it goes on from there. It is also cancelled before it begins, and, first and last, not
    at all. After each run

    * the function has ended, by the cancellation alone: it did not keep the cancellation for itself, raised nothing
      else, and took no longer than ``grace``;
    * there are no more tasks than after the first run, which may start what goes on in the background;
    * the invariant holds.

    A function that outlives ``grace`` is ended by force, and so are the tasks in its own nurseries. Nothing else is
    touched: a connection or a nursery that is open around the sweep goes on.

    It takes what time it takes: put it into :func:`trio.fail_after`. A function that waits for what may never come
    needs a limit of its own, such as :func:`trio.move_on_after`.

    Cancellation:
      The run that is under way is cancelled.

    Args:
      function: An async function without arguments, which can be run any number of times.
      invariant: An async function without arguments, which raises an exception when something is not as it must
        be. It is called after each run, whether or not that was cancelled.
      may_finish: The function may come to its end nevertheless, as :meth:`Queue.get <etcetra_trio.Queue.get>` does
        when it has an item already.
      max_checkpoints: How many checkpoints the function has at most.
      grace: How many seconds the function may go on after it was cancelled, and so may tasks that it leaves.

    Returns:
      How many checkpoints there are, and where: see :class:`CancelSweep`.

    Raises:
      CancelSweepError: one of these does not hold. It tells the number of the checkpoint, and where that is.
      TypeError: an argument is of another type.
      ValueError: an argument makes no sense.
    """
    _check_callable("function", function)
    if invariant is not None:
        _check_callable("invariant", invariant)
    check_number("max_checkpoints", max_checkpoints, whole=True)
    check(max_checkpoints >= 0, f"{max_checkpoints} checkpoints at most")
    check_number("grace", grace)
    check(grace >= 0, f"{grace} seconds of grace")
    first = CancelledRun(function, max_checkpoints + 1, asleep=True, grace=grace)
    await first.run()
    await _judge(first, None, invariant, may_finish=may_finish)
    if first.disturbed:
        raise CancelSweepError(f"the function has more than {max_checkpoints} checkpoints", first)
    tasks = _tasks()
    runs, cancelled = 1, 0
    places: list[str] = []
    for asleep in (True, False):
        for checkpoint in range(asleep, max_checkpoints + 1):
            run = CancelledRun(function, checkpoint, asleep=asleep, grace=grace)
            await run.run()
            await _judge(run, tasks, invariant, may_finish=may_finish)
            runs += 1
            cancelled += run.cancelled
            if not run.disturbed:
                break
            if asleep:
                places.append(place(run.stack))
    return CancelSweep(checkpoints=len(places), runs=runs, cancelled=cancelled, places=tuple(places))


def _check_callable(name: str, function: object) -> None:
    if not callable(function):
        raise TypeError(f"{name} must be an async function without arguments, not {kind_of(function)}")


def place(stack: traceback.StackSummary) -> str:
    """The innermost line of the user's own, and behind it the line of this package's that it has led to."""
    lines = [line for line in stack if line.filename != contextlib.__file__]
    if not lines:
        return ""
    inner = lines[-1]
    own = next((line for line in reversed(lines) if not line.filename.startswith(_PACKAGE)), inner)
    where = f"{own.filename}:{own.lineno} in {own.name}: {own.line}"
    if own is inner:
        return where
    file = Path(inner.filename).relative_to(Path(_PACKAGE).parent).as_posix()
    return f"{where} (waiting in {file}:{inner.lineno}, {inner.name})"


async def _judge(
    run: CancelledRun,
    tasks: Counter[str] | None,
    invariant: Callable[[], Awaitable[object]] | None,
    *,
    may_finish: bool,
) -> None:
    await trio.lowlevel.checkpoint()
    if run.hung:
        error = CancelSweepError(f"the function does not end: it waits at {place(run.hung[0])}", run)
        for stack in run.hung:
            error.add_note("It waits at:\n" + "".join(stack.format()).rstrip())
        raise error from run.error
    if run.error is not None:
        raise CancelSweepError(f"the function raised {_in_words(run.error)}", run) from run.error
    if run.delivered and not (run.cancelled or may_finish):
        raise CancelSweepError("the function kept trio.Cancelled for itself", run)
    if tasks is not None:
        await _no_task_left(tasks, run)
    if invariant is not None:
        try:
            await invariant()
        except Exception as error:
            raise CancelSweepError(f"the invariant does not hold: {_in_words(error)}", run) from error


async def _no_task_left(before: Counter[str], run: CancelledRun) -> None:
    """Tasks that were told to end may need a moment for it."""
    deadline = trio.current_time() + run.grace
    await trio.lowlevel.checkpoint()
    while _tasks() - before and trio.current_time() < deadline:  # noqa: ASYNC110 - tasks tell nobody that they end
        await trio.sleep(0.005)
    if left := _tasks() - before:
        raise CancelSweepError(f"the function left tasks behind: {', '.join(sorted(left.elements()))}", run)


def _in_words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _tasks() -> Counter[str]:
    """The tasks of this Trio run, by their names: those of a new connection take the place of an old one's."""
    root = trio.lowlevel.current_root_task()
    assert root is not None
    return Counter(task.name for task in tasks_below(root))
