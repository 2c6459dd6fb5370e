"""A function for each parser: it takes any octets, and fails where that breaks its word or differs from another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import _messages as m
import _upb
from _protogen.decoders import snake
from _protogen.model import RESPONSES
from engines import _frames as f
from engines._kit import OK_HEADERS, OK_TRAILERS, EngineClass, Told, Wire
from hpack import Decoder, HPACKError
from test_changes import check as check_changes
from test_keys import in_range

from etcetra_trio import EncodingError, EtcdError, InvalidRequestError
from etcetra_trio._addresses import HostPortPair, parse_endpoints
from etcetra_trio._error_table import rpc_error
from etcetra_trio._keys import key_space, prefix_end
from etcetra_trio._proto import _codec, _projections
from etcetra_trio._proto._messages import etcdserverpb as pb
from etcetra_trio._proto._messages import mvccpb
from etcetra_trio.streams._deframe import MessageError, collect, feed, final_end
from etcetra_trio.streams._fields import fields
from etcetra_trio.streams._greeting import greeting_error
from etcetra_trio.streams._grpc import HeaderBlock, StreamEnd, end_of_response, percent_decode
from etcetra_trio.streams._h2 import H2Engine
from etcetra_trio.streams._lean import LeanEngine
from etcetra_trio.streams._metadata import decode_metadata
from etcetra_trio.streams._protocol import ProtocolViolation, check_metadata
from etcetra_trio.streams._server_version import _version

Target = Callable[[bytes], None]
LIMIT = 64  # octets in a message


def _pieces(octets: bytes) -> list[bytes]:
    """Cut where the octets say so: each part is as long as its first octet tells."""
    found: list[bytes] = []
    at = 0
    while at < len(octets):
        size = octets[at]
        found.append(octets[at + 1 : at + 1 + size])
        at += 1 + size
    return found


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "surrogateescape" if octets[:1] == b"s" else "replace")


def _ends_once(wire: Wire, calls: Sequence[Told]) -> None:
    wire.engine.lost("it is over")
    assert wire.engine.streams == {}
    assert all(call.end is not None for call in calls)
    for call in calls:
        assert [what for what, *_ in call.told].count("end") == 1


def _connection(engine_class: EngineClass) -> Target:
    def frames(octets: bytes) -> None:
        wire = Wire(engine_class, hold_probes=bool(octets[:1] < b"\x80"))
        calls = [wire.unary(), wire.stream(), wire.stream(end=True)]
        wire.feed_anything(octets, len(octets) // 2)
        _ends_once(wire, calls)

    return frames


def headers(octets: bytes) -> None:
    """Blocks in a row mean what they mean to the package hpack: nothing that is kept between them is wrong."""
    decoder = Decoder(max_header_list_size=1 << 16)
    decoder.max_allowed_table_size = 4096
    wire = Wire(LeanEngine)
    calls: list[Told] = []
    for block in _pieces(octets):
        try:
            expected = [(bytes(name), bytes(value)) for name, value in decoder.decode(block, raw=True)]
        except (HPACKError, UnicodeDecodeError, OverflowError):
            expected = None
        calls.append(wire.stream(end=True))
        try:
            wire.feed(f.frame(f.HEADERS, f.END_HEADERS, calls[-1].stream_id, block))
        except ProtocolViolation:
            break
        assert expected is not None
        if (found := calls[-1].headers) is not None:
            assert list(found.fields) == expected
    _ends_once(wire, calls)


def messages(octets: bytes) -> None:
    """What comes out of DATA frames, however it is cut, is what the prefixes say."""
    limit, whole = LIMIT, octets[1:]
    size = max(1, octets[0] if octets else 1)
    cuts = [whole[at : at + size] for at in range(0, len(whole), size)]
    expected: list[bytes] = []
    at, refused = 0, False
    while at + 5 <= len(whole):
        length = int.from_bytes(whole[at + 1 : at + 5], "big")
        if whole[at] or length > limit:
            refused = True
            break
        if at + 5 + length > len(whole):
            break
        expected.append(whole[at + 5 : at + 5 + length])
        at += 5 + length
    told = Told(unary=False)
    credited = 0
    try:
        for part in cuts:
            credited += feed(told, part, limit)
    except MessageError:
        assert refused
    else:
        assert not refused
        given = sum(
            cost for what, *more in told.told if what == "message" and isinstance(cost := more[1], int)
        )
        assert given + credited <= len(whole)
    assert told.messages == expected
    one = Told(unary=True)
    ok = StreamEnd("status", 0)
    try:
        for part in cuts:
            collect(one, part, limit)
        end = final_end(one, ok, limit)
    except MessageError as error:
        end = error.end
    if end is ok:
        assert (one.message, at) == (expected[0], len(whole))
    else:
        assert refused or len(expected) != 1 or at < len(whole)


def answers(octets: bytes) -> None:
    """Header blocks of any content have an end in words, and their metadata can be read."""
    parts = _pieces(octets)
    names = [b":status", b"grpc-status", b"grpc-message", b"content-type", b"x", b"x-bin"]
    block = HeaderBlock(tuple((names[part[0] % len(names)] if part else b"y", part[1:]) for part in parts))
    assert 0 <= block.http_status < 1000
    for first, last in ((block, None), (None, block), (block, block)):
        end = end_of_response(first, last, octets)
        assert 0 <= end.status <= 16
        assert isinstance(str(end.message), str)
    decode_metadata(block.fields)
    text = percent_decode(octets)
    if b"%" not in octets:
        assert text == octets.decode("utf-8", "replace")
    assert (greeting_error(octets) is None) or octets[:1]


def _decoder(name: str) -> Target:
    decode: Callable[[bytes], Any] = getattr(_codec, f"decode_{snake(name)}")
    full_name = f"etcdserverpb.{name}"

    def decoder(octets: bytes) -> None:
        expected = _upb.parse(full_name, octets)
        found, refusal = m.attempt(decode, octets)
        if refusal:
            assert expected is None or m.GROUP in refusal
        else:
            assert expected is not None
            assert m.tree_of_object(found, full_name) == m.tree_of_upb(expected)

    return decoder


_DECODERS = [_decoder(name) for name in RESPONSES]


def protobuf(octets: bytes) -> None:
    """Every decoder, against upb; the first octet chooses."""
    if octets:
        _DECODERS[octets[0] % len(_DECODERS)](octets[1:])


def projections(octets: bytes) -> None:
    """What looks only at a part says what the whole decoder says."""
    full = _upb.parse("etcdserverpb.RangeResponse", octets)
    without_header = (
        _upb.parse("etcdserverpb.RangeResponse", b"\x0a\x00" + octets[2 + octets[1] :])
        if octets[1:]
        else None
    )
    value, refusal = m.attempt(_projections.range_value, octets)
    if refusal:
        assert full is None or m.GROUP in refusal
    else:
        believed = full or without_header
        assert believed is not None
        assert value == (believed.kvs[0].value if believed.kvs else None)
    items, refusal = m.attempt(_projections.range_items, octets)
    if not refusal:
        believed = full or without_header
        assert believed is not None
        assert items == [(kv.key, kv.value) for kv in believed.kvs]
    m.attempt(_projections.range_keys, octets)
    m.attempt(_projections.put_revision, octets)


def small_messages(octets: bytes) -> None:
    """What is read without a decoder: fields of administration, and the server's version."""
    for read in (fields, _version):
        m.attempt(read, octets)


