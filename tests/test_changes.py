"""What a watch response brings is what upb finds in it, however alike or different its events look."""

from __future__ import annotations

from typing import Any

import _messages as m
import _upb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etcetra_trio._proto._changes import Change, watch_changes
from etcetra_trio._proto._codec import WatchResponse
from etcetra_trio._proto._wire import DecodeError

RESPONSE = "etcdserverpb.WatchResponse"
Found = tuple[int, list[Change], bool]


def expected(data: bytes) -> Found | DecodeError | None:
    """By upb; a DecodeError where it is malformed."""
    full = _upb.parse(RESPONSE, data)
    if full is None:
        return DecodeError("malformed")
    if full.created or full.canceled or not full.events:
        return None
    if not all(event.HasField("kv") for event in full.events):
        return DecodeError("an event without a key")
    return full.watch_id, [change(event) for event in full.events], full.fragment


def change(event: Any) -> Change:
    kv = event.kv
    previous = event.prev_kv.value if event.HasField("prev_kv") else None
    return Change(
        kv.key,
        kv.value,
        previous,
        event.type,
        kv.mod_revision,
        kv.create_revision,
        kv.version,
        kv.lease,
    )


def check(data: bytes) -> None:
    wanted = expected(data)
    found, refusal = m.attempt(watch_changes, data)
    if isinstance(found, WatchResponse):
        assert found.created or found.canceled or not found.events
        found = None
    if refusal:
        assert isinstance(wanted, DecodeError) or m.GROUP in refusal
    elif isinstance(wanted, DecodeError):  # nonsense inside the header is passed over
        without_header = expected(b"\x0a\x00" + data[2 + data[1] :]) if data[1:] else wanted
        assert found == without_header
    else:
        assert found == wanted


@m.examples(200)
@given(m.serialized(RESPONSE))
def test_what_encoders_write(data: bytes) -> None:
    check(data)


@m.examples(200)
@given(m.scrambled(RESPONSE, 2))
def test_what_no_encoder_writes(data: bytes) -> None:
    check(data)


@m.examples(400)
@given(m.damaged(RESPONSE))
def test_malformed_bytes(data: bytes) -> None:
    check(data)


numbers = st.sampled_from([0, 1, 2, 127, 128, 129, 16_383, 16_384, 2_097_151, 2_097_152, 2**40, -1])
records = st.fixed_dictionaries(
    {},
    optional={
        "key": st.sampled_from([b"", b"a", b"b", b"a" * 33, b"b" * 33, b"c" * 128, b"\x10\x01\x18\x01"]),
        "value": st.sampled_from([b"", b"x", b"y", b"x" * 100, b"y" * 100, b"z" * 127, b"z" * 300]),
        "create_revision": numbers,
        "mod_revision": numbers,
        "version": numbers,
        "lease": numbers,
    },
)
events = st.fixed_dictionaries({"kv": records}, optional={"type": st.integers(0, 2), "prev_kv": records})


@st.composite
def alike(draw: st.DrawFn) -> bytes:
    """A response whose events are few different ones, repeated, some changed in one place."""
    templates = draw(st.lists(events, min_size=1, max_size=3))
    response = _upb.message(RESPONSE)(watch_id=draw(numbers), fragment=draw(st.booleans()))
    response.header.revision = 7
    for event in draw(st.lists(st.sampled_from(templates), min_size=1, max_size=8)):
        kv = event["kv"]
        assert isinstance(kv, dict)
        changed = draw(
            st.sampled_from(["", "key", "value", "create_revision", "mod_revision", "version", "lease"])
        )
        if changed in kv:
            other = draw(records)
            kv = {**kv, changed: other.get(changed, kv[changed])}
        response.events.add(**{**event, "kv": kv})
    data: bytes = response.SerializeToString()
    return data


@m.examples(600)
@given(alike())
def test_events_that_look_alike(data: bytes) -> None:
    check(data)


@m.examples(600)
@given(alike(), st.data())
def test_events_that_look_alike_with_an_octet_changed(data: bytes, draw: st.DataObject) -> None:
    at = draw.draw(st.integers(0, len(data) - 1))
    octet = draw.draw(st.sampled_from([0, 1, 2, 8, 10, 16, 18, 24, 26, 32, 42, 48, 90, 127, 128, 129, 255]))
    check(data[:at] + bytes([octet]) + data[at + 1 :])
    check(data[:at])


@m.examples(500)
@given(events, numbers, st.data())
def test_a_response_that_looks_like_those_before(
    event: dict[str, object], watch_id: int, draw: st.DataObject
) -> None:
    """What was seen twice is taken as an example; whatever differs from it in any way is decoded."""
    response = _upb.message(RESPONSE)(watch_id=watch_id)
    response.header.cluster_id = 2**63 + 1
    response.header.member_id = 2**63 + 2
    response.header.revision = response.header.raft_term = 7
    response.events.add(**event)
    data: bytes = response.SerializeToString()
    for _ in range(3):
        check(data)
    at = draw.draw(st.integers(0, len(data) - 1))
    changed = data[:at] + bytes([draw.draw(st.integers(0, 255))]) + data[at + 1 :]
    for _ in range(3):
        check(changed)


def test_plain_puts_are_taken_at_once() -> None:
    """The case that the examples are for."""
    for revision in range(300, 330):
        response = _upb.message(RESPONSE)(watch_id=3)
        response.header.cluster_id = 2**63 + 1
        response.header.member_id = 2**63 + 2
        response.header.revision = revision
        response.header.raft_term = 2
        response.events.add(
            kv={
                "key": b"k" * 33,
                "value": bytes([revision - 300]) * 130,
                "mod_revision": revision,
                "create_revision": 300,
                "version": revision - 299,
            }
        )
        check(response.SerializeToString())


def test_an_event_without_a_key() -> None:
    with pytest.raises(DecodeError, match="without a key"):
        watch_changes(m.joined([(10, b"\x18\x01"), (90, b"")]))
