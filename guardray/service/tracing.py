"""OpenTelemetry traces of objects: one trace each, from when it was noticed to when its findings could be seen.

Off unless an endpoint is configured. Spans are made when an epoch is committed, from the times of its stages, so that
they cost nothing on the way, and nothing waits for whoever collects them: a full queue drops spans.

Source: OpenTelemetry specification, tracing API and OTLP/HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from guardray import __version__
from guardray.connectors.source import Arrival, Receipt
from guardray.dataflow.event_time import microseconds
from guardray.errors import UsageError
from guardray.service.config_values import TracesConfig
from guardray.service.listener import Listener, Processed

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

SERVICE = "guardray"

QUEUE = 4096
"""Spans that wait to be sent; what comes while it is full is dropped. A busy epoch has some hundred objects."""

SEND_EVERY_MS = 2000
SEND_TIMEOUT_S = 5.0
FLUSH_MS = 5000
"""At the end so long is waited for what is on its way; a collector that is gone holds no stop up for longer."""

_EXPORTER = "opentelemetry.exporter.otlp.proto.http"


def check_traces(config: TracesConfig) -> None:
    """Raises UsageError where traces are wanted, and what sends them is not installed."""
    if config.endpoint is not None and not _has_exporter():
        raise UsageError("traces.endpoint is set, and what sends traces is not installed: pip install guardray[traces]")


def _has_exporter() -> bool:
    try:
        return find_spec(_EXPORTER) is not None
    except ModuleNotFoundError:  # a package above it is missing
        return False


def open_traces(config: TracesConfig, source_of: Callable[[Receipt], str]) -> ObjectTraces | None:
    """What traces objects; None where traces are off. The arguments are those of `ObjectTraces`.

    Raises:
        UsageError: what sends them is not installed.
    """
    check_traces(config)
    if config.endpoint is None:
        return None
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return ObjectTraces(OTLPSpanExporter(endpoint=config.endpoint, timeout=SEND_TIMEOUT_S), source_of, config.share)


class ObjectTraces(Listener):
    """Hears of stages and epochs, and sends a trace for each object.

    A trace is `object`, with `wait` until its epoch was begun, and the stages of the epoch: `read`, `decide`, `commit`.
    Stages are those of the whole epoch, as objects of an epoch become findings together.

    Args:
        exporter: is given spans, from a thread of its own.
        source_of: the name of the source that gave an arrival with this receipt.
        share: of the objects, 0 to 1; which, is decided by chance.
    """

    def __init__(self, exporter: SpanExporter, source_of: Callable[[Receipt], str], share: float = 1.0) -> None:
        self._source_of = source_of
        self._provider = _provider(exporter, share)
        self._tracer = self._provider.get_tracer(SERVICE, __version__)
        self._stages: list[tuple[str, datetime, datetime]] = []

    def on_stage(self, name: str, began: datetime, ended: datetime) -> None:
        self._stages.append((name, began, ended))

    def on_loss(self) -> None:
        self._stages.clear()

    def on_epoch(self, done: Processed) -> None:
        stages, self._stages = self._stages, []
        if not stages:
            return
        of_epoch = {"guardray.epoch": done.epoch.number, "guardray.findings.created": done.commit.created}
        of_epoch |= {"guardray.findings.updated": done.commit.updated}
        for arrival in done.read:
            self._trace(arrival, of_epoch | {"guardray.source": self._source_of(arrival.receipt)}, stages)

    def _trace(self, arrival: Arrival, known: dict[str, Any], stages: Sequence[tuple[str, datetime, datetime]]) -> None:
        from opentelemetry.trace import set_span_in_context

        began, ended = stages[0][1], stages[-1][2]
        noticed = min(arrival.seen_at, began)
        attributes = {**known, **_attributes_of(arrival)}
        whole = self._tracer.start_span("object", start_time=_nanoseconds(noticed), attributes=attributes)
        within = set_span_in_context(whole)
        for name, since, until in (("wait", noticed, began), *stages):
            span = self._tracer.start_span(name, within, start_time=_nanoseconds(since), attributes=known)
            span.end(_nanoseconds(until))
        whole.end(_nanoseconds(ended))

    def close(self) -> None:
        """Send what waits, and no more."""
        self._provider.force_flush(FLUSH_MS)
        self._provider.shutdown()


def _provider(exporter: SpanExporter, share: float) -> TracerProvider:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import TraceIdRatioBased

    resource = Resource.create({"service.name": SERVICE, "service.version": __version__})
    provider = TracerProvider(TraceIdRatioBased(share), resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=QUEUE, schedule_delay_millis=SEND_EVERY_MS))
    return provider


def _attributes_of(arrival: Arrival) -> dict[str, Any]:
    obj = arrival.object
    told = {
        "cloud.account.id": obj.account_id,
        "cloud.region": obj.region,
        "guardray.object.url": obj.url,
        "guardray.object.bytes": obj.size,
        "guardray.object.time": obj.key_time.isoformat() if obj.key_time else None,
        "guardray.attempt": arrival.attempt,
    }
    return {name: value for name, value in told.items() if value is not None}


def _nanoseconds(at: datetime) -> int:
    return microseconds(at) * 1000
