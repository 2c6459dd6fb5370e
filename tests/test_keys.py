"""Keys: prefixes and ranges against brute force over small keys, namespaces, encodings, and what is refused."""

from __future__ import annotations

import itertools
from typing import assert_type, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etcetra_trio._errors import EncodingError, InvalidRequestError
from etcetra_trio._keys import KeySpace, key_space, prefix_end

# Octets at the edges, and every key of up to three of them: enough for all carries.
OCTETS = (0x00, 0x01, 0x61, 0xFE, 0xFF)
KEYS = [bytes(key) for size in (1, 2, 3) for key in itertools.product(OCTETS, repeat=size)]

small = st.lists(st.sampled_from(OCTETS), max_size=3).map(bytes)
texts = st.text(st.characters(codec="utf-8"))


def in_range(key: bytes, start: bytes, end: bytes) -> bool:
    """What etcd means by (key, range_end)."""
    return start <= key and (end == b"\0" or key < end)


@given(small)
def test_prefix_end_against_brute_force(prefix: bytes) -> None:
    end = prefix_end(prefix)
    for key in KEYS:
        assert in_range(key, prefix, end) == key.startswith(prefix)


@given(st.binary(), st.binary())
def test_prefix_end_of_any_prefix(prefix: bytes, key: bytes) -> None:
    end = prefix_end(prefix)
    assert in_range(key, prefix, end) == key.startswith(prefix)
    assert in_range(prefix + key, prefix, end)


@pytest.mark.parametrize(
    ("prefix", "end"),
    [(b"/d/", b"/d0"), (b"a\xff\xff", b"b"), (b"a\xfe", b"a\xff"), (b"\xff\xff", b"\0"), (b"", b"\0")],
)
def test_prefix_end_by_example(prefix: bytes, end: bytes) -> None:
    assert prefix_end(prefix) == end


@given(small, small)
def test_a_prefix_below_a_namespace_is_exactly_its_keys(namespace: bytes, prefix: bytes) -> None:
    keys = key_space(None, namespace)
    start, end = keys.prefix(prefix)
    for key in KEYS:
        assert in_range(namespace + key, start, end) == key.startswith(prefix)
        assert in_range(key, start, end) == key.startswith(namespace + prefix)


@given(small, small.filter(bool), small.filter(bool))
def test_a_range_below_a_namespace_is_exactly_its_keys(namespace: bytes, first: bytes, last: bytes) -> None:
    keys = key_space(None, namespace)
    start, end = keys.range(first, last)
    for key in KEYS:
        assert in_range(namespace + key, start, end) == in_range(key, first, last)
        if not key.startswith(namespace):
            assert not in_range(key, start, end)


def test_the_range_of_everything() -> None:
    assert key_space("utf-8").range("\0", "\0") == key_space("utf-8").prefix("") == (b"\0", b"\0")
    assert key_space("utf-8", "app/").range("\0", "\0") == (b"app/\0", b"app0")
    assert key_space("utf-8", "app/").prefix("") == (b"app/", b"app0")
    assert key_space(None, b"\xff").range(b"a", b"\0") == (b"\xffa", b"\0")
    # In an encoding that writes more than one octet for it, too.
    assert key_space("utf-16").range("\0", "\0") == (b"\0", b"\0")


@given(texts.filter(bool), texts, texts)
def test_text_comes_back_without_the_namespace(key: str, value: str, namespace: str) -> None:
    keys = key_space("utf-8", namespace)
    raw = keys.key(key)
    assert raw == (namespace + key).encode()
    assert keys.text_key(raw) == key
    assert keys.text_value(keys.value(value, key), raw) == value
    assert keys.key(key.encode()) == raw


@given(st.binary(min_size=1), st.binary(), st.binary())
def test_bytes_come_back_without_the_namespace(key: bytes, value: bytes, namespace: bytes) -> None:
    keys = key_space(None, namespace)
    raw = keys.key(key)
    assert raw == namespace + key
    assert keys.text_key(raw) == key
    assert keys.text_value(keys.value(value, key), raw) == value


@given(texts, texts, texts.filter(bool))
def test_nested_namespaces_add_up(outer: str, inner: str, key: str) -> None:
    text = key_space("utf-8", outer).nested(inner)
    assert text.namespace == (outer + inner).encode()
    assert text.text_key(text.key(key)) == key
    raw = key_space(None, outer.encode()).nested(inner.encode())
    assert raw.key(key.encode()) == text.key(key)


@given(st.sampled_from(["utf-16", "utf-8-sig", "latin-1", "utf-16-le"]), st.text("abcé", min_size=1))
def test_other_encodings(encoding: str, key: str) -> None:
    keys = key_space(encoding, "ns/")
    assert keys.text_key(keys.key(key)) == key
    assert keys.prefix("") == ("ns/".encode(encoding), prefix_end("ns/".encode(encoding)))
    assert keys.nested("").namespace == keys.namespace
    start, end = keys.prefix(key[0])
    assert in_range(keys.key(key), start, end)


