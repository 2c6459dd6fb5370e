"""RST_STREAM, with every code and at every place."""

from __future__ import annotations

from h2.errors import ErrorCodes

from wire_faults._etcd import Due
from wire_faults._row import Do, Row

REFUSED, CANCEL, SECURITY = 7, 8, 12
#: What a code is for gRPC; all others are INTERNAL.
CLASSES = {REFUSED: "UnavailableError", CANCEL: "ServerCanceledError", SECURITY: "AuthError"}


def reset(code: int) -> Do:
    async def do(due: Due) -> None:
        await due.request.reset(code)

    return do


def data_and_reset(code: int) -> Do:
    async def do(due: Due) -> None:
        await due.data(due.framed[:-1])
        await due.request.reset(code)

    return do


def _row(code: int, where: str, do: Do, *, begun: bool) -> Row:
    cls = CLASSES.get(code, "RpcError")
    name = ErrorCodes(code).name
    again = code in {REFUSED, CANCEL}
    row = Row(
        f"RST_STREAM {name} {where}",
        do,
        read="again" if again else cls,
        write=f"unknown {cls}",
        watch="again",
        lease="again",
        begun=begun,
        words=name,
        long=begun and code not in {0, REFUSED, CANCEL},
    )
    if code == REFUSED and not begun:
        return row.but(write="again", unseen=True)
    return row


ROWS = [
    *(_row(code, "before headers", reset(code), begun=False) for code in ErrorCodes),
    *(_row(code, "after headers", reset(code), begun=True) for code in ErrorCodes),
    *(_row(code, "within a message", data_and_reset(code), begun=True) for code in ErrorCodes),
]
