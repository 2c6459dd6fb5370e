"""Memory for long messages, where malloc is that of glibc. Pure.

Beyond 128 KiB its blocks come fresh from the kernel, which maps them page by page: two thirds of what a message of a
MiB cost (on a virtual machine). Once a larger one was freed, it keeps blocks of that size for the next time.
"""

from __future__ import annotations

from typing import Final

#: The longest message that needs no preparation, in octets.
ORDINARY: Final = 131_072
_MOST: Final = 31 << 20  # larger ones than 32 MiB teach malloc nothing


def prepare_malloc(size: int) -> int:
    """Have it keep what a message of ``size`` octets needs with its copies: text, value, message, frames.

    Returns:
      The size, which needs no further preparation.
    """
    bytes(min(4 * size, _MOST))  # never touched, so no memory is behind it
    return size
