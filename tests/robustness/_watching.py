"""Watches: what came is the log itself, from the first revision to the last, filtered and nothing else."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._checker import Case
    from ._history import Revision, WatchLog

#: How a watch ends that its reader closed before everything had come.
CLOSED = "closed"


def check_watches(case: Case) -> None:
    """Ordered, unique, atomic, complete, resumed; bookmarks that no event comes after."""
    parts: dict[str, list[Revision]] = {}
    for watch in case.history.watches:
        if watch.prefix not in parts:
            parts[watch.prefix] = _part(case, watch.prefix)
        part = parts[watch.prefix]
        first = bisect_left(part, watch.start, key=lambda entry: entry[0])
        # What follows the end of the watch matters only in that there is more.
        _check_watch(case, watch, part[first : first + len(watch.batches) + 1])


def _part(case: Case, prefix: str) -> list[Revision]:
    found: list[Revision] = []
    for revision, events in case.log.items():
        mine = [event for event in events if event.key.startswith(prefix)]
        if mine:
            found.append((revision, mine))
    return found


def _check_watch(case: Case, watch: WatchLog, expected: list[Revision]) -> None:
    name = f"{watch.client}'s watch of {watch.prefix!r} from revision {watch.start}"
    for place, (got, want) in enumerate(zip(watch.batches, expected, strict=False)):
        if got != want:
            text = f"{name}: {_difference(got, want, expected, watch.batches[:place])}"
            case.wrong("watch", text, revisions=[want[0], got[0]])
            return
    count = len(watch.batches)
    if count > len(expected):
        extra = watch.batches[len(expected)][0]
        case.wrong(
            "watch", f"{name}: revision {extra} is not in the log, or came once more", revisions=[extra]
        )
        return
    _check_end(case, watch, expected[count:], name)
    for given, bookmark in watch.bookmarks:
        if given < len(expected) and (missing := expected[given][0]) <= bookmark:
            text = f"{name}: revision {missing} came after it was said that all up to {bookmark} had come"
            case.wrong("bookmark", text, revisions=[missing])


def _check_end(case: Case, watch: WatchLog, missing: list[Revision], name: str) -> None:
    """It ends when its reader closes it, or when what comes next is gone from the store."""
    if watch.error not in {"", CLOSED}:
        case.wrong("watch", f"{name} ended by itself: {watch.error}")
    elif watch.compacted:
        last = watch.batches[-1][0] if watch.batches else watch.start - 1
        if watch.compacted not in case.history.compactions or last + 1 >= watch.compacted:
            text = f"{name} ended with a compaction up to {watch.compacted}, but it had come to {last}"
            case.wrong("watch", text, revisions=[last])
    elif missing and watch.error != CLOSED:
        case.wrong("watch", f"{name}: revision {missing[0][0]} never came", revisions=[missing[0][0]])


def _difference(got: Revision, want: Revision, expected: list[Revision], before: list[Revision]) -> str:
    revision = got[0]
    if revision == want[0]:
        lost = [event.key for event in want[1] if event not in got[1]]
        return (
            f"revision {revision} is not whole: {lost} missing"
            if lost
            else f"revision {revision} is not as it was"
        )
    if any(revision == entry[0] for entry in before):
        return f"revision {revision} came once more, in place of {want[0]}"
    if revision < want[0]:
        return f"revision {revision} came, which it had not asked for"
    if any(revision == entry[0] for entry in expected):
        return f"revision {want[0]} is missing: {revision} came in its place"
    return f"revision {revision} came, which is not in the log"
