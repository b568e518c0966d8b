"""A status as Prometheus metrics: in its text format, with names that follow its habits, and nothing made up."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from service_examples import RUNNING, STARTING, TOLD_AT

from guardray.service.metrics import exposition
from guardray.service.status import SourceStatus

PAGE = Path(__file__).resolve().parents[2] / "docs" / "operating.md"


def samples(status, **wanted):
    text = exposition(status, **{"store_answers": True, "now": TOLD_AT, **wanted}).decode()
    families = text_string_to_metric_families(text)
    return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}


def test_every_figure_of_a_status_is_there():
    found = samples(RUNNING)
    assert {
        ("guardray_ready",): 1,
        ("guardray_build_info", "0.5.0"): 1,
        ("guardray_phase", "running"): 1,
        ("guardray_phase", "stopped"): 0,
        ("guardray_epoch",): 4_211,
        ("guardray_checkpoint_time_seconds",): TOLD_AT.timestamp() - 41,
        ("guardray_watermark_time_seconds",): TOLD_AT.timestamp() - 75 * 60,
        ("guardray_latency_seconds", "0.95"): 4.25,
        ("guardray_source_oldest_seconds", "sqs://sqs.eu-west-1.amazonaws.com/111122223333/logs"): 4.5,
        ("guardray_source_oldest_seconds", '/var/log/"aws"\\trail'): 0,
        ("guardray_shard_rows", "1"): 119_000,
        ("guardray_ingest_busy_workers",): 3,
        ("guardray_pool_wanted_replicas", "behaviour"): 2,
        ("guardray_publisher_dead", "soc"): 1,
        ("guardray_rows_total", "vpc-flow"): 2_500_000,
        ("guardray_findings_total", "created"): 42,
        ("guardray_evicted_rows_total",): 6,
    }.items() <= found.items()


def test_what_is_not_known_has_no_sample():
    assert ("guardray_shard_bytes", "1") not in samples(RUNNING)
    names = {name for name, *_ in samples(STARTING)}
    assert names.isdisjoint({"guardray_epoch", "guardray_checkpoint", "guardray_latency_seconds"})


def test_a_service_that_does_not_work_is_not_ready():
    assert samples(STARTING)["guardray_ready",] == 0
    assert samples(RUNNING, store_answers=False)["guardray_ready",] == 0
    assert samples(None) == {("guardray_store_up",): 1, ("guardray_ready",): 0}


@given(name=st.text())
def test_a_source_may_be_called_anything(name):
    status = replace(RUNNING, sources=(SourceStatus(name=name, backlog=5),))
    assert samples(status)["guardray_source_backlog_objects", name] == 5


def test_every_metric_is_explained_on_the_page_and_no_other():
    found = {name for name, *_ in samples(RUNNING)}
    named = set(re.findall(r"^\| `(guardray_\w+)`", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert named == found
