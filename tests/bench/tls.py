"""What TLS costs our client: the same work on a server without it, and on one for each way that etcd serves it."""

from collections.abc import Mapping
from contextlib import AsyncExitStack

import trio

from etcetra_trio.testing import find_etcd

from .checks import Check
from .live import live_peer
from .report import figure, table
from .server import tls_server
from .stats import Turn, median_turn
from .workloads import Effort, Workload

TLS = "tls"
PLAIN = "plain"
LIMIT = 1.60  # CPU per operation over the same without TLS
# This server is the slower one by far, and answers in so many pieces that reading them costs as much as TLS does.
LIMITS = {"TLS by net/http": 2.0}
WORK = Workload("get", 100)

TlsTurns = dict[str, list[Turn]]


async def tls_turns(port: int, effort: Effort) -> TlsTurns:
    """The turns of each client, asked in turn."""
    turns: TlsTurns = {}
    async with AsyncExitStack() as stack:
        addresses: dict[str, tuple[str, ...]] = {PLAIN: (str(port),)}
        for name, separate_http in (await _ways()).items():
            addresses[name] = await stack.enter_async_context(tls_server(separate_http=separate_http))
        peers = {
            name: await stack.enter_async_context(live_peer("peer_ours", "lean", *address))
            for name, address in addresses.items()
        }
        for _ in range(effort.rounds):
            for name, peer in peers.items():
                turns.setdefault(name, []).append(await peer.turn(WORK, effort.seconds))
    return turns


async def _ways() -> dict[str, bool]:
    """The ways that this etcd has, and whether HTTP has a place of its own."""
    described = await trio.run_process(
        [find_etcd(), "--help"], capture_stdout=True, capture_stderr=True, check=False
    )
    separate = b"--listen-client-http-urls" in described.stdout + described.stderr
    return {"TLS by net/http": False, **({"TLS by grpc-go": True} if separate else {})}


def tls_table(turns: TlsTurns) -> str:
    """A row for each."""
    rows = [
        [name, figure(_least(measured)), f"{ratio:.2f}", figure(median_turn(measured).ops_s)]
        for (name, measured), ratio in zip(turns.items(), tls_ratios(turns).values(), strict=True)
    ]
    return table(("get, 100 tasks", "CPU us/op, least", f"x {PLAIN}", "ops/s"), rows)


def tls_ratios(turns: TlsTurns) -> dict[str, float]:
    """The cost of each over that without TLS.

    Of all rounds the cheapest counts. A server that is busy answers in small pieces, and these cost a client more,
    with TLS or without; one behind TLS is busy first.
    """
    return {name: _least(measured) / _least(turns[PLAIN]) for name, measured in turns.items()}


def _least(turns: list[Turn]) -> float:
    return min(turn.cpu_us for turn in turns)


def tls_checks(turns: TlsTurns) -> list[Check]:
    """The limit for each way."""
    ratios: Mapping[str, float | None] = (
        {n: r for n, r in tls_ratios(turns).items() if n != PLAIN} if turns else {}
    )
    return [
        Check(f"{WORK.name}: CPU per operation, {name} / {PLAIN}", LIMITS.get(name, LIMIT), ratio)
        for name, ratio in (ratios or {"TLS": None}).items()
    ]
