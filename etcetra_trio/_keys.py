"""Keys and values between the user and etcd: text, namespaces, prefixes, ranges. Pure."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Generic, Literal, TypeVar, overload

from ._checks import kind_of
from ._errors import EncodingError, InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Sequence

TextT = TypeVar("TextT", str, bytes)

#: As the end of a range: "to the last key"; as its start: "from the first key".
_OPEN = b"\0"


def prefix_end(prefix: bytes) -> bytes:
    """The first key after all that begin with ``prefix``; NUL, etcd's "to the last key", if there is none."""
    stem = prefix.rstrip(b"\xff")
    return stem[:-1] + bytes((stem[-1] + 1,)) if stem else _OPEN


class KeySpace(ABC, Generic[TextT]):
    """How one user sees etcd's keys and values: as text or as bytes, and whole or below a namespace.

    Made by :func:`key_space`. What goes to the server may be text (where there is an encoding) or bytes; what
    comes from it is of the type that the space is made for. Methods that take the user's keys or values
    raise:

      TypeError: it is neither text nor bytes, or it is text where there is no encoding.
      EncodingError: it has no form in this encoding.
      InvalidRequestError: a key, or an end of a range, is empty.
    """

    __slots__ = ("namespace",)

    def __init__(self, namespace: bytes) -> None:
        self.namespace: bytes = namespace

    def key(self, key: str | bytes, what: str = "key") -> bytes:
        """The key as the server knows it; ``what`` it is to the user."""
        raw = self._encode(what, key, key)
        if not key:
            raise InvalidRequestError(f"the {what} is empty: give one of at least one byte")
        return self.namespace + raw

    def value(self, value: str | bytes, key: str | bytes) -> bytes:
        """The value as the server stores it; ``key`` is the user's, named in errors."""
        return self._encode("value", value, key)

    def prefix(self, prefix: str | bytes) -> tuple[bytes, bytes]:
        """The ``(key, range_end)`` of all keys that begin with ``prefix``; all keys for the empty one."""
        start = self._below(prefix)
        return start or _OPEN, prefix_end(start)

    def range(self, start: str | bytes, end: str | bytes) -> tuple[bytes, bytes]:
        """The ``(key, range_end)`` of the keys from ``start`` to before ``end``; an end of NUL is beyond them all."""
        first, last = self._bound("start of a range", start), self._bound("end of a range", end)
        # etcd's "to the last key" would run on into what lies after the namespace.
        return self.namespace + first, prefix_end(self.namespace) if last == _OPEN else self.namespace + last

    @property
    def codec(self) -> str | None:
        """The text codec of what comes from the server; None where it stays bytes."""
        return None

    @abstractmethod
    def text_key(self, key: bytes) -> TextT:
        """The server's key as the user knows it.

        Raises:
          EncodingError: it is no text in this encoding.
        """

    @abstractmethod
    def text_value(self, value: bytes, key: bytes) -> TextT:
        """The value of the server's ``key`` as the user wants it.

        Raises:
          EncodingError: it is no text in this encoding; the error names the key.
        """

    def text_items(self, items: Sequence[tuple[bytes, bytes]]) -> dict[TextT, TextT]:
        """The server's keys and values as the user knows them.

        Raises:
          EncodingError: as :meth:`text_key` and :meth:`text_value`.
        """
        text_key, text_value = self.text_key, self.text_value
        return {text_key(key): text_value(value, key) for key, value in items}

    @abstractmethod
    def nested(self, prefix: str | bytes, what: str = "prefix") -> KeySpace[TextT]:
        """The part of this space whose keys begin with ``prefix``, which they are shown without."""

    @abstractmethod
    def _encode(self, what: str, text: str | bytes, key: str | bytes) -> bytes:
        """The bytes of what the user gave."""

    def _below(self, prefix: str | bytes, what: str = "prefix") -> bytes:
        raw = self._encode(what, prefix, prefix)
        # The empty text is not empty in every encoding: UTF-16 begins with a mark of its byte order.
        return self.namespace + raw if prefix else self.namespace

    def _bound(self, what: str, bound: str | bytes) -> bytes:
        raw = self._encode(what, bound, bound)
        if not bound:
            extreme = "first" if what == "start of a range" else "last"
            raise InvalidRequestError(rf'the {what} is empty: write "\0" for the {extreme} key of all')
        return _OPEN if bound == ("\0" if isinstance(bound, str) else _OPEN) else raw


