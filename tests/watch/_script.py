"""A server of watches that does what a test tells it, beneath the real API: no socket, and the clock may be a mock."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TypeVar, cast

import trio
import trio.testing

from etcetra_trio import ConnectionFailedError, EtcdCommunicator, StatusCode, Watch, WatchEvent
from etcetra_trio._keys import key_space
from etcetra_trio._proto._messages import etcdserverpb as pb
from etcetra_trio._proto._messages import mvccpb
from etcetra_trio._proto._methods import Method
from etcetra_trio.events import Event
from etcetra_trio.streams._connection import Connection
from etcetra_trio.streams._endpoints import Endpoints
from etcetra_trio.streams._grpc import StreamEnd
from etcetra_trio.streams._protocol import Limits
from etcetra_trio.streams._service import Service, open_service
from etcetra_trio.streams._trace import Trace
from etcetra_trio.streams._watch_lanes import WatchHub
from etcetra_trio.streams._watch_stream import WatchStream
from etcetra_trio.streams._watcher import Watcher

ResponseT = TypeVar("ResponseT")
Answer = Callable[[bytes], bytes]
Events = Watch[WatchEvent[str]]


def put(key: str, revision: int, value: str = "v", version: int = 1) -> mvccpb.Event:
    kv = mvccpb.KeyValue(
        key=key.encode(),
        value=value.encode(),
        mod_revision=revision,
        create_revision=max(1, revision - version + 1),
        version=version,
    )
    return mvccpb.Event(kv=kv)


def delete(key: str, revision: int) -> mvccpb.Event:
    kv = mvccpb.KeyValue(key=key.encode(), mod_revision=revision)
    return mvccpb.Event(type=mvccpb.EventEventType.DELETE, kv=kv)


class ScriptedStream:
    """One watch stream as the server sees it."""

    def __init__(self, stream: WatchStream) -> None:
        self.client = stream
        self.cancelled = False
        self.given_back = 0
        self.requests, self._received = trio.open_memory_channel[pb.WatchRequest](10_000)

    def sent(self, message: bytes) -> None:
        """The client sent a request."""
        if not self.cancelled and self.client.end is None:
            self.requests.send_nowait(pb.WatchRequest.parse(message))

    async def request(self) -> pb.WatchRequest:
        with trio.fail_after(5):
            return await self._received.receive()

    async def create(self) -> pb.WatchCreateRequest:
        create = (await self.request()).create_request
        assert create is not None
        return create

    async def cancel(self) -> int:
        """The id that the client asks to end."""
        cancel = (await self.request()).cancel_request
        assert cancel is not None
        return cancel.watch_id

    def nothing_asked(self) -> bool:
        return self._received.statistics().current_buffer_used == 0

    def respond(self, response: pb.WatchResponse) -> None:
        data = bytes(response)
        if not self.cancelled and self.client.end is None:  # engines tell a cancelled stream nothing
            self.client.on_message(data, len(data))

    def created(self, watch_id: int, revision: int = 10, **fields: object) -> None:
        header = pb.ResponseHeader(revision=revision)
        self.respond(pb.WatchResponse(header=header, watch_id=watch_id, created=True, **fields))  # type: ignore[arg-type]

    def canceled(self, watch_id: int, **fields: object) -> None:
        header = pb.ResponseHeader(revision=10)
        self.respond(pb.WatchResponse(header=header, watch_id=watch_id, canceled=True, **fields))  # type: ignore[arg-type]

    def events(self, watch_id: int, *events: mvccpb.Event, fragment: bool = False, revision: int = 0) -> None:
        header = pb.ResponseHeader(
            revision=revision or max(event.kv.mod_revision for event in events if event.kv)
        )
        self.respond(
            pb.WatchResponse(header=header, watch_id=watch_id, events=list(events), fragment=fragment)
        )

    def progress(self, revision: int, watch_id: int = -1) -> None:
        self.respond(pb.WatchResponse(header=pb.ResponseHeader(revision=revision), watch_id=watch_id))

    def end(
        self, kind: str = "connection", status: StatusCode = StatusCode.UNAVAILABLE, text: str = "gone"
    ) -> None:
        """The stream ends, and nothing is said on it any more."""
        if not self.cancelled and self.client.end is None:
            self.client.on_end(StreamEnd(kind, status, text))  # type: ignore[arg-type]


class ScriptedConnection:
    """What the client takes for a :class:`Connection`."""

    error = Connection.error
    closing = False
    token = None
    limits = Limits(message=1_000_000, request=10_000)

    def __init__(self, server: ScriptedServer) -> None:
        self.endpoint = "http://scripted:2379"
        self.engine = self
        self.progress_is_true: bool | None = server.progress_is_true
        self._server = server
        self.streams: dict[WatchStream, ScriptedStream] = {}
        self.lost = False

    def open(self, stream: WatchStream, path: str, *, leader: bool) -> None:
        assert (path, leader) == ("/etcdserverpb.Watch/Watch", True)
        self.streams[stream] = scripted = ScriptedStream(stream)
        self._server.opened.append(trio.current_time())
        self._server.new_streams.send_nowait(scripted)

    def send(self, stream: WatchStream, message: bytes, *, end: bool) -> None:
        assert not end
        self.streams[stream].sent(message)

    def cancel(self, stream: WatchStream) -> None:
        self.streams[stream].cancelled = True

    def consumed(self, stream: WatchStream, cost: int) -> None:
        self.streams[stream].given_back += cost

    def set_sole(self, watcher: Watcher | None) -> None:
        """There is no socket that could be lent to it."""

    async def unary(self, method: Method, message: bytes, *, write: bool, leader: bool = True) -> bytes:
        await trio.lowlevel.checkpoint()
        return self._server.answer(method, message)


class ScriptedServer:
    """What the client takes for its :class:`Endpoints`, and what tests hold."""

    def __init__(self, service: Service) -> None:
        self.events: list[Event] = []
        self.service = service
        self.trace = Trace(self.events.append)
        self.new_streams, self._streams = trio.open_memory_channel[ScriptedStream](10_000)
        #: When each stream was opened, and each connection tried.
        self.opened: list[float] = []
        self.tries: list[float] = []
        self.refuses = False
        self.progress_is_true: bool | None = True
        self.answers: dict[Method, Answer | Exception] = {}
        self.live: ScriptedConnection | None = None
        self.watches = WatchHub(cast("Endpoints", self))
        self.communicator: EtcdCommunicator[str] = EtcdCommunicator(
            cast("Endpoints", self), key_space("utf-8", "")
        )

    async def stream(self) -> ScriptedStream:
        """The next stream that the client opens."""
        with trio.fail_after(60):
            return await self._streams.receive()

    async def watched(self, watch_id: int = 0, revision: int = 10) -> ScriptedStream:
        """The next stream, with its first watch confirmed."""
        stream = await self.stream()
        await stream.create()
        stream.created(watch_id, revision)
        return stream

    def no_stream(self) -> bool:
        return self._streams.statistics().current_buffer_used == 0

    def answer(self, method: Method, message: bytes) -> bytes:
        answer = self.answers[method]
        if isinstance(answer, Exception):
            raise answer
        return answer(message)

    def renew_token(self, connection: ScriptedConnection) -> bool:
        """There is none."""
        return False

    def suspect(self, connection: ScriptedConnection, reason: str) -> None:
        """There is no other."""

    async def stream_connection(self) -> ScriptedConnection:
        await trio.lowlevel.checkpoint()
        self.tries.append(trio.current_time())
        if self.refuses:
            raise ConnectionFailedError([("http://scripted:2379", ConnectionRefusedError())])
        if self.live is None or self.live.lost:
            self.live = ScriptedConnection(self)
        return self.live

    def lose(self) -> None:
        """The connection breaks."""
        assert self.live is not None
        self.live.lost = True
        for stream in self.live.streams.values():
            stream.end()

    async def call(
        self,
        method: Method,
        message: bytes,
        decode: Callable[[bytes], ResponseT],
        *,
        write: bool = False,
        leader: bool = True,
        max_message: int = 0,
    ) -> ResponseT:
        await trio.lowlevel.checkpoint()
        return decode(self.answer(method, message))


@asynccontextmanager
async def scripted_server() -> AsyncGenerator[ScriptedServer]:
    """The block is the client's: when it is left, everything of it ends."""
    async with open_service() as service:
        yield ScriptedServer(service)


