"""The projections say what decoding and picking says, but for what they pass over."""

from __future__ import annotations

from collections.abc import Callable

import _messages as m
import _upb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etcetra_trio._proto import _projections
from etcetra_trio._proto._wire import DecodeError


def picked(data: bytes) -> tuple[object, ...] | None:
    """What the projections of a RangeResponse should say, by upb; None where it is malformed."""
    full = _upb.parse("etcdserverpb.RangeResponse", data)
    if full is None:
        return None
    return (
        full.kvs[0].value if full.kvs else None,
        [(kv.key, kv.value) for kv in full.kvs],
        [kv.key for kv in full.kvs],
    )


range_projections = (_projections.range_value, _projections.range_items, _projections.range_keys)


@m.examples(150)
@given(m.serialized("etcdserverpb.RangeResponse"))
def test_projections_of_what_encoders_write(data: bytes) -> None:
    assert tuple(project(data) for project in range_projections) == picked(data)


@m.examples(150)
@given(m.scrambled("etcdserverpb.RangeResponse", 2))
def test_projections_of_what_no_encoder_writes(data: bytes) -> None:
    expected = picked(data)
    assert expected
    assert (_projections.range_value(data), _projections.range_items(data)) == expected[:2]


def test_a_number_longer_than_a_number_can_be() -> None:
    """Found by atheris: in a part that is passed over."""
    for project in range_projections:
        with pytest.raises(DecodeError):
            project(b"\x0a\x00\x20" + b"\xff" * 10 + b"\x01")


@m.examples(300)
@given(m.damaged("etcdserverpb.RangeResponse"))
def test_projections_of_malformed_bytes(data: bytes) -> None:
    expected = picked(data)
    # They do not look into the header, so it is no reason to refuse.
    without_header = picked(b"\x0a\x00" + data[2 + data[1] :]) if data[1:] else None
    for n, project in enumerate(range_projections[:2]):
        found, refusal = m.attempt(project, data)
        if refusal:
            assert expected is None or m.GROUP in refusal
        else:
            believed = expected or without_header
            assert believed
            assert found == believed[n]
    m.attempt(_projections.range_keys, data)


@given(m.serialized("etcdserverpb.RangeResponse"), st.data())
@m.examples(150)
def test_projections_notice_what_is_missing(data: bytes, draw: st.DataObject) -> None:
    """A piece of a message is an error, or it is a whole message."""
    piece = data[: draw.draw(st.integers(0, len(data)))]
    expected = picked(piece)
    for n, project in enumerate(range_projections):
        if expected is None:
            with pytest.raises(DecodeError):
                project(piece)
        else:
            assert project(piece) == expected[n]


numbers = st.sampled_from([0, 1, 127, 128, 16_384, 2**40])
records = st.fixed_dictionaries(
    {"key": st.sampled_from([b"a", b"b", b"a" * 33, b"b" * 33, b"c" * 128])},
    optional={
        "value": st.sampled_from([b"", b"x", b"x" * 100, b"y" * 100, b"z" * 300]),
        "create_revision": numbers,
        "mod_revision": numbers,
        "version": numbers,
        "lease": numbers,
    },
)


@st.composite
def alike(draw: st.DrawFn) -> bytes:
    """Long runs of records that look alike, some of them changed in one place."""
    response = _upb.message("etcdserverpb.RangeResponse")(count=draw(numbers))
    response.header.revision = 7
    for record in draw(st.lists(records, min_size=1, max_size=3)):
        for _ in range(draw(st.integers(1, 60))):
            response.kvs.add(**record)
    for _ in range(draw(st.integers(0, 3))):
        kv = response.kvs[draw(st.integers(0, len(response.kvs) - 1))]
        for name, value in draw(records).items():
            if draw(st.booleans()):
                setattr(kv, name, value)
    data: bytes = response.SerializeToString()
    return data


@m.examples(300)
@given(alike())
def test_records_that_look_alike(data: bytes) -> None:
    expected = picked(data)
    assert expected
    assert tuple(project(data) for project in range_projections) == expected


@m.examples(300)
@given(alike(), st.data())
def test_records_that_look_alike_with_an_octet_changed(data: bytes, draw: st.DataObject) -> None:
    at = draw.draw(st.integers(4, len(data) - 1))  # behind the header
    octet = draw.draw(st.sampled_from([0, 1, 2, 8, 10, 16, 18, 24, 32, 42, 48, 127, 128, 129, 255]))
    for bad in (data[:at] + bytes([octet]) + data[at + 1 :], data[:at]):
        expected = picked(bad)
        found, refusal = m.attempt(_projections.range_items, bad)
        assert (expected is None or m.GROUP in refusal) if refusal else (expected and found == expected[1])
        m.attempt(_projections.range_keys, bad)


