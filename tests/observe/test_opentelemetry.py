"""Spans and metrics, as OpenTelemetry's own SDK takes them."""

from __future__ import annotations

import asyncio
from collections.abc import Generator

import pytest
import trio
from failover._scripted import Request, serving
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from test_package import fresh_python

import etcetra_trio.asyncio as shim
from etcetra_trio import EtcdClient, OutcomeUnknownError
from etcetra_trio.opentelemetry import OpenTelemetry, _server
from etcetra_trio.testing import EtcdServer
from observe._kit import bare


class Exported:
    """What came out."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.reader = InMemoryMetricReader()
        self.hook = OpenTelemetry(self.tracers, MeterProvider([self.reader]))
        self.tracer = self.tracers.get_tracer("the program's own")

    @property
    def spans(self) -> list[ReadableSpan]:
        return [span for span in self.exporter.get_finished_spans() if span.kind is SpanKind.CLIENT]

    def points(self, name: str) -> list[HistogramDataPoint]:
        data = self.reader.get_metrics_data()
        assert data is not None
        return [
            point
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name and metric.unit == "s"
            for point in metric.data.data_points
            if isinstance(point, HistogramDataPoint)
        ]


@pytest.fixture
def exported() -> Generator[Exported]:
    out = Exported()
    yield out
    out.tracers.shutdown()


def parent_of(span: ReadableSpan) -> int:
    assert span.parent is not None
    return span.parent.span_id


async def test_a_call(etcd_server: EtcdServer, exported: Exported) -> None:
    client = EtcdClient(etcd_server.endpoint, namespace="/observe/otel/", on_event=exported.hook)
    async with client.connect() as communicator:
        with exported.tracer.start_as_current_span("mine") as mine:
            await communicator.get("k")
        await communicator.put("k", "v")
    get, put = exported.spans
    assert get.name == "etcdserverpb.KV/Range"
    host, port = bare(etcd_server.endpoint).split(":")
    attributes = {
        "rpc.system.name": "grpc",
        "rpc.method": "etcdserverpb.KV/Range",
        "rpc.response.status_code": "OK",
        "db.system.name": "etcd",
        "db.operation.name": "Range",
        "server.address": host,
        "server.port": int(port),
    }
    assert get.attributes == attributes
    assert get.status.status_code is StatusCode.UNSET
    assert parent_of(get) == mine.get_span_context().span_id
    assert put.parent is None
    whole = next(span for span in exported.exporter.get_finished_spans() if span.name == "mine")
    for span in (whole, get):
        assert span.start_time is not None
        assert span.end_time is not None
    assert (
        (whole.start_time or 0) - 5_000_000
        <= (get.start_time or 0)
        < (get.end_time or 0)
        <= (whole.end_time or 0)
    )
    for name, prefix in (("rpc.client.call.duration", "rpc."), ("db.client.operation.duration", "db.")):
        points = exported.points(name)
        assert [point.count for point in points] == [1, 1]
        assert points[0].attributes == {
            key: value for key, value in attributes.items() if key.startswith((prefix, "server."))
        }
        assert 0 < points[0].sum < 10


async def test_calls_of_tasks_have_their_own_parents(exported: Exported) -> None:
    async with serving() as server:
        async with EtcdClient(server.endpoint, on_event=exported.hook).connect() as communicator:
            parents = {}

            async def work(key: str) -> None:
                with exported.tracer.start_as_current_span(key) as span:
                    parents[span.get_span_context().span_id] = key
                    await communicator.get(key)

            async with trio.open_nursery() as nursery:
                for key in ("a", "b", "c"):
                    nursery.start_soon(work, key)
    assert sorted(parents[parent_of(span)] for span in exported.spans) == ["a", "b", "c"]


async def test_failures(exported: Exported) -> None:
    async def script(request: Request) -> None:
        if request.method == "Put":
            await request.status(14, "etcdserver: request timed out", first=True)
        elif len(server.of("Range")) == 1:
            await request.status(14, "etcdserver: leader changed", first=True)
        elif request.body[-1:] == b"!":
            await trio.sleep_forever()
        else:
            await request.answer()

    async with serving(script) as server:
        async with EtcdClient(server.endpoint, on_event=exported.hook).connect() as communicator:
            with pytest.raises(OutcomeUnknownError):
                await communicator.put("k", "v")
            await communicator.get("k")
            with trio.move_on_after(0.05):
                await communicator.get("never!")
    put, repeated, cancelled = exported.spans
    assert put.attributes is not None
    assert put.attributes["error.type"] == put.attributes["rpc.response.status_code"] == "UNAVAILABLE"
    assert (put.status.status_code, put.status.description) == (StatusCode.ERROR, "OutcomeUnknownError")
    assert repeated.attributes is not None
    assert repeated.attributes["etcetra_trio.tries"] == 2
    assert repeated.status.status_code is StatusCode.UNSET
    assert cancelled.attributes is not None
    assert cancelled.attributes["rpc.response.status_code"] == "CANCELLED"


def test_asyncio(etcd_server: EtcdServer, exported: Exported) -> None:
    async def main() -> None:
        client = shim.EtcdClient(etcd_server.endpoint, namespace="/observe/otel/", on_event=exported.hook)
        async with client.connect() as communicator:

            async def work(key: str) -> int:
                with exported.tracer.start_as_current_span(key) as span:
                    assert await communicator.get(key) is None
                    return span.get_span_context().span_id

            found = await asyncio.gather(work("a"), work("b"))
            assert sorted(map(parent_of, exported.spans)) == sorted(found)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("endpoint", "attributes"),
    [
        ("", {}),
        ("https://[::1]:2379", {"server.address": "::1", "server.port": 2379}),
        ("unix:///run/etcd.sock", {"server.address": "/run/etcd.sock"}),
    ],
)
def test_the_server(endpoint: str, attributes: dict[str, object]) -> None:
    assert _server(endpoint) == attributes


def test_nobody_else_imports_it() -> None:
    loaded = fresh_python("import sys, etcetra_trio, etcetra_trio.asyncio; print(*sys.modules)").split()
    assert not [name for name in loaded if name.startswith(("opentelemetry", "etcetra_trio.opentelemetry"))]
