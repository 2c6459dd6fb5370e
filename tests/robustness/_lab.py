"""What a run runs on: three members, their plain and their TLS ports, their users, and all the ways in between."""

from __future__ import annotations

import dataclasses
import itertools
import json
import secrets
import socket
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import trio
import trustme

from etcetra_trio import EtcdClient, EtcdCommunicator, EtcdCredential, EtcdError, TLSConfig
from etcetra_trio._cluster import Cluster as Administration
from etcetra_trio.streams._endpoints import EngineName
from etcetra_trio.testing import EtcdCluster, EtcdMember, FaultProxy, ServerTLS, find_etcd, find_etcdctl
from etcetra_trio.testing._binary import EtcdBinary, inspect_etcd
from etcetra_trio.testing._process import PORTS, SOCKET, EtcdProcess
from etcetra_trio.testing._steps import http_get, run_in_trio

from ._namespaces import Namespaces, address, namespaces

SIZE = 3
QUOTA = 64 << 20  # octets that a member may store
CHANGE_TIMEOUT = 5.0  # seconds
TOKEN_TTL = 10  # seconds, and no use makes them more
ROOT = EtcdCredential("root", "not a secret")
LEADS = b"\netcd_server_is_leader 1\n"
REVOKED = b"\netcd_debugging_server_lease_expired_total "


class Member(EtcdProcess):
    """A member with a TLS port beside the plain one, which the others may reach through a proxy."""

    def __init__(
        self, name: str, binary: EtcdBinary, host: str, ports: Sequence[int], flags: Sequence[str]
    ) -> None:
        super().__init__(name, binary, host, flags)
        client, peer, tls = ports
        self._ports = itertools.cycle((client, peer))
        self.peer_url = f"http://{host}:{peer}"
        self.tls_endpoint = f"https://{host}:{tls}"
        own = f"http://{host}:{client},unix://{SOCKET},{self.tls_endpoint}"
        self._flags += ["--listen-client-urls", own]

    def prepare(self) -> None:
        super().prepare()
        self.initial_cluster = f"{self.name}={self.peer_url}"
        self._flags += ["--initial-advertise-peer-urls", self.peer_url]

    def _free_port(self) -> int:
        return next(self._ports)

    def begin_anew(self, everybody: str) -> None:
        """Forget everything, and join the others."""
        self.kill()
        for path in sorted(self.data_dir.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        self.initial_cluster = everybody
        self._flags.append("--initial-cluster-state=existing")
        self.spawn()


class Cluster(EtcdCluster):
    """A cluster of such members."""

    def __init__(self, processes: list[Member], etcd: Path) -> None:
        super().__init__(len(processes), etcd)
        self._processes = list(processes)
        self.members = tuple(EtcdMember(process) for process in processes)


@dataclasses.dataclass(slots=True)
class Lab:
    """A cluster and the ways to it. Those of a member have its number."""

    cluster: Cluster
    processes: list[Member]
    plain: list[FaultProxy]
    tls: list[FaultProxy]
    #: Those between members. What passes one in the direction "server" is what its member tells the others.
    peers: list[FaultProxy]
    trust: TLSConfig
    #: None: everybody may do everything.
    user: EtcdCredential | None
    #: None: all members are on the loopback interface, with proxies between them.
    namespaces: Namespaces | None
    etcdctl_path: Path

    @property
    def proxies(self) -> list[FaultProxy]:
        """Those between clients and members."""
        return self.plain + self.tls

    def client(self, endpoints: Sequence[str], engine: EngineName = "lean") -> EtcdClient[str]:
        """A client of these endpoints."""
        tls = self.trust if endpoints[0].startswith("https") else None
        return EtcdClient(endpoints, self.user, tls=tls, http2=engine, allow_plaintext_credentials=True)

    @asynccontextmanager
    async def connected(self) -> AsyncGenerator[EtcdCommunicator[str]]:
        """A client of all members, directly."""
        async with self.client(self.cluster.endpoints).connect() as communicator:
            yield communicator

    async def etcdctl(self, member: EtcdMember, *command: str) -> bytes:
        """Its output, none if it failed."""
        user = [] if self.user is None else [f"--user={self.user.username}:{self.user.password}"]
        done = await trio.run_process(
            [str(self.etcdctl_path), f"--endpoints={member.endpoint}", *user, *command],
            capture_stdout=True,
            capture_stderr=True,
            check=False,
        )
        return done.stdout if done.returncode == 0 else b""

    async def member_id(self, member: EtcdMember) -> int | None:
        """By which the cluster knows a member; None if it does not say so."""
        status = await self.etcdctl(member, "endpoint", "status", "--write-out=json")
        return int(json.loads(status)[0]["Status"]["header"]["member_id"]) if status else None

    async def revoked(self, member: EtcdMember) -> tuple[int, bool]:
        """How many leases it ended because they ran out, since it was started, and whether it leads. -1: not known."""
        path = str(self.processes[self.cluster.members.index(member)].socket_path)
        metrics = await run_in_trio(http_get(path, "/metrics", time.monotonic() + 1))
        _, found, rest = metrics.partition(REVOKED)
        return int(float(rest.split(None, 1)[0])) if found else -1, LEADS in metrics

    async def replace(self, number: int) -> None:
        """Remove a member for ever, and add another one in its place, which has to learn everything."""
        process, member = self.processes[number], self.cluster.members[number]
        old = await self.member_id(member)
        if old is None:
            return
        async with self.connected() as communicator:
            cluster = communicator.cluster
            while old in (await _known(cluster)).values():
                await _try(lambda: cluster.member_remove(old))
            await trio.sleep(0.5)
            process.kill()
            while len(there := await _known(cluster)) < SIZE:
                await _try(lambda: cluster.member_add(process.peer_url))
        names = {each.peer_url: each.name for each in self.processes}
        process.begin_anew(",".join(f"{names[url]}={url}" for url in there))
        await member.await_ready()


async def _known(cluster: Administration) -> dict[str, int]:
    """The URLs of the members, and their ids, as soon as the cluster tells them."""
    while True:
        with suppress(EtcdError):
            return {url: each.id for each in await cluster.member_list() for url in each.peer_urls}
        await trio.sleep(0.1)


async def _try(change: Callable[[], Awaitable[object]]) -> None:
    """Change the members, perhaps. etcd answers nothing at all where a leader loses the proposal."""
    with suppress(EtcdError), trio.move_on_after(CHANGE_TIMEOUT):
        await change()
    await trio.sleep(0.1)


@asynccontextmanager
async def lab(etcd: Path | None, *, users: bool, networks: bool, quota: bool) -> AsyncGenerator[Lab]:
    """Set all of it up.

    ``users``: all clients are a user with tokens that end. ``networks``: each member has a network of its own.
    """
    binary = inspect_etcd(find_etcd(etcd))
    async with AsyncExitStack() as stack:

        async def enter(proxy: FaultProxy) -> FaultProxy:
            await proxy.__aenter__()
            stack.push_async_exit(proxy.__aexit__)
            return proxy

        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="robustness-")))
        spaces = stack.enter_context(namespaces(SIZE)) if networks else None
        hosts = [address(number) if networks else "127.0.0.1" for number in range(SIZE)]
        tls, trust = _certificates(folder, hosts)
        flags = [
            "--heartbeat-interval=100",
            "--election-timeout=1000",
            "--snapshot-count=10000",
            *tls.flags(),
        ]
        flags += _user_flags(folder) if users else []
        flags += [f"--quota-backend-bytes={QUOTA}"] if quota else []
        processes: list[Member] = []
        peers: list[FaultProxy] = []
        for number, host in enumerate(hosts):
            program = binary
            if spaces is not None:
                program = dataclasses.replace(binary, path=spaces.wrapped(number, binary.path, folder))
            process = Member(f"etcd{number}", program, host, _ports(), flags)
            if spaces is None:
                peers.append(await enter(FaultProxy(process.peer_url)))
                process.peer_url = peers[-1].endpoint
            processes.append(process)
        cluster = await stack.enter_async_context(Cluster(processes, binary.path))
        plain = [await enter(FaultProxy(endpoint)) for endpoint in cluster.endpoints]
        secure = [await enter(FaultProxy(each.tls_endpoint)) for each in processes]
        ctl = find_etcdctl(binary.path)
        assert ctl is not None, f"there is no etcdctl beside {binary.path}"
        if users:
            await _enable_users(cluster)
        user = ROOT if users else None
        yield Lab(cluster, processes, plain, secure, peers, trust, user, spaces, ctl)


