"""A proxy between a client and etcd that breaks connections on request."""

from __future__ import annotations

import math
import socket
from collections import deque
from collections.abc import Awaitable, Iterable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from random import Random
from types import TracebackType
from typing import Literal, Self

import trio
from trio.lowlevel import ParkingLot, checkpoint

from .._addresses import Endpoint, parse_endpoints
from ..streams._service import open_service
from ._arguments import check, check_number
from ._chaos import break_at_random
from ._link import DIRECTIONS, Conditions, Direction, Link, reset
from ._listener import Listener

__all__ = ["FaultProxy", "ProxyStatistics"]

HISTORY = 1000  # entries


@dataclass(frozen=True, slots=True)
class ProxyStatistics:
    """What went through a :class:`FaultProxy` so far.

    Attributes:
      connections: How many it accepted, with those that it cut at once.
      live: How many there are now.
      client_octets: What clients sent and the system took for the server.
      server_octets: What the server sent and the system took for clients.
    """

    connections: int
    live: int
    client_octets: int
    server_octets: int


class FaultProxy:
    """A TCP proxy in front of one endpoint, which disturbs what goes through it; for tests of clients.

    It runs in the Trio program that opens it::

        async with EtcdServer() as server, FaultProxy(server.endpoint) as proxy:
            async with EtcdClient(proxy.endpoint).connect() as communicator:
                proxy.cut()

    A direction is named after who sends: ``"client"`` is from the client to the server. Conditions (:meth:`black_hole`,
    :meth:`delay`, :meth:`throttle`, :meth:`refuse`, :meth:`drop_new`) hold for all connections, present and
    future, until :meth:`heal`; nothing is lost on a connection that they slow down or hold up, and the news that an end
    has closed or reset its connection is held up as well. Whoever sends more than the other end takes is made to wait,
    as without a proxy: some hundred KiB stay inside for each direction of a connection.

    It looks into nothing, so TLS passes. Resets need TCP: a server on a unix socket sees its connections end.
    Delays are in Trio's clock; a clock that jumps does not go together with sockets.

    Cancellation:
      Entering has no effect. Leaving ends all connections and waits for nothing.

    Args:
      target: The endpoint of the server, as in ``"http://127.0.0.1:2379"``, ``"[::1]:2379"`` or ``"unix:///path"``.

    Raises:
      InvalidRequestError: the target is no endpoint.
      OSError: on entering: it cannot listen on the loopback address.
    """

    def __init__(self, target: str) -> None:
        self._target, *more = parse_endpoints(target)
        if more:
            raise ValueError(f"a proxy has one target, not {target!r}")
        self._host = "::1" if ":" in self._target.host else "127.0.0.1"
        self._conditions = Conditions()
        self._links: set[Link] = set()
        self._connected = ParkingLot()
        self._connections = 0
        self._cut_next: tuple[int, Direction] | None = None
        self._drop_new = False
        self._history: deque[str] = deque(maxlen=HISTORY)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._target}, {len(self._links)} connections>"

    async def __aenter__(self) -> Self:
        await checkpoint()
        async with AsyncExitStack() as stack:
            self._service = await stack.enter_async_context(open_service())
            stack.callback(self._end)
            self._listener = stack.enter_context(Listener(self._host, self._service, self._admit))
            self._started = trio.current_time()
            self._listener.start()
            self._stack = stack.pop_all()
        return self

    def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> Awaitable[bool | None]:
        return self._stack.__aexit__(exc_type, exc, traceback)

    @property
    def endpoint(self) -> str:
        """Where clients reach it, as in ``"http://127.0.0.1:34567"``; with https if TLS is spoken to the target."""
        scheme: Literal["http", "https"] = "https" if self._target.secure else "http"
        return f"{scheme}://{Endpoint(scheme, self._host, self._listener.port).authority}"

    @property
    def history(self) -> list[str]:
        """What it was told to do, as in ``"0.132 s, 1 live: cut()"``: for the messages of failing tests."""
        return list(self._history)

    def statistics(self) -> ProxyStatistics:
        """Count connections and octets."""
        passed = self._conditions.passed
        return ProxyStatistics(self._connections, len(self._links), passed["client"], passed["server"])

    def cut(self) -> None:
        """Reset every connection, at both ends, at once. What waits inside is lost.

        A server that was not connected to yet sees an end instead.
        """
        self._note("cut()")
        for link in tuple(self._links):
            link.cut()

    def cut_after(self, octets: int, direction: Direction = "server") -> None:
        """Reset connections once so many more octets have passed: exactly these reach the other end.

        Every live connection, each by its own count; if there is none, the next one that is made.

        Args:
          octets: How many; 0 is at once.
          direction: Which octets count.

        Raises:
          ValueError: an argument makes no sense.
        """
        check_number("octets", octets, whole=True)
        check(octets >= 0, f"cut after {octets} octets")
        _check_directions([direction])
        self._note(f"cut_after({octets}, {direction!r})")
        if not self._links:
            self._cut_next = octets, direction
        for link in tuple(self._links):
            link.cut_after(octets, direction)

    def half_close(self, direction: Direction) -> None:
        """End one direction of every live connection, after what was received so far.

        The other end sees that its peer has finished; what that peer goes on to send is taken and thrown away.

        Args:
          direction: Whose sending ends.

        Raises:
          ValueError: an argument makes no sense.
        """
        _check_directions([direction])
        self._note(f"half_close({direction!r})")
        for link in self._links:
            link.half_close(direction)

    def black_hole(self, direction: Direction | Literal["both"] = "both") -> None:
        """Accept connections and octets, and let nothing arrive until :meth:`heal`, which delivers all of it.

        Args:
          direction: Whose octets are held; a second call may add the other side's.

        Raises:
          ValueError: an argument makes no sense.
        """
        directions: Iterable[Direction] = DIRECTIONS if direction == "both" else (direction,)
        _check_directions(directions)
        self._note(f"black_hole({direction!r})")
        self._conditions.held.update(directions)
        self._wake()

    def delay(self, seconds: float, jitter: float = 0.0) -> None:
        """Let everything arrive later, in order.

        Args:
          seconds: How much later, in each direction.
          jitter: Up to so many seconds more, at random, the same in every run.

        Raises:
          ValueError: an argument makes no sense.
        """
        check_number("seconds", seconds)
        check_number("jitter", jitter)
        check(seconds >= 0 and jitter >= 0, f"a delay of {seconds} s and up to {jitter} s more")
        self._note(f"delay({seconds}, {jitter})")
        self._conditions.delay, self._conditions.jitter = seconds, jitter
        self._wake()

    def throttle(self, octets_per_second: float) -> None:
        """Let no more than this through, in each direction of each connection, in small pieces.

        Args:
          octets_per_second: How many; with 1, an octet arrives every second.

        Raises:
          ValueError: an argument makes no sense.
        """
        check_number("octets_per_second", octets_per_second)
        check(octets_per_second > 0, f"{octets_per_second} octets per second")
        self._note(f"throttle({octets_per_second})")
        self._conditions.rate = octets_per_second
        self._wake()

    def refuse(self) -> None:
        """Stop listening: new connections are refused. Live ones go on."""
        self._note("refuse()")
        self._listener.stop()

    def accept(self) -> None:
        """Listen again, on the same port, after :meth:`refuse`; and take connections again after :meth:`drop_new`."""
        self._note("accept()")
        self._drop_new = False
        self._listener.start()

    def drop_new(self) -> None:
        """Accept new connections only to reset them. Live ones go on.

        Some clients see the reset while they still connect.
        """
        self._note("drop_new()")
        self._drop_new = True

    def heal(self) -> None:
        """End all conditions, and take back :meth:`cut_after`. What was cut or half-closed stays so."""
        self._note("heal()")
        conditions = self._conditions
        conditions.held.clear()
        conditions.delay = conditions.jitter = 0.0
        conditions.rate = math.inf
        self._drop_new = False
        self._cut_next = None
        for link in self._links:
            link.spare()
        self._wake()
        self._listener.start()

    async def wait_connected(self) -> None:
        """Wait until there is a live connection.

        Cancellation:
          No effect.
        """
        await checkpoint()
        while not self._links:
            await self._connected.park()

    async def chaos(self, rng: Random, breaks: int = 50, every: tuple[float, float] = (0.01, 0.2)) -> None:
        """Break the live connections at random points in random ways, and heal each time.

        One break waits for a connection and lets it live for a while. Then it cuts it; or cuts it after some octets,
        half-closes it, holds one or both directions or refuses new connections, each for a while before the cut.
        See :attr:`history` for what was done. The same ``rng`` gives the same breaks, and no more than that: what
        they hit is a matter of time.

        Cancellation:
          Cleans up: it is healed.

        Args:
          rng: Where randomness comes from: ``random.Random(seed)``, with a seed that the test prints.
          breaks: How many.
          every: How long a while is at least and at most, in seconds.

        Raises:
          ValueError: an argument makes no sense.
        """
        await break_at_random(self, rng, breaks, every)

    def _end(self) -> None:
        for link in tuple(self._links):
            link.close()

    def _admit(self, wire: socket.socket) -> None:
        self._connections += 1
        if self._drop_new:
            reset(wire)
            return
        wire.setblocking(False)
        with suppress(OSError):  # it is gone already: some systems say so here
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link = Link(wire, self._conditions, self._links.discard)
        self._links.add(link)
        self._service.start_soon(link.run, self._target, name="proxied connection")
        if self._cut_next is not None:
            link.cut_after(*self._cut_next)
            self._cut_next = None
        self._connected.unpark_all()

    def _wake(self) -> None:
        for link in self._links:
            link.wake()

    def _note(self, call: str) -> None:
        seconds = trio.current_time() - self._started
        self._history.append(f"{seconds:.3f} s, {len(self._links)} live: {call}")


def _check_directions(directions: Iterable[str]) -> None:
    for direction in directions:
        check(direction in DIRECTIONS, f"direction {direction!r}")
