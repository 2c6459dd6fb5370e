# Made from protos/ by `scripts/compile_protobuf.py 3.7`. Do not edit.
# ruff: noqa
"""The hot messages, as straight-line code: `decode_x_response(data)` and `x_request(…) -> bytes`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ._wire import LENGTH_10, MAX_DEPTH, VARINT, DecodeError, int32, int64, length, skip, tag, uint64, varint

ETCD_VERSION: Final = "3.7"


class EventType:
    """Numbers of Event.EventType"""

    PUT: Final = 0
    DELETE: Final = 1


class SortOrder:
    """Numbers of RangeRequest.SortOrder"""

    NONE: Final = 0
    ASCEND: Final = 1
    DESCEND: Final = 2


class SortTarget:
    """Numbers of RangeRequest.SortTarget"""

    KEY: Final = 0
    VERSION: Final = 1
    CREATE: Final = 2
    MOD: Final = 3
    VALUE: Final = 4


class CompareResult:
    """Numbers of Compare.CompareResult"""

    EQUAL: Final = 0
    GREATER: Final = 1
    LESS: Final = 2
    NOT_EQUAL: Final = 3


class CompareTarget:
    """Numbers of Compare.CompareTarget"""

    VERSION: Final = 0
    CREATE: Final = 1
    MOD: Final = 2
    VALUE: Final = 3
    LEASE: Final = 4


class FilterType:
    """Events to leave out."""

    NOPUT: Final = 0
    NODELETE: Final = 1


# (cluster_id, member_id) by the bytes that say so in a header.
HEADER_IDS: Final[dict[bytes, tuple[int, int]]] = {}


class ResponseHeader:
    """Who answered, and how far it had come."""

    __slots__ = ("cluster_id", "member_id", "revision", "raft_term")
    cluster_id: int
    member_id: int
    revision: int
    raft_term: int


class KeyValue:
    """One key as it was at some revision."""

    __slots__ = ("key", "create_revision", "mod_revision", "version", "value", "lease")
    key: bytes
    create_revision: int
    mod_revision: int
    version: int
    value: bytes
    lease: int


class RangeResponse:
    """The keys found."""

    __slots__ = ("header", "kvs", "more", "count")
    header: ResponseHeader | None
    kvs: list[KeyValue]
    more: bool
    count: int


class RangeStreamResponse:
    """One chunk of a range."""

    __slots__ = ("range_response",)
    range_response: RangeResponse | None


class PutResponse:
    """PutResponse"""

    __slots__ = ("header", "prev_kv")
    header: ResponseHeader | None
    prev_kv: KeyValue | None


class DeleteRangeResponse:
    """DeleteRangeResponse"""

    __slots__ = ("header", "deleted", "prev_kvs")
    header: ResponseHeader | None
    deleted: int
    prev_kvs: list[KeyValue]


class ResponseOp:
    """The answer to one operation of a transaction: the member that matches the operation."""

    __slots__ = ("response_range", "response_put", "response_delete_range", "response_txn")
    response_range: RangeResponse | None
    response_put: PutResponse | None
    response_delete_range: DeleteRangeResponse | None
    response_txn: TxnResponse | None


class TxnResponse:
    """TxnResponse"""

    __slots__ = ("header", "succeeded", "responses")
    header: ResponseHeader | None
    succeeded: bool
    responses: list[ResponseOp]


class CompactionResponse:
    """CompactionResponse"""

    __slots__ = ("header",)
    header: ResponseHeader | None


class Event:
    """One change of one key."""

    __slots__ = ("type", "kv", "prev_kv")
    type: int
    kv: KeyValue | None
    prev_kv: KeyValue | None


class WatchResponse:
    """WatchResponse"""

    __slots__ = (
        "header",
        "watch_id",
        "created",
        "canceled",
        "compact_revision",
        "cancel_reason",
        "fragment",
        "events",
    )
    header: ResponseHeader | None
    watch_id: int
    created: bool
    canceled: bool
    compact_revision: int
    cancel_reason: str
    fragment: bool
    events: list[Event]


class LeaseGrantResponse:
    """LeaseGrantResponse"""

    __slots__ = ("header", "id", "ttl", "error")
    header: ResponseHeader | None
    id: int
    ttl: int
    error: str


class LeaseRevokeResponse:
    """LeaseRevokeResponse"""

    __slots__ = ("header",)
    header: ResponseHeader | None


class LeaseKeepAliveResponse:
    """LeaseKeepAliveResponse"""

    __slots__ = ("header", "id", "ttl")
    header: ResponseHeader | None
    id: int
    ttl: int


class LeaseTimeToLiveResponse:
    """LeaseTimeToLiveResponse"""

    __slots__ = ("header", "id", "ttl", "granted_ttl", "keys")
    header: ResponseHeader | None
    id: int
    ttl: int
    granted_ttl: int
    keys: list[bytes]


class LeaseStatus:
    """LeaseStatus"""

    __slots__ = ("id",)
    id: int


class LeaseLeasesResponse:
    """LeaseLeasesResponse"""

    __slots__ = ("header", "leases")
    header: ResponseHeader | None
    leases: list[LeaseStatus]


def _response_header(buf: bytes, i: int, end: int) -> ResponseHeader:
    o = ResponseHeader()
    ids = None
    behind = 0
    if end - i > 22:
        # Where the ids end if both have nine or ten bytes. A wrong guess finds nothing, and is harmless.
        behind = i + 10 if buf[i + 9] < 128 else i + 11
        behind += 10 if buf[behind + 9] < 128 else 11
        ids = HEADER_IDS.get(buf[i:behind])
    if ids is not None:
        o.cluster_id, o.member_id = ids
        i = behind
        t = buf[i] if i < end else 0
    else:
        start = i
        t = buf[i] if i < end else 0
        if t == 8:
            v = buf[i + 1]
            i += 2
            if v > 127:
                v, i = uint64(buf, i - 1)
            o.cluster_id = v
            t = buf[i] if i < end else 0
        else:
            o.cluster_id = 0
        if t == 16:
            v = buf[i + 1]
            i += 2
            if v > 127:
                v, i = uint64(buf, i - 1)
            o.member_id = v
            t = buf[i] if i < end else 0
        else:
            o.member_id = 0
        if i == behind:
            if len(HEADER_IDS) >= 64:
                HEADER_IDS.clear()
            HEADER_IDS[buf[start:i]] = o.cluster_id, o.member_id
    if t == 24:
        v = buf[i + 1]
        i += 2
        if v > 127:
            b = buf[i]
            if b < 128:
                v += (b << 7) - 128
                i += 1
            else:
                c = buf[i + 1]
                if c < 128:
                    v += (b << 7) + (c << 14) - 16512
                    i += 2
                else:
                    d = buf[i + 2]
                    if d < 128:
                        v += (b << 7) + (c << 14) + (d << 21) - 2113664
                        i += 3
                    else:
                        v, i = int64(buf, i - 1)
        o.revision = v
        t = buf[i] if i < end else 0
    else:
        o.revision = 0
    if t == 32:
        v = buf[i + 1]
        i += 2
        if v > 127:
            v, i = uint64(buf, i - 1)
        o.raft_term = v
    else:
        o.raft_term = 0
    if i != end:
        _merge_response_header(o, buf, i, end)
    return o


def _merge_response_header(o: ResponseHeader, buf: bytes, i: int, end: int) -> None:
    while i < end:
        t, i = tag(buf, i)
        if t == 8:
            o.cluster_id, i = uint64(buf, i)
        elif t == 16:
            o.member_id, i = uint64(buf, i)
        elif t == 24:
            o.revision, i = int64(buf, i)
        elif t == 32:
            o.raft_term, i = uint64(buf, i)
        else:
            i = skip(buf, i, t)
    if i != end:
        raise DecodeError("a field runs past the end of its ResponseHeader")


def _key_value(buf: bytes, i: int, end: int) -> KeyValue:
    o = KeyValue()
    t = buf[i] if i < end else 0
    if t == 10:
        n = buf[i + 1]
        i += 2
        if n > 127:
            b = buf[i]
            if b < 128:
                n += (b << 7) - 128
                i += 1
            else:
                n, i = length(buf, i - 1)
        o.key = buf[i : i + n]
        i += n
        t = buf[i] if i < end else 0
    else:
        o.key = b""
    if t == 16:
        v = buf[i + 1]
        i += 2
        if v > 127:
            b = buf[i]
            if b < 128:
                v += (b << 7) - 128
                i += 1
            else:
                c = buf[i + 1]
                if c < 128:
                    v += (b << 7) + (c << 14) - 16512
                    i += 2
                else:
                    d = buf[i + 2]
                    if d < 128:
                        v += (b << 7) + (c << 14) + (d << 21) - 2113664
                        i += 3
                    else:
                        v, i = int64(buf, i - 1)
        o.create_revision = v
        t = buf[i] if i < end else 0
    else:
        o.create_revision = 0
    if t == 24:
        v = buf[i + 1]
        i += 2
        if v > 127:
            b = buf[i]
            if b < 128:
                v += (b << 7) - 128
                i += 1
            else:
                c = buf[i + 1]
                if c < 128:
                    v += (b << 7) + (c << 14) - 16512
                    i += 2
                else:
                    d = buf[i + 2]
                    if d < 128:
                        v += (b << 7) + (c << 14) + (d << 21) - 2113664
                        i += 3
                    else:
                        v, i = int64(buf, i - 1)
        o.mod_revision = v
        t = buf[i] if i < end else 0
    else:
        o.mod_revision = 0
    if t == 32:
        v = buf[i + 1]
        i += 2
        if v > 127:
            b = buf[i]
            if b < 128:
                v += (b << 7) - 128
                i += 1
            else:
                c = buf[i + 1]
                if c < 128:
                    v += (b << 7) + (c << 14) - 16512
                    i += 2
                else:
                    d = buf[i + 2]
                    if d < 128:
                        v += (b << 7) + (c << 14) + (d << 21) - 2113664
                        i += 3
                    else:
                        v, i = int64(buf, i - 1)
        o.version = v
        t = buf[i] if i < end else 0
    else:
        o.version = 0
    if t == 42:
        n = buf[i + 1]
        i += 2
        if n > 127:
            b = buf[i]
            if b < 128:
                n += (b << 7) - 128
                i += 1
            else:
                n, i = length(buf, i - 1)
        o.value = buf[i : i + n]
        i += n
        t = buf[i] if i < end else 0
    else:
        o.value = b""
    if t == 48:
        v = buf[i + 1]
        i += 2
        if v > 127:
            b = buf[i]
            if b < 128:
                v += (b << 7) - 128
                i += 1
            else:
                c = buf[i + 1]
                if c < 128:
                    v += (b << 7) + (c << 14) - 16512
                    i += 2
                else:
                    d = buf[i + 2]
                    if d < 128:
                        v += (b << 7) + (c << 14) + (d << 21) - 2113664
                        i += 3
                    else:
                        v, i = int64(buf, i - 1)
        o.lease = v
    else:
        o.lease = 0
    if i != end:
        _merge_key_value(o, buf, i, end)
    return o


def _merge_key_value(o: KeyValue, buf: bytes, i: int, end: int) -> None:
    while i < end:
        t, i = tag(buf, i)
        if t == 10:
            n, i = length(buf, i)
            j = i + n
            o.key = buf[i:j]
            i = j
        elif t == 16:
            o.create_revision, i = int64(buf, i)
        elif t == 24:
            o.mod_revision, i = int64(buf, i)
        elif t == 32:
            o.version, i = int64(buf, i)
        elif t == 42:
            n, i = length(buf, i)
            j = i + n
            o.value = buf[i:j]
            i = j
        elif t == 48:
            o.lease, i = int64(buf, i)
        else:
            i = skip(buf, i, t)
    if i != end:
        raise DecodeError("a field runs past the end of its KeyValue")


def _range_response(buf: bytes, i: int, end: int) -> RangeResponse:
    o = RangeResponse()
    t = buf[i] if i < end else 0
    if t == 10:
        n = buf[i + 1]
        i += 2
        if n > 127:
            b = buf[i]
            if b < 128:
                n += (b << 7) - 128
                i += 1
            else:
                n, i = length(buf, i - 1)
        o.header = _response_header(buf, i, i + n)
        i += n
        t = buf[i] if i < end else 0
    else:
        o.header = None
    items: list[KeyValue] = []
    o.kvs = items
    while t == 18:
        n = buf[i + 1]
        i += 2
        if n > 127:
            b = buf[i]
            if b < 128:
                n += (b << 7) - 128
                i += 1
            else:
                n, i = length(buf, i - 1)
        e = i + n
        item = KeyValue()
        t = buf[i] if i < e else 0
        if t == 10:
            n = buf[i + 1]
            i += 2
            if n > 127:
                b = buf[i]
                if b < 128:
                    n += (b << 7) - 128
                    i += 1
                else:
                    n, i = length(buf, i - 1)
            item.key = buf[i : i + n]
            i += n
            t = buf[i] if i < e else 0
        else:
            item.key = b""
        if t == 16:
            v = buf[i + 1]
            i += 2
            if v > 127:
                b = buf[i]
                if b < 128:
                    v += (b << 7) - 128
                    i += 1
                else:
                    c = buf[i + 1]
                    if c < 128:
                        v += (b << 7) + (c << 14) - 16512
                        i += 2
                    else:
                        d = buf[i + 2]
                        if d < 128:
                            v += (b << 7) + (c << 14) + (d << 21) - 2113664
                            i += 3
                        else:
                            v, i = int64(buf, i - 1)
            item.create_revision = v
            t = buf[i] if i < e else 0
        else:
            item.create_revision = 0
        if t == 24:
            v = buf[i + 1]
            i += 2
            if v > 127:
                b = buf[i]
                if b < 128:
                    v += (b << 7) - 128
                    i += 1
                else:
                    c = buf[i + 1]
                    if c < 128:
                        v += (b << 7) + (c << 14) - 16512
                        i += 2
                    else:
                        d = buf[i + 2]
                        if d < 128:
                            v += (b << 7) + (c << 14) + (d << 21) - 2113664
                            i += 3
                        else:
                            v, i = int64(buf, i - 1)
            item.mod_revision = v
            t = buf[i] if i < e else 0
        else:
            item.mod_revision = 0
        if t == 32:
            v = buf[i + 1]
            i += 2
            if v > 127:
                b = buf[i]
                if b < 128:
                    v += (b << 7) - 128
                    i += 1
                else:
                    c = buf[i + 1]
                    if c < 128:
                        v += (b << 7) + (c << 14) - 16512
                        i += 2
                    else:
                        d = buf[i + 2]
                        if d < 128:
                            v += (b << 7) + (c << 14) + (d << 21) - 2113664
                            i += 3
                        else:
                            v, i = int64(buf, i - 1)
            item.version = v
            t = buf[i] if i < e else 0
        else:
            item.version = 0
        if t == 42:
            n = buf[i + 1]
            i += 2
            if n > 127:
                b = buf[i]
                if b < 128:
                    n += (b << 7) - 128
                    i += 1
                else:
                    n, i = length(buf, i - 1)
            item.value = buf[i : i + n]
            i += n
            t = buf[i] if i < e else 0
        else:
            item.value = b""
        if t == 48:
            v = buf[i + 1]
            i += 2
            if v > 127:
                b = buf[i]
                if b < 128:
                    v += (b << 7) - 128
                    i += 1
                else:
                    c = buf[i + 1]
                    if c < 128:
                        v += (b << 7) + (c << 14) - 16512
                        i += 2
                    else:
                        d = buf[i + 2]
                        if d < 128:
                            v += (b << 7) + (c << 14) + (d << 21) - 2113664
                            i += 3
                        else:
                            v, i = int64(buf, i - 1)
            item.lease = v
        else:
            item.lease = 0
        if i != e:
            _merge_key_value(item, buf, i, e)
            i = e
        items.append(item)
        t = buf[i] if i < end else 0
    if t == 24:
        v = buf[i + 1]
        i += 2
        if v > 127:
            v, i = uint64(buf, i - 1)
        o.more = v != 0
        t = buf[i] if i < end else 0
    else:
        o.more = False
    if t == 32:
        v = buf[i + 1]
        i += 2
        if v > 127:
            v, i = int64(buf, i - 1)
        o.count = v
    else:
        o.count = 0
    if i != end:
        _merge_range_response(o, buf, i, end)
    return o


def _merge_range_response(o: RangeResponse, buf: bytes, i: int, end: int) -> None:
    while i < end:
        t, i = tag(buf, i)
        if t == 10:
            n, i = length(buf, i)
            j = i + n
            header = o.header
            if header is None:
                o.header = _response_header(buf, i, j)
            else:
                _merge_response_header(header, buf, i, j)
            i = j
        elif t == 18:
            n, i = length(buf, i)
            j = i + n
            o.kvs.append(_key_value(buf, i, j))
            i = j
        elif t == 24:
            v, i = uint64(buf, i)
            o.more = v != 0
        elif t == 32:
            o.count, i = int64(buf, i)
        else:
            i = skip(buf, i, t)
    if i != end:
        raise DecodeError("a field runs past the end of its RangeResponse")


def _range_stream_response(buf: bytes, i: int, end: int) -> RangeStreamResponse:
    o = RangeStreamResponse()
    t = buf[i] if i < end else 0
    if t == 10:
        n = buf[i + 1]
        i += 2
        if n > 127:
            b = buf[i]
            if b < 128:
                n += (b << 7) - 128
                i += 1
            else:
                n, i = length(buf, i - 1)
        o.range_response = _range_response(buf, i, i + n)
        i += n
    else:
        o.range_response = None
    if i != end:
        _merge_range_stream_response(o, buf, i, end)
    return o


def _merge_range_stream_response(o: RangeStreamResponse, buf: bytes, i: int, end: int) -> None:
    while i < end:
        t, i = tag(buf, i)
        if t == 10:
            n, i = length(buf, i)
            j = i + n
            range_response = o.range_response
            if range_response is None:
                o.range_response = _range_response(buf, i, j)
            else:
                _merge_range_response(range_response, buf, i, j)
            i = j
        else:
            i = skip(buf, i, t)
    if i != end:
        raise DecodeError("a field runs past the end of its RangeStreamResponse")


def _put_response(buf: bytes, i: int, end: int) -> PutResponse:
    o = PutResponse()
    t = buf[i] if i < end else 0
    if t == 10:
        n = buf[i + 1]
        i += 2
        if n > 127:
            b = buf[i]
            if b < 128:
                n += (b << 7) - 128
                i += 1
            else:
                n, i = length(buf, i - 1)
        o.header = _response_header(buf, i, i + n)
        i += n
        t = buf[i] if i < end else 0
    else:
        o.header = None
    if t == 18:
        n = buf[i + 1]
        i += 2
        if n > 127:
            b = buf[i]
            if b < 128:
                n += (b << 7) - 128
                i += 1
            else:
                n, i = length(buf, i - 1)
        o.prev_kv = _key_value(buf, i, i + n)
        i += n
    else:
        o.prev_kv = None
    if i != end:
        _merge_put_response(o, buf, i, end)
    return o


def _merge_put_response(o: PutResponse, buf: bytes, i: int, end: int) -> None:
    while i < end:
        t, i = tag(buf, i)
        if t == 10:
            n, i = length(buf, i)
            j = i + n
            header = o.header
            if header is None:
                o.header = _response_header(buf, i, j)
            else:
                _merge_response_header(header, buf, i, j)
            i = j
        elif t == 18:
            n, i = length(buf, i)
            j = i + n
            prev_kv = o.prev_kv
            if prev_kv is None:
                o.prev_kv = _key_value(buf, i, j)
            else:
                _merge_key_value(prev_kv, buf, i, j)
            i = j
        else:
            i = skip(buf, i, t)
    if i != end:
        raise DecodeError("a field runs past the end of its PutResponse")


def _delete_range_response(buf: bytes, i: int, end: int) -> DeleteRangeResponse:
    o = DeleteRangeResponse()
    t = buf[i] if i < end else 0
    if t == 10:
        n = buf[i + 1]
        i += 2
        if n > 127:
            b = buf[i]
            if b < 128:
                n += (b << 7) - 128
                i += 1
            else:
                n, i = length(buf, i - 1)
        o.header = _response_header(buf, i, i + n)
        i += n
        t = buf[i] if i < end else 0
    else:
        o.header = None
    if t == 16:
        v = buf[i + 1]
        i += 2
        if v > 127:
            v, i = int64(buf, i - 1)
        o.deleted = v
        t = buf[i] if i < end else 0
    else:
        o.deleted = 0
    items: list[KeyValue] = []
    o.prev_kvs = items
    while t == 26:
        n = buf[i + 1]
        i += 2
        if n > 127:
            b = buf[i]
            if b < 128:
                n += (b << 7) - 128
                i += 1
            else:
                n, i = length(buf, i - 1)
        e = i + n
        item = KeyValue()
        t = buf[i] if i < e else 0
        if t == 10:
            n = buf[i + 1]
            i += 2
            if n > 127:
                b = buf[i]
                if b < 128:
                    n += (b << 7) - 128
                    i += 1
                else:
                    n, i = length(buf, i - 1)
            item.key = buf[i : i + n]
            i += n
            t = buf[i] if i < e else 0
        else:
            item.key = b""
        if t == 16:
            v = buf[i + 1]
            i += 2
            if v > 127:
                b = buf[i]
                if b < 128:
                    v += (b << 7) - 128
                    i += 1
                else:
                    c = buf[i + 1]
                    if c < 128:
                        v += (b << 7) + (c << 14) - 16512
                        i += 2
                    else:
                        d = buf[i + 2]
                        if d < 128:
                            v += (b << 7) + (c << 14) + (d << 21) - 2113664
                            i += 3
                        else:
                            v, i = int64(buf, i - 1)
            item.create_revision = v
            t = buf[i] if i < e else 0
        else:
            item.create_revision = 0
        if t == 24:
            v = buf[i + 1]
            i += 2
            if v > 127:
                b = buf[i]
                if b < 128:
                    v += (b << 7) - 128
                    i += 1
                else:
                    c = buf[i + 1]
                    if c < 128:
                        v += (b << 7) + (c << 14) - 16512
                        i += 2
                    else:
                        d = buf[i + 2]
                        if d < 128:
                            v += (b << 7) + (c << 14) + (d << 21) - 2113664
                            i += 3
                        else:
                            v, i = int64(buf, i - 1)
            item.mod_revision = v
            t = buf[i] if i < e else 0
        else:
            item.mod_revision = 0
        if t == 32:
            v = buf[i + 1]
            i += 2
            if v > 127:
                b = buf[i]
                if b < 128:
                    v += (b << 7) - 128
                    i += 1
                else:
                    c = buf[i + 1]
                    if c < 128:
                        v += (b << 7) + (c << 14) - 16512
                        i += 2
                    else:
                        d = buf[i + 2]
                        if d < 128:
                            v += (b << 7) + (c << 14) + (d << 21) - 2113664
                            i += 3
                        else:
                            v, i = int64(buf, i - 1)
            item.version = v
            t = buf[i] if i < e else 0
        else:
            item.version = 0
        if t == 42:
            n = buf[i + 1]
            i += 2
            if n > 127:
                b = buf[i]
                if b < 128:
                    n += (b << 7) - 128
                    i += 1
                else:
                    n, i = length(buf, i - 1)
            item.value = buf[i : i + n]
            i += n
            t = buf[i] if i < e else 0
        else:
            item.value = b""
        if t == 48:
            v = buf[i + 1]
            i += 2
            if v > 127:
                b = buf[i]
                if b < 128:
                    v += (b << 7) - 128
                    i += 1
                else:
                    c = buf[i + 1]
                    if c < 128:
                        v += (b << 7) + (c << 14) - 16512
                        i += 2
                    else:
                        d = buf[i + 2]
                        if d < 128:
                            v += (b << 7) + (c << 14) + (d << 21) - 2113664
                            i += 3
                        else:
                            v, i = int64(buf, i - 1)
            item.lease = v
        else:
            item.lease = 0
        if i != e:
            _merge_key_value(item, buf, i, e)
            i = e
        items.append(item)
        t = buf[i] if i < end else 0
    if i != end:
        _merge_delete_range_response(o, buf, i, end)
    return o


def _merge_delete_range_response(o: DeleteRangeResponse, buf: bytes, i: int, end: int) -> None:
    while i < end:
        t, i = tag(buf, i)
        if t == 10:
            n, i = length(buf, i)
            j = i + n
            header = o.header
            if header is None:
                o.header = _response_header(buf, i, j)
            else:
                _merge_response_header(header, buf, i, j)
            i = j
        elif t == 16:
            o.deleted, i = int64(buf, i)
        elif t == 26:
            n, i = length(buf, i)
            j = i + n
            o.prev_kvs.append(_key_value(buf, i, j))
            i = j
        else:
            i = skip(buf, i, t)
    if i != end:
        raise DecodeError("a field runs past the end of its DeleteRangeResponse")


def _response_op(buf: bytes, i: int, end: int, depth: int) -> ResponseOp:
    if depth < 0:
        raise DecodeError("nested too deeply")
    o = ResponseOp()
    t = buf[i] if i < end else 0
    o.response_range = None
    o.response_put = None
    o.response_delete_range = None
    o.response_txn = None
    if t == 10:
        n = buf[i + 1]
        i += 2
        if n > 127:
            b = buf[i]
            if b < 128:
                n += (b << 7) - 128
                i += 1
            else:
                n, i = length(buf, i - 1)
        o.response_range = _range_response(buf, i, i + n)
        i += n
    elif t == 18:
        n = buf[i + 1]
        i += 2
        if n > 127:
            b = buf[i]
            if b < 128:
                n += (b << 7) - 128
                i += 1
            else:
                n, i = length(buf, i - 1)
        o.response_put = _put_response(buf, i, i + n)
        i += n
    elif t == 26:
        n = buf[i + 1]
        i += 2
        if n > 127:
            b = buf[i]
            if b < 128:
                n += (b << 7) - 128
                i += 1
            else:
                n, i = length(buf, i - 1)
        o.response_delete_range = _delete_range_response(buf, i, i + n)
        i += n
    elif t == 34:
        n = buf[i + 1]
        i += 2
        if n > 127:
            b = buf[i]
            if b < 128:
                n += (b << 7) - 128
                i += 1
            else:
                n, i = length(buf, i - 1)
        o.response_txn = _txn_response(buf, i, i + n, depth - 1)
        i += n
    if i != end:
        _merge_response_op(o, buf, i, end, depth)
    return o


def _merge_response_op(o: ResponseOp, buf: bytes, i: int, end: int, depth: int) -> None:
    while i < end:
        t, i = tag(buf, i)
        if t == 10:
            n, i = length(buf, i)
            j = i + n
            response_range = o.response_range
            if response_range is None:
                o.response_range = _range_response(buf, i, j)
                o.response_put = None
                o.response_delete_range = None
                o.response_txn = None
            else:
                _merge_range_response(response_range, buf, i, j)
            i = j
        elif t == 18:
            n, i = length(buf, i)
            j = i + n
            response_put = o.response_put
            if response_put is None:
                o.response_put = _put_response(buf, i, j)
                o.response_range = None
                o.response_delete_range = None
                o.response_txn = None
            else:
                _merge_put_response(response_put, buf, i, j)
            i = j
        elif t == 26:
            n, i = length(buf, i)
            j = i + n
            response_delete_range = o.response_delete_range
            if response_delete_range is None:
                o.response_delete_range = _delete_range_response(buf, i, j)
                o.response_range = None
                o.response_put = None
                o.response_txn = None
            else:
                _merge_delete_range_response(response_delete_range, buf, i, j)
            i = j
        elif t == 34:
            n, i = length(buf, i)
            j = i + n
            response_txn = o.response_txn
            if response_txn is None:
                o.response_txn = _txn_response(buf, i, j, depth - 1)
                o.response_range = None
                o.response_put = None
                o.response_delete_range = None
            else:
                _merge_txn_response(response_txn, buf, i, j, depth - 1)
            i = j
        else:
            i = skip(buf, i, t)
    if i != end:
        raise DecodeError("a field runs past the end of its ResponseOp")


def _txn_response(buf: bytes, i: int, end: int, depth: int) -> TxnResponse:
    if depth < 0:
        raise DecodeError("nested too deeply")
    o = TxnResponse()
    t = buf[i] if i < end else 0
    if t == 10:
        n = buf[i + 1]
        i += 2
        if n > 127:
            b = buf[i]
            if b < 128:
                n += (b << 7) - 128
                i += 1
            else:
                n, i = length(buf, i - 1)
        o.header = _response_header(buf, i, i + n)
        i += n
        t = buf[i] if i < end else 0
    else:
        o.header = None
    if t == 16:
        v = buf[i + 1]
        i += 2
        if v > 127:
            v, i = uint64(buf, i - 1)
        o.succeeded = v != 0
        t = buf[i] if i < end else 0
    else:
        o.succeeded = False
    items: list[ResponseOp] = []
    o.responses = items
    while t == 26:
        n = buf[i + 1]
        i += 2
        if n > 127:
            b = buf[i]
            if b < 128:
                n += (b << 7) - 128
                i += 1
            else:
                n, i = length(buf, i - 1)
        items.append(_response_op(buf, i, i + n, depth - 1))
        i += n
        t = buf[i] if i < end else 0
    if i != end:
        _merge_txn_response(o, buf, i, end, depth)
    return o


def _merge_txn_response(o: TxnResponse, buf: bytes, i: int, end: int, depth: int) -> None:
    while i < end:
        t, i = tag(buf, i)
        if t == 10:
            n, i = length(buf, i)
            j = i + n
            header = o.header
            if header is None:
                o.header = _response_header(buf, i, j)
            else:
                _merge_response_header(header, buf, i, j)
            i = j
        elif t == 16:
            v, i = uint64(buf, i)
            o.succeeded = v != 0
        elif t == 26:
            n, i = length(buf, i)
            j = i + n
            o.responses.append(_response_op(buf, i, j, depth - 1))
            i = j
        else:
            i = skip(buf, i, t)
    if i != end:
        raise DecodeError("a field runs past the end of its TxnResponse")


def _compaction_response(buf: bytes, i: int, end: int) -> CompactionResponse:
    o = CompactionResponse()
    t = buf[i] if i < end else 0
    if t == 10:
        n = buf[i + 1]
        i += 2
        if n > 127:
            b = buf[i]
            if b < 128:
                n += (b << 7) - 128
                i += 1
            else:
                n, i = length(buf, i - 1)
        o.header = _response_header(buf, i, i + n)
        i += n
    else:
        o.header = None
    if i != end:
        _merge_compaction_response(o, buf, i, end)
    return o


def _merge_compaction_response(o: CompactionResponse, buf: bytes, i: int, end: int) -> None:
    while i < end:
        t, i = tag(buf, i)
        if t == 10:
            n, i = length(buf, i)
            j = i + n
            header = o.header
            if header is None:
                o.header = _response_header(buf, i, j)
            else:
                _merge_response_header(header, buf, i, j)
            i = j
        else:
            i = skip(buf, i, t)
    if i != end:
        raise DecodeError("a field runs past the end of its CompactionResponse")


def _event(buf: bytes, i: int, end: int) -> Event:
    o = Event()
    t = buf[i] if i < end else 0
    if t == 8:
        v = buf[i + 1]
        i += 2
        if v > 127:
            v, i = int32(buf, i - 1)
        o.type = v
        t = buf[i] if i < end else 0
    else:
        o.type = 0
    if t == 18:
        n = buf[i + 1]
        i += 2
        if n > 127:
            b = buf[i]
            if b < 128:
                n += (b << 7) - 128
                i += 1
            else:
                n, i = length(buf, i - 1)
        o.kv = _key_value(buf, i, i + n)
        i += n
        t = buf[i] if i < end else 0
    else:
        o.kv = None
    if t == 26:
        n = buf[i + 1]
        i += 2
        if n > 127:
            b = buf[i]
            if b < 128:
                n += (b << 7) - 128
                i += 1
            else:
                n, i = length(buf, i - 1)
        o.prev_kv = _key_value(buf, i, i + n)
        i += n
    else:
        o.prev_kv = None
    if i != end:
        _merge_event(o, buf, i, end)
    return o


def _merge_event(o: Event, buf: bytes, i: int, end: int) -> None:
    while i < end:
        t, i = tag(buf, i)
        if t == 8:
            o.type, i = int32(buf, i)
        elif t == 18:
            n, i = length(buf, i)
            j = i + n
            kv = o.kv
            if kv is None:
                o.kv = _key_value(buf, i, j)
            else:
                _merge_key_value(kv, buf, i, j)
            i = j
        elif t == 26:
            n, i = length(buf, i)
            j = i + n
            prev_kv = o.prev_kv
            if prev_kv is None:
                o.prev_kv = _key_value(buf, i, j)
            else:
                _merge_key_value(prev_kv, buf, i, j)
            i = j
        else:
            i = skip(buf, i, t)
    if i != end:
        raise DecodeError("a field runs past the end of its Event")


def _watch_response(buf: bytes, i: int, end: int) -> WatchResponse:
    o = WatchResponse()
    t = buf[i] if i < end else 0
    if t == 10:
        n = buf[i + 1]
        i += 2
        if n > 127:
            b = buf[i]
            if b < 128:
                n += (b << 7) - 128
                i += 1
            else:
                n, i = length(buf, i - 1)
        o.header = _response_header(buf, i, i + n)
        i += n
        t = buf[i] if i < end else 0
    else:
        o.header = None
    if t == 16:
        v = buf[i + 1]
        i += 2
        if v > 127:
            v, i = int64(buf, i - 1)
        o.watch_id = v
        t = buf[i] if i < end else 0
    else:
        o.watch_id = 0
    if t == 24:
        v = buf[i + 1]
        i += 2
        if v > 127:
            v, i = uint64(buf, i - 1)
        o.created = v != 0
        t = buf[i] if i < end else 0
    else:
        o.created = False
    if t == 32:
        v = buf[i + 1]
        i += 2
        if v > 127:
            v, i = uint64(buf, i - 1)
        o.canceled = v != 0
        t = buf[i] if i < end else 0
    else:
        o.canceled = False
    if t == 40:
        v = buf[i + 1]
        i += 2
        if v > 127:
            v, i = int64(buf, i - 1)
        o.compact_revision = v
        t = buf[i] if i < end else 0
    else:
        o.compact_revision = 0
    if t == 50:
        n = buf[i + 1]
        i += 2
        if n > 127:
            b = buf[i]
            if b < 128:
                n += (b << 7) - 128
                i += 1
            else:
                n, i = length(buf, i - 1)
        o.cancel_reason = buf[i : i + n].decode()
        i += n
        t = buf[i] if i < end else 0
    else:
        o.cancel_reason = ""
    if t == 56:
        v = buf[i + 1]
        i += 2
        if v > 127:
            v, i = uint64(buf, i - 1)
        o.fragment = v != 0
        t = buf[i] if i < end else 0
    else:
        o.fragment = False
    items: list[Event] = []
    o.events = items
    while t == 90:
        n = buf[i + 1]
        i += 2
        if n > 127:
            b = buf[i]
            if b < 128:
                n += (b << 7) - 128
                i += 1
            else:
                n, i = length(buf, i - 1)
        items.append(_event(buf, i, i + n))
        i += n
        t = buf[i] if i < end else 0
    if i != end:
        _merge_watch_response(o, buf, i, end)
    return o


def _merge_watch_response(o: WatchResponse, buf: bytes, i: int, end: int) -> None:
    while i < end:
        t, i = tag(buf, i)
        if t == 10:
            n, i = length(buf, i)
            j = i + n
            header = o.header
            if header is None:
                o.header = _response_header(buf, i, j)
            else:
                _merge_response_header(header, buf, i, j)
            i = j
        elif t == 16:
            o.watch_id, i = int64(buf, i)
        elif t == 24:
            v, i = uint64(buf, i)
            o.created = v != 0
        elif t == 32:
            v, i = uint64(buf, i)
            o.canceled = v != 0
        elif t == 40:
            o.compact_revision, i = int64(buf, i)
        elif t == 50:
            n, i = length(buf, i)
            j = i + n
            o.cancel_reason = buf[i:j].decode()
            i = j
        elif t == 56:
            v, i = uint64(buf, i)
            o.fragment = v != 0
        elif t == 90:
            n, i = length(buf, i)
            j = i + n
            o.events.append(_event(buf, i, j))
            i = j
        else:
            i = skip(buf, i, t)
    if i != end:
        raise DecodeError("a field runs past the end of its WatchResponse")


def _lease_grant_response(buf: bytes, i: int, end: int) -> LeaseGrantResponse:
    o = LeaseGrantResponse()
    t = buf[i] if i < end else 0
    if t == 10:
        n = buf[i + 1]
        i += 2
        if n > 127:
            b = buf[i]
            if b < 128:
                n += (b << 7) - 128
                i += 1
            else:
                n, i = length(buf, i - 1)
        o.header = _response_header(buf, i, i + n)
        i += n
        t = buf[i] if i < end else 0
    else:
        o.header = None
    if t == 16:
        v = buf[i + 1]
        i += 2
        if v > 127:
            v, i = int64(buf, i - 1)
        o.id = v
        t = buf[i] if i < end else 0
    else:
        o.id = 0
    if t == 24:
        v = buf[i + 1]
        i += 2
        if v > 127:
            v, i = int64(buf, i - 1)
        o.ttl = v
        t = buf[i] if i < end else 0
    else:
        o.ttl = 0
    if t == 34:
        n = buf[i + 1]
        i += 2
        if n > 127:
            b = buf[i]
            if b < 128:
                n += (b << 7) - 128
                i += 1
            else:
                n, i = length(buf, i - 1)
        o.error = buf[i : i + n].decode()
        i += n
    else:
        o.error = ""
    if i != end:
        _merge_lease_grant_response(o, buf, i, end)
    return o


def _merge_lease_grant_response(o: LeaseGrantResponse, buf: bytes, i: int, end: int) -> None:
    while i < end:
        t, i = tag(buf, i)
        if t == 10:
            n, i = length(buf, i)
            j = i + n
            header = o.header
            if header is None:
                o.header = _response_header(buf, i, j)
            else:
                _merge_response_header(header, buf, i, j)
            i = j
        elif t == 16:
            o.id, i = int64(buf, i)
        elif t == 24:
            o.ttl, i = int64(buf, i)
        elif t == 34:
            n, i = length(buf, i)
            j = i + n
            o.error = buf[i:j].decode()
            i = j
        else:
            i = skip(buf, i, t)
    if i != end:
        raise DecodeError("a field runs past the end of its LeaseGrantResponse")


def _lease_revoke_response(buf: bytes, i: int, end: int) -> LeaseRevokeResponse:
    o = LeaseRevokeResponse()
    t = buf[i] if i < end else 0
    if t == 10:
        n = buf[i + 1]
        i += 2
        if n > 127:
            b = buf[i]
            if b < 128:
                n += (b << 7) - 128
                i += 1
            else:
                n, i = length(buf, i - 1)
        o.header = _response_header(buf, i, i + n)
        i += n
    else:
        o.header = None
    if i != end:
        _merge_lease_revoke_response(o, buf, i, end)
    return o


def _merge_lease_revoke_response(o: LeaseRevokeResponse, buf: bytes, i: int, end: int) -> None:
    while i < end:
        t, i = tag(buf, i)
        if t == 10:
            n, i = length(buf, i)
            j = i + n
            header = o.header
            if header is None:
                o.header = _response_header(buf, i, j)
            else:
                _merge_response_header(header, buf, i, j)
            i = j
        else:
            i = skip(buf, i, t)
    if i != end:
        raise DecodeError("a field runs past the end of its LeaseRevokeResponse")


def _lease_keep_alive_response(buf: bytes, i: int, end: int) -> LeaseKeepAliveResponse:
    o = LeaseKeepAliveResponse()
    t = buf[i] if i < end else 0
    if t == 10:
        n = buf[i + 1]
        i += 2
        if n > 127:
            b = buf[i]
            if b < 128:
                n += (b << 7) - 128
                i += 1
            else:
                n, i = length(buf, i - 1)
        o.header = _response_header(buf, i, i + n)
        i += n
        t = buf[i] if i < end else 0
    else:
        o.header = None
    if t == 16:
        v = buf[i + 1]
        i += 2
        if v > 127:
            v, i = int64(buf, i - 1)
        o.id = v
        t = buf[i] if i < end else 0
    else:
        o.id = 0
    if t == 24:
        v = buf[i + 1]
        i += 2
        if v > 127:
            v, i = int64(buf, i - 1)
        o.ttl = v
    else:
        o.ttl = 0
    if i != end:
        _merge_lease_keep_alive_response(o, buf, i, end)
    return o


def _merge_lease_keep_alive_response(o: LeaseKeepAliveResponse, buf: bytes, i: int, end: int) -> None:
    while i < end:
        t, i = tag(buf, i)
        if t == 10:
            n, i = length(buf, i)
            j = i + n
            header = o.header
            if header is None:
                o.header = _response_header(buf, i, j)
            else:
                _merge_response_header(header, buf, i, j)
            i = j
        elif t == 16:
            o.id, i = int64(buf, i)
        elif t == 24:
            o.ttl, i = int64(buf, i)
        else:
            i = skip(buf, i, t)
    if i != end:
        raise DecodeError("a field runs past the end of its LeaseKeepAliveResponse")


def _lease_time_to_live_response(buf: bytes, i: int, end: int) -> LeaseTimeToLiveResponse:
    o = LeaseTimeToLiveResponse()
    t = buf[i] if i < end else 0
    if t == 10:
        n = buf[i + 1]
        i += 2
        if n > 127:
            b = buf[i]
            if b < 128:
                n += (b << 7) - 128
                i += 1
            else:
                n, i = length(buf, i - 1)
        o.header = _response_header(buf, i, i + n)
        i += n
        t = buf[i] if i < end else 0
    else:
        o.header = None
    if t == 16:
        v = buf[i + 1]
        i += 2
        if v > 127:
            v, i = int64(buf, i - 1)
        o.id = v
        t = buf[i] if i < end else 0
    else:
        o.id = 0
    if t == 24:
        v = buf[i + 1]
        i += 2
        if v > 127:
            v, i = int64(buf, i - 1)
        o.ttl = v
        t = buf[i] if i < end else 0
    else:
        o.ttl = 0
    if t == 32:
        v = buf[i + 1]
        i += 2
        if v > 127:
            v, i = int64(buf, i - 1)
        o.granted_ttl = v
        t = buf[i] if i < end else 0
    else:
        o.granted_ttl = 0
    items: list[bytes] = []
    o.keys = items
    while t == 42:
        n = buf[i + 1]
        i += 2
        if n > 127:
            b = buf[i]
            if b < 128:
                n += (b << 7) - 128
                i += 1
            else:
                n, i = length(buf, i - 1)
        items.append(buf[i : i + n])
        i += n
        t = buf[i] if i < end else 0
    if i != end:
        _merge_lease_time_to_live_response(o, buf, i, end)
    return o


def _merge_lease_time_to_live_response(o: LeaseTimeToLiveResponse, buf: bytes, i: int, end: int) -> None:
    while i < end:
        t, i = tag(buf, i)
        if t == 10:
            n, i = length(buf, i)
            j = i + n
            header = o.header
            if header is None:
                o.header = _response_header(buf, i, j)
            else:
                _merge_response_header(header, buf, i, j)
            i = j
        elif t == 16:
            o.id, i = int64(buf, i)
        elif t == 24:
            o.ttl, i = int64(buf, i)
        elif t == 32:
            o.granted_ttl, i = int64(buf, i)
        elif t == 42:
            n, i = length(buf, i)
            j = i + n
            o.keys.append(buf[i:j])
            i = j
        else:
            i = skip(buf, i, t)
    if i != end:
        raise DecodeError("a field runs past the end of its LeaseTimeToLiveResponse")


def _lease_status(buf: bytes, i: int, end: int) -> LeaseStatus:
    o = LeaseStatus()
    t = buf[i] if i < end else 0
    if t == 8:
        v = buf[i + 1]
        i += 2
        if v > 127:
            v, i = int64(buf, i - 1)
        o.id = v
    else:
        o.id = 0
    if i != end:
        _merge_lease_status(o, buf, i, end)
    return o


def _merge_lease_status(o: LeaseStatus, buf: bytes, i: int, end: int) -> None:
    while i < end:
        t, i = tag(buf, i)
        if t == 8:
            o.id, i = int64(buf, i)
        else:
            i = skip(buf, i, t)
    if i != end:
        raise DecodeError("a field runs past the end of its LeaseStatus")


def _lease_leases_response(buf: bytes, i: int, end: int) -> LeaseLeasesResponse:
    o = LeaseLeasesResponse()
    t = buf[i] if i < end else 0
    if t == 10:
        n = buf[i + 1]
        i += 2
        if n > 127:
            b = buf[i]
            if b < 128:
                n += (b << 7) - 128
                i += 1
            else:
                n, i = length(buf, i - 1)
        o.header = _response_header(buf, i, i + n)
        i += n
        t = buf[i] if i < end else 0
    else:
        o.header = None
    items: list[LeaseStatus] = []
    o.leases = items
    while t == 18:
        n = buf[i + 1]
        i += 2
        if n > 127:
            b = buf[i]
            if b < 128:
                n += (b << 7) - 128
                i += 1
            else:
                n, i = length(buf, i - 1)
        e = i + n
        item = LeaseStatus()
        t = buf[i] if i < e else 0
        if t == 8:
            v = buf[i + 1]
            i += 2
            if v > 127:
                v, i = int64(buf, i - 1)
            item.id = v
        else:
            item.id = 0
        if i != e:
            _merge_lease_status(item, buf, i, e)
            i = e
        items.append(item)
        t = buf[i] if i < end else 0
    if i != end:
        _merge_lease_leases_response(o, buf, i, end)
    return o


def _merge_lease_leases_response(o: LeaseLeasesResponse, buf: bytes, i: int, end: int) -> None:
    while i < end:
        t, i = tag(buf, i)
        if t == 10:
            n, i = length(buf, i)
            j = i + n
            header = o.header
            if header is None:
                o.header = _response_header(buf, i, j)
            else:
                _merge_response_header(header, buf, i, j)
            i = j
        elif t == 18:
            n, i = length(buf, i)
            j = i + n
            o.leases.append(_lease_status(buf, i, j))
            i = j
        else:
            i = skip(buf, i, t)
    if i != end:
        raise DecodeError("a field runs past the end of its LeaseLeasesResponse")


def decode_range_response(data: bytes) -> RangeResponse:
    """Raises DecodeError where `data` is not a well-formed RangeResponse."""
    try:
        return _range_response(data, 0, len(data))
    except (IndexError, UnicodeDecodeError) as error:
        raise DecodeError(f"malformed RangeResponse of {len(data)} bytes") from error


def decode_range_stream_response(data: bytes) -> RangeStreamResponse:
    """Raises DecodeError where `data` is not a well-formed RangeStreamResponse."""
    try:
        return _range_stream_response(data, 0, len(data))
    except (IndexError, UnicodeDecodeError) as error:
        raise DecodeError(f"malformed RangeStreamResponse of {len(data)} bytes") from error


def decode_put_response(data: bytes) -> PutResponse:
    """Raises DecodeError where `data` is not a well-formed PutResponse."""
    try:
        return _put_response(data, 0, len(data))
    except (IndexError, UnicodeDecodeError) as error:
        raise DecodeError(f"malformed PutResponse of {len(data)} bytes") from error


def decode_delete_range_response(data: bytes) -> DeleteRangeResponse:
    """Raises DecodeError where `data` is not a well-formed DeleteRangeResponse."""
    try:
        return _delete_range_response(data, 0, len(data))
    except (IndexError, UnicodeDecodeError) as error:
        raise DecodeError(f"malformed DeleteRangeResponse of {len(data)} bytes") from error


def decode_txn_response(data: bytes) -> TxnResponse:
    """Raises DecodeError where `data` is not a well-formed TxnResponse."""
    try:
        return _txn_response(data, 0, len(data), MAX_DEPTH)
    except (IndexError, UnicodeDecodeError) as error:
        raise DecodeError(f"malformed TxnResponse of {len(data)} bytes") from error


def decode_compaction_response(data: bytes) -> CompactionResponse:
    """Raises DecodeError where `data` is not a well-formed CompactionResponse."""
    try:
        return _compaction_response(data, 0, len(data))
    except (IndexError, UnicodeDecodeError) as error:
        raise DecodeError(f"malformed CompactionResponse of {len(data)} bytes") from error


def decode_watch_response(data: bytes) -> WatchResponse:
    """Raises DecodeError where `data` is not a well-formed WatchResponse."""
    try:
        return _watch_response(data, 0, len(data))
    except (IndexError, UnicodeDecodeError) as error:
        raise DecodeError(f"malformed WatchResponse of {len(data)} bytes") from error


def decode_lease_grant_response(data: bytes) -> LeaseGrantResponse:
    """Raises DecodeError where `data` is not a well-formed LeaseGrantResponse."""
    try:
        return _lease_grant_response(data, 0, len(data))
    except (IndexError, UnicodeDecodeError) as error:
        raise DecodeError(f"malformed LeaseGrantResponse of {len(data)} bytes") from error


def decode_lease_revoke_response(data: bytes) -> LeaseRevokeResponse:
    """Raises DecodeError where `data` is not a well-formed LeaseRevokeResponse."""
    try:
        return _lease_revoke_response(data, 0, len(data))
    except (IndexError, UnicodeDecodeError) as error:
        raise DecodeError(f"malformed LeaseRevokeResponse of {len(data)} bytes") from error


def decode_lease_keep_alive_response(data: bytes) -> LeaseKeepAliveResponse:
    """Raises DecodeError where `data` is not a well-formed LeaseKeepAliveResponse."""
    try:
        return _lease_keep_alive_response(data, 0, len(data))
    except (IndexError, UnicodeDecodeError) as error:
        raise DecodeError(f"malformed LeaseKeepAliveResponse of {len(data)} bytes") from error


def decode_lease_time_to_live_response(data: bytes) -> LeaseTimeToLiveResponse:
    """Raises DecodeError where `data` is not a well-formed LeaseTimeToLiveResponse."""
    try:
        return _lease_time_to_live_response(data, 0, len(data))
    except (IndexError, UnicodeDecodeError) as error:
        raise DecodeError(f"malformed LeaseTimeToLiveResponse of {len(data)} bytes") from error


def decode_lease_leases_response(data: bytes) -> LeaseLeasesResponse:
    """Raises DecodeError where `data` is not a well-formed LeaseLeasesResponse."""
    try:
        return _lease_leases_response(data, 0, len(data))
    except (IndexError, UnicodeDecodeError) as error:
        raise DecodeError(f"malformed LeaseLeasesResponse of {len(data)} bytes") from error


def range_request(
    key: bytes,
    range_end: bytes = b"",
    limit: int = 0,
    revision: int = 0,
    sort_order: int = 0,
    sort_target: int = 0,
    serializable: bool = False,
    keys_only: bool = False,
    count_only: bool = False,
    min_mod_revision: int = 0,
    max_mod_revision: int = 0,
    min_create_revision: int = 0,
    max_create_revision: int = 0,
) -> bytes:
    """Which keys to read, and how."""
    n = len(key)
    out = (LENGTH_10[n] if n < 128 else b"\n" + varint(n)) + key if n else b""
    if range_end:
        n = len(range_end)
        out += b"\x12" + (VARINT[n] if n < 128 else varint(n))
        out += range_end
    if limit:
        out += b"\x18" + (VARINT[limit] if 0 <= limit < 128 else varint(limit))
    if revision:
        out += b" " + (VARINT[revision] if 0 <= revision < 128 else varint(revision))
    if sort_order:
        out += b"(" + (VARINT[sort_order] if 0 <= sort_order < 128 else varint(sort_order))
    if sort_target:
        out += b"0" + (VARINT[sort_target] if 0 <= sort_target < 128 else varint(sort_target))
    if serializable:
        out += b"8\x01"
    if keys_only:
        out += b"@\x01"
    if count_only:
        out += b"H\x01"
    if min_mod_revision:
        out += b"P" + (VARINT[min_mod_revision] if 0 <= min_mod_revision < 128 else varint(min_mod_revision))
    if max_mod_revision:
        out += b"X" + (VARINT[max_mod_revision] if 0 <= max_mod_revision < 128 else varint(max_mod_revision))
    if min_create_revision:
        out += b"`" + (
            VARINT[min_create_revision] if 0 <= min_create_revision < 128 else varint(min_create_revision)
        )
    if max_create_revision:
        out += b"h" + (
            VARINT[max_create_revision] if 0 <= max_create_revision < 128 else varint(max_create_revision)
        )
    return out


def put_request(
    key: bytes,
    value: bytes,
    lease: int = 0,
    prev_kv: bool = False,
    ignore_value: bool = False,
    ignore_lease: bool = False,
) -> bytes:
    """What to write."""
    n = len(key)
    out = (LENGTH_10[n] if n < 128 else b"\n" + varint(n)) + key if n else b""
    if value:
        n = len(value)
        out += b"\x12" + (VARINT[n] if n < 128 else varint(n))
        out += value
    if lease:
        out += b"\x18" + (VARINT[lease] if 0 <= lease < 128 else varint(lease))
    if prev_kv:
        out += b" \x01"
    if ignore_value:
        out += b"(\x01"
    if ignore_lease:
        out += b"0\x01"
    return out


def delete_range_request(key: bytes, range_end: bytes = b"", prev_kv: bool = False) -> bytes:
    """Which keys to delete."""
    n = len(key)
    out = (LENGTH_10[n] if n < 128 else b"\n" + varint(n)) + key if n else b""
    if range_end:
        n = len(range_end)
        out += b"\x12" + (VARINT[n] if n < 128 else varint(n))
        out += range_end
    if prev_kv:
        out += b"\x18\x01"
    return out


def compare(
    result: int,
    target: int,
    key: bytes,
    version: int | None = None,
    create_revision: int | None = None,
    mod_revision: int | None = None,
    value: bytes | None = None,
    lease: int | None = None,
    range_end: bytes = b"",
) -> bytes:
    """One condition of a transaction: `target` of `key`, `result`, the given value."""
    out = b""
    if result:
        out += b"\x08" + (VARINT[result] if 0 <= result < 128 else varint(result))
    if target:
        out += b"\x10" + (VARINT[target] if 0 <= target < 128 else varint(target))
    if key:
        n = len(key)
        out += b"\x1a" + (VARINT[n] if n < 128 else varint(n))
        out += key
    if version is not None:
        out += b" " + (VARINT[version] if 0 <= version < 128 else varint(version))
    if create_revision is not None:
        out += b"(" + (VARINT[create_revision] if 0 <= create_revision < 128 else varint(create_revision))
    if mod_revision is not None:
        out += b"0" + (VARINT[mod_revision] if 0 <= mod_revision < 128 else varint(mod_revision))
    if value is not None:
        n = len(value)
        out += b":" + (VARINT[n] if n < 128 else varint(n))
        out += value
    if lease is not None:
        out += b"@" + (VARINT[lease] if 0 <= lease < 128 else varint(lease))
    if range_end:
        n = len(range_end)
        out += b"\x82\x04" + (VARINT[n] if n < 128 else varint(n))
        out += range_end
    return out


def request_op(
    request_range: bytes | None = None,
    request_put: bytes | None = None,
    request_delete_range: bytes | None = None,
    request_txn: bytes | None = None,
) -> bytes:
    """One operation of a transaction."""
    out = b""
    if request_range is not None:
        n = len(request_range)
        out += b"\n" + (VARINT[n] if n < 128 else varint(n))
        out += request_range
    if request_put is not None:
        n = len(request_put)
        out += b"\x12" + (VARINT[n] if n < 128 else varint(n))
        out += request_put
    if request_delete_range is not None:
        n = len(request_delete_range)
        out += b"\x1a" + (VARINT[n] if n < 128 else varint(n))
        out += request_delete_range
    if request_txn is not None:
        n = len(request_txn)
        out += b'"' + (VARINT[n] if n < 128 else varint(n))
        out += request_txn
    return out


def txn_request(
    compare: Sequence[bytes] = (), success: Sequence[bytes] = (), failure: Sequence[bytes] = ()
) -> bytes:
    """If all of `compare` hold, do `success`, else do `failure`."""
    parts: list[bytes] = []
    for item in compare:
        n = len(item)
        parts.append(b"\n" + (VARINT[n] if n < 128 else varint(n)))
        parts.append(item)
    for item in success:
        n = len(item)
        parts.append(b"\x12" + (VARINT[n] if n < 128 else varint(n)))
        parts.append(item)
    for item in failure:
        n = len(item)
        parts.append(b"\x1a" + (VARINT[n] if n < 128 else varint(n)))
        parts.append(item)
    return b"".join(parts)


def compaction_request(revision: int, physical: bool = False) -> bytes:
    """What to forget."""
    out = b""
    if revision:
        out += b"\x08" + (VARINT[revision] if 0 <= revision < 128 else varint(revision))
    if physical:
        out += b"\x10\x01"
    return out


def watch_create_request(
    key: bytes,
    range_end: bytes = b"",
    start_revision: int = 0,
    progress_notify: bool = False,
    filters: Sequence[int] = (),
    prev_kv: bool = False,
    watch_id: int = 0,
    fragment: bool = False,
) -> bytes:
    """What to watch."""
    n = len(key)
    out = (LENGTH_10[n] if n < 128 else b"\n" + varint(n)) + key if n else b""
    if range_end:
        n = len(range_end)
        out += b"\x12" + (VARINT[n] if n < 128 else varint(n))
        out += range_end
    if start_revision:
        out += b"\x18" + (VARINT[start_revision] if 0 <= start_revision < 128 else varint(start_revision))
    if progress_notify:
        out += b" \x01"
    if filters:
        packed = b"".join([varint(number) for number in filters])
        out += b"*" + varint(len(packed)) + packed
    if prev_kv:
        out += b"0\x01"
    if watch_id:
        out += b"8" + (VARINT[watch_id] if 0 <= watch_id < 128 else varint(watch_id))
    if fragment:
        out += b"@\x01"
    return out


def watch_cancel_request(watch_id: int) -> bytes:
    """WatchCancelRequest"""
    out = b""
    if watch_id:
        out += b"\x08" + (VARINT[watch_id] if 0 <= watch_id < 128 else varint(watch_id))
    return out


def watch_progress_request() -> bytes:
    """Asks how far the stream's watches are told. The answer has watch_id -1."""
    return b""


