"""The hot codec says what upb and betterproto2 say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import _messages as m
import _upb
import pytest
from _protogen.decoders import snake
from _protogen.model import REQUESTS, RESPONSES
from hypothesis import given

from etcetra_trio._proto import _codec, _projections
from etcetra_trio._proto._wire import DecodeError

each_response = pytest.mark.parametrize("name", [f"etcdserverpb.{name}" for name in RESPONSES])
each_request = pytest.mark.parametrize("name", [f"etcdserverpb.{name}" for name in REQUESTS])


def function(name: str, prefix: str = "") -> Callable[..., Any]:
    found: Callable[..., Any] = getattr(_codec, prefix + snake(name.rpartition(".")[2]))
    return found


def decode(name: str, data: bytes) -> m.Tree:
    return m.tree_of_object(function(name, "decode_")(data), name)


def encode(tree: m.Tree, name: str) -> bytes:
    """With our functions; inner messages first."""
    known, arguments = m.attributes(name), {}
    for field in m.fields(name):
        value = tree[field.number]
        if field.type == m.MESSAGE and value is not None:
            inner = field.message_type.full_name
            value = [encode(x, inner) for x in value] if field.is_repeated else encode(value, inner)
        arguments[known[field.number]] = value
    encoded = function(name)(**arguments)
    assert isinstance(encoded, bytes)
    return encoded


@each_response
def test_decoders_read_what_encoders_write(name: str) -> None:
    @m.examples(40)
    @given(m.trees(name))
    def check(tree: m.Tree) -> None:
        data = m.upb_of(tree, name).SerializeToString()
        assert decode(name, data) == tree
        assert m.tree_of_object(m.betterproto2_class(name).parse(data), name) == tree
        assert decode(name, bytes(m.betterproto2_of(tree, name))) == tree

    check()


@each_response
def test_decoders_read_what_no_encoder_writes(name: str) -> None:
    @m.examples(60)
    @given(m.scrambled(name))
    def check(data: bytes) -> None:
        expected = _upb.parse(name, data)
        assert expected is not None
        assert decode(name, data) == m.tree_of_upb(expected)

    check()


@each_response
def test_malformed_bytes_are_one_error(name: str) -> None:
    @m.examples(100)
    @given(m.damaged(name))
    def check(data: bytes) -> None:
        expected = _upb.parse(name, data)
        found, refusal = m.attempt(lambda data: decode(name, data), data)
        if refusal:
            assert expected is None or m.GROUP in refusal
        else:
            assert expected is not None
            assert found == m.tree_of_upb(expected)

    check()


@pytest.mark.parametrize(
    ("data", "well_formed"),
    [
        (b"\x90\x80\x80\x80\x00\x05", True),  # a tag of five bytes
        (b"\x90\x80\x80\x80\x80\x00\x05", False),  # of six
        (b"\xf8\xff\xff\xff\x0f\x05", True),  # the largest tag
        (b"\xf8\xff\xff\xff\x1f\x05", False),  # a larger one
        (b"\x00\x05", False),  # field 0
        (b"\x0a\x82\x80\x80\x80\x00\x18\x05", True),  # a length of five bytes
        (b"\x0a\x82\x80\x80\x80\x80\x00\x18\x05", False),  # of six
        (b"\x42\x82\x80\x80\x80\x80\x00\x18\x05", False),  # the same of an unknown field
        (b"\x10" + b"\xff" * 9 + b"\x7f", True),  # a number of ten bytes
        (b"\x10" + b"\xff" * 10 + b"\x01", False),  # of eleven
        (b"\x40" + b"\xff" * 10 + b"\x01", False),  # the same of an unknown field
        (b"\x16", False),  # there are no wire types 6
        (b"\x17", False),  # and 7
        (b"\x14", False),  # a group that nobody opened
    ],
    ids=lambda value: value.hex() if isinstance(value, bytes) else None,
)
def test_the_limits_of_the_format(data: bytes, well_formed: bool) -> None:
    name = "etcdserverpb.LeaseKeepAliveResponse"
    expected = _upb.parse(name, data)
    assert (expected is not None) == well_formed
    if well_formed:
        assert decode(name, data) == m.tree_of_upb(expected)
    else:
        with pytest.raises(DecodeError):
            decode(name, data)


@each_request
def test_encoders(name: str) -> None:
    @m.examples(40)
    @given(m.trees(name))
    def check(tree: m.Tree) -> None:
        data = encode(tree, name)
        assert m.tree_of_upb(_upb.parse(name, data)) == tree
        assert data == bytes(m.betterproto2_of(tree, name))

    check()


def test_encoders_leave_defaults_out() -> None:
    assert _codec.range_request(b"k") == b"\n\x01k"
    assert _codec.put_request(b"k", b"") == b"\n\x01k"
    assert _codec.watch_request(progress_request=_codec.watch_progress_request()) == b"\x1a\x00"
    assert _codec.compare(0, 0, b"k", version=0) == b"\x1a\x01k\x20\x00"


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1])
def test_encoders_refuse_what_does_not_fit(number: int) -> None:
    with pytest.raises(ValueError, match="64 bits"):
        _codec.put_request(b"k", b"v", number)


@pytest.mark.parametrize("name", m.NAMES)
def test_betterproto2_and_upb_agree_on_every_message(name: str) -> None:
    @m.examples(8)
    @given(m.trees(name))
    def check(tree: m.Tree) -> None:
        upb = m.upb_of(tree, name).SerializeToString()
        assert m.tree_of_object(m.betterproto2_class(name).parse(upb), name) == tree
        assert m.tree_of_upb(_upb.parse(name, bytes(m.betterproto2_of(tree, name)))) == tree

    check()


@pytest.mark.parametrize(
    ("why", "name", "data"),
    [
        ("it keeps both members of a oneof", "ResponseOp", b"\x0a\x00\x12\x00"),
        ("it does not merge a message that comes twice", "PutResponse", b"\x0a\x02\x18\x01\x0a\x02\x20\x01"),
        ("it takes any wire type for a known field", "LeaseStatus", b"\x0d1234"),
    ],
)
def test_where_betterproto2_is_not_the_oracle(why: str, name: str, data: bytes) -> None:
    """Why the scrambled messages are compared with upb only. When it changes, compare them with both."""
    full = f"etcdserverpb.{name}"
    expected = m.tree_of_upb(_upb.parse(full, data))
    try:
        theirs = m.tree_of_object(m.betterproto2_class(full).parse(data), full)
    except Exception:  # noqa: BLE001  whatever it is, it is not the answer
        theirs = {}
    assert theirs != expected, f"betterproto2 has learned it: {why}"


def test_betterproto2_takes_truncated_messages() -> None:
    """Why the damaged messages are compared with upb only."""
    data = _upb.message("mvccpb.KeyValue")(key=b"a-long-key").SerializeToString()[:-4]
    assert m.betterproto2_class("mvccpb.KeyValue").parse(data) is not None
    assert _upb.parse("mvccpb.KeyValue", data) is None


@pytest.mark.parametrize(("levels", "well_formed"), [(100, True), (101, False), (10_000, False)])
def test_nesting_is_limited_as_upb_limits_it(levels: int, well_formed: bool) -> None:
    data = b""
    for level in range(
        levels, 0, -1
    ):  # by turns a ResponseOp in a TxnResponse and a TxnResponse in a ResponseOp
        data = m.joined([((3 if level % 2 else 4) << 3 | 2, data)])
    assert (_upb.parse("etcdserverpb.TxnResponse", data) is not None) == well_formed
    if well_formed:
        _codec.decode_txn_response(data)
    else:
        with pytest.raises(DecodeError, match="deep"):
            _codec.decode_txn_response(data)


@pytest.mark.parametrize("cluster", [0, 5, 2**35, 2**56, 2**63, 2**64 - 1])
@pytest.mark.parametrize("member", [0, 5, 2**35, 2**56, 2**63, 2**64 - 1])
def test_header_ids_of_any_length_come_from_the_cache_unchanged(cluster: int, member: int) -> None:
    for revision in (1, 300, 2**40, -1):
        header = _upb.message("etcdserverpb.ResponseHeader")(
            cluster_id=cluster, member_id=member, revision=revision, raft_term=2**40
        )
        data = _upb.message("etcdserverpb.PutResponse")(header=header).SerializeToString()
        for _ in range(2):
            found = _codec.decode_put_response(data).header
            assert found
            ours = (found.cluster_id, found.member_id, found.revision, found.raft_term)
            assert ours == (cluster, member, revision, 2**40)
            assert _projections.put_revision(data) == revision


def test_the_cache_of_header_ids_does_not_grow_for_ever() -> None:
    for member in range(2**63, 2**63 + 1000):
        header = _upb.message("etcdserverpb.ResponseHeader")(cluster_id=2**63, member_id=member, revision=1)
        data = _upb.message("etcdserverpb.PutResponse")(header=header).SerializeToString()
        found = _codec.decode_put_response(data).header
        assert found
        assert found.member_id == member
    assert 0 < len(_codec.HEADER_IDS) <= 64
