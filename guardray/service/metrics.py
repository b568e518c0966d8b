"""The status of the service as Prometheus metrics: every figure once, with a name, a unit and a help text.

Counters begin at zero with each coordinator, as Prometheus expects of a program that was started again. All that show
one store show the same figures, so one of them is to be scraped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from guardray.service.status import CountStatus, Phase, ServiceStatus

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

_Values = Mapping[str, float | None]
"""A value for each label value; null: there is none to tell."""


def exposition(status: ServiceStatus | None, *, store_answers: bool, now: datetime) -> bytes:
    """The metrics in Prometheus' text format.

    Args:
        status: null: none is known, so only that is told.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Told(status, store_answers, now))
    return generate_latest(registry)


class _Told(Collector):
    def __init__(self, status: ServiceStatus | None, store_answers: bool, now: datetime) -> None:
        self._status, self._store_answers, self._now = status, store_answers, now

    def collect(self) -> Iterator[Metric]:
        status, now = self._status, self._now
        ready = self._store_answers and status is not None and status.not_ready(now) is None
        yield _gauge("store_up", "Whether the findings store answers.", float(self._store_answers))
        yield _gauge("ready", "Whether the service runs, says so, and the store answers.", float(ready))
        if status is not None:
            yield _gauge("status_age_seconds", "Since the service last said how it stands.", _seconds(status, now))
            yield from families(status)


def families(status: ServiceStatus) -> Iterator[Metric]:
    """All that a status tells. What there is none of has no sample."""
    yield from _service(status)
    yield from _progress(status)
    yield from _sources(status)
    yield from _state(status)
    yield from _workers(status)
    yield from _publishing(status)
    yield from _counts(status.counts)


def _service(status: ServiceStatus) -> Iterator[Metric]:
    phases = {phase.value: float(phase is status.phase) for phase in Phase}
    yield _gauges("build_info", "The version that runs.", "version", {status.version: 1.0})
    yield _gauges("phase", "What the service is at: 1 for that, 0 for all else.", "phase", phases)
    yield _gauge("start_time_seconds", "When the coordinator began.", status.since.timestamp())
    yield _gauge("fence", "Number of the coordinator as the one writer; it grows with each.", status.fence)
    yield _gauge("problems", "Different problems that the operator has to know of.", len(status.problems))


def _progress(status: ServiceStatus) -> Iterator[Metric]:
    epoch, checkpoint, latency = status.epoch, status.checkpoint, status.latency
    if epoch is not None:
        yield _gauge("epoch", "The last epoch whose findings are committed.", epoch.number)
        yield _gauge("epoch_committed_time_seconds", "When it was committed.", epoch.committed_at.timestamp())
    if checkpoint is not None:
        yield _gauge("checkpoint", "The last checkpoint that counts.", checkpoint.number)
        yield _gauge("checkpoint_time_seconds", "When it was registered.", checkpoint.at.timestamp())
        yield _gauge("checkpoint_bytes", "Of all files that it refers to.", checkpoint.bytes)
        yield _gauge("checkpoint_duration_seconds", "How long it took.", checkpoint.seconds)
    if status.watermark is not None:
        told = "The event time before which no event on time is waited for."
        yield _gauge("watermark_time_seconds", told, status.watermark.timestamp())
    if latency is not None:
        told = "From when an object was noticed to when its findings could be seen."
        yield _gauges("latency_seconds", told, "quantile", {"0.5": latency.p50_s, "0.95": latency.p95_s})


def _sources(status: ServiceStatus) -> Iterator[Metric]:
    by_name = {one.name: one for one in status.sources}
    backlog = {name: one.backlog for name, one in by_name.items()}
    oldest = {name: one.oldest_s or 0.0 for name, one in by_name.items()}
    problems = {name: one.problems for name, one in by_name.items()}
    yield _gauges("source_backlog_objects", "Objects that wait or are being worked on.", "source", backlog)
    yield _gauges("source_oldest_seconds", "How long the oldest of them has been waiting.", "source", oldest)
    yield _counters("source_problems", "Problems that were told of a source.", "source", problems)


