"""Keys and values are told nobody: not in events, not in logs, not in spans, whatever fails."""

from __future__ import annotations

import logging
from contextlib import suppress

import pytest
import trio
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from etcetra_trio import EtcdClient, EtcdError
from etcetra_trio.events import CallEnded, Event, LeaseLost, WatchCompacted, WatchInterrupted
from etcetra_trio.opentelemetry import OpenTelemetry
from etcetra_trio.testing import EtcdServer, FaultProxy

CANARY = "canary-of"
KEY, VALUE = "/canary-of-keys/k", "canary-of-values"


async def test_a_session_with_failures(etcd_server: EtcdServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    exporter, tracers = InMemorySpanExporter(), TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    spans = OpenTelemetry(tracers)
    events: list[Event] = []

    def hook(event: Event) -> None:
        events.append(event)
        spans(event)

    async with FaultProxy(etcd_server.endpoint) as proxy:
        with trio.fail_after(30):
            async with (
                EtcdClient(proxy.endpoint, encoding="ascii", on_event=hook).connect() as communicator,
                EtcdClient(etcd_server.endpoint, encoding=None).connect() as other,
            ):
                await communicator.put(KEY, VALUE)
                assert await communicator.get_prefix(KEY) == {KEY: VALUE}
                with suppress(EtcdError):
                    async with communicator.lock(KEY):
                        await other.delete_prefix(KEY.encode())
                        await trio.sleep_forever()
                assert [event for event in events if isinstance(event, LeaseLost)]
                async with communicator.watch_prefix(KEY) as watch:
                    await communicator.put(KEY, VALUE)
                    assert (await watch.receive()).value == VALUE
                    proxy.cut()
                    while not [event for event in events if isinstance(event, WatchInterrupted)]:
                        await trio.sleep(0.01)
                    done = await communicator.put(KEY, VALUE)
                    await watch.receive()
                await communicator.compact(done.revision)
                with suppress(EtcdError):
                    await communicator.watch(KEY, start_revision=1).receive()
                assert [event for event in events if isinstance(event, WatchCompacted)]
                await other.put(KEY.encode(), VALUE.encode() + b"\xff")
                for call in (
                    communicator.get(KEY),  # it is no ASCII
                    communicator.put(KEY, VALUE, lease=12345),
                    communicator.put(KEY + "k" * 3_000_000, VALUE),
                ):
                    with suppress(EtcdError, TypeError, ValueError):
                        await call
                        pytest.fail("it did not fail")
                await other.delete_prefix(KEY.encode())
    errors = {event.error for event in events if isinstance(event, CallEnded)}
    assert {"", "LeaseNotFoundError", "RequestTooLargeError"} <= errors
    assert CANARY not in repr(events)
    assert CANARY not in caplog.text
    assert not [record for record in caplog.records if CANARY in str(record.__dict__)]
    finished = exporter.get_finished_spans()
    assert len(finished) > 10
    assert not [span for span in finished if CANARY in span.to_json()]


def test_this_test_would_see_it() -> None:
    exporter, tracers = InMemorySpanExporter(), TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    tracers.get_tracer("").start_span("get", attributes={"key": KEY}).end()
    assert CANARY in exporter.get_finished_spans()[0].to_json()