class _TextKeys(KeySpace[str]):
    __slots__ = ("encoding",)

    def __init__(self, encoding: str, namespace: bytes) -> None:
        super().__init__(namespace)
        self.encoding = encoding

    @property
    def codec(self) -> str | None:
        return self.encoding

    def text_key(self, key: bytes) -> str:
        key = key.removeprefix(self.namespace)
        try:
            return key.decode(self.encoding)
        except UnicodeError as error:
            raise EncodingError("key", key, self.encoding, _reason(error)) from error

    def text_value(self, value: bytes, key: bytes) -> str:
        try:
            return value.decode(self.encoding)
        except UnicodeError as error:
            raise EncodingError("value", self.text_key(key), self.encoding, _reason(error)) from error

    def text_items(self, items: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
        encoding, size = self.encoding, len(self.namespace)
        with suppress(UnicodeError):  # whose it is, the slow way says
            if not size:
                return {key.decode(encoding): value.decode(encoding) for key, value in items}
            return {key[size:].decode(encoding): value.decode(encoding) for key, value in items}
        return super().text_items(items)

    def nested(self, prefix: str | bytes, what: str = "prefix") -> _TextKeys:
        return _TextKeys(self.encoding, self._below(prefix, what))

    def _encode(self, what: str, text: str | bytes, key: str | bytes) -> bytes:
        if isinstance(text, str):
            try:
                return text.encode(self.encoding)
            except UnicodeError as error:
                subject: Literal["key", "value"] = "value" if what == "value" else "key"
                raise EncodingError(subject, key, self.encoding, _reason(error)) from error
        return _checked(what, text)


class _BytesKeys(KeySpace[bytes]):
    __slots__ = ()

    def text_key(self, key: bytes) -> bytes:
        return key.removeprefix(self.namespace)

    def text_value(self, value: bytes, key: bytes) -> bytes:  # noqa: ARG002 - bytes are always fine
        return value

    def nested(self, prefix: str | bytes, what: str = "prefix") -> _BytesKeys:
        return _BytesKeys(self._below(prefix, what))

    def _encode(self, what: str, text: str | bytes, key: str | bytes) -> bytes:  # noqa: ARG002 - as above
        if isinstance(text, str):
            raise TypeError(
                f"the {what} is a str, but with encoding=None keys and values are bytes: "
                "write b'…', or encode it, or choose an encoding such as 'utf-8'"
            )
        return _checked(what, text)


@overload
def key_space(encoding: str, namespace: str | bytes = "") -> KeySpace[str]: ...
@overload
def key_space(encoding: None, namespace: str | bytes = "") -> KeySpace[bytes]: ...
def key_space(encoding: str | None, namespace: str | bytes = "") -> KeySpace[str] | KeySpace[bytes]:
    """The key space of a client.

    Args:
      encoding: The text codec for keys and values; None gives and takes bytes.
      namespace: Put before every key, and removed from what comes back.

    Raises:
      InvalidRequestError: there is no such text codec.
      TypeError: an argument is of the wrong type.
    """
    if encoding is None:
        keys = _BytesKeys(b"")
        return keys.nested(namespace, "namespace") if namespace else keys
    try:
        "".encode(encoding)
    except (LookupError, UnicodeError) as error:
        raise InvalidRequestError(
            f"encoding {encoding!r} is no text codec that Python knows: {error}"
        ) from error
    return _TextKeys(encoding, b"").nested(namespace, "namespace")


#: Keys and values as the server knows them.
RAW: Final = key_space(None)


def _checked(what: str, raw: object) -> bytes:
    if isinstance(raw, bytes):
        return raw
    raise TypeError(f"the {what} must be str or bytes, not {kind_of(raw)}: convert it first, as in str(…)")


def _reason(error: UnicodeError) -> str:
    """Why, without the text itself: values do not belong into messages."""
    return error.reason if isinstance(error, (UnicodeEncodeError, UnicodeDecodeError)) else str(error)
