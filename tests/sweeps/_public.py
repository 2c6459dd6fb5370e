"""What is public and async, found by looking at the package itself."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from test_package import public_names

#: What only calls what is in the table anyway, or comes from Trio.
CM = ("AbstractAsyncContextManager", "AsyncGenerator", "AsyncIterator")
PACKAGES = ("etcetra_trio", "etcetra_trio.streams", "etcetra_trio.testing")


def _is_async(thing: object) -> bool:
    """A coroutine function, or what gives an async context manager."""
    inner = inspect.unwrap(thing) if callable(thing) else thing
    returned = getattr(inner, "__annotations__", {}).get("return", "")
    return (
        inspect.iscoroutinefunction(inner)
        or inspect.isasyncgenfunction(inner)
        or any(word in str(returned) for word in CM)
    )


def public_async_names() -> Iterator[str]:
    """``Class.method`` and ``function``; a class that is a context manager has its ``__aenter__``."""
    for package in PACKAGES:
        for name, thing in public_names(package).items():
            if not inspect.isclass(thing):
                if _is_async(thing):
                    yield name
                continue
            for base in reversed(thing.__mro__):
                if not base.__module__.startswith("etcetra_trio"):
                    continue
                for attribute, member in vars(base).items():
                    if attribute.startswith("_") and attribute not in {"__aenter__", "__anext__"}:
                        continue
                    if _is_async(getattr(member, "__func__", member)):
                        yield f"{name}.{attribute}"