def addresses(octets: bytes) -> None:
    text = _text(octets)
    for parse in (parse_endpoints, HostPortPair.parse):
        try:
            found = parse(text)
        except InvalidRequestError:
            continue
        if isinstance(found, HostPortPair):
            assert HostPortPair.parse(str(found)) == found
        else:
            assert found
            assert all(endpoint.authority.isascii() for endpoint in found)
            assert parse_endpoints([str(endpoint) for endpoint in found]) == found


def errors(octets: bytes) -> None:
    """Whatever the server says there is an error for it, which tells what became of a write."""
    code, text = (octets[0] if octets else 0), _text(octets[1:])
    for write in (False, True):
        error = rpc_error(code, text, method="/etcdserverpb.KV/Put", endpoint="here:1", write=write)
        assert isinstance(error, EtcdError)
        assert str(error)
        assert error.outcome in (("not_applied", "unknown") if write else (None,))


def keys(octets: bytes) -> None:
    """A range below a namespace holds the keys that begin so and no other ones, and text comes back as it was."""
    prefix, *others = _pieces(octets) or [b""]
    end = prefix_end(prefix)
    for key in (octets, *others, prefix + octets):
        assert in_range(key, prefix, end) == key.startswith(prefix)
    for namespace, key in pairwise(others):
        space = key_space(None, namespace)
        if key:
            assert space.text_key(space.key(key)) == key
        text = key_space("utf-8", namespace)
        try:
            whole = text.key(_text(key))
        except (InvalidRequestError, EncodingError):  # empty, or no UTF-8
            continue
        assert text.text_key(whole) == _text(key)


