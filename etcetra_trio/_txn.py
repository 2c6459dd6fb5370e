"""Transactions: the builder that users fill, and the answer as values. Pure."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable
from typing import TYPE_CHECKING, Generic, Literal, TypeAlias, Union, cast

from ._checks import kind_of
from ._compare import Compare, encode_compare
from ._keys import TextT
from ._kv import address, put_message, range_message
from ._proto import _codec as pb
from ._proto._wire import DecodeError
from ._txn_writes import Writes
from ._types import DeleteResult, PutResult, RangeResult, delete_result, put_result, range_result, revision

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Unpack

    from ._keys import KeySpace
    from ._kv import RangeOptions, ReadOptions, SupportsLease

#: What a transaction's list holds for each operation: a get's value (or None), a range's keys and values, the
#: result of a write, the list of a nested transaction.
TxnItem: TypeAlias = Union[
    TextT, dict[TextT, TextT], PutResult[TextT], DeleteResult[TextT], "TxnResult[TextT]", None
]
#: The full answer to one operation.
TxnResponse: TypeAlias = Union[RangeResult[TextT], PutResult[TextT], DeleteResult[TextT], "TxnResult[TextT]"]


# How an operation's answer becomes its item.
_Shape = Literal["value", "items", "put", "delete"]


class TxnResult(list[TxnItem[TextT]], Generic[TextT]):
    """The answer to a transaction: a list with one item for each operation that was carried out.

    Attributes:
      succeeded: Whether all compares held, so that the success branch was carried out.
      revision: The revision of the store after the transaction (0 in a nested one).
      responses: The full answer to each operation, in the same order.
    """

    succeeded: bool
    revision: int
    responses: list[TxnResponse[TextT]]


class Branch(Generic[TextT]):
    """The operations of one branch: as etcd takes them, how their answers read, and what they write."""

    __slots__ = ("operations", "shapes", "writes")

    def __init__(self) -> None:
        self.operations: list[bytes] = []
        self.shapes: list[_Shape | Txn[TextT]] = []
        self.writes: Writes = Writes()

    def add(self, operation: bytes, shape: _Shape | Txn[TextT]) -> object:
        """One more operation; gives None.

        It says object, as all that return it: type checkers refuse tuples and lists of calls that return None.
        """
        self.operations.append(operation)
        self.shapes.append(shape)
        return None


class TxnAction(Generic[TextT]):
    """Collects the operations of one branch of a transaction; passed to the functions that build it.

    Every method checks its arguments at once and raises :exc:`InvalidRequestError` (or TypeError) for bad
    ones. Nothing is sent until the function has returned.
    """

    __slots__ = ("_branch", "_keys")

    def __init__(self, keys: KeySpace[TextT], branch: Branch[TextT]) -> None:
        self._keys: KeySpace[TextT] = keys
        self._branch: Branch[TextT] = branch

    def get(self, key: str | bytes, **options: Unpack[ReadOptions]) -> object:
        """Read one key; its item is the value, or None. Options as :meth:`EtcdCommunicator.get`."""
        return self._branch.add(
            pb.request_op(request_range=range_message(self._keys.key(key), b"", **options)), "value"
        )

    def get_prefix(self, prefix: str | bytes, **options: Unpack[RangeOptions]) -> object:
        """Read all keys that begin with ``prefix``; the item is a dict.

        Options as :meth:`EtcdCommunicator.get_prefix`.
        """
        return self._branch.add(
            pb.request_op(request_range=range_message(*self._keys.prefix(prefix), **options)), "items"
        )

    def get_range(self, key: str | bytes, range_end: str | bytes, **options: Unpack[RangeOptions]) -> object:
        """Read the keys from ``key`` to before ``range_end``; the item is a dict.

        Options as :meth:`EtcdCommunicator.get_range`.
        """
        return self._branch.add(
            pb.request_op(request_range=range_message(*self._keys.range(key, range_end), **options)), "items"
        )

    def put(
        self,
        key: str | bytes,
        value: str | bytes | None = None,
        *,
        lease: SupportsLease | int = 0,
        prev_kv: bool = False,
        ignore_value: bool = False,
        ignore_lease: bool = False,
    ) -> object:
        """Write a key; its item is a :class:`PutResult`. Arguments as :meth:`EtcdCommunicator.put`."""
        message = put_message(
            self._keys,
            key,
            value,
            lease=lease,
            prev_kv=prev_kv,
            ignore_value=ignore_value,
            ignore_lease=ignore_lease,
        )
        self._branch.writes.puts.append((self._keys.key(key), key))
        return self._branch.add(pb.request_op(request_put=message), "put")

    def delete(self, key: str | bytes, *, prev_kv: bool = False) -> object:
        """Delete one key; the item is a :class:`DeleteResult`."""
        return self._delete(*address(self._keys, key, None, prefix=False), prev_kv=prev_kv)

    def delete_prefix(self, prefix: str | bytes, *, prev_kv: bool = False) -> object:
        """Delete all keys that begin with ``prefix``; the item is a :class:`DeleteResult`."""
        return self._delete(*self._keys.prefix(prefix), prev_kv=prev_kv)

    def delete_range(self, key: str | bytes, range_end: str | bytes, *, prev_kv: bool = False) -> object:
        """Delete the keys from ``key`` to before ``range_end``; the item is a :class:`DeleteResult`."""
        return self._delete(*self._keys.range(key, range_end), prev_kv=prev_kv)

    def txn(
        self, compares: Iterable[Compare], builder: Callable[[TxnAction[TextT], TxnAction[TextT]], object]
    ) -> object:
        """A transaction inside this one (etcd 3.3); the item is its :class:`TxnResult`.

        Arguments as :meth:`EtcdCommunicator.txn_compare`.
        """
        txn = build_txn(self._keys, compares, builder)
        self._branch.writes.nested.append((txn.success.writes, txn.failure.writes))
        return self._branch.add(pb.request_op(request_txn=txn.message), txn)

    def _delete(self, key: bytes, range_end: bytes, *, prev_kv: bool) -> object:
        self._branch.writes.deletes.append((key, range_end))
        return self._branch.add(
            pb.request_op(request_delete_range=pb.delete_range_request(key, range_end, prev_kv)), "delete"
        )


class Txn(Generic[TextT]):
    """A built transaction: what is sent, and how its answer reads."""

    __slots__ = ("failure", "keys", "message", "success")

    def __init__(
        self, keys: KeySpace[TextT], compares: list[bytes], success: Branch[TextT], failure: Branch[TextT]
    ) -> None:
        self.keys: KeySpace[TextT] = keys
        self.success: Branch[TextT] = success
        self.failure: Branch[TextT] = failure
        self.message: bytes = pb.txn_request(compares, success.operations, failure.operations)

    def check(self) -> None:
        """Raise InvalidRequestError if a branch writes a key twice."""
        self.success.writes.check()
        self.failure.writes.check()

    @property
    def writes(self) -> bool:
        """Whether it can change anything."""
        return self.success.writes.any or self.failure.writes.any

    def decode(self, data: bytes) -> TxnResult[TextT]:
        """:meth:`read` what the server sent."""
        return self.read(pb.decode_txn_response(data))

    def read(self, answer: pb.TxnResponse) -> TxnResult[TextT]:
        """The answer as values.

        Raises:
          DecodeError: the answer does not fit what was asked.
        """
        result = TxnResult[TextT]()
        result.succeeded = answer.succeeded
        result.revision = revision(answer.header)
        result.responses = []
        shapes = (self.success if answer.succeeded else self.failure).shapes
        if len(shapes) != len(answer.responses):
            msg = f"{len(answer.responses)} answers to {len(shapes)} operations"
            raise DecodeError(msg)
        for shape, response in zip(shapes, answer.responses, strict=True):
            self._read_one(shape, response, result)
        return result

    def _read_one(self, shape: _Shape | Txn[TextT], answer: pb.ResponseOp, result: TxnResult[TextT]) -> None:
        item: TxnItem[TextT]
        response: TxnResponse[TextT]
        if shape == "put" and answer.response_put is not None:
            item = response = put_result(self.keys, answer.response_put)
        elif shape == "delete" and answer.response_delete_range is not None:
            item = response = delete_result(self.keys, answer.response_delete_range)
        elif isinstance(shape, Txn) and answer.response_txn is not None:
            item = response = shape.read(answer.response_txn)
        elif answer.response_range is not None and shape in {"value", "items"}:
            response = range_result(self.keys, answer.response_range)
            if shape == "items":
                item = {kv.key: kv.value for kv in response.kvs}
            else:
                item = response.kvs[0].value if response.kvs else None
        else:
            msg = f"an answer of another kind than the operation ({shape})"
            raise DecodeError(msg)
        result.append(item)
        result.responses.append(response)


def build_txn(
    keys: KeySpace[TextT],
    compares: Iterable[Compare],
    builder: Callable[[TxnAction[TextT], TxnAction[TextT]], object],
) -> Txn[TextT]:
    """Let the user's function fill a transaction.

    Raises:
      TypeError: a compare is none.
      InvalidRequestError: an operation is refused.
    """
    encoded = [_encode(compare, keys) for compare in _listed(compares)]
    success, failure = Branch[TextT](), Branch[TextT]()
    returned = builder(TxnAction(keys, success), TxnAction(keys, failure))
    if isinstance(returned, Coroutine):
        returned.close()
        raise TypeError("a transaction is built by a plain function, not by an async one")
    return Txn(keys, encoded, success, failure)


def _listed(compares: object) -> Iterable[object]:
    if not isinstance(compares, Iterable):
        raise TypeError(f"the compares must be a list, not {kind_of(compares)}: put them into [ ]")
    return cast("Iterable[object]", compares)


def _encode(compare: object, keys: KeySpace[TextT]) -> bytes:
    if not isinstance(compare, Compare):
        msg = f"{compare!r} is no compare: write CompareKey(…).value == …"
        raise TypeError(msg)
    return encode_compare(compare, keys)
