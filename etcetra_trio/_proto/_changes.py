"""The changes that a watch response brings: most of what a client of many events does.

The fields are taken in the order in which etcd writes them. Whatever looks different in any way goes through the full
decoder instead, which has the last word about what is malformed; only nonsense inside a header is passed over.

Events of one transaction mostly look alike: the same lengths, the same revisions. So each event is a guess for the
next one: `struct` cuts all that follow into the same parts at once, and an event whose lengths differ ends the guess.
An event is taken only if its lengths and tags are octet for octet those of one that was decoded, so no guess is wrong.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Final, NamedTuple

from ._alike import SMALL, Looks, Span, behind_varint, number, numbers
from ._codec import Event, WatchResponse, decode_watch_response
from ._wire import DecodeError, int64, length

if TYPE_CHECKING:
    from collections.abc import Callable


class Change(NamedTuple):
    """One event."""

    key: bytes
    value: bytes
    #: The value before, where it was asked for and there is one.
    previous: bytes | None
    #: 0: a put, 1: a deletion.
    kind: int
    mod_revision: int
    create_revision: int
    version: int
    lease: int


# Half the cost of calling a NamedTuple.
_new: Final[Callable[[type[Change], tuple[object, ...]], Change]] = tuple[object, ...].__new__


class Changes(NamedTuple):
    """What a watch response brings to one watch."""

    watch_id: int
    changes: list[Change]
    #: The rest of the last revision is in a further response.
    fragment: bool


# Responses with one put.
_LOOKS: Looks[Callable[[bytes], tuple[bytes, ...]]] = Looks()


def watch_changes(data: bytes) -> Changes | WatchResponse:
    """The events of a WatchResponse; the response as it is if it has none, or is about the watch itself.

    Raises:
      DecodeError: `data` is not a WatchResponse, or one of its events has no key.
    """
    size = len(data)
    looks = _LOOKS.get(size)
    if looks is not None:
        bits, wanted, parts = looks
        if int.from_bytes(data, "little") & bits == wanted:
            watch, key, create, mod, version, value = parts(data)
            times = version[0] if len(version) == 1 else number(version)
            change = _new(Change, (key, value, None, 0, number(mod), number(create), times, 0))
            return Changes(watch[0] if len(watch) == 1 else number(watch), [change], False)
    try:
        i = data[1] + 2
        if data[0] == 10 and i < 130 and i < size:
            watch_id = 0
            fragment = False
            if data[i] == 16:
                watch_id = data[i + 1]
                i += 2
                if watch_id > 127:
                    watch_id, i = int64(data, i - 1)
            if data[i] == 56 and data[i + 1] == 1:
                fragment = True
                i += 2
            if data[i] == 90:
                changes: list[Change] = []
                while i < size and data[i] == 90:
                    i = _take(data, i, size, changes)
                if i == size:
                    if size <= SMALL and len(changes) == 1 and _LOOKS.wants(size):
                        _remember(data)
                    return Changes(watch_id, changes, fragment)
    except (IndexError, DecodeError):
        pass
    response = decode_watch_response(data)
    if response.created or response.canceled or not response.events:
        return response
    return Changes(response.watch_id, [_change(event) for event in response.events], response.fragment)


def _remember(data: bytes) -> None:
    """Take this response as the example for those of its length, if it is a plain put."""
    header = numbers(data, 2, data[1] + 2)
    i = header[-1][1]
    watch, i = (i + 1, behind_varint(data, i)), behind_varint(data, i)
    for _ in range(2):  # event, its record
        i = length(data, i + 1)[1]
    n, i = length(data, i + 1)
    key = i, i + n
    revisions: list[Span] = []
    for _ in range(3):
        start = revisions[-1][1] if revisions else key[1]
        revisions.append((start + 1, behind_varint(data, start)))
    i = revisions[-1][1]
    n, start = length(data, i + 1)
    value = start, start + n
    tags = [data[at - 1] for at, _ in (*header, watch, *revisions)] + [data[watch[1]], data[i]]
    if tags == [8, 16, 24, 32, 16, 16, 24, 32, 90, 42] and value[1] == len(data):
        spans = [watch, key, *revisions, value]
        gaps = [start - end for (start, _), (_, end) in zip(spans, [(0, 0), *spans], strict=False)]
        parts = "".join(f"{gap}x{end - start}s" for gap, (start, end) in zip(gaps, spans, strict=True))
        _LOOKS.remember(data, (key, value), [*header, watch, *revisions], Struct(parts).unpack)


def _change(event: Event) -> Change:
    kv, previous = event.kv, event.prev_kv
    if kv is None:
        raise DecodeError("an event without a key")
    return Change(
        kv.key,
        kv.value,
        None if previous is None else previous.value,
        event.type,
        kv.mod_revision,
        kv.create_revision,
        kv.version,
        kv.lease,
    )


def _take(data: bytes, start: int, size: int, changes: list[Change]) -> int:
    """Takes the event at `start`, and those behind it that look like it. Gives where the next one begins.

    It leaves with IndexError where an event is not as etcd writes it.
    """
    i = start + 2
    n = data[start + 1]
    if n > 127:
        n, i = length(data, start + 1)
    end = i + n
    kind = 0
    if data[i] == 8:
        kind = data[i + 1]
        i += 2
    if data[i] != 18:
        raise IndexError
    n = data[i + 1]
    i += 2
    if n > 127:
        n, i = length(data, i - 1)
    kv_end = i + n
    if data[i] != 10:
        raise IndexError
    n = data[i + 1]
    i += 2
    if n > 127:
        n, i = length(data, i - 1)
    key_start, key_end = i, i + n
    key = data[i:key_end]
    i = key_end
    create = mod = version = 0
    if data[i] == 16:
        create, i = _number_at(data, i + 1)
    if data[i] == 24:
        mod, i = _number_at(data, i + 1)
    if i < kv_end and data[i] == 32:
        version = data[i + 1]
        i += 2
        if version > 127:
            version, i = _number_at(data, i - 1)
    revisions_end = value_start = i
    value = b""
    if i < kv_end and data[i] == 42:
        n = data[i + 1]
        i += 2
        if n > 127:
            n, i = length(data, i - 1)
        value_start = i
        i += n
        value = data[value_start:i]
    value_end = i
    lease = 0
    if i < kv_end and data[i] == 48:
        lease, i = int64(data, i + 1)
    if i != kv_end:
        raise IndexError
    previous = None
    if i < end and data[i] == 26:
        previous, i = _value(data, i)
    if i != end or end > size or kind > 1:
        raise IndexError
    changes.append(_new(Change, (key, value, previous, kind, mod, create, version, lease)))
    if end < size and previous is None and data.startswith(head := data[start:key_start], end):
        revisions = data[key_end:revisions_end]
        value_head = data[revisions_end:value_start]
        rest = data[value_end:end]
        parts = Struct(
            f"{len(head)}s{key_end - key_start}s{len(revisions)}s{len(value_head)}s"
            f"{value_end - value_start}s{len(rest)}s"
        )
        count = (size - end) // parts.size
        found = parts.iter_unpack(memoryview(data)[end : end + count * parts.size])
        for a_head, key, a_revisions, a_value_head, value, a_rest in found:
            if a_head != head or a_value_head != value_head or a_rest != rest:
                break
            if a_revisions != revisions:
                create, mod, version, i = _revisions(a_revisions + b"\0", 0)
                if i != len(revisions):
                    break
                revisions = a_revisions
            changes.append(_new(Change, (key, value, None, kind, mod, create, version, lease)))
            end += parts.size
    return end


def _revisions(data: bytes, i: int) -> tuple[int, int, int, int]:
    """create_revision, mod_revision and version at i, and what is behind them."""
    create = mod = version = 0
    if data[i] == 16:
        create, i = _number_at(data, i + 1)
    if data[i] == 24:
        mod, i = _number_at(data, i + 1)
    if i < len(data) and data[i] == 32:
        version, i = _number_at(data, i + 1)
    return create, mod, version, i


def _number_at(data: bytes, i: int) -> tuple[int, int]:
    a = data[i]
    if a < 128:
        return a, i + 1
    b = data[i + 1]
    if b < 128:
        return a + (b << 7) - 128, i + 2
    c = data[i + 2]
    if c < 128:
        return a + (b << 7) + (c << 14) - 16512, i + 3
    return int64(data, i)


def _value(data: bytes, i: int) -> tuple[bytes, int]:
    """The value of the KeyValue whose tag stands at i, and what is behind it."""
    n, i = length(data, i + 1)
    end = i + n
    if data[i] != 10:
        raise IndexError
    n, i = length(data, i + 1)
    *_, i = _revisions(data, i + n)
    value = b""
    if i < end and data[i] == 42:
        n, i = length(data, i + 1)
        value = data[i : i + n]
        i += n
    if i < end and data[i] == 48:
        i = int64(data, i + 1)[1]
    if i != end:
        raise IndexError
    return value, i