def watch_request(
    create_request: bytes | None = None,
    cancel_request: bytes | None = None,
    progress_request: bytes | None = None,
) -> bytes:
    """WatchRequest"""
    out = b""
    if create_request is not None:
        n = len(create_request)
        out += b"\n" + (VARINT[n] if n < 128 else varint(n))
        out += create_request
    if cancel_request is not None:
        n = len(cancel_request)
        out += b"\x12" + (VARINT[n] if n < 128 else varint(n))
        out += cancel_request
    if progress_request is not None:
        n = len(progress_request)
        out += b"\x1a" + (VARINT[n] if n < 128 else varint(n))
        out += progress_request
    return out


def lease_grant_request(ttl: int, id: int = 0) -> bytes:
    """LeaseGrantRequest"""
    out = b""
    if ttl:
        out += b"\x08" + (VARINT[ttl] if 0 <= ttl < 128 else varint(ttl))
    if id:
        out += b"\x10" + (VARINT[id] if 0 <= id < 128 else varint(id))
    return out


def lease_revoke_request(id: int) -> bytes:
    """LeaseRevokeRequest"""
    out = b""
    if id:
        out += b"\x08" + (VARINT[id] if 0 <= id < 128 else varint(id))
    return out


def lease_keep_alive_request(id: int) -> bytes:
    """LeaseKeepAliveRequest"""
    out = b""
    if id:
        out += b"\x08" + (VARINT[id] if 0 <= id < 128 else varint(id))
    return out


def lease_time_to_live_request(id: int, keys: bool = False) -> bytes:
    """LeaseTimeToLiveRequest"""
    out = b""
    if id:
        out += b"\x08" + (VARINT[id] if 0 <= id < 128 else varint(id))
    if keys:
        out += b"\x10\x01"
    return out


def lease_leases_request() -> bytes:
    """LeaseLeasesRequest"""
    return b""
