"""TLS that does not come about, or ends before it should."""

from __future__ import annotations

import ssl

import trio
from engines import _frames as f

from wire_faults._blocks import HEADERS_BLOCK, headers
from wire_faults._certificates import server_context
from wire_faults._etcd import Connection, Due
from wire_faults._faults_connecting import CONNECTING, refused, says, stops
from wire_faults._faults_silence import LEFT
from wire_faults._faults_silence import WORDS as SILENT
from wire_faults._row import Do, Row, harmless, lost

FATAL, HANDSHAKE_FAILURE = 2, 40
RECORD = b"\x17\x03\x03"


def _alert(level: int, what: int) -> bytes:
    return b"\x15\x03\x03\x00\x02" + bytes((level, what))


async def _shake_hands(peer: Connection, context: ssl.SSLContext) -> None:
    stream = trio.SSLStream(peer.line, context, server_side=True)
    await stream.do_handshake()
    await stream.send_all(f.settings())
    await trio.sleep(1)


async def _no_alpn(peer: Connection) -> None:
    await _shake_hands(peer, server_context())


async def _stranger(peer: Connection) -> None:
    await _shake_hands(peer, server_context("h2", stranger=True))


async def _notify(due: Due) -> None:
    """TLS's own end, and the connection's."""
    await due.peer.line.stream.aclose()


def _beneath(octets: bytes, *, silent: bool = False) -> Do:
    """Octets that TLS did not make, and the end (or nothing any more)."""

    async def do(due: Due) -> None:
        stream = due.peer.line.stream
        assert isinstance(stream, trio.SSLStream)
        if octets:
            await stream.transport_stream.send_all(octets)
        if silent:
            due.peer.line.silent = True
        else:
            await stream.transport_stream.aclose()

    return do


async def _answer(due: Due) -> None:
    await due.answer()


async def _within_headers(due: Due) -> None:
    await due.raw(headers(due.stream_id, HEADERS_BLOCK)[:-1])
    await _beneath(b"")(due)


CLOSED = "the server closed the connection"
ROWS: list[Row] = [
    row.but(tls=True)
    for row in [
        harmless("TLS: the answer", _answer),
        refused("TLS: closed instead of a handshake", says(), "during the TLS handshake"),
        refused("TLS: HTTP/2 without TLS", says(f.settings()), "does not speak TLS"),
        refused("TLS: HTTP/1 without TLS", says(b"HTTP/1.0 400 Bad Request\r\n\r\n"), "HTTP/1 without TLS"),
        refused("TLS: nothing", stops(), "within 5 s", within=CONNECTING),
        refused(
            "TLS: the beginning of a handshake", stops(b"\x16\x03\x03\x01"), "within 5 s", within=CONNECTING
        ),
        refused("TLS: an alert", says(_alert(FATAL, HANDSHAKE_FAILURE)), "client certificate"),
        refused("TLS: a record that cannot be one", says(b"\x16\x03\x03\x00\x04abcd"), "TLS failed"),
        refused("TLS: no HTTP/2 in ALPN", _no_alpn, "HTTP/2"),
        refused("TLS: a certificate of a stranger", _stranger, "not from a CA"),
        lost("TLS: closed in due form instead of an answer", _notify, words=CLOSED),
        lost("TLS: closed in due form after headers", _notify, begun=True, words=CLOSED),
        lost("TLS: closed without a word instead of an answer", _beneath(b""), words=CLOSED),
        lost("TLS: closed without a word after headers", _beneath(b""), begun=True, words=CLOSED),
        lost("TLS: closed within HEADERS", _within_headers, words=CLOSED),
        lost("TLS: closed within a record", _beneath(RECORD + b"\x00\x50half"), words=CLOSED),
        lost("TLS: a record that was tampered with", _beneath(RECORD + b"\x00\x20" + bytes(32)), words="TLS"),
        lost("TLS: HTTP/2 beneath TLS", _beneath(f.ping()), words="TLS"),
        lost(
            "TLS: silence within a record", _beneath(RECORD + b"\x00\x50half", silent=True), words=SILENT
        ).but(within=LEFT),
    ]
]