async def resynced(server: ScriptedServer, stream: ScriptedStream) -> None:
    """What comes next was compacted; the watch lists the keys at 40, and goes on with an event of "k" at 41."""
    stream.canceled(0, compact_revision=30)
    stream = await server.stream()
    assert (await stream.create()).start_revision == 41
    stream.created(0, 40)
    stream.events(0, put("k", 41))


async def settle() -> None:
    """Let every other task come to rest."""
    await trio.testing.wait_all_tasks_blocked()


def revisions(events: Sequence[object]) -> list[int]:
    return [event.revision for event in events]  # type: ignore[attr-defined]


async def opened(server: ScriptedServer, nursery: trio.Nursery, key: str, **options: object) -> Events:
    """A watch, entered; serve its `created` meanwhile."""
    watch: Events = server.communicator.watch(key, **options)  # type: ignore[call-overload]

    async def enter() -> None:
        with suppress(trio.ClosedResourceError):  # some are closed before
            await watch.__aenter__()

    nursery.start_soon(enter)
    await settle()
    return watch


async def first(
    server: ScriptedServer, nursery: trio.Nursery, key: str, **options: object
) -> tuple[Events, ScriptedStream]:
    watch = await opened(server, nursery, key, **options)
    stream = await server.watched(0)
    await settle()
    return watch, stream


async def lag(stream: ScriptedStream, watch_id: int, key: str, revisions: range) -> None:
    for revision in revisions:
        stream.events(watch_id, put(key, revision))
    await settle()