def metadata(octets: bytes) -> None:
    """What is let through cannot break out of its header field."""
    name, _, value = octets.partition(b"=")
    try:
        ((raw, data),) = check_metadata([(_text(name), value)])
    except ValueError:
        return
    assert raw.decode("ascii") == _text(name)
    assert data == value == data.strip()
    assert all(0x20 <= octet <= 0x7E for octet in raw + data)
    assert not raw.startswith((b":", b"grpc-"))


TARGETS: dict[str, Target] = {
    "frames": _connection(LeanEngine),
    "frames-h2": _connection(H2Engine),
    "headers": headers,
    "messages": messages,
    "answers": answers,
    "protobuf": protobuf,
    "changes": check_changes,
    "projections": projections,
    "small-messages": small_messages,
    "addresses": addresses,
    "errors": errors,
    "keys": keys,
    "metadata": metadata,
}


def seeds() -> dict[str, list[bytes]]:
    """Octets that are right, to begin with."""
    wire = Wire(LeanEngine)
    session = [f.settings((f.MAX_STREAMS, 100)), f.SETTINGS_ACK, wire.answer(1), wire.headers(3), f.ping()]
    session += [f.data(3, f.message(b"event")), f.window_update(0, 9), f.rst(3, 8), f.goaway(5)]
    blocks = [wire.block(OK_HEADERS), wire.block(OK_TRAILERS), wire.block([(b"x", b"y" * 30)])]
    kv = mvccpb.KeyValue(key=b"key", create_revision=2, mod_revision=3, version=1, value=b"value", lease=7)
    header = pb.ResponseHeader(cluster_id=1, member_id=2, revision=3, raft_term=4)
    found = bytes(pb.RangeResponse(header=header, kvs=[kv, kv], count=2))
    event = mvccpb.Event(kv=kv, prev_kv=kv)
    watch = bytes(pb.WatchResponse(header=header, watch_id=1, events=[event, event]))
    status = bytes(pb.StatusResponse(header=header, version="3.5.30", db_size=1))
    sized = [bytes([len(part)]) + part for part in (*blocks, blocks[0])]
    frames = [b"".join(session), *session]
    return {
        "frames": frames,
        "frames-h2": frames,
        "headers": [b"".join(sized), *sized],
        "messages": [b"\x03" + f.message(b"one") + f.message(b""), b"\x40" + f.message(b"x" * 60)],
        "answers": [b"\x04\x00200\x02\x010\x05\x02a%20\x11\x03application/grpc\x05\x05YWJj"],
        "protobuf": [
            bytes([number]) + octets for number in range(len(_DECODERS)) for octets in (found, watch)
        ],
        "changes": [watch],
        "projections": [found],
        "small-messages": [status],
        "addresses": [
            b"http://localhost:2379",
            b"https://[::1]:1,b:2",
            b"unix:///run/etcd.sock",
            b"10.0.0.1:1",
            b"http://unix/",
        ],
        "errors": [b"\x0eetcdserver: no leader", b"\x02rpc error: code = PermissionDenied desc = x"],
        "keys": [b"\x02/d\x03/d/\x01x", b"\x02\xff\xff\x00\x01a"],
        "metadata": [b"token=abc.def", b"x-bin=YWJj"],
    }


def changed(right: Sequence[bytes], how: bytes) -> bytes:
    """One of those that are right, with up to three changes; or, a quarter of all, just ``how``."""
    if len(how) < 4 or how[0] < 64:
        return how
    octets = right[how[1] % len(right)]
    for change in range(2, len(how) - 1, 12):
        at = (how[change] << 8 | how[change + 1]) % (len(octets) + 1)
        gone, *come = how[change + 2 : change + 2 + how[change] % 8] or b"\1"
        octets = octets[:at] + bytes(come) + octets[at + gone % 4 :]
    return octets
