"""One run: every client a live process on one connection, asked in turn, round after round."""

import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Container, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from .live import LivePeer, PeerFailedError, PeerMissingError, live_peer
from .peer_environments import ETCD3, PACKAGES, Environments
from .report import CEILING
from .stats import Turn, TurnT, WatchTurn
from .workloads import MANY, MANY_PREFIX, MIB, MIB_PREFIX, VALUE

Results = dict[str, dict[str, list[Turn]]]
"""The turns of every workload and client."""
WatchResults = dict[str, dict[str, list[WatchTurn]]]
TLS_ROW = "etcetra_trio lean TLS"
"""Ours on a server of its own."""


@dataclass(frozen=True, slots=True)
class Start:
    """How a peer is started."""

    command: Sequence[str]
    python: str


@dataclass(frozen=True, slots=True)
class Clients:
    """The peers that run, and why the others do not; ``versions`` tell which packages they use."""

    live: dict[str, LivePeer] = field(default_factory=dict[str, LivePeer])
    missing: dict[str, str] = field(default_factory=dict[str, str])
    failed: dict[str, str] = field(default_factory=dict[str, str])
    versions: dict[str, str] = field(default_factory=dict[str, str])
    starts: dict[str, Start] = field(default_factory=dict[str, Start])

    @property
    def absent(self) -> dict[str, str]:
        return {
            **{client: f"not installed: {reason}" for client, reason in self.missing.items()},
            **dict.fromkeys(self.failed, "failed"),
        }


def commands(port: int, stubs: str) -> dict[str, Sequence[str]]:
    """The peers: the name in the tables, and the module with its arguments."""
    return {
        "etcetra_trio lean": ("peer_ours", "lean", str(port)),
        "etcetra_trio h2": ("peer_ours", "h2", str(port)),
        "grpc.aio": ("peer_grpc_aio", stubs, str(port)),
        "grpclib": ("peer_grpclib", stubs, str(port)),
    }


def other_commands(port: int, tls: Sequence[str], h2load: Sequence[str]) -> dict[str, Sequence[str]]:
    """Those that are not there for limits without ``--peers``: other clients, TLS, and the server's ceiling."""
    return {
        **{client: ("peer_asyncio", client, str(port)) for client in PACKAGES if client != ETCD3},
        ETCD3: ("peer_etcd3", str(port)),
        TLS_ROW: ("peer_ours", "lean", *tls),
        CEILING: ("peer_h2load", str(port), *h2load),
    }


def watch_commands(port: int, stubs: str) -> dict[str, Sequence[str]]:
    """The same for those that watch."""
    return {
        "etcetra_trio lean": ("watch_ours", "lean", str(port)),
        "etcetra_trio h2": ("watch_ours", "h2", str(port)),
        "grpc.aio": ("watch_grpc_aio", stubs, str(port)),
        "etcetra": ("watch_etcetra", str(port)),
        "aetcd": ("watch_aetcd", str(port)),
    }


async def store(writer: LivePeer, workloads: Container[str]) -> None:
    """Store what is read as a whole."""
    if "prefix-1" in workloads:
        many = {"prefix": MANY_PREFIX, "value": VALUE, "events": MANY, "transaction": 100, "keys": MANY}
        await writer.ask(many)
        await writer.reply()
    if "get_mib-1" in workloads:
        await writer.ask({"prefix": MIB_PREFIX, "value": MIB, "events": 1, "transaction": 1, "keys": 1})
        await writer.reply()


@asynccontextmanager
async def started(
    peers: Mapping[str, Sequence[str]], environments: Environments
) -> AsyncGenerator[Clients, None]:
    """Start every peer that can start, and end them all when the block is left."""
    clients, pythons = Clients(), environments.pythons
    async with AsyncExitStack() as stack:
        for client, command in peers.items():
            if client in environments.refused:
                clients.missing[client] = environments.refused[client]
                continue
            start = clients.starts[client] = Start(command, pythons.get(client, sys.executable))
            try:
                clients.live[client] = await stack.enter_async_context(
                    live_peer(*start.command, python=start.python)
                )
                owner = f" of {client}" if client in pythons else ""
                for package, version in clients.live[client].versions.items():
                    clients.versions[package + owner] = version
            except PeerMissingError as error:
                clients.missing[client] = str(error)
            except PeerFailedError as error:
                clients.failed[client] = str(error)
        yield clients


async def measure(
    clients: Clients,
    name: str,
    rounds: int,
    turn: Callable[[LivePeer], Awaitable[TurnT]],
    *,
    without: Container[str] = (),
) -> dict[str, list[TurnT]]:
    """Ask the clients in turn; another one begins each round, so that none always has the same place."""
    turns: dict[str, list[TurnT]] = {client: [] for client in clients.live if client not in without}
    for number in range(rounds):
        order = list(turns)
        first = number % max(1, len(order))
        for client in order[first:] + order[:first]:
            try:
                turns[client].append(await turn(clients.live[client]))
            except PeerFailedError as error:
                clients.failed[client] = f"{name}: {error}"
                del turns[client], clients.live[client]
    return turns
