"""Transactions as etcetra's users write and read them."""

# pyright: reportPrivateUsage=false
# This package stands on the insides of the Trio client.

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, Union, cast

from .._keys import TextT, key_space
from .._txn import Branch, TxnAction, TxnResponse
from .._txn import TxnResult as TrioTxnResult
from .._types import DeleteResult, PutResult
from ._arguments import as_number, as_sort
from ._words import RangeRequestSortOrder, RangeRequestSortTarget
from ._wrapped import answer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from typing import Unpack

    from .._compare import Compare
    from .._kv import RangeOptions, SupportsLease
    from .._types import SortOrder, SortTarget

#: What a transaction's list holds for each operation: a get's value (or None), a range's keys and values,
#: ``{"revision": n}`` for a put, None for a delete, the list of a nested transaction.
TxnItem: TypeAlias = Union[
    TextT, dict[TextT, TextT], dict[Literal["revision"], int], "TxnResult[TextT]", None
]


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

    @property
    def values(self) -> TxnResult[TextT]:
        """The list itself, as etcetra's pair has it."""
        return self

    @property
    def success(self) -> bool:
        """The same as :attr:`succeeded`."""
        return self.succeeded


class EtcdTransactionAction(Generic[TextT]):
    """Collects the operations of one branch of a transaction; passed to the functions that build it.

    Every method checks its arguments at once and raises :exc:`InvalidRequestError` (or TypeError) for bad ones. Nothing
    is sent until the function has returned.

    Args:
      encoding: The text codec of keys and values.
    """

    encoding: str

    def __init__(self: EtcdTransactionAction[str], encoding: str = "utf-8") -> None:
        branch = Branch[str]()
        self._fill(TxnAction(key_space(encoding), branch))

    @classmethod
    def over(cls, action: TxnAction[TextT]) -> EtcdTransactionAction[TextT]:
        """For an action of a transaction that is being built."""
        new = cls.__new__(cls)
        new._fill(action)
        return new

    def _fill(self, action: TxnAction[TextT]) -> None:
        self._action: TxnAction[TextT] = action
        #: Called with whether the compares held, once the server has answered.
        self.callback: Callable[[bool], object] | None = None
        self.encoding = getattr(action._keys, "encoding", "utf-8")

    @property
    def requests(self) -> list[bytes]:
        """The operations so far, as they are sent."""
        return self._action._branch.operations

    def add_callback(self, cb: Callable[[bool], object] | None) -> None:
        """Call ``cb(succeeded)`` once the transaction was carried out."""
        self.callback = cb

    def put(
        self,
        key: str | bytes,
        value: str | bytes | None,
        lease: SupportsLease | int | None = None,
        ignore_value: bool = False,
        ignore_lease: bool = False,
        encoding: str | None = None,
        *,
        prev_kv: bool = False,
    ) -> object:
        """Write a key (None: keep its value); its item is ``{"revision": n}``."""
        return self._action.put(
            _raw(key, encoding),
            None if value is None else _raw(value, encoding),
            lease=lease or 0,
            prev_kv=prev_kv,
            ignore_value=ignore_value or value is None,
            ignore_lease=ignore_lease,
        )

    def get(
        self,
        key: str | bytes,
        limit: int | str | None = None,
        max_create_revision: int | str | None = None,
        max_mod_revision: int | str | None = None,
        min_create_revision: int | str | None = None,
        min_mod_revision: int | str | None = None,
        revision: int | str | None = None,
        serializable: bool = False,
        sort_order: SortOrder | RangeRequestSortOrder = RangeRequestSortOrder.NONE,
        sort_target: SortTarget | RangeRequestSortTarget = RangeRequestSortTarget.KEY,
        encoding: str | None = None,
    ) -> object:
        """Read one key; its item is the value, or None. A limit and an order mean nothing for one key."""
        as_number(limit)
        as_sort(sort_order)
        as_sort(sort_target)
        return self._action.get(
            _raw(key, encoding),
            max_create_revision=as_number(max_create_revision),
            max_mod_revision=as_number(max_mod_revision),
            min_create_revision=as_number(min_create_revision),
            min_mod_revision=as_number(min_mod_revision),
            revision=as_number(revision),
            serializable=serializable,
        )

    def get_prefix(self, prefix: str | bytes, **options: Unpack[RangeOptions]) -> object:
        """Read all keys that begin with ``prefix``; the item is a dict."""
        return self._action.get_prefix(prefix, **options)

    def get_range(self, key: str | bytes, range_end: str | bytes, **options: Unpack[RangeOptions]) -> object:
        """Read the keys from ``key`` to before ``range_end``; the item is a dict."""
        return self._action.get_range(key, range_end, **options)

    def delete(self, key: str | bytes, encoding: str | None = None, *, prev_kv: bool = False) -> object:
        """Delete one key; the item is None (``responses`` has all)."""
        return self._action.delete(_raw(key, encoding), prev_kv=prev_kv)

    def delete_prefix(self, prefix: str | bytes, *, prev_kv: bool = False) -> object:
        """Delete all keys that begin with ``prefix``; the item is None (``responses`` has all)."""
        return self._action.delete_prefix(prefix, prev_kv=prev_kv)

    def delete_range(self, key: str | bytes, range_end: str | bytes, *, prev_kv: bool = False) -> object:
        """Delete the keys from ``key`` to before ``range_end``; the item is None (``responses`` has all)."""
        return self._action.delete_range(key, range_end, prev_kv=prev_kv)

    def txn(
        self,
        compares: Iterable[Compare],
        builder: Callable[[EtcdTransactionAction[TextT], EtcdTransactionAction[TextT]], object],
    ) -> object:
        """A transaction inside this one; the item is its list."""
        return self._action.txn(compares, _Building(builder))


class _Building:
    """The user's function, for Trio's transactions."""

    def __init__(self, builder: Callable[..., object]) -> None:
        self._builder = builder
        self.actions: list[EtcdTransactionAction[Any]] = []

    def __call__(self, *actions: TxnAction[Any]) -> object:
        self.actions = [EtcdTransactionAction[Any].over(action) for action in actions]
        return self._builder(*self.actions)


async def carry_out(
    method: Callable[..., Awaitable[TrioTxnResult[Any]]],
    builder: Callable[..., object],
    *args: object,
    **options: object,
) -> TxnResult[Any]:
    """Call ``txn`` or ``txn_compare`` of Trio's communicator, and then the callbacks of the actions."""
    building = _Building(builder)
    result = await answer(method(*args, building, **options))
    for action in building.actions:
        if action.callback is not None:
            action.callback(result.succeeded)
    return txn_result(result)


def txn_result(result: TrioTxnResult[TextT]) -> TxnResult[TextT]:
    """A transaction's answer as etcetra's users know it."""
    ours = TxnResult[TextT](map(_item, result))
    ours.succeeded, ours.revision, ours.responses = result.succeeded, result.revision, result.responses
    return ours


def _item(item: Any) -> Any:  # noqa: ANN401 - what it is depends on the operation
    if isinstance(item, PutResult):
        return {"revision": item.revision}
    if isinstance(item, DeleteResult):
        return None
    if isinstance(item, TrioTxnResult):
        return txn_result(cast("Any", item))
    return item


def _raw(text: str | bytes, encoding: str | None) -> str | bytes:
    return text.encode(encoding) if isinstance(text, str) and encoding is not None else text
