"""``cancel_sweep`` finds what a function does wrong when it is cancelled, and says where."""

from __future__ import annotations

import gc
import re
import time
import weakref
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, suppress
from math import inf
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import trio
import trio.lowlevel
import trio.testing

from etcetra_trio import EtcdClient, EtcdCommunicator
from etcetra_trio.testing import CancelSweepError, cancel_sweep
from etcetra_trio.testing._cancelled_run import CancelledRun

Clock = trio.testing.MockClock
checkpoint = trio.lowlevel.checkpoint


class Resource:
    """Taken and given back; how often it was not."""

    def __init__(self) -> None:
        self.taken = 0
        self.runs = 0

    @asynccontextmanager
    async def held(self) -> AsyncGenerator[None]:
        self.taken += 1
        try:
            await trio.sleep(1)
            yield
        finally:
            self.taken -= 1

    async def free(self) -> None:
        await checkpoint()
        self.runs += 1
        assert self.taken == 0, "it was not given back"


async def test_a_function_that_keeps_its_promises(autojump_clock: Clock) -> None:
    resource = Resource()

    async def use() -> None:
        async with resource.held():
            await checkpoint()
            await trio.sleep(5)

    report = await cancel_sweep(use, resource.free)
    assert (report.checkpoints, report.runs, report.cancelled) == (3, 10, 7)
    assert resource.runs == 10
    assert [place.partition(" in ")[2] for place in report.places] == [
        "held: await trio.sleep(1)",
        "use: await checkpoint()",
        "use: await trio.sleep(5)",
    ]
    assert all(re.fullmatch(re.escape(__file__) + r":\d+", place.split(" in ")[0]) for place in report.places)


@pytest.mark.parametrize("steps", range(5))
async def test_each_checkpoint_is_counted_and_cancelled_twice(autojump_clock: Clock, steps: int) -> None:
    cancelled_after: list[int] = []

    async def walk() -> None:
        done = 0
        try:
            while done < steps:
                await checkpoint()
                done += 1
        except trio.Cancelled:
            cancelled_after.append(done)
            raise

    report = await cancel_sweep(walk)
    assert (report.checkpoints, report.runs) == (steps, 2 * steps + 4)
    assert report.cancelled == len(cancelled_after)
    # As it sleeps; before it begins; and as it goes on, where checkpoint() itself looks.
    assert cancelled_after == [*range(steps), *[0][:steps], *range(steps)]


async def test_cancelled_while_asleep_and_as_it_goes_on(autojump_clock: Clock) -> None:
    """What comes after a checkpoint happens only in the one case."""
    seen: list[tuple[str, bool]] = []

    async def ask() -> None:
        seen.append(("begins", trio.current_effective_deadline() == -inf))
        await trio.lowlevel.cancel_shielded_checkpoint()
        seen.append(("goes on", trio.current_effective_deadline() == -inf))
        await checkpoint()
        seen.append(("ends", trio.current_effective_deadline() == -inf))

    await cancel_sweep(ask)
    first, second = ("begins", False), ("goes on", False)
    assert seen == [
        *(first, second, ("ends", False)),
        *(first, ("goes on", True)),  # asleep at 1
        *(first, second),  # asleep at 2
        *(first, second, ("ends", False)),
        *(("begins", True), ("goes on", True)),  # before it begins
        *(first, ("goes on", True)),  # going on from 1
        *(first, second),  # going on from 2, where checkpoint() looks
        *(first, second, ("ends", False)),
    ]


async def leaves_it_taken(resource: Resource) -> None:
    await trio.sleep(1)
    resource.taken += 1
    await trio.sleep(2)  # the bug: nothing gives it back from here
    resource.taken -= 1


async def test_an_invariant_that_breaks(autojump_clock: Clock) -> None:
    resource = Resource()
    with pytest.raises(CancelSweepError, match="it was not given back") as caught:
        await cancel_sweep(lambda: leaves_it_taken(resource), resource.free)
    assert caught.value.checkpoint == 2
    assert "in leaves_it_taken: await trio.sleep(2)" in caught.value.place
    assert caught.value.place in str(caught.value)
    assert "asleep at its checkpoint 2" in str(caught.value)
    assert isinstance(caught.value.__cause__, AssertionError)
    assert "in leaves_it_taken\n" in caught.value.__notes__[0]


async def test_a_bug_that_shows_as_it_goes_on_only(autojump_clock: Clock) -> None:
    resource = Resource()

    async def take() -> None:
        await trio.testing.wait_all_tasks_blocked()
        resource.taken += 1
        await trio.lowlevel.checkpoint_if_cancelled()  # the bug: it has it already
        resource.taken -= 1

    with pytest.raises(CancelSweepError, match="as it went on from its checkpoint 1") as caught:
        await cancel_sweep(take, resource.free)
    assert "in take: await trio.testing.wait_all_tasks_blocked()" in caught.value.place


