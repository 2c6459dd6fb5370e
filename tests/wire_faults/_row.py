"""One row of the table: a fault, and exactly what comes of it for a read, a write, a watch and a lease."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from wire_faults._etcd import Connection, Due

#: The column that belongs to each method.
COLUMNS = {"Range": "read", "Put": "write", "Watch": "watch", "LeaseKeepAlive": "lease"}


@dataclass(frozen=True)
class Row:
    """A fault that happens once (or ``for_good``); everything after it is as it should be.

    The columns' words:

    * ``"answer"``: as if nothing had happened. (A watch or a lease: over the same stream.)
    * ``"again"``: the client made the call again, or went on over a new stream, and nothing is to be seen of it.
    * ``"RpcError"``, say: a read, or a watch, ends with exactly this class.
    * ``"unknown RpcError"``: a write ends with an OutcomeUnknownError, whose cause is exactly this class.
    * ``"not applied NoLeaderError"``: a write ends with exactly this class, and its outcome says so.
    * ``"waits"``: there is no answer, and it is for the caller to say how long to wait.
    """

    name: str
    #: Given an answer that is due, do this instead.
    do: Callable[[Due], Awaitable[None]] | None = None
    #: Given a connection, do this instead of speaking HTTP/2 properly; with ``do`` as well, to the one after it.
    greeting: Callable[[Connection], Awaitable[None]] | None = None
    read: str = "answer"
    write: str = "answer"
    watch: str = "answer"
    lease: str = "answer"
    #: Part of the message of each error.
    words: str = ""
    #: Whether the response had begun: its HEADERS are out, and a watch or lease had its first messages.
    begun: bool = False
    #: Whether the server never looks at the request: a write is not carried out.
    unseen: bool = False
    #: By when all is well again, in seconds.
    within: float = 0.3
    #: Whether it happens each time.
    for_good: bool = False
    tcp: bool = False
    tls: bool = False
    #: Whether others show the same, so that it takes its turn in long runs only.
    long: bool = False

    def column(self, method: str) -> str:
        expected: str = getattr(self, COLUMNS[method])
        return expected

    def harmless(self, method: str) -> bool:
        """Whether the RPC goes on."""
        return self.column(method) == "answer"

    def but(self, **columns: object) -> Self:
        return replace(self, **columns)  # type: ignore[arg-type]


Do = Callable[["Due"], Awaitable[None]]


def harmless(name: str, do: Do, **columns: object) -> Row:
    """As if nothing had happened."""
    return Row(name, do).but(**columns)


def lost(name: str, do: Do, **columns: object) -> Row:
    """The connection is gone, or the call on it: a read is made again, a write may have been carried out."""
    row = Row(name, do, read="again", write="unknown ConnectionLostError", watch="again", lease="again")
    return row.but(**columns)


def broken(name: str, do: Do, **columns: object) -> Row:
    """The server breaks the rules: another try would bring nothing else, so a read says so at once."""
    row = Row(
        name,
        do,
        read="RemoteProtocolError",
        write="unknown RemoteProtocolError",
        watch="again",
        lease="again",
    )
    return row.but(**columns)


def failed(name: str, do: Do, cls: str, **columns: object) -> Row:
    """An answer that says no, for a reason that does not tell what became of a write."""
    return Row(name, do, read=cls, write=f"unknown {cls}", watch="again", lease="again").but(**columns)


def unseen(name: str, do: Do, **columns: object) -> Row:
    """The server provably did not look at the request: everything is sent again, writes too."""
    return Row(name, do, read="again", write="again", watch="again", lease="again", unseen=True).but(
        **columns
    )


def sends(*make: Callable[[Due], bytes]) -> Do:
    """A fault that sends frames, each made from the stream's id and the answer."""

    async def do(due: Due) -> None:
        await due.raw(*(each(due) for each in make))

    return do