def _state(status: ServiceStatus) -> Iterator[Metric]:
    yield _gauges("shard_rows", "Rows of state.", "shard", {str(one.index): one.rows for one in status.shards})
    yield _gauges("shard_bytes", "Memory of state.", "shard", {str(one.index): one.bytes for one in status.shards})
    resident = {str(one.index): one.resident for one in status.shards}
    yield _gauges("shard_resident_bytes", "Memory of a shard's process.", "shard", resident)
    yield _gauge("pending_sightings", "Sightings that wait to be final.", status.pending)


def _workers(status: ServiceStatus) -> Iterator[Metric]:
    if status.ingest is not None:
        yield _gauge("ingest_workers", "Workers that read objects.", status.ingest.workers)
        yield _gauge("ingest_busy_workers", "Those of them that are at it.", status.ingest.busy)
    by_name = {one.name: one for one in status.pools}
    replicas = {name: one.replicas for name, one in by_name.items()}
    wanted = {name: one.wanted for name, one in by_name.items()}
    waiting = {name: one.waiting for name, one in by_name.items()}
    yield _gauges("pool_replicas", "Replicas of a detector pool.", "pool", replicas)
    yield _gauges("pool_wanted_replicas", "Replicas that there should be.", "pool", wanted)
    yield _gauges("pool_waiting_requests", "Requests that wait for a replica.", "pool", waiting)


def _publishing(status: ServiceStatus) -> Iterator[Metric]:
    by_name = {one.destination: one for one in status.publishers}
    due = {name: one.due for name, one in by_name.items()}
    dead = {name: one.dead for name, one in by_name.items()}
    sent = {name: None if one.last_sent is None else one.last_sent.timestamp() for name, one in by_name.items()}
    yield _gauges("publisher_due", "Findings that are due at a destination.", "destination", due)
    yield _gauges("publisher_dead", "Deliveries that were given up.", "destination", dead)
    yield _gauges("publisher_last_sent_time_seconds", "When it had the last one.", "destination", sent)


def _counts(counts: CountStatus) -> Iterator[Metric]:
    findings = {"created": counts.findings_created, "updated": counts.findings_updated}
    yield _counters("rows", "Normalised rows, by kind of source.", "kind", counts.rows)
    yield _counters("findings", "Findings that were new, and that were seen again.", "change", findings)
    for name, told, value in (
        ("objects", "Objects that were read to their end.", counts.objects),
        ("read_bytes", "Of them, as they are stored.", counts.bytes),
        ("set_aside", "Rows and objects that cannot be read.", counts.set_aside),
        ("late_rows", "Rows that came after the lateness bound.", counts.late),
        ("duplicate_events", "Events that were seen before.", counts.duplicates),
        ("evicted_rows", "Rows of state that had to go before their time.", counts.evicted),
        ("restarts", "Times that workers or shards were lost and made anew.", counts.restarts),
        ("replaced_workers", "Ingest workers that were replaced, since they took too much memory.", counts.replaced),
    ):
        yield CounterMetricFamily(f"guardray_{name}", told, value=value)


def _gauge(name: str, told: str, value: float) -> Metric:
    return GaugeMetricFamily(f"guardray_{name}", told, value=value)


def _gauges(name: str, told: str, label: str, values: _Values) -> Metric:
    family = GaugeMetricFamily(f"guardray_{name}", told, labels=[label])
    for of, value in values.items():
        if value is not None:
            family.add_metric([of], value)
    return family


def _counters(name: str, told: str, label: str, values: _Values) -> Metric:
    family = CounterMetricFamily(f"guardray_{name}", told, labels=[label])
    for of, value in values.items():
        if value is not None:
            family.add_metric([of], value)
    return family


def _seconds(status: ServiceStatus, now: datetime) -> float:
    return status.age(now).total_seconds()
