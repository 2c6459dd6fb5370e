"""SETTINGS in the middle of everything, and windows."""

from __future__ import annotations

import trio
from engines import _frames as f

from wire_faults._etcd import Due
from wire_faults._row import Do, broken, harmless, sends

LARGEST = (1 << 31) - 1
PAUSE = 0.1


def _set(*pairs: tuple[int, int]) -> Do:
    """Other settings, and the answer."""

    async def do(due: Due) -> None:
        await due.raw(f.settings(*pairs))
        await due.answer()

    return do


def _for_a_while(setting: int, value: int, usual: int) -> Do:
    """The answer between two settings; what the client says next has to wait for the second."""

    async def do(due: Due) -> None:
        await due.raw(f.settings((setting, value)))
        await due.answer()
        await trio.sleep(PAUSE)
        await due.raw(f.settings((setting, usual)))

    return do


def _bad(payload: bytes, flags: int = 0, stream_id: int = 0) -> Do:
    return sends(lambda due: f.frame(f.SETTINGS, flags, stream_id, payload))


def _credit(octets: int) -> Do:
    """More window for the call and for the connection, and the answer."""

    async def do(due: Due) -> None:
        await due.raw(f.window_update(0, octets), f.window_update(due.stream_id, octets))
        await due.answer()

    return do


def _window(octets: int, stream_id: int | None = None) -> Do:
    return sends(lambda due: f.window_update(due.stream_id if stream_id is None else stream_id, octets))


ROWS = [
    harmless("INITIAL_WINDOW_SIZE 0 for a while", _for_a_while(f.INITIAL_WINDOW, 0, 65535)),
    harmless("INITIAL_WINDOW_SIZE 1 for a while", _for_a_while(f.INITIAL_WINDOW, 1, 65535)),
    harmless("INITIAL_WINDOW_SIZE 2^31-1", _set((f.INITIAL_WINDOW, LARGEST))),
    harmless("MAX_CONCURRENT_STREAMS 0 for a while", _for_a_while(f.MAX_STREAMS, 0, 100)),
    harmless("MAX_CONCURRENT_STREAMS 1", _set((f.MAX_STREAMS, 1))),
    harmless("HEADER_TABLE_SIZE 0", _set((f.TABLE_SIZE, 0))),
    harmless("HEADER_TABLE_SIZE 0 and 4096 in one", _set((f.TABLE_SIZE, 0), (f.TABLE_SIZE, 4096))),
    harmless("HEADER_TABLE_SIZE 2^32-1", _set((f.TABLE_SIZE, 0xFFFF_FFFF))),
    harmless("MAX_FRAME_SIZE 2^24-1", _set((f.MAX_FRAME, (1 << 24) - 1))),
    harmless("MAX_HEADER_LIST_SIZE 2^20", _set((f.MAX_HEADER_LIST, 1 << 20))),
    harmless("settings that nobody knows", _set((0, 1), (9, 1), (65027, 0xFFFF_FFFF))),
    harmless("SETTINGS without any", _set()),
    harmless("a window larger by 1", _credit(1)),
    broken("SETTINGS of five octets", _bad(bytes(5))),
    broken("SETTINGS on a stream", _bad(b"", stream_id=1)),
    broken("SETTINGS ACK with a payload", _bad(bytes(6), f.ACK)),
    broken("ENABLE_PUSH 1", sends(lambda due: f.settings((f.ENABLE_PUSH, 1)))),
    broken("INITIAL_WINDOW_SIZE 2^31", sends(lambda due: f.settings((f.INITIAL_WINDOW, LARGEST + 1)))),
    broken("MAX_FRAME_SIZE 16,383", sends(lambda due: f.settings((f.MAX_FRAME, 16383)))),
    broken("MAX_FRAME_SIZE 2^24", sends(lambda due: f.settings((f.MAX_FRAME, 1 << 24)))),
    broken(
        "INITIAL_WINDOW_SIZE that overflows a stream's window",
        sends(
            lambda due: f.window_update(due.stream_id, 1 << 20),
            lambda due: f.settings((f.INITIAL_WINDOW, LARGEST)),
        ),
    ),
    broken("WINDOW_UPDATE of 0 for the call", _window(0)),
    broken("WINDOW_UPDATE of 0 for the connection", _window(0, 0)),
    broken("a call's window beyond 2^31-1", _window(LARGEST)),
    broken("the connection's window beyond 2^31-1", _window(LARGEST, 0)),
    broken("WINDOW_UPDATE on a stream that was never opened", _window(1, 1001)),
    broken("WINDOW_UPDATE of three octets", sends(lambda due: f.frame(f.WINDOW_UPDATE, 0, 0, bytes(3)))),
]
