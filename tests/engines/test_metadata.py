"""Header injection: what may be metadata (PROTOCOL-HTTP2, "Custom-Metadata")."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etcetra_trio.streams._protocol import check_metadata

NAME = re.compile(r"[0-9a-z_.\-]+")
VALUE = re.compile(r"([\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?)?")
RESERVED = {"te", "content-type", "user-agent", "host", "connection"}


def allowed(name: str, value: str) -> bool:
    if name.startswith("grpc-") or name in RESERVED:
        return False
    return NAME.fullmatch(name) is not None and VALUE.fullmatch(value) is not None


ANY_TEXT = st.text(st.characters(), max_size=6)
NAMES = (
    ANY_TEXT
    | st.from_regex(NAME, fullmatch=True)
    | st.sampled_from(["grpc-timeout", "te", ":path", "Token", "tok\n"])
)
VALUES = (
    ANY_TEXT
    | st.from_regex(VALUE, fullmatch=True)
    | st.sampled_from(["a\r\nb", " a", "a ", "a\n", "\x7f", "é", "a\x00"])
)


@given(NAMES, VALUES)
def test_only_what_stays_in_its_field_is_taken(name: str, value: str) -> None:
    if allowed(name, value):
        assert check_metadata([(name, value)]) == ((name.encode(), value.encode()),)
    else:
        with pytest.raises(ValueError, match="metadata"):
            check_metadata([(name, value)])


@pytest.mark.parametrize("code", [*range(0x180), 0xD800])
def test_every_low_code_point_in_a_value(code: int) -> None:
    value = f"a{chr(code)}b"
    if 0x20 <= code <= 0x7E:
        assert check_metadata([("token", value)]) == ((b"token", value.encode()),)
    else:
        with pytest.raises(ValueError, match="bad value"):
            check_metadata([("token", value)])


def test_octets_are_held_to_the_same() -> None:
    assert check_metadata([("token", b"abc")]) == ((b"token", b"abc"),)
    for value in (b"a\nb", b"\xe9", b" a"):
        with pytest.raises(ValueError, match="bad value"):
            check_metadata([("token", value)])


def test_a_secret_is_not_repeated_in_the_error() -> None:
    with pytest.raises(ValueError, match="token") as caught:
        check_metadata([("token", "s3cr3t\n")])
    assert "s3cr3t" not in str(caught.value)