async def test_keeping_the_cancellation(autojump_clock: Clock) -> None:
    async def quiet() -> None:
        await trio.sleep(1)
        with suppress(trio.Cancelled):
            await trio.sleep(1)

    with pytest.raises(CancelSweepError, match=r"kept trio\.Cancelled for itself") as caught:
        await cancel_sweep(quiet)
    assert caught.value.checkpoint == 2
    assert caught.value.__cause__ is None
    assert (await cancel_sweep(quiet, may_finish=True)).checkpoints == 2


async def test_coming_to_the_end_behind_a_shield_is_no_fault(autojump_clock: Clock) -> None:
    async def settle() -> None:
        await trio.sleep(1)
        with trio.move_on_after(30, shield=True):
            await trio.sleep(3)
        await trio.lowlevel.cancel_shielded_checkpoint()

    report = await cancel_sweep(settle)
    assert (report.checkpoints, report.cancelled) == (3, 3)


async def test_a_time_limit_of_the_function_itself_is_no_fault(autojump_clock: Clock) -> None:
    async def give_up() -> None:
        with trio.move_on_after(1):
            await trio.sleep_forever()
        with trio.move_on_after(1, shield=True):
            await trio.sleep_forever()

    report = await cancel_sweep(give_up)
    assert (report.checkpoints, report.cancelled) == (2, 3), "the second is behind a shield"


@pytest.mark.parametrize("first", [True, False])
async def test_raising_something_else(autojump_clock: Clock, first: bool) -> None:
    async def close() -> None:
        try:
            await trio.sleep(1)
        finally:
            if trio.current_effective_deadline() == -inf or first:
                raise OSError("cannot close")

    with pytest.raises(CancelSweepError, match="raised OSError: cannot close") as caught:
        await cancel_sweep(close)
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.checkpoint == (None if first else 1)


async def test_raising_without_a_cancellation(autojump_clock: Clock) -> None:
    async def broken() -> None:
        await trio.sleep(1)
        raise OSError("broken anyway")

    with pytest.raises(CancelSweepError, match="OSError: broken anyway; it was not cancelled"):
        await cancel_sweep(broken)


async def test_an_exception_group(autojump_clock: Clock) -> None:
    async def child() -> None:
        try:
            await trio.sleep(2)
        finally:
            if trio.current_effective_deadline() == -inf:
                raise ValueError("in a child")

    async def parent() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(child)
            await trio.sleep(1)

    with pytest.raises(CancelSweepError, match="ExceptionGroup") as caught:
        await cancel_sweep(parent)
    assert pytest.RaisesGroup(ValueError).matches(caught.value.__cause__)


async def test_children_that_are_cancelled_in_order(autojump_clock: Clock) -> None:
    async def parent() -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(trio.sleep, 1)

    report = await cancel_sweep(parent)
    assert (report.checkpoints, report.cancelled) == (1, 2), "its child tasks have their own"


async def test_hanging(autojump_clock: Clock) -> None:
    async def settle() -> None:
        try:
            await trio.sleep(1)
        except trio.Cancelled:
            with trio.CancelScope(shield=True):
                await trio.sleep_forever()
            raise

    began = trio.current_time()
    with pytest.raises(
        CancelSweepError, match=r"does not end: it waits at .* in settle: await trio.sleep_for"
    ) as caught:
        await cancel_sweep(settle, grace=60)
    assert caught.value.checkpoint == 1
    assert trio.current_time() - began == pytest.approx(60, abs=1)


async def test_a_child_that_hangs(autojump_clock: Clock) -> None:
    async def child(over: trio.Event) -> None:
        with trio.CancelScope(shield=True):
            await over.wait()

    async def parent() -> None:
        async with trio.open_nursery() as nursery:
            over = trio.Event()
            nursery.start_soon(child, over)
            await trio.sleep(1)
            over.set()

    with pytest.raises(CancelSweepError, match=r"in child: await over\.wait") as caught:
        await cancel_sweep(parent)
    assert any("in parent" in note and "open_nursery" in note for note in caught.value.__notes__)


async def settles_slowly() -> None:
    try:
        await trio.sleep(1)
    finally:
        with trio.CancelScope(shield=True):
            await trio.sleep(30)


