"""One connection through the proxy: two sockets, and a pipe for each direction.

What happens at one end, octets, an end or a reset, is news for the other one, and travels there through the pipe of
its direction, in order: a pipe that is held or slow holds up all of it.
"""

from __future__ import annotations

import fcntl
import math
import socket
import struct
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Literal, NamedTuple, TypeAlias

import trio
from trio.lowlevel import ParkingLot, checkpoint, wait_readable, wait_writable

from .._addresses import Endpoint
from ..streams._socket import look_up, open_socket

__all__ = ["DIRECTIONS", "Conditions", "Direction", "Link", "reset"]

#: Named after who sends.
Direction: TypeAlias = Literal["client", "server"]
DIRECTIONS: tuple[Direction, ...] = ("client", "server")
OTHER: dict[Direction, Direction] = {"client": "server", "server": "client"}

CHUNK = 1 << 16  # octets that are read at once
LIMIT = 1 << 18  # octets that wait in a pipe before its source is read no more,
PARCELS = 4096  # and how many reads they may have come in
STEPS = 50  # pieces a second of a throttled pipe
SIOCOUTQNSD = 0x894B  # Linux: octets that were given to a TCP socket and not sent yet
UNSENT_POLL = 0.002  # seconds


@dataclass(slots=True)
class Conditions:
    """What the proxy does to all its connections at the moment, and what has passed so far."""

    held: set[Direction] = field(default_factory=set[Direction])
    delay: float = 0.0  # seconds
    jitter: float = 0.0  # seconds
    rate: float = math.inf  # octets a second
    passed: dict[Direction, int] = field(default_factory=lambda: dict.fromkeys(DIRECTIONS, 0))
    rng: Random = field(default_factory=lambda: Random(0))  # noqa: S311 - jitter, the same in every run


class Parcel(NamedTuple):
    """What arrived at once: octets; none, which is the end of the stream; or None, a reset."""

    arrived: float
    jitter: float  # the part of the greatest jitter, from 0 to 1
    octets: memoryview | None


class Pipe:
    """One direction: what its source sent, in order, on the way to the other end."""

    def __init__(self, direction: Direction, conditions: Conditions) -> None:
        self._direction: Direction = direction
        self._conditions = conditions
        self._parcels: deque[Parcel] = deque()
        self._size = 0
        self._ended = False
        self._last_size, self._last_time = 0, -math.inf  # of what passed last
        self._changed = ParkingLot()
        #: How many octets may still pass before the connection is cut.
        self.left: int | None = None

    def wake(self) -> None:
        """Let both tasks look at the conditions anew."""
        self._changed.unpark_all()

    def add(self, octets: bytes) -> None:
        """Take octets, or their end, which is an empty piece; what comes after the end is thrown away."""
        if not self._ended:
            self._ended = not octets
            self._size += len(octets)
            self._append(memoryview(octets))

    def reset(self) -> None:
        """Take the news that the source is gone."""
        self._append(None)

    def _append(self, octets: memoryview | None) -> None:
        self._parcels.append(Parcel(trio.current_time(), self._conditions.rng.random(), octets))
        self.wake()

    async def wait_room(self) -> None:
        """Wait until more octets fit in."""
        await checkpoint()
        while (self._size >= LIMIT or len(self._parcels) >= PARCELS) and not self._ended:
            await self._changed.park()

    async def wait_piece(self) -> memoryview | None:
        """Wait until something may pass, and give it; it stays in the pipe until :meth:`passed`."""
        while True:
            await checkpoint()
            wait = self._wait_time()
            if wait <= 0:
                return self._piece()
            with trio.move_on_after(wait):
                await self._changed.park()

    def passed(self, size: int) -> None:
        """Remove the first ``size`` octets, or the end."""
        octets = self._parcels[0].octets
        assert octets is not None
        if size < len(octets):
            self._parcels[0] = self._parcels[0]._replace(octets=octets[size:])
        else:
            self._parcels.popleft()
        self._size -= size
        self._last_size, self._last_time = size, trio.current_time()
        self._conditions.passed[self._direction] += size
        if self.left is not None:
            self.left -= size
        self.wake()

    def _wait_time(self) -> float:
        """Seconds until the first parcel may pass, under the conditions of this moment."""
        conditions = self._conditions
        if not self._parcels or self._direction in conditions.held:
            return math.inf
        parcel = self._parcels[0]
        due = parcel.arrived + conditions.delay + parcel.jitter * conditions.jitter
        return max(due, self._last_time + self._last_size / conditions.rate) - trio.current_time()

    def _piece(self) -> memoryview | None:
        octets = self._parcels[0].octets
        if octets is None:
            return None
        size = len(octets)
        if self.left is not None:
            size = min(size, self.left)
        if self._conditions.rate < math.inf:
            size = min(size, max(1, int(self._conditions.rate / STEPS)))
        return octets[:size]


