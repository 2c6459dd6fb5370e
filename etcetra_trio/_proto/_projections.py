"""The one thing that a common call wants from its response, without making the objects around it.

Each function walks the fields in the order in which etcd writes them and passes over what it does not need
without looking inside. Whatever looks different in any way goes through the full decoder instead, which has the
last word about what is malformed. So a projection is the same as decoding and picking, only faster, but for one
thing: it does not notice nonsense inside a header (or, `range_keys`, behind a key) that it passed over.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING

from ._alike import FEW, SMALL, Alike, Looks, Span, behind_varint, number, numbers
from ._codec import HEADER_IDS, decode_put_response, decode_range_response
from ._wire import length

if TYPE_CHECKING:
    from collections.abc import Callable

# Answers of one key, and what takes the value out of them.
_LOOKS: Looks[Callable[[bytes], bytes]] = Looks()
# The same of answers to puts, and their revision.
_PUT_LOOKS: Looks[Callable[[bytes], bytes]] = Looks()


def range_value(data: bytes) -> bytes | None:
    """Value of the first key of a RangeResponse; None where there is no key.

    Raises:
      DecodeError: `data` is not a RangeResponse.
    """
    size = len(data)
    looks = _LOOKS.get(size)
    if looks is not None:
        bits, wanted, value_of = looks
        if int.from_bytes(data, "little") & bits == wanted:
            return value_of(data)
    try:
        i = data[1] + 2
        if data[0] == 10 and i < 130:
            if i == size:
                return None
            if data[i] == 18:
                n = data[i + 1]
                i += 2
                if n > 127:
                    n, i = length(data, i - 1)
                end = i + n
                if data[i] == 10:
                    n = data[i + 1]
                    i += 2
                    if n > 127:
                        n, i = length(data, i - 1)
                    key_start, key_end = i, i + n
                else:
                    key_start = key_end = i
                revisions_end = value_start = value_end = i = _behind_revisions(data, key_end)
                if i < end and data[i] == 42:
                    n = data[i + 1]
                    i += 2
                    if n > 127:
                        n, i = length(data, i - 1)
                    value_start, value_end = i, i + n
                    i = value_end
                if i < end and data[i] == 48:
                    i = behind_varint(data, i)
                if i == end and data[i] == 32 and data[i + 1] < 128 and i + 2 == size:
                    if size <= SMALL and _LOOKS.wants(size):
                        revisions, lease = (key_end, revisions_end), (value_end, end)
                        _remember(data, (key_start, key_end), revisions, (value_start, value_end), lease)
                    return data[value_start:value_end]
    except IndexError:
        pass
    kvs = decode_range_response(data).kvs
    return kvs[0].value if kvs else None


def range_items(data: bytes) -> list[tuple[bytes, bytes]]:
    """(key, value) of every key of a RangeResponse, in order.

    Raises:
      DecodeError: `data` is not a RangeResponse.
    """
    items: list[tuple[bytes, bytes]] = []
    size = len(data)
    try:
        i = data[1] + 2
        if data[0] == 10 and i < 130:
            while i < size and data[i] == 18:
                start = i
                n = data[i + 1]
                i += 2
                if n > 127:
                    n, i = length(data, i - 1)
                end = i + n
                if data[i] != 10:
                    break
                n = data[i + 1]
                i += 2
                if n > 127:
                    n, i = length(data, i - 1)
                key_start, key_end = i, i + n
                revisions_end = i = _behind_revisions(data, key_end)
                if i < end and data[i] == 42:
                    n = data[i + 1]
                    i += 2
                    if n > 127:
                        n, i = length(data, i - 1)
                    value_start, value_end = i, i + n
                    i = value_end
                else:
                    value_start = value_end = i
                if i < end and data[i] == 48:
                    i = behind_varint(data, i)
                if i != end:
                    break
                items.append((data[key_start:key_end], data[value_start:value_end]))
                if (
                    size - i >= FEW * (i - start)
                    and data[i + 1] == data[start + 1]
                    and data.startswith(data[start:key_start], i)
                ):
                    key, value = (key_start - start, key_end - start), (value_start - start, value_end - start)
                    varints = numbers(data, key_end, revisions_end) + numbers(data, value_end, end)
                    alike = Alike(
                        data[start:end],
                        free=(key, value),
                        varints=[(a - start, b - start) for a, b in varints],
                        parts=f"{key[0]}x{key[1] - key[0]}s{value[0] - key[1]}x{value[1] - value[0]}s{end - value_end}x",
                    )
                    found, i = alike.take(data, i, size)
                    items += found
            else:
                if _only_totals(data, i):
                    return items
    except IndexError:
        pass
    return [(kv.key, kv.value) for kv in decode_range_response(data).kvs]


def range_keys(data: bytes) -> list[bytes]:
    """Every key of a RangeResponse, in order.

    Raises:
      DecodeError: `data` is not a RangeResponse.
    """
    keys: list[bytes] = []
    size = len(data)
    try:
        i = data[1] + 2
        if data[0] == 10 and i < 130:
            while i < size and data[i] == 18:
                start = i
                n = data[i + 1]
                i += 2
                if n > 127:
                    n, i = length(data, i - 1)
                end = i + n
                if data[i] != 10:
                    break
                n = data[i + 1]
                i += 2
                if n > 127:
                    n, i = length(data, i - 1)
                key_end = i + n
                if key_end > end:
                    break
                keys.append(data[i:key_end])
                if (
                    size - end >= FEW * (end - start)
                    and data[end + 1] == data[start + 1]
                    and data.startswith(data[start:i], end)
                ):
                    head = i - start
                    alike = Alike(
                        data[start:end],
                        free=[(head, end - start)],
                        varints=(),
                        parts=f"{head}x{n}s{end - key_end}x",
                    )
                    found, i = alike.take(data, end, size)
                    keys += [key for (key,) in found]
                else:
                    i = end
            else:
                if _only_totals(data, i):
                    return keys
    except IndexError:
        pass
    return [kv.key for kv in decode_range_response(data).kvs]


def put_revision(data: bytes) -> int:
    """Revision in the header of a PutResponse that carries nothing else (no `prev_kv`).

    Raises:
      DecodeError: `data` is not a PutResponse.
    """
    size = len(data)
    looks = _PUT_LOOKS.get(size)
    if looks is not None:
        bits, wanted, revision_of = looks
        if int.from_bytes(data, "little") & bits == wanted:
            return number(revision_of(data))
    try:
        if 25 < size < 130 and data[0] == 10 and data[1] == size - 2:
            i = 12 if data[11] < 128 else 13  # as the header's own decoder does
            i += 10 if data[i + 9] < 128 else 11
            if data[2:i] in HEADER_IDS and data[i] == 24:
                stop = behind_varint(data, i)
                if stop == size or (data[stop] == 32 and stop + 2 == size and data[stop + 1] < 128):
                    if _PUT_LOOKS.wants(size):
                        term = [(stop + 1, size)] if stop < size else []
                        _PUT_LOOKS.remember(data, (), [(i + 1, stop), *term], itemgetter(slice(i + 1, stop)))
                    return number(data[i + 1 : stop])
    except IndexError:
        pass
    header = decode_put_response(data).header
    return header.revision if header else 0


def _behind_revisions(data: bytes, i: int) -> int:
    """Behind create_revision, mod_revision and version."""
    for tag in (16, 24, 32):
        if data[i] == tag:
            i += 1
            while data[i] > 127:
                i += 1
            i += 1
    return i


def _remember(data: bytes, key: Span, revisions: Span, value: Span, lease: Span) -> None:
    """Take this answer as the example for those of its length."""
    header = numbers(data, 2, data[1] + 2)
    if header and header[-1][1] == data[1] + 2 and all(data[start - 1] & 135 == 0 for start, _ in header):
        varints = [*header, *numbers(data, *revisions), *numbers(data, *lease)]
        _LOOKS.remember(data, (key, value), varints, itemgetter(slice(*value)))


def _only_totals(data: bytes, i: int) -> bool:
    """Is there nothing from i on but `more` and `count`?"""
    size = len(data)
    if i < size and data[i] == 24 and data[i + 1] < 128:
        i += 2
    if i < size and data[i] == 32:
        i = behind_varint(data, i)
    return i == size
