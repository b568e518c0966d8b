"""Days that are judged again are judged as a scan judges them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from simulate.conftest import evaluation

from guardray.dataflow.local import LocalEngine
from guardray.dataflow.scan import Observer, ScanSettings
from guardray.evaluation.observed import behaviour_detectors, observe
from guardray.evaluation.replay import replay
from guardray.findings.sighting import SightingFold
from guardray.geo.geography import Geography
from guardray.intel.store import IndicatorStore
from guardray.simulate.evaluation import DAYS
from guardray.sources.objects import KeyFilter, locate

__all__ = ["evaluation"]

pytestmark = pytest.mark.slow


def test_a_replay_tells_what_a_scan_tells_of_callers(evaluation: Path, tmp_path: Path) -> None:
    sources = [str(evaluation / "AWSLogs")]
    detectors = tuple(one for one in behaviour_detectors() if one.schema.name == "api_activity")
    geography = Geography.load((), None)
    settings = ScanSettings(detectors=detectors, indicators=IndicatorStore(), geography=geography)
    scanned = LocalEngine(settings).scan(locate(sources, KeyFilter()), Observer())
    observed = observe(sources, detectors, state=tmp_path / "state", geography=geography)
    fold = SightingFold()
    for one in replay(observed, detectors, datetime(2026, 1, 5, tzinfo=UTC), DAYS):
        fold.add(one)
    assert scanned.sightings
    assert [(one.key, one.count) for one in fold.sightings()] == [(one.key, one.count) for one in scanned.sightings]
