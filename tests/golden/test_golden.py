"""Captured logs in, findings JSON out. A change of `findings.jsonl` is read before it is accepted.

After a change that is meant: `.venv/bin/python tests/golden/test_golden.py` writes it anew.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from guardray.dataflow.local import LocalEngine
from guardray.dataflow.report import report
from guardray.dataflow.scan import Observer, ScanSettings
from guardray.detectors.loader import load_detectors
from guardray.findings.finding import most_urgent_first
from guardray.findings.wire import to_json
from guardray.intel.store import IndicatorStore
from guardray.sources.objects import locate

HERE = Path(__file__).parent
GOLDEN = HERE / "findings.jsonl"
NOW = datetime(2026, 1, 12, 12, tzinfo=UTC)


def found() -> list[dict]:
    settings = ScanSettings(detectors=load_detectors(), indicators=IndicatorStore())
    result = LocalEngine(settings).scan(locate([str(HERE / "logs")], settings.key_filter), Observer())
    findings, problems = report(result, settings, NOW)
    assert (result.problems, problems, result.counts.set_aside) == ([], [], 0)
    return [to_json(finding) for finding in most_urgent_first(findings)]


def test_captured_logs_give_the_findings_that_were_accepted():
    assert found() == [json.loads(line) for line in GOLDEN.read_text().splitlines()]


if __name__ == "__main__":
    GOLDEN.write_text("".join(json.dumps(finding) + "\n" for finding in found()))
