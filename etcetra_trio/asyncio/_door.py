"""The other way to run an asyncio program: on a loop that is Trio's own."""

from __future__ import annotations

import importlib
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import TypeVarTuple

    Ts = TypeVarTuple("Ts")

ResultT = TypeVar("ResultT")


class _Failure(NamedTuple):
    error: Exception


def run(main: Callable[[*Ts], Coroutine[Any, Any, ResultT]], *args: *Ts) -> ResultT:
    """Run an asyncio program on a loop of trio-asyncio: ``etcetra_trio.asyncio.run(main)``.

    ``asyncio.run(main())`` serves as well, needs no further package and makes faster calls; this is for programs that
    mix both worlds. Importing trio-asyncio changes the event loop policy of the whole process, so only this does it.

    Args:
      main: A coroutine function.
      args: Its arguments.

    Returns:
      What ``main`` returns.

    Raises:
      RuntimeError: trio-asyncio is not installed, or not made for this version of Python.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of Python 3.12, at trio-asyncio's import
            trio_asyncio: Any = importlib.import_module("trio_asyncio")
    except (
        ImportError,
        AttributeError,
    ) as error:  # AttributeError: Python 3.14 has no child watchers any more
        raise RuntimeError(
            f"trio-asyncio cannot be imported here ({error}): run the program with asyncio.run(main()), "
            "or install etcetra-trio[asyncio] on Python 3.11 to 3.13"
        ) from error

    async def outcome_of_main() -> ResultT | _Failure:
        try:
            return await main(*args)
        except Exception as error:  # noqa: BLE001 - trio-asyncio's nurseries would put it into groups
            return _Failure(error)

    result: ResultT | _Failure = trio_asyncio.run(trio_asyncio.aio_as_trio(outcome_of_main))
    if isinstance(result, _Failure):
        raise result.error
    return result
