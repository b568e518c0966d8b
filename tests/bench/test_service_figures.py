"""A real service is started, fed and asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from guardray.bench.service import measure_service


@pytest.mark.ray
@pytest.mark.slow
def test_latency_and_requests_of_a_service_are_measured(tmp_path: Path):
    told: list[str] = []
    figures = measure_service(tmp_path, told.append, seconds=5)
    assert figures.findings > 0
    assert 0 < figures.p50_s <= figures.p95_s
    assert figures.requests_per_s > 0
    assert "service: requests" in told