async def test_hanging_is_the_functions_alone(autojump_clock: Clock) -> None:
    """What else the task that sweeps has under way, such as a connection, is none of the function's."""
    seen: list[BaseException] = []

    async def bystander() -> None:
        try:
            await trio.sleep_forever()
        except BaseException as error:
            seen.append(error)
            raise

    async def with_a_child() -> None:
        async with trio.open_nursery() as inner:
            inner.start_soon(settles_slowly)

    async with trio.open_nursery() as outer, trio.open_nursery() as nursery:
        outer.start_soon(bystander)
        nursery.start_soon(bystander)
        for function in (settles_slowly, with_a_child):
            with pytest.raises(CancelSweepError, match=r"in settles_slowly: await trio\.sleep\(30\)"):
                await cancel_sweep(function, grace=5)
            assert seen == []
        nursery.cancel_scope.cancel()
        outer.cancel_scope.cancel()
    assert len(seen) == 2


async def test_hanging_beside_connections(etcd: EtcdClient[str]) -> None:
    """Around the sweep and in the function; where it waits is where the function does."""

    async def slow() -> None:
        async with etcd.connect():
            try:
                await trio.sleep(0.001)
            finally:
                with trio.CancelScope(shield=True):
                    await trio.sleep(2)

    async with etcd.connect() as communicator:
        with (
            trio.fail_after(30),
            pytest.raises(
                CancelSweepError, match=r"does not end: it waits at [^;]* in slow: await trio\.sleep"
            ),
        ):
            await cancel_sweep(slow, grace=0.5)
        await communicator.put("k", "v")


async def test_hanging_in_trio_itself() -> None:
    """There is no line but Trio's to show."""

    with pytest.raises(CancelSweepError, match=r"does not end: it waits at .*trio.* in \w+: "):
        await cancel_sweep(lambda: trio.to_thread.run_sync(time.sleep, 0.2), grace=0.05)


async def test_hanging_again_and_again(autojump_clock: Clock) -> None:
    tries = 0

    async def stubborn() -> None:
        nonlocal tries
        try:
            await trio.sleep(1)
        except trio.Cancelled:
            with trio.CancelScope(shield=True):
                while tries < 3:
                    try:
                        await trio.sleep_forever()
                    except BaseException:  # noqa: ASYNC103, BLE001
                        tries += 1
            raise

    with pytest.raises(CancelSweepError, match="does not end"):
        await cancel_sweep(stubborn)
    assert tries == 3


async def test_tasks_left_behind(autojump_clock: Clock) -> None:
    async with trio.open_nursery() as nursery:

        async def left() -> None:
            await trio.sleep_forever()

        async def leave() -> None:
            await trio.sleep(1)
            nursery.start_soon(left)
            await trio.sleep(1)

        with pytest.raises(CancelSweepError, match=r"left tasks behind: .*left") as caught:
            await cancel_sweep(leave)
        nursery.cancel_scope.cancel("the test is over")
    assert caught.value.checkpoint == 2


async def test_tasks_that_end_soon_are_not_left_behind(autojump_clock: Clock) -> None:
    async with trio.open_nursery() as nursery:

        async def leave() -> None:
            nursery.start_soon(trio.sleep, 5)
            await trio.sleep(1)

        assert (await cancel_sweep(leave)).checkpoints == 1


async def test_more_checkpoints_than_allowed(autojump_clock: Clock) -> None:
    async def busy() -> None:
        while True:
            await checkpoint()

    with pytest.raises(CancelSweepError, match="more than 20 checkpoints") as caught:
        await cancel_sweep(busy, max_checkpoints=20)
    assert caught.value.checkpoint == 21
    assert "in busy: await checkpoint()" in caught.value.place

    async def just() -> None:
        for _ in range(20):
            await checkpoint()

    assert (await cancel_sweep(just, max_checkpoints=20)).checkpoints == 20


async def test_the_callers_time_limit_is_the_callers(autojump_clock: Clock) -> None:
    ended = 0

    async def wait() -> None:
        nonlocal ended
        await checkpoint()
        try:
            await trio.sleep_forever()
        finally:
            ended += 1

    async def unhurt() -> None:
        await checkpoint()

    with pytest.raises(trio.TooSlowError):
        with trio.fail_after(3):
            await cancel_sweep(wait, unhurt)
    assert ended == 1


async def test_what_is_no_exception_passes(autojump_clock: Clock) -> None:
    async def stop() -> None:
        await checkpoint()
        raise KeyboardInterrupt

    with pytest.RaisesGroup(KeyboardInterrupt, flatten_subgroups=True, allow_unwrapped=True):
        await cancel_sweep(stop)


async def test_anything_that_can_be_awaited(autojump_clock: Clock) -> None:
    class Twice:
        def __await__(self) -> Generator[object, object, None]:
            yield from checkpoint().__await__()
            yield from checkpoint().__await__()

    report = await cancel_sweep(Twice)
    assert report.checkpoints == 2
    assert "__await__: yield from checkpoint().__await__()" in report.places[0]


