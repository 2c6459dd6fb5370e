"""Passwords and tokens: shown nowhere by accident. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NoReturn, cast

from ._errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Iterator


_FIELD: Final = re.compile("[!-~]([ -~]*[!-~])?")


class Secret:
    """A password, a token, or a message that has one in it.

    What is shown of it is ``***``, so also where the locals of a traceback are; it is neither copied nor pickled.
    Whoever was given the plain text puts it in here first and deletes it, for its frame may be shown too.
    """

    __slots__ = ("_value",)

    def __init__(self, value: object) -> None:
        self._value = value

    def text(self, what: str) -> str:
        """The text, checked.

        Raises:
          TypeError: it is no text.
          InvalidRequestError: it has no form in UTF-8.
        """
        if not isinstance(self._value, str):
            raise TypeError(f"the {what} must be a str, not {type(self._value).__name__}")
        if not self._value.isascii() and any("\ud800" <= character <= "\udfff" for character in self._value):
            # Not the codec's own error, which has the text in its arguments.
            raise InvalidRequestError(f"the {what} has a character that has no form in UTF-8")
        return self._value

    def field(self, what: str) -> bytes:
        """The value of a header field, checked: nothing in it can end the field and begin another one.

        Raises:
          TypeError: it is no text.
          InvalidRequestError: it is empty, or has other characters than printable ASCII, or blanks around it.
        """
        if not isinstance(self._value, str):
            raise TypeError(f"the {what} must be a str, not {type(self._value).__name__}")
        if not _FIELD.fullmatch(self._value):
            raise InvalidRequestError(f"the {what} must be printable ASCII, without blanks around it")
        return self._value.encode("ascii")

    def octets(self) -> bytes:
        """The message."""
        return cast("bytes", self._value)

    def __repr__(self) -> str:
        return "***"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is neither copied nor pickled")


def forget_frames(error: BaseException) -> None:
    """Drop the frames that ``error`` and all behind it went through: there was a secret in their locals."""
    for each in _chain(error):
        each.__traceback__ = None


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    todo: list[BaseException | None] = [error]
    while todo:
        each = todo.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        todo += [each.__cause__, each.__context__]
        if isinstance(each, BaseExceptionGroup):
            todo += cast("BaseExceptionGroup[BaseException]", each).exceptions
