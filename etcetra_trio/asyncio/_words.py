"""Enumerations of etcetra that Trio's API has under other names."""

from __future__ import annotations

from enum import Enum


class RangeRequestSortOrder(Enum):
    """How a range is sorted; the same as :class:`SortOrder`."""

    NONE = 0
    ASCEND = 1
    DESCEND = 2


class RangeRequestSortTarget(Enum):
    """What a range is sorted by; the same as :class:`SortTarget`."""

    KEY = 0
    VERSION = 1
    CREATE = 2
    MOD = 3
    VALUE = 4


class WatchCreateRequestFilterType(Enum):
    """Events that the server leaves out; the same as :class:`WatchFilter`."""

    NOPUT = 0
    NODELETE = 1
