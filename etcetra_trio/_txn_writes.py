"""A transaction may write a key only once; this finds a second write before the server does. Pure."""

from __future__ import annotations

from ._errors import InvalidRequestError

_Range = tuple[bytes, bytes]


class Writes:
    """What one branch of a transaction writes: keys it puts, ranges it deletes, transactions inside it.

    etcd's rule: no key is put twice, and none is put and deleted. Ranges may be deleted twice, and the two
    branches of a nested transaction may put the same key, for only one of them is carried out.
    """

    __slots__ = ("deletes", "nested", "puts")

    def __init__(self) -> None:
        #: Each key as etcd has it, and as it was given.
        self.puts: list[tuple[bytes, str | bytes]] = []
        self.deletes: list[_Range] = []
        self.nested: list[tuple[Writes, Writes]] = []

    @property
    def any(self) -> bool:
        """Whether the branch can change anything."""
        return bool(self.puts or self.deletes) or any(one.any or other.any for one, other in self.nested)

    def check(self) -> tuple[dict[bytes, str | bytes], list[_Range]]:
        """Check the branch, in etcd's own order, so that whatever etcd takes passes.

        Returns:
          All keys that are put and all ranges that are deleted, those of nested transactions included.

        Raises:
          InvalidRequestError: a key is written twice.
        """
        puts: dict[bytes, str | bytes] = {}
        deletes = list(self.deletes)
        for success, failure in self.nested:
            success_puts, success_deletes = success.check()
            failure_puts, failure_deletes = failure.check()
            _refuse_second_writes(success_puts, puts, deletes)
            _refuse_second_writes(failure_puts, puts, deletes)
            puts |= success_puts | failure_puts
            deletes += success_deletes + failure_deletes
        for key, given in self.puts:
            _refuse_second_writes({key: given}, puts, deletes)
            puts[key] = given
        return puts, deletes


def _refuse_second_writes(
    keys: dict[bytes, str | bytes], puts: dict[bytes, str | bytes], deletes: list[_Range]
) -> None:
    for key, given in keys.items():
        if key in puts or any(_covers(key, start, end) for start, end in deletes):
            msg = f"the transaction writes the key {given!r} twice: put it once, or delete it, but not both"
            raise InvalidRequestError(msg)


def _covers(key: bytes, start: bytes, end: bytes) -> bool:
    # etcd looks at an end of b"\0" (to the last key) as at any other, so such a range covers nothing here.
    return start <= key < end if end else key == start
