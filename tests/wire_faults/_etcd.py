"""As much of etcd as a read, a write, a watch and a lease need, on the package h2; one answer of it is the fault's."""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import betterproto2
import h2.exceptions
import trio
from failover._scripted import HEADERS, Peer, Request, Server

from etcetra_trio._proto._messages import etcdserverpb as pb
from etcetra_trio._proto._messages import mvccpb
from wire_faults._certificates import server_context
from wire_faults._line import Line
from wire_faults._row import Row


class _OverError(Exception):
    """The fault has ended this RPC; nothing more is said on it."""


class Due:
    """An answer that the client waits for; the fault decides what becomes of it."""

    def __init__(self, etcd: Etcd, request: Request, *, begun: bool) -> None:
        self.etcd = etcd
        assert isinstance(request.peer, Connection)
        self.request = request
        self.peer = request.peer
        self.stream_id = request.stream_id
        #: Whether the response's HEADERS are out.
        self.begun = begun
        self.unary = request.method not in etcd.streaming
        self.message = b""

    @property
    def framed(self) -> bytes:
        """The message with gRPC's prefix."""
        return b"\0" + len(self.message).to_bytes(4, "big") + self.message

    async def headers(self) -> None:
        if not self.begun:
            self.begun = True
            await self.request.headers()

    async def data(self, octets: bytes | None = None, *, end: bool = False) -> None:
        await self.headers()
        self.peer.engine.send_data(self.stream_id, self.framed if octets is None else octets, end_stream=end)
        await self.peer.flush()

    async def answer(self) -> None:
        """As etcd does it: all at once."""
        engine = self.peer.engine
        if not self.begun:
            self.begun = True
            engine.send_headers(self.stream_id, HEADERS)
        engine.send_data(self.stream_id, self.framed)
        if self.unary:
            engine.send_headers(self.stream_id, [("grpc-status", "0"), ("grpc-message", "")], end_stream=True)
        await self.peer.flush()

    async def raw(self, *frames: bytes) -> None:
        await self.peer.raw(b"".join(frames))

    async def close(self, *octets: bytes) -> None:
        """The connection ends, after these octets."""
        await self.raw(*octets)
        await self.peer.stream.aclose()


class Connection(Peer):
    """One connection; what the client says after a fault need not please h2."""

    @property
    def line(self) -> Line:
        assert isinstance(self.stream, Line)
        return self.stream

    async def serve(self, nursery: trio.Nursery) -> None:
        try:
            await super().serve(nursery)
        except h2.exceptions.ProtocolError:
            if not self.faulty:
                raise
            await trio.sleep_forever()

    @property
    def faulty(self) -> bool:
        etcd = self.server
        assert isinstance(etcd, Etcd)
        return etcd.struck == self.number


