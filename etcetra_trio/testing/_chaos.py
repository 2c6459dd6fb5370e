"""Breaking the connections of a proxy at random."""

from __future__ import annotations

import math
from random import Random
from typing import TYPE_CHECKING, Literal

import trio

from ._arguments import check, check_kind, check_number
from ._link import DIRECTIONS, Direction

if TYPE_CHECKING:
    from ._proxy import FaultProxy

__all__ = ["break_at_random"]

BREAKS = ("cut", "cut after", "half-close", "black hole", "refuse")
OCTETS = 4096  # a few requests and answers


async def break_at_random(proxy: FaultProxy, rng: Random, breaks: int, every: tuple[float, float]) -> None:
    """Do what :meth:`FaultProxy.chaos` says."""
    check_kind("rng", rng, Random, "a random.Random")
    check_number("breaks", breaks, whole=True)
    check_kind("every", every, tuple, "a pair of seconds")
    check(0 <= every[0] <= every[1] < math.inf, f"every {every} seconds")
    await trio.lowlevel.checkpoint()
    for _ in range(breaks):
        # All choices are made here, so that they depend on nothing but the seed.
        kind, direction, octets = rng.choice(BREAKS), rng.choice(DIRECTIONS), rng.randrange(OCTETS)
        hole: Direction | Literal["both"] = rng.choice((direction, "both"))
        before, during = rng.uniform(*every), rng.uniform(*every)
        await proxy.wait_connected()
        await trio.sleep(before)
        try:
            match kind:
                case "cut after":
                    proxy.cut_after(octets, direction)
                case "half-close":
                    proxy.half_close(direction)
                case "black hole":
                    proxy.black_hole(hole)
                case "refuse":
                    proxy.refuse()
                    proxy.cut()
                case _:
                    during = 0.0
            await trio.sleep(during)
        finally:
            proxy.cut()
            proxy.heal()