def _certificates(folder: Path, hosts: list[str]) -> tuple[ServerTLS, TLSConfig]:
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1", *{*hosts} - {"127.0.0.1"})
    ca, cert, key = folder / "ca.pem", folder / "cert.pem", folder / "key.pem"
    authority.cert_pem.write_to_path(str(ca))
    issued.cert_chain_pems[0].write_to_path(str(cert))
    issued.private_key_pem.write_to_path(str(key))
    return ServerTLS(cert, key), TLSConfig(ca)


def _user_flags(folder: Path) -> list[str]:
    key = folder / "jwt"
    key.write_text(secrets.token_hex(32))
    return [f"--auth-token=jwt,priv-key={key},sign-method=HS256,ttl={TOKEN_TTL}s", "--bcrypt-cost=4"]


async def _enable_users(cluster: Cluster) -> None:
    async with EtcdClient(cluster.endpoints).connect() as communicator:
        await communicator.auth.user_add(ROOT.username, ROOT.password)
        await communicator.auth.role_add("root")
        await communicator.auth.user_grant_role(ROOT.username, "root")
        await communicator.auth.enable()


def _ports() -> list[int]:
    """Three that are free, of those that no outgoing connection is given."""
    free: list[int] = []
    while len(free) < 3:
        port = secrets.choice(PORTS)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            free.append(port)
    return free