@m.examples(500)
@given(records, st.integers(0, 2**20), st.data())
def test_an_answer_that_looks_like_those_before(
    record: dict[str, object], revision: int, draw: st.DataObject
) -> None:
    """What was seen twice is taken as an example; whatever differs from it in any way is decoded."""
    response = _upb.message("etcdserverpb.RangeResponse")(count=1)
    response.header.cluster_id = 2**63 + 1
    response.header.revision = revision
    response.kvs.add(**record)
    data: bytes = response.SerializeToString()
    for _ in range(3):
        assert _projections.range_value(data) == response.kvs[0].value
    at = draw.draw(st.integers(0, len(data) - 1))
    octet = draw.draw(st.integers(0, 255))
    changed = data[:at] + bytes([octet]) + data[at + 1 :]
    expected = picked(changed)
    without_header = picked(b"\x0a\x00" + changed[2 + changed[1] :])
    for _ in range(3):
        found, refusal = m.attempt(_projections.range_value, changed)
        if refusal:
            assert expected is None or m.GROUP in refusal
        else:
            believed = expected or without_header
            assert believed
            assert found == believed[0]


def test_projections_look_at_all_that_they_do_not_skip_as_a_whole() -> None:
    header = m.joined([(8, b"\x01"), (16, b"\x02"), (24, b"\x03"), (32, b"\x04")])
    kv = m.joined([(10, b"key"), (16, b"\x01"), (24, b"\x02"), (32, b"\x01"), (42, b"value")])
    good = m.joined([(10, header), (18, kv), (32, b"\x01")])
    assert tuple(project(good) for project in range_projections) == (b"value", [(b"key", b"value")], [b"key"])
    too_long = kv.replace(b"\x03key", b"\x30key")
    two = m.joined([(10, header), (18, too_long), (18, kv), (18, kv), (32, b"\x02")])
    for bad in (good + b"\x00", good + b"\x20", good + b"\x1f", two):
        for project in range_projections:
            with pytest.raises(DecodeError):
                project(bad)


def test_put_revision_looks_at_the_whole_header() -> None:
    header = _upb.message("etcdserverpb.ResponseHeader")(
        cluster_id=2**63, member_id=2**63, revision=7, raft_term=2
    )
    good = header.SerializeToString()
    assert _projections.put_revision(m.joined([(10, good)])) == 7
    for behind in (b"\x00", b"\x18", b"\x1f"):
        for bad in (m.joined([(10, good + behind)]), m.joined([(10, good)]) + behind):
            with pytest.raises(DecodeError):
                _projections.put_revision(bad)
    assert _projections.put_revision(m.joined([(10, good + b"\x18\x09")])) == 9


@pytest.mark.parametrize("revision", [1, 130, 20_000, 3_000_000, 2**40])
@pytest.mark.parametrize("term", [0, 2])
def test_put_revision_of_answers_that_look_like_the_one_before(revision: int, term: int) -> None:
    """Any octet of one may differ: then it is what the full decoder makes of it."""

    def answer(revision: int) -> bytes:
        message = _upb.message("etcdserverpb.ResponseHeader")(
            cluster_id=2**63 + 1, member_id=2**62 + 1, revision=revision, raft_term=term
        )
        return m.joined([(10, message.SerializeToString())])

    for more in range(4):
        assert _projections.put_revision(answer(revision + more)) == revision + more
    example = answer(revision)
    for at in range(len(example)):
        for octet in (0, 1, 24, 32, 127, 128, 255, example[at] ^ 1, example[at] ^ 128):
            octets = example[:at] + bytes((octet,)) + example[at + 1 :]
            expected = _upb.parse("etcdserverpb.PutResponse", octets)
            found, refusal = m.attempt(_projections.put_revision, octets)
            if expected is None or refusal:
                assert refusal
            else:
                assert found == expected.header.revision


@pytest.mark.parametrize("make", [m.serialized, m.scrambled, m.damaged])
def test_put_revision(make: Callable[[str], st.SearchStrategy[bytes]]) -> None:
    @m.examples(150)
    @given(make("etcdserverpb.PutResponse"))
    def check(data: bytes) -> None:
        expected = _upb.parse("etcdserverpb.PutResponse", data)
        found, refusal = m.attempt(_projections.put_revision, data)
        if refusal:
            assert expected is None or m.GROUP in refusal
        else:
            assert expected is not None
            assert found == expected.header.revision

    check()