def test_types_are_known_to_the_checker() -> None:
    assert_type(key_space("utf-8"), KeySpace[str])
    assert_type(key_space("utf-8").nested("a"), KeySpace[str])
    assert_type(key_space(None, b"a").text_key(b"ab"), bytes)
    assert_type(key_space("utf-8").text_value(b"ab", b"k"), str)


@pytest.mark.parametrize("keys", [key_space("utf-8"), key_space(None), key_space("utf-16", "ns")])
def test_empty_keys_and_ends_are_refused_and_empty_values_are_not(
    keys: KeySpace[str] | KeySpace[bytes],
) -> None:
    with pytest.raises(InvalidRequestError, match="the key is empty: give one of at least one byte"):
        keys.key(b"")
    with pytest.raises(
        InvalidRequestError, match=r'the start of a range is empty: write "\\0" for the first'
    ):
        keys.range(b"", b"a")
    with pytest.raises(InvalidRequestError, match=r'the end of a range is empty: write "\\0" for the last'):
        keys.range(b"a", b"")
    assert keys.value(b"", b"k") == b""


def test_the_empty_text_is_an_empty_key_in_every_encoding() -> None:
    for encoding in ("utf-8", "utf-16"):
        with pytest.raises(InvalidRequestError, match="the key is empty"):
            key_space(encoding, "ns/").key("")


@pytest.mark.parametrize("wrong", [None, 5, 1.5, bytearray(b"a"), memoryview(b"a"), ["a"]])
@pytest.mark.parametrize("keys", [key_space("utf-8"), key_space(None)])
def test_wrong_types_are_refused(keys: KeySpace[str] | KeySpace[bytes], wrong: object) -> None:
    name = "None" if wrong is None else type(wrong).__name__
    bad = cast("str", wrong)
    for call, what in (
        (lambda: keys.key(bad), "key"),
        (lambda: keys.value(bad, b"k"), "value"),
        (lambda: keys.prefix(bad), "prefix"),
        (lambda: keys.nested(bad), "prefix"),
        (lambda: keys.range(bad, b"a"), "start of a range"),
        (lambda: keys.range(b"a", bad), "end of a range"),
    ):
        with pytest.raises(
            TypeError, match=f"^the {what} must be str or bytes, not {name}: convert it first"
        ):
            call()


def test_text_is_refused_where_bytes_are_the_rule() -> None:
    keys = key_space(None)
    with pytest.raises(TypeError, match="the key is a str, but with encoding=None keys and values are bytes"):
        keys.key("a")
    with pytest.raises(TypeError, match="the value is a str"):
        keys.value("a", b"k")
    with pytest.raises(TypeError, match="the namespace is a str"):
        key_space(None, "ns/")
    assert key_space(None, "").namespace == b""


@pytest.mark.parametrize("encoding", ["utf-9", "rot13", "base64", "undefined"])
def test_unknown_encodings_are_refused_at_once(encoding: str) -> None:
    with pytest.raises(InvalidRequestError, match=f"encoding '{encoding}' is no text codec"):
        key_space(encoding)


def test_what_does_not_decode_names_the_key() -> None:
    keys = key_space("utf-8", "ns/")
    with pytest.raises(EncodingError) as caught:
        keys.text_value(b"secret\xff", b"ns/k\xc3\xa9y")
    assert (caught.value.key, caught.value.encoding) == ("kéy", "utf-8")
    assert str(caught.value) == (
        "the value of the key 'kéy' is not utf-8 text (invalid start byte). "
        "To have bytes, give the call a bytes key and encoding=None (with etcetra_trio.asyncio encoding=bytes)."
    )
    with pytest.raises(EncodingError) as caught:
        keys.text_key(b"ns/\xff")
    assert caught.value.key == b"\xff"
    assert "the key b'\\xff' is not utf-8 text (invalid start byte)" in str(caught.value)
    # Both are bad: the key it is that gets named.
    with pytest.raises(EncodingError, match=r"the key b'\\xfe' is not utf-8 text"):
        keys.text_value(b"\xff", b"ns/\xfe")


def test_what_does_not_encode_names_the_key() -> None:
    keys = key_space("ascii")
    with pytest.raises(EncodingError, match="the key 'é' is not ascii text"):
        keys.key("é")
    with pytest.raises(EncodingError, match="the key 'é' is not ascii text"):
        keys.prefix("é")
    with pytest.raises(
        EncodingError, match=r"the value of the key 'k' is not ascii text \(ordinal not in range"
    ):
        keys.value("é", "k")
    with pytest.raises(EncodingError, match="surrogates not allowed"):
        key_space("utf-8").key("\ud800")


def test_codecs_with_errors_of_their_own() -> None:
    with pytest.raises(EncodingError, match=r"the key 'x{64}' is not idna text"):
        key_space("idna").key("x" * 64)
