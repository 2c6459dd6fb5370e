"""The methods that watch: ``watch``, ``watch_prefix``, ``watch_range``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, TypedDict, cast, get_args, overload

from ._calls import Calls
from ._checks import check_number, kind_of
from ._errors import InvalidRequestError
from ._keys import TextT
from ._resync import Known
from ._types import INHERIT, Inherit
from ._watch import Watch
from ._watch_events import WatchBatch, WatchEvent, WatchFilter
from ._watch_shapes import BatchShape, EventShape
from .streams._watcher import OnLag, Watcher

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    import trio

    from ._keys import KeySpace
    from .streams._watch_lanes import WatchHub


class WatchOptions(TypedDict, total=False):
    """The options of every watch; :class:`Watches` says what they mean."""

    start_revision: int
    prev_kv: bool
    filters: Sequence[WatchFilter]
    progress_notify: bool
    watch_id: int
    ready_event: trio.Event | None
    buffer: int
    on_lag: OnLag
    resync: bool


class Watches(Calls[TextT]):
    """Methods that watch.

    Every watch takes these options, all of them keyword-only:

    * ``start_revision``: begin with what happened at this revision; 0 is with what happens from now on. To go on after
      a restart: see :class:`Watch`.
    * ``prev_kv``: give the value before each change as well.
    * ``filters``: leave out puts (:attr:`WatchFilter.NOPUT`) or deletions (:attr:`WatchFilter.NODELETE`).
    * ``progress_notify``: let the server tell now and then that nothing happened, so that a watch that goes on after
      a break starts later (used from etcd 3.4.31 and 3.5.13 on: before, these notices could overtake events).
    * ``watch_id``: the id on the server, above 0; such a watch has a stream of its own. 0: the server chooses.
    * ``ready_event``: set once the server watches.
    * ``buffer``: how many events may wait for the reader (and at most 1 MiB of them, and 32 MiB over all watches of
      the client); a single larger revision is let through.
    * ``on_lag``: what happens when the reader does not keep up. ``"wait"``: the server waits, for this watch alone.
      ``"raise"``: :exc:`WatchLaggedError`. ``"coalesce"``: only the newest event of each key is kept, and marked so.
    * ``resync``: when events were compacted away, give the differences instead of :exc:`CompactedError`, marked as
      ``synthetic``. Costs a listing of the keys at the beginning, and memory for each key. Differences come one at a
      time, in no order of revisions, unless ``batches=True``. Where the start itself is compacted away, what there was
      is not known: the differences are all keys that there are, and what was deleted before is not told.
    * ``batches``: give all events of a revision together, as a :class:`WatchBatch`.
    * ``encoding``: the text codec of this watch; None gives bytes. The default is the client's.
    """

    __slots__ = ()

    @overload
    def watch(self, key: str | bytes, **options: Unpack[WatchOptions]) -> Watch[WatchEvent[TextT]]: ...
    @overload
    def watch(
        self, key: str | bytes, *, encoding: str, **options: Unpack[WatchOptions]
    ) -> Watch[WatchEvent[str]]: ...
    @overload
    def watch(
        self, key: str | bytes, *, encoding: None, **options: Unpack[WatchOptions]
    ) -> Watch[WatchEvent[bytes]]: ...
    @overload
    def watch(
        self, key: str | bytes, *, batches: Literal[True], **options: Unpack[WatchOptions]
    ) -> Watch[WatchBatch[TextT]]: ...
    @overload
    def watch(
        self, key: str | bytes, *, batches: Literal[True], encoding: str, **options: Unpack[WatchOptions]
    ) -> Watch[WatchBatch[str]]: ...
    @overload
    def watch(
        self, key: str | bytes, *, batches: Literal[True], encoding: None, **options: Unpack[WatchOptions]
    ) -> Watch[WatchBatch[bytes]]: ...
    def watch(
        self,
        key: str | bytes,
        *,
        start_revision: int = 0,
        prev_kv: bool = False,
        filters: Sequence[WatchFilter] = (),
        progress_notify: bool = False,
        watch_id: int = 0,
        ready_event: trio.Event | None = None,
        buffer: int = 1024,
        on_lag: OnLag = "wait",
        resync: bool = False,
        batches: bool = False,
        encoding: str | Inherit | None = INHERIT,
    ) -> Watch[WatchEvent[Any]] | Watch[WatchBatch[Any]]:
        r"""Watch one key.

        Raises only for bad arguments; entering and receiving raise what :class:`Watch` says.

        Args:
          key: The key.
          start_revision: and the other options: see :class:`Watches`.

        Returns:
          A channel of :class:`WatchEvent`; of :class:`WatchBatch` with ``batches=True``.

        Raises:
          InvalidRequestError: a bad argument (or TypeError).
        """
        keys = self._key_space(encoding)
        return _new_watch(
            self._endpoints.watches,
            keys,
            (keys.key(key), b""),
            start_revision=start_revision,
            prev_kv=prev_kv,
            filters=filters,
            progress_notify=progress_notify,
            watch_id=watch_id,
            ready_event=ready_event,
            buffer=buffer,
            on_lag=on_lag,
            resync=resync,
            batches=batches,
        )

    @overload
    def watch_prefix(
        self, prefix: str | bytes, **options: Unpack[WatchOptions]
    ) -> Watch[WatchEvent[TextT]]: ...
    @overload
    def watch_prefix(
        self, prefix: str | bytes, *, encoding: str, **options: Unpack[WatchOptions]
    ) -> Watch[WatchEvent[str]]: ...
    @overload
    def watch_prefix(
        self, prefix: str | bytes, *, encoding: None, **options: Unpack[WatchOptions]
    ) -> Watch[WatchEvent[bytes]]: ...
    @overload
    def watch_prefix(
        self, prefix: str | bytes, *, batches: Literal[True], **options: Unpack[WatchOptions]
    ) -> Watch[WatchBatch[TextT]]: ...
    @overload
    def watch_prefix(
        self, prefix: str | bytes, *, batches: Literal[True], encoding: str, **options: Unpack[WatchOptions]
    ) -> Watch[WatchBatch[str]]: ...
    @overload
    def watch_prefix(
        self, prefix: str | bytes, *, batches: Literal[True], encoding: None, **options: Unpack[WatchOptions]
    ) -> Watch[WatchBatch[bytes]]: ...
    def watch_prefix(
        self,
        prefix: str | bytes,
        *,
        start_revision: int = 0,
        prev_kv: bool = False,
        filters: Sequence[WatchFilter] = (),
        progress_notify: bool = False,
        watch_id: int = 0,
        ready_event: trio.Event | None = None,
        buffer: int = 1024,
        on_lag: OnLag = "wait",
        resync: bool = False,
        batches: bool = False,
        encoding: str | Inherit | None = INHERIT,
    ) -> Watch[WatchEvent[Any]] | Watch[WatchBatch[Any]]:
        r"""Watch all keys that begin with ``prefix``; with an empty one, all keys.

        Raises only for bad arguments; entering and receiving raise what :class:`Watch` says.

        Args:
          prefix: How the keys begin.
          start_revision: and the other options: see :class:`Watches`.

        Returns:
          A channel of :class:`WatchEvent`; of :class:`WatchBatch` with ``batches=True``.

        Raises:
          InvalidRequestError: a bad argument (or TypeError).
        """
        keys = self._key_space(encoding)
        return _new_watch(
            self._endpoints.watches,
            keys,
            keys.prefix(prefix),
            start_revision=start_revision,
            prev_kv=prev_kv,
            filters=filters,
            progress_notify=progress_notify,
            watch_id=watch_id,
            ready_event=ready_event,
            buffer=buffer,
            on_lag=on_lag,
            resync=resync,
            batches=batches,
        )

    @overload
    def watch_range(
        self, key: str | bytes, range_end: str | bytes, **options: Unpack[WatchOptions]
    ) -> Watch[WatchEvent[TextT]]: ...
    @overload
    def watch_range(
        self, key: str | bytes, range_end: str | bytes, *, encoding: str, **options: Unpack[WatchOptions]
    ) -> Watch[WatchEvent[str]]: ...
    @overload
    def watch_range(
        self, key: str | bytes, range_end: str | bytes, *, encoding: None, **options: Unpack[WatchOptions]
    ) -> Watch[WatchEvent[bytes]]: ...
    @overload
    def watch_range(
        self,
        key: str | bytes,
        range_end: str | bytes,
        *,
        batches: Literal[True],
        **options: Unpack[WatchOptions],
    ) -> Watch[WatchBatch[TextT]]: ...
    @overload
    def watch_range(
        self,
        key: str | bytes,
        range_end: str | bytes,
        *,
        batches: Literal[True],
        encoding: str,
        **options: Unpack[WatchOptions],
    ) -> Watch[WatchBatch[str]]: ...
    @overload
    def watch_range(
        self,
        key: str | bytes,
        range_end: str | bytes,
        *,
        batches: Literal[True],
        encoding: None,
        **options: Unpack[WatchOptions],
    ) -> Watch[WatchBatch[bytes]]: ...
    def watch_range(
        self,
        key: str | bytes,
        range_end: str | bytes,
        *,
        start_revision: int = 0,
        prev_kv: bool = False,
        filters: Sequence[WatchFilter] = (),
        progress_notify: bool = False,
        watch_id: int = 0,
        ready_event: trio.Event | None = None,
        buffer: int = 1024,
        on_lag: OnLag = "wait",
        resync: bool = False,
        batches: bool = False,
        encoding: str | Inherit | None = INHERIT,
    ) -> Watch[WatchEvent[Any]] | Watch[WatchBatch[Any]]:
        r"""Watch the keys from ``key`` to before ``range_end``.

        Raises only for bad arguments; entering and receiving raise what :class:`Watch` says.

        Args:
          key: The first key; ``"\0"`` is the first of all.
          range_end: The first key that is not meant any more; ``"\0"`` is after the last of all.
          start_revision: and the other options: see :class:`Watches`.

        Returns:
          A channel of :class:`WatchEvent`; of :class:`WatchBatch` with ``batches=True``.

        Raises:
          InvalidRequestError: a bad argument (or TypeError).
        """
        keys = self._key_space(encoding)
        return _new_watch(
            self._endpoints.watches,
            keys,
            keys.range(key, range_end),
            start_revision=start_revision,
            prev_kv=prev_kv,
            filters=filters,
            progress_notify=progress_notify,
            watch_id=watch_id,
            ready_event=ready_event,
            buffer=buffer,
            on_lag=on_lag,
            resync=resync,
            batches=batches,
        )


def _new_watch(
    hub: WatchHub,
    keys: KeySpace[TextT],
    address: tuple[bytes, bytes],
    *,
    start_revision: int,
    prev_kv: bool,
    filters: Sequence[WatchFilter],
    progress_notify: bool,
    watch_id: int,
    ready_event: trio.Event | None,
    buffer: int,
    on_lag: OnLag,
    resync: bool,
    batches: bool,
) -> Watch[WatchEvent[TextT]] | Watch[WatchBatch[TextT]]:
    """A watch from checked arguments.

    Raises:
      TypeError: a number is no int.
      InvalidRequestError: a number is out of range, or a word is unknown.
    """
    if not check_number("buffer", buffer):
        raise InvalidRequestError("buffer is 0: at least one event must find room")
    if on_lag not in get_args(OnLag):
        raise InvalidRequestError(f"on_lag is {on_lag!r}: use one of {', '.join(map(repr, get_args(OnLag)))}")
    kinds = _check_filters(filters)
    watcher = Watcher(
        *address,
        start_revision=check_number("start_revision", start_revision),
        progress_notify=progress_notify,
        filters=() if resync else kinds,
        prev_kv=prev_kv,
        watch_id=check_number("watch_id", watch_id),
        max_events=buffer,
        on_lag=on_lag,
        budget=hub.budget,
    )
    known = Known(kinds) if resync else None
    if batches:
        return Watch(hub, watcher, BatchShape(keys), known=known, ready_event=ready_event)
    return Watch(hub, watcher, EventShape(keys), known=known, ready_event=ready_event)


def _check_filters(filters: object) -> list[WatchFilter]:
    if isinstance(filters, str) or not isinstance(filters, Iterable):
        raise TypeError(f"filters must be a list such as [WatchFilter.NOPUT], not {kind_of(filters)}")
    return [_check_filter(kind) for kind in cast("Iterable[object]", filters)]


def _check_filter(kind: object) -> WatchFilter:
    try:
        return WatchFilter(check_number("a filter", kind))
    except ValueError as error:
        raise InvalidRequestError(
            f"there is no filter {kind!r}: use WatchFilter.NOPUT or NODELETE"
        ) from error