class Etcd(Server):
    """The store, and the fault that strikes one answer of ``target``."""

    streaming = frozenset({"Watch", "LeaseKeepAlive"})

    def __init__(self, row: Row | None, target: str) -> None:
        super().__init__(self._serve, None)
        self.row = row
        self.target = target
        #: The number of the connection that the fault struck (last).
        self.struck: int | None = None
        self.revision = 1
        self.events: list[mvccpb.Event] = []
        #: The writes of clients that were carried out.
        self.puts: list[tuple[bytes, bytes]] = []
        #: By id: TTL, and when it ends on this server.
        self.leases: dict[int, tuple[int, float]] = {}
        #: When the last one to be granted or renewed would end.
        self.lease_end = 0.0
        #: Leases that ended before their owner gave them back.
        self.expired: list[int] = []
        #: For each connection, in order: how many octets may pass from, and to the client.
        self.cuts: list[tuple[float, float]] = []
        self._changed = trio.Event()
        self._answers: dict[Request, int] = {}

    @property
    def recovers(self) -> bool:
        """Whether there is an end to the fault."""
        return self.row is None or not self.row.for_good

    # -- connections ---------------------------------------------------------------------------------------

    async def serve(self, stream: trio.abc.Stream) -> None:
        row, number = self.row, len(self.peers)
        greeting = None if row is None or number != self._greeted_badly(row) else row.greeting
        if row is not None and row.tls and greeting is None:
            assert isinstance(stream, trio.SocketStream)
            stream = trio.SSLStream(stream, server_context("h2"), server_side=True)
        line = Line(stream, *self.cuts.pop(0)) if self.cuts else Line(stream)
        peer = Connection(self, line, number)
        self.peers.append(peer)
        async with line, trio.open_nursery() as nursery:
            if greeting is None:
                await peer.serve(nursery)
            else:
                self.struck = number if self.struck is None else self.struck
                with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                    await greeting(peer)
            nursery.cancel_scope.cancel("the connection is over")

    def _greeted_badly(self, row: Row) -> int | None:
        """The number of the connection that does not come about, if one does not."""
        if row.do is not None:
            return None if self.struck is None else self.struck + 1
        # Watches and leases have a connection of their own, the second.
        return int(self.target in self.streaming)

    # -- RPCs ----------------------------------------------------------------------------------------------

    async def _serve(self, request: Request) -> None:
        try:
            await {
                "Range": self._range,
                "Put": self._put,
                "LeaseGrant": self._grant,
                "LeaseRevoke": self._revoke,
                "LeaseKeepAlive": self._keep_alive,
                "Watch": self._watch,
            }[request.method](request)
        except _OverError:
            pass
        except h2.exceptions.ProtocolError:
            # The client has reset the stream, or said goodbye.
            pass

    async def _give(self, request: Request, make: Callable[[], betterproto2.Message]) -> None:
        given = self._answers.get(request, 0)
        self._answers[request] = given + 1
        due = Due(self, request, begun=given > 0)
        row = self.row
        over = self.struck is not None and self.recovers
        if over or row is None or row.do is None or request.method != self.target:
            due.message = bytes(make())
            await due.answer()
            return
        first = {"Watch": 2, "LeaseKeepAlive": 1}.get(request.method, 0) if row.begun else 0
        if given < first:
            due.message = bytes(make())
            await due.answer()
            return
        self.struck = request.peer.number
        if not row.unseen:
            due.message = bytes(make())
        if row.begun:
            await due.headers()
        await row.do(due)
        if not row.harmless(request.method):
            raise _OverError

    async def _range(self, request: Request) -> None:
        asked = pb.RangeRequest.parse(request.body[5:])
        kv = mvccpb.KeyValue(key=asked.key, value=b"v", mod_revision=1, create_revision=1, version=1)
        header = pb.ResponseHeader(revision=self.revision)
        await self._give(request, lambda: pb.RangeResponse(header=header, kvs=[kv], count=1))

    async def _put(self, request: Request) -> None:
        asked = pb.PutRequest.parse(request.body[5:])

        def apply() -> pb.PutResponse:
            self.puts.append((asked.key, asked.value))
            return pb.PutResponse(header=pb.ResponseHeader(revision=self.put(asked.key, asked.value)))

        await self._give(request, apply)

    def put(self, key: bytes, value: bytes) -> int:
        """Somebody writes; the new revision."""
        self.revision += 1
        kv = mvccpb.KeyValue(
            key=key, value=value, mod_revision=self.revision, create_revision=self.revision, version=1
        )
        self.events.append(mvccpb.Event(kv=kv))
        self._changed.set()
        self._changed = trio.Event()
        return self.revision

    async def _watch(self, request: Request) -> None:
        create = pb.WatchRequest.parse(await request.message()).create_request
        assert create is not None
        watch_id, start = create.watch_id, create.start_revision or self.revision + 1
        await self._give(
            request, lambda: pb.WatchResponse(header=self._header(), watch_id=watch_id, created=True)
        )
        while True:
            due = [
                event
                for event in self.events
                if event.kv is not None and event.kv.key == create.key and event.kv.mod_revision >= start
            ]
            for event in due:
                assert event.kv is not None
                start = event.kv.mod_revision + 1
                response = pb.WatchResponse(header=self._header(), watch_id=watch_id, events=[event])
                await self._give(request, lambda response=response: response)  # type: ignore[misc]
            if not due:
                await self._changed.wait()

    def _header(self) -> pb.ResponseHeader:
        return pb.ResponseHeader(revision=self.revision)

    # -- leases --------------------------------------------------------------------------------------------

    async def _grant(self, request: Request) -> None:
        asked = pb.LeaseGrantRequest.parse(request.body[5:])

        def grant() -> pb.LeaseGrantResponse:
            self._renew(asked.id, asked.ttl)
            return pb.LeaseGrantResponse(header=self._header(), id=asked.id, ttl=asked.ttl)

        await self._give(request, grant)

    async def _revoke(self, request: Request) -> None:
        asked = pb.LeaseRevokeRequest.parse(request.body[5:])
        self._expire()
        self.leases.pop(asked.id, None)
        await self._give(request, lambda: pb.LeaseRevokeResponse(header=self._header()))

    async def _keep_alive(self, request: Request) -> None:
        while True:
            asked = pb.LeaseKeepAliveRequest.parse(await request.message())

            def renew(lease: int = asked.id) -> pb.LeaseKeepAliveResponse:
                self._expire()
                ttl = 0
                if lease in self.leases:
                    ttl = self.leases[lease][0]
                    self._renew(lease, ttl)
                return pb.LeaseKeepAliveResponse(header=self._header(), id=lease, ttl=ttl)

            await self._give(request, renew)

    def _renew(self, lease: int, ttl: int) -> None:
        self.lease_end = trio.current_time() + ttl
        self.leases[lease] = (ttl, self.lease_end)

    def _expire(self) -> None:
        for lease, (_, end) in list(self.leases.items()):
            if trio.current_time() >= end:
                del self.leases[lease]
                self.expired.append(lease)


@asynccontextmanager
async def listening(etcd: Etcd, folder: Path) -> AsyncGenerator[None]:
    """Serve for the time of a block: on a unix socket, where every octet is there at once, or by TCP."""
    row = etcd.row
    tcp = row is not None and row.tcp
    secure = row is not None and row.tls
    path = str(folder / "etcd")
    with socket.socket(socket.AF_INET if tcp else socket.AF_UNIX) as plain:
        plain.bind(
            ("127.0.0.1", 0) if tcp else path
        )  # Trio's would use a thread, and the clock would not wait for it
        sock = trio.socket.from_stdlib_socket(plain)
        sock.listen(16)
        etcd.endpoint = (
            f"127.0.0.1:{sock.getsockname()[1]}" if tcp else f"{'unixs' if secure else 'unix'}://{path}"
        )
        async with trio.open_nursery() as nursery:
            await nursery.start(trio.serve_listeners, etcd.serve, [trio.SocketListener(sock)])
            yield
            nursery.cancel_scope.cancel("the test is over")