async def test_async_generators_are_looked_into(autojump_clock: Clock) -> None:
    @asynccontextmanager
    async def inner() -> AsyncGenerator[int]:
        await checkpoint()
        yield 1
        await checkpoint()

    async def outer() -> None:
        async with inner():
            pass

    report = await cancel_sweep(outer)
    assert [place.partition(" in ")[2] for place in report.places] == ["inner: await checkpoint()"] * 2


async def test_the_place_is_the_users_own(communicator: EtcdCommunicator[str]) -> None:
    """Which of their calls it was; where that is inside of ours comes behind it."""

    async def twice() -> None:
        await communicator.put("a", "1")
        async with communicator.lease(60):
            await communicator.put("b", "1")

    inside = r" \(waiting in etcetra_trio/\w+(/\w+)*\.py:\d+, \w+\)"
    lines = (
        r'await communicator\.put\("a", "1"\)',
        r"async with communicator\.lease\(60\):",
        r'await communicator\.put\("b", "1"\)',
    )
    await communicator._endpoints.stream_connection()  # its tasks are none that the function leaves
    report = await cancel_sweep(twice)
    where = [f"{re.escape(__file__)}:\\d+ in twice: {line}{inside}" for line in lines]
    assert [n for n in range(3) if any(re.fullmatch(where[n], place) for place in report.places)] == [0, 1, 2]
    assert all(any(re.fullmatch(line, place) for line in where) for place in report.places)

    async def unwilling() -> None:
        await communicator.put("a", "1")
        try:
            await communicator.get("b")
        finally:
            if trio.current_effective_deadline() == -inf:
                raise ValueError("not now")

    with pytest.raises(CancelSweepError, match="not now") as caught:
        await cancel_sweep(unwilling)
    assert "in unwilling: await communicator.get(" in caught.value.place

    report = await cancel_sweep(lambda: communicator.get("a"))
    assert all(re.fullmatch(r".*/etcetra_trio/.*\.py:\d+ in \w+: .*", place) for place in report.places)


async def test_a_sweep_in_a_sweep(autojump_clock: Clock) -> None:
    async def inner() -> None:
        await cancel_sweep(checkpoint)

    report = await cancel_sweep(inner)
    assert report.checkpoints > 5
    assert report.cancelled >= 2 * report.checkpoints - 2


async def test_what_the_function_had_is_let_go(autojump_clock: Clock) -> None:
    """Not only when the garbage collector comes by."""

    class Thing: ...

    things: list[weakref.ref[Thing]] = []

    async def have() -> None:
        thing = Thing()
        things.append(weakref.ref(thing))
        await checkpoint()
        await trio.sleep(1)

    async def let_go() -> None:
        await checkpoint()
        assert all(thing() is None for thing in things)

    gc.disable()
    try:
        assert (await cancel_sweep(have, let_go)).checkpoints == 2
    finally:
        gc.enable()


async def test_what_happens_in_the_moment_of_the_cancellation(autojump_clock: Clock) -> None:
    happened: list[float] = []
    run = CancelledRun(
        trio.sleep_forever, 1, asleep=True, on_cancel=lambda: happened.append(trio.current_time())
    )
    began = trio.current_time()
    await run.run()
    assert (happened, run.cancelled) == ([began], True)


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"function": None}, TypeError, "function must be an async function without arguments, not None"),
        ({"invariant": 3}, TypeError, "invariant must be an async function without arguments, not int"),
        ({"grace": "1"}, TypeError, "grace must be a number, not str"),
        ({"grace": -1}, ValueError, "-1 seconds of grace: this makes no sense"),
        ({"max_checkpoints": 1.5}, TypeError, "max_checkpoints must be an int, not float"),
        ({"max_checkpoints": -1}, ValueError, "-1 checkpoints at most: this makes no sense"),
    ],
)
async def test_arguments_that_make_no_sense(
    arguments: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=f"^{said}$"):
        await cancel_sweep(**({"function": checkpoint} | arguments))


async def test_the_example_of_the_reference(communicator: EtcdCommunicator[str]) -> None:
    text = (Path(__file__).parent.parent / "docs" / "references.rst").read_text(encoding="utf-8")
    example = text.partition("autofunction:: cancel_sweep")[2].partition(".. auto")[0].partition("::\n")[2]
    names: dict[str, Any] = {"trio": trio, "cancel_sweep": cancel_sweep}
    exec(dedent(example), names)
    await names["test_a_job_leaves_no_half_done_work"](communicator)
