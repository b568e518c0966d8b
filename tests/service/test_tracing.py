"""Each object has a trace of its way to its findings, which whoever collects traces can read."""

from __future__ import annotations

import gzip
import threading
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from guardray.connectors.many import ManySources
from guardray.dataflow.scan import ScanSettings
from guardray.errors import UsageError
from guardray.service import tracing
from guardray.service.config_values import TracesConfig
from guardray.service.pace import Pace
from guardray.service.tracing import ObjectTraces, check_traces, open_traces
from tests.service.running import Service, folder_source

Span = dict[str, Any]


class Collector:
    """Takes OTLP over HTTP, as a collector does."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                collector.take(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}/v1/traces"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def take(self, request: ExportTraceServiceRequest) -> None:
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                self.spans += [_plain(span) for span in scope.spans]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _plain(span: Any) -> Span:
    value = {one.key: one.value.string_value or one.value.int_value for one in span.attributes}
    return {
        "trace": span.trace_id,
        "id": span.span_id,
        "parent": span.parent_span_id,
        "name": span.name,
        "began": span.start_time_unix_nano,
        "ended": span.end_time_unix_nano,
        "attributes": value,
    }


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.close()


@pytest.fixture(scope="module")
def traces(
    account: Path, settings: ScanSettings, tmp_path_factory: pytest.TempPathFactory, collector: Collector
) -> dict[bytes, dict[str, Span]]:
    """The spans of all objects of a service, by trace and name."""
    state = tmp_path_factory.mktemp("traced")
    places = {"store_url": str(state / "findings.db"), "checkpoints_url": str(state / "checkpoints")}
    source = ManySources([folder_source(account / "AWSLogs")])
    listener = open_traces(TracesConfig(endpoint=collector.endpoint, share=1.0), source.source_of)
    pace = Pace(max_objects=400, checkpoint_every=timedelta(minutes=5))
    Service(settings, source, **places, pace=pace, listener=listener).run()
    assert isinstance(listener, ObjectTraces)
    listener.close()
    found: dict[bytes, dict[str, Span]] = defaultdict(dict)
    for span in collector.spans:
        found[span["trace"]][span["name"]] = span
    return found


def test_every_object_has_a_trace_with_the_stages_of_its_epoch_one_after_another(traces, account: Path):
    objects = {str(path) for path in (account / "AWSLogs").rglob("*") if path.is_file()}
    assert {spans["object"]["attributes"]["guardray.object.url"] for spans in traces.values()} == objects
    for spans in traces.values():
        assert set(spans) == {"object", "wait", "read", "decide", "commit"}
        whole, stages = spans["object"], [spans[name] for name in ("wait", "read", "decide", "commit")]
        times = [time for stage in stages for time in _times(stage)]
        assert times == sorted(times)
        assert (whole["began"], whole["ended"]) == (times[0], times[-1])
        assert {stage["parent"] for stage in stages} == {whole["id"]}


def test_a_trace_tells_account_region_source_epoch_and_findings(traces, account: Path):
    told = [spans["object"]["attributes"] for spans in traces.values()]
    for attributes in told:
        assert attributes["cloud.account.id"] in attributes["guardray.object.url"]
        assert attributes["guardray.source"] == str(account / "AWSLogs")
    assert {one["guardray.epoch"] for one in told} == {1, 2, 3}
    assert sum({one["guardray.epoch"]: one["guardray.findings.created"] for one in told}.values()) > 0


def _times(span: Span) -> tuple[int, int]:
    return span["began"], span["ended"]


def test_without_an_endpoint_there_are_no_traces():
    assert open_traces(TracesConfig(), str) is None


def test_traces_that_cannot_be_sent_for_lack_of_a_package_are_refused_at_the_start(monkeypatch):
    monkeypatch.setattr(tracing, "_EXPORTER", "opentelemetry.no.such.exporter")
    check_traces(TracesConfig())
    with pytest.raises(UsageError, match=r"pip install guardray\[traces\]"):
        check_traces(TracesConfig(endpoint="http://127.0.0.1:4318/v1/traces"))


def test_an_endpoint_that_does_not_answer_holds_up_nothing(
    settings: ScanSettings, account: Path, state: dict[str, Any]
):
    source = ManySources([folder_source(account / "AWSLogs")])
    listener = open_traces(TracesConfig(endpoint="http://127.0.0.1:1/v1/traces", share=0.01), source.source_of)
    Service(settings, source, **state, pace=Pace(max_objects=400), listener=listener).run()
