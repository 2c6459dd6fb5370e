"""What a class tells mypyc, should the package be compiled (`hatch_build.py`); it means nothing to Python. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["mypyc_attr"]

if TYPE_CHECKING:
    from mypy_extensions import mypyc_attr
else:
    try:
        from mypy_extensions import mypyc_attr
    except ImportError:

        def mypyc_attr(**_attributes: object) -> object:
            return lambda cls: cls
