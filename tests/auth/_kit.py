"""A real etcd that asks for users, and a scripted one that counts who asks for tokens."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager

import grpc
from _grpc_kit import Server, metadata_of, serve

from etcetra_trio import EtcdClient, EtcdCommunicator, EtcdCredential
from etcetra_trio._proto._messages import etcdserverpb as pb
from etcetra_trio.testing import EtcdServer

Text = EtcdCommunicator[str]
ROOT = EtcdCredential("root", "root's password")
ALICE = EtcdCredential("alice", "alice's password")


async def set_up(communicator: Text) -> None:
    """Root, and alice, who may do everything with what begins with a; then authentication is switched on."""
    auth = communicator.auth
    for who in (ROOT, ALICE):
        await auth.user_add(who.username, who.password)
        await auth.role_add(who.username)
        await auth.user_grant_role(who.username, who.username)
    await auth.role_grant_permission("alice", "a", prefix=True)
    await auth.enable()


@asynccontextmanager
async def guarded(*flags: str) -> AsyncGenerator[EtcdServer]:
    """An etcd with these users."""
    async with EtcdServer(extra_args=["--bcrypt-cost=4", *flags]) as server:
        async with EtcdClient(server.endpoint).connect() as communicator:
            await set_up(communicator)
        yield server


class Script:
    """What a scripted server thinks of tokens."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        #: Tokens that it gave, and the one that counts; None: all are refused.
        self.given: list[str] = []
        self.valid: str | None = None
        #: Calls that came with no, a bad and a good token.
        self.without = self.refused = self.served = 0
        #: The next token; its number is put in.
        self.text = "token-{}"
        #: Seconds that giving a token takes, as bcrypt does.
        self.pause = 0.0
        self.refusal = (grpc.StatusCode.UNAUTHENTICATED, "etcdserver: invalid auth token")
        #: False: every token is refused, also the newest.
        self.accepts = True
        self.password = ALICE.password
        self.server: Server

    def expire(self) -> None:
        """The token that was valid is so no more."""
        with self.lock:
            self.valid = None

    def authenticate(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        request = pb.AuthenticateRequest.parse(next(requests))
        assert not [name for name, _ in metadata_of(context) if name in {"token", "hasleader"}]
        time.sleep(self.pause)
        if request.password != self.password:
            text = "etcdserver: authentication failed, invalid user ID or password"
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, text)
        with self.lock:
            token = self.text.format(len(self.given))
            self.given.append(token)
            self.valid = token
        yield bytes(pb.AuthenticateResponse(token=token))

    def range(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        next(requests)
        tokens = [value for name, value in metadata_of(context) if name == "token"]
        with self.lock:
            good = self.accepts and tokens == [self.valid]
            if good:
                self.served += 1
            elif tokens:
                self.refused += 1
            else:
                self.without += 1
        if not good:
            context.abort(*self.refusal)
        yield bytes(pb.RangeResponse(header=pb.ResponseHeader(revision=1)))

    def put(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        yield from self.range(requests, context)


@contextmanager
def scripted() -> Generator[Script]:
    """Serve Authenticate, Range and Put."""
    script = Script()
    with serve(Authenticate=script.authenticate, Range=script.range, Put=script.put) as server:
        script.server = server
        yield script
