"""Everything that one run has measured."""

from dataclasses import asdict, dataclass, field

from .flat import FLAT, flat_table, flat_turns
from .imports import ImportTime, import_time, other_imports
from .instructions import INSTRUCTIONS, count, instruction_table
from .live import LivePeer
from .locks import LOCK_WORKLOADS, lock_table, lock_turns
from .many_watches import ManyWatches, many_watches
from .memory import MEMORY, memory, memory_table
from .peer_environments import Environments
from .report import CEILING, import_table, workload_data, workload_table
from .run import TLS_ROW, Clients, Results, WatchResults, measure
from .stats import Turn
from .tls import TLS, TlsTurns, tls_table, tls_turns
from .watch_report import many_table, watch_table
from .watch_workloads import CANNOT, WATCH_WORKLOADS, WATCHES, WatchTurns
from .workloads import CONNECT, IMPORT, WORKLOADS, Effort


@dataclass(frozen=True, slots=True)
class Peers:
    """The processes of a run: those that get and put, watch, lock, and the one that writes for those that watch."""

    clients: Clients
    watchers: Clients
    lockers: Clients
    writer: LivePeer
    environments: Environments


@dataclass(slots=True)
class Figures:
    """The figures, for the limits, and the same as plain ``data``, for JSON."""

    results: Results = field(default_factory=Results)
    watches: WatchResults = field(default_factory=WatchResults)
    many: dict[str, ManyWatches] = field(default_factory=dict[str, ManyWatches])
    imports: ImportTime | None = None
    instructions: dict[str, float] = field(default_factory=dict[str, float])
    tls: TlsTurns = field(default_factory=dict[str, list[Turn]])
    data: dict[str, object] = field(default_factory=dict[str, object])

    async def measure(self, name: str, effort: Effort, port: int, peers: Peers) -> str:
        """Measure one workload, keep its figures and return its table."""
        if name == IMPORT:
            self.imports = await import_time(effort.imports)
            others = await other_imports(peers.environments.pythons, effort.imports)
            self.data[name] = {**asdict(self.imports), "others_cpu_ms": others}
            return import_table(self.imports, others)
        if name == MEMORY:
            live, without = peers.clients.live, {CEILING, TLS_ROW}
            starts = {client: peers.clients.starts[client] for client in live if client not in without}
            held, absent = await memory(starts, port, effort.held)
            self.data[name] = {client: asdict(one) for client, one in held.items()}
            return memory_table(held, absent)
        if name == FLAT:
            self.results[name] = turns = await flat_turns(peers.clients, effort)
            self.data[name] = workload_data(turns, {})
            return flat_table(turns)
        if name == INSTRUCTIONS:
            self.data[name] = self.instructions = await count(port)
            return instruction_table(self.instructions)
        if name == TLS:
            self.tls = await tls_turns(port, effort)
            self.data[name] = workload_data(self.tls, {})
            return tls_table(self.tls)
        if name == WATCHES:
            for engine in ("lean", "h2"):
                self.many[f"etcetra_trio {engine}"] = await many_watches(engine, port, effort.imports)
            self.data[name] = {client: asdict(many) for client, many in self.many.items()}
            return many_table(self.many)
        if name in WATCH_WORKLOADS:
            return await self._watch(name, effort, peers)
        if name in LOCK_WORKLOADS:
            self.results[name] = turns = await lock_turns(peers.lockers, name, effort)
            self.data[name] = workload_data(turns, peers.lockers.absent)
            return lock_table(turns, peers.lockers.absent)
        workload = WORKLOADS[name]
        cannot = {CEILING: "connects for itself"} if workload.operation == CONNECT else {}
        turns = await measure(
            peers.clients,
            name,
            effort.rounds,
            lambda peer: peer.turn(workload, effort.seconds),
            without=cannot,
        )
        absent = {**peers.clients.absent, **cannot}
        self.results[name] = turns
        self.data[name] = workload_data(turns, absent)
        return workload_table(turns, absent)

    async def _watch(self, name: str, effort: Effort, peers: Peers) -> str:
        workload = WATCH_WORKLOADS[name]
        asked = WatchTurns(peers.writer, workload, workload.events(effort))
        cannot = {c: reason for c, reason in CANNOT.get(name, {}).items() if c in peers.watchers.live}
        turns = await measure(peers.watchers, name, effort.rounds, asked.turn, without=cannot)
        absent = {**peers.watchers.absent, **cannot}
        self.watches[name] = turns
        self.data[name] = workload_data(turns, absent)
        return watch_table(turns, absent)
