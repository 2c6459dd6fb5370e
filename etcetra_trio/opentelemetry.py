"""Spans and metrics of calls: ``EtcdClient(..., on_event=OpenTelemetry())``. Needs the extra ``opentelemetry``.

They are named as OpenTelemetry's conventions for RPCs over gRPC and for databases have it.
"""

from __future__ import annotations

from functools import lru_cache
from time import time_ns
from typing import TYPE_CHECKING, final

from opentelemetry.metrics import get_meter
from opentelemetry.trace import SpanKind, StatusCode, get_tracer

from ._addresses import parse_endpoints
from ._version import __version__
from .events import CallEnded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from .events import Event

__all__ = ["OpenTelemetry"]

_SCOPE = "etcetra_trio"
# The bounds that the conventions want, in seconds.
_RPC_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
_DB_BOUNDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0)


@final
class OpenTelemetry:
    """An ``on_event`` that makes a client span of each call, and measures how long calls take.

    A span's parent is the caller's current one. Its name is the method (``"etcdserverpb.KV/Range"``). Keys and values
    are in no span. The histograms are ``rpc.client.call.duration`` and ``db.client.operation.duration``.

    Args:
      tracer_provider: Where spans go; None: as the program has set it.
      meter_provider: Where measurements go; None: as the program has set it.
    """

    __slots__ = ("_db_duration", "_rpc_duration", "_tracer")

    def __init__(
        self, tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None
    ) -> None:
        self._tracer = get_tracer(_SCOPE, __version__, tracer_provider)
        meter = get_meter(_SCOPE, __version__, meter_provider)
        self._rpc_duration = meter.create_histogram(
            "rpc.client.call.duration",
            "s",
            "How long calls took, with connecting and repeating.",
            explicit_bucket_boundaries_advisory=_RPC_BOUNDS,
        )
        self._db_duration = meter.create_histogram(
            "db.client.operation.duration",
            "s",
            "How long calls took, with connecting and repeating.",
            explicit_bucket_boundaries_advisory=_DB_BOUNDS,
        )

    def __call__(self, event: Event) -> None:
        """Take an event."""
        if isinstance(event, CallEnded):
            self._on_call(event)

    def _on_call(self, call: CallEnded) -> None:
        ended = time_ns()
        method = call.method.removeprefix("/")
        server = _server(call.endpoint)
        code = call.code.name
        failure = {} if not call.error else {"error.type": code if call.code else call.error}
        rpc = {"rpc.system.name": "grpc", "rpc.method": method, "rpc.response.status_code": code}
        db = {"db.system.name": "etcd", "db.operation.name": method.rpartition("/")[2]}
        repeated = {"etcetra_trio.tries": call.tries} if call.tries > 1 else {}
        span = self._tracer.start_span(
            method,
            kind=SpanKind.CLIENT,
            attributes={**rpc, **db, **server, **failure, **repeated},
            start_time=ended - round(call.duration * 1e9),
        )
        if call.error:
            span.set_status(StatusCode.ERROR, call.error)
        span.end(ended)
        self._rpc_duration.record(call.duration, {**rpc, **server, **failure})
        self._db_duration.record(call.duration, {**db, **server, **failure})


@lru_cache(256)
def _server(endpoint: str) -> Mapping[str, str | int]:
    if not endpoint:
        return {}
    (parsed,) = parse_endpoints(endpoint)
    if parsed.path:
        return {"server.address": parsed.path}
    return {"server.address": parsed.host, "server.port": parsed.port}