class Link:
    """One connection: from a client to the proxy, and on to the server.

    Args:
      client: The accepted socket.
      conditions: Those of the proxy.
      on_end: Told at once when the link has ended, once or more often.
    """

    def __init__(
        self, client: socket.socket, conditions: Conditions, on_end: Callable[[Link], object]
    ) -> None:
        self._wires: dict[Direction, socket.socket] = {"client": client}
        self._pipes = {direction: Pipe(direction, conditions) for direction in DIRECTIONS}
        self._over: set[Direction] = set()  # their end has passed
        self._on_end = on_end
        self._scope = trio.CancelScope()

    async def run(self, target: Endpoint) -> None:
        """Connect to the server and carry octets until both directions have ended, or one end is reset."""
        try:
            with self._scope:
                try:
                    wire = await open_socket((await look_up(target))[0])
                except OSError:
                    self._pipes["server"].reset()
                    await self._deliver("server")
                    return
                self._wires["server"] = wire
                async with trio.open_nursery() as nursery:
                    for direction in DIRECTIONS:
                        nursery.start_soon(self._collect, direction)
                        nursery.start_soon(self._deliver, direction)
        finally:
            self.close()

    def wake(self) -> None:
        """Let it look at the conditions anew."""
        for pipe in self._pipes.values():
            pipe.wake()

    def cut_after(self, octets: int, direction: Direction) -> None:
        """Cut it once so many more octets have passed."""
        self._pipes[direction].left = octets
        if octets == 0:
            self.cut()

    def spare(self) -> None:
        """Take back :meth:`cut_after`."""
        for pipe in self._pipes.values():
            pipe.left = None

    def half_close(self, direction: Direction) -> None:
        """End one direction after what has been received so far."""
        self._pipes[direction].add(b"")

    def cut(self) -> None:
        """End it with a reset for both ends."""
        for wire in self._wires.values():
            reset(wire)
        self.close()

    def close(self) -> None:
        """End it as a process that exits does."""
        self._scope.cancel()  # first: no task may wait for a socket that is closed
        for wire in self._wires.values():
            wire.close()
        self._on_end(self)

    # Sockets may be closed whenever a task of these two waits. So each waits for a socket only right after that
    # socket said that it would block: a closed one says something else.

    async def _collect(self, direction: Direction) -> None:
        pipe, source = self._pipes[direction], self._wires[direction]
        while True:
            await pipe.wait_room()
            try:
                octets = source.recv(CHUNK)
            except BlockingIOError:
                await wait_readable(source)
            except OSError:
                pipe.reset()
                return
            else:
                pipe.add(octets)
                if not octets:
                    return

    async def _deliver(self, direction: Direction) -> None:
        pipe, sink = self._pipes[direction], self._wires[OTHER[direction]]
        while True:
            piece = await pipe.wait_piece()
            if piece is None:
                self.cut()
                return
            try:
                if piece:
                    pipe.passed(sink.send(piece))
                else:
                    pipe.passed(0)
                    self._over.add(direction)
                    sink.shutdown(socket.SHUT_WR)
            except BlockingIOError:
                await wait_writable(sink)
            except OSError:
                self._pipes[OTHER[direction]].reset()
                return
            if pipe.left == 0:
                while _unsent(sink):  # noqa: ASYNC110 - the system tells nobody
                    await trio.sleep(UNSENT_POLL)
                self.cut()
                return
            if len(self._over) == len(DIRECTIONS):
                self.close()
                return


def reset(wire: socket.socket) -> None:
    """Close a socket so that the other end is reset and what was not sent yet is lost (TCP; others just close)."""
    with suppress(OSError):  # it is closed already
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wire.close()


def _unsent(wire: socket.socket) -> int:
    """How many octets a reset would take with it."""
    try:
        answer = fcntl.ioctl(wire, SIOCOUTQNSD, bytes(4))
    except OSError:  # no TCP, or no Linux: not known
        return 0
    return int.from_bytes(answer, sys.byteorder)
