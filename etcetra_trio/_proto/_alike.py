"""Octets written alike: checked and cut up at once, at the speed of C.

The records of a range mostly have keys of one length, values of one length, and revisions with as many octets. So a
record that was decoded is an example for those behind it: a record is like it if all its octets are the same but for
those of the key, of the value, and the numbers' bits. Whole blocks are compared as one large number each.

Short messages mostly look like one of the same length that came before: see :class:`Looks`.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from ._wire import int64

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: An example is worth its cost if more records than these can follow.
FEW: Final = 8
#: Comparing takes longer than decoding above so many octets.
SMALL: Final = 512
_GROWTH = 4
_LARGEST = 512
Span = tuple[int, int]
CutT = TypeVar("CutT")


def numbers(data: bytes, i: int, end: int) -> list[tuple[int, int]]:
    """Where the varints behind the tags from i to `end` stand."""
    found: list[tuple[int, int]] = []
    while i < end:
        start = i + 1
        i = behind_varint(data, i)
        found.append((start, i))
    return found


def behind_varint(data: bytes, i: int) -> int:
    """What is behind the tag at i and its varint; IndexError if that is longer than a number can be."""
    i += 1
    longest = i + 9
    while data[i] > 127:
        i += 1
    if i > longest:
        raise IndexError
    return i + 1


def number(data: bytes) -> int:
    """Of a varint that is nothing else."""
    size = len(data)
    if size == 1:
        return data[0]
    if size == 2:
        return data[0] + (data[1] << 7) - 128
    if size == 3:
        return data[0] + (data[1] << 7) + (data[2] << 14) - 16512
    return int64(data, 0)[0]


def mask(size: int, free: Sequence[Span], varints: Sequence[Span]) -> bytearray:
    """The bits that are the same in all that look alike: see :class:`Alike`."""
    octets = bytearray(b"\xff") * size
    for start, end in free:
        octets[start:end] = bytes(end - start)
    for start, end in varints:
        octets[start:end] = b"\x80" * (end - start)
    return octets


def pattern(example: bytes, octets: bytes | bytearray) -> tuple[int, int]:
    """The bits of a :func:`mask` as a number, and what they are in all that look like the example."""
    bits = int.from_bytes(octets, "little")
    return bits, int.from_bytes(example, "little") & bits


class Looks(dict[int, "tuple[int, int, CutT] | None"], Generic[CutT]):
    """How short messages look, by their length: their :func:`pattern`, and how to cut them up.

    None: there was one of this length. The next one is taken as the example, for it may pay.
    """

    __slots__ = ()

    def wants(self, size: int) -> bool:
        """Whether a message of this length, which does not look like the example, is to be the example."""
        if self.get(size, ()) is None:
            return True
        self[size] = None
        return False

    def remember(self, example: bytes, free: Sequence[Span], varints: Sequence[Span], cut: CutT) -> None:
        """Take this message as the example; what may differ is as in :class:`Alike`."""
        size = len(example)
        self[size] = *pattern(example, mask(size, free, varints)), cut


class Alike:
    """The records that look like `record`.

    Args:
      record: The example, well-formed.
      free: Where octets may differ.
      varints: Where varints stand: they may differ, but not in length.
      parts: How `struct` takes the wanted parts out of a record.
    """

    __slots__ = ("_blocks", "_mask", "_parts", "_record", "size")

    def __init__(self, record: bytes, free: Sequence[Span], varints: Sequence[Span], parts: str) -> None:
        self.size: int = len(record)
        self._record = record
        self._mask = mask(self.size, free, varints)
        self._parts = Struct(parts)
        self._blocks: dict[int, tuple[int, int]] = {}

    def take(self, data: bytes, start: int, end: int) -> tuple[Iterator[tuple[Any, ...]], int]:
        """The parts of all such records from `start` on, and where the first other one begins."""
        at, size = start, self.size
        block, growth = 2, _GROWTH
        while block:
            behind = at + block * size
            if behind <= end and self._alike(data[at:behind], block):
                at = behind
                if block < _LARGEST:
                    block *= growth
            else:
                growth = 1
                block //= _GROWTH
        return self._parts.iter_unpack(memoryview(data)[start:at]), at

    def _alike(self, records: bytes, count: int) -> bool:
        block = self._blocks.get(count)
        if block is None:
            block = self._blocks[count] = pattern(self._record * count, self._mask * count)
        bits, wanted = block
        return int.from_bytes(records, "little") & bits == wanted
