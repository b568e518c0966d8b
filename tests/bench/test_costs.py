from __future__ import annotations

from pathlib import Path

from guardray.bench.costs import measure_costs
from guardray.detectors.loader import load_detectors
from guardray.intel.store import IndicatorStore


def test_every_detector_is_measured_over_the_log_that_it_reads(tmp_path: Path):
    detectors = load_detectors(["Recon:EC2/Portscan", "PenTest:S3/KaliLinux", "Policy:IAMUser/RootCredentialUsage"])
    told: list[str] = []
    costs = measure_costs(detectors, IndicatorStore(), tmp_path, told.append, scale=0.01)
    assert {(cost.finding_type, cost.source) for cost in costs} == {(d.finding_type, d.source) for d in detectors}
    assert all(0 < cost.ns_per_row < 1e6 for cost in costs)
    assert [cost.ns_per_row for cost in costs] == sorted((cost.ns_per_row for cost in costs), reverse=True)
    assert any("Portscan" in text for text in told)
    assert not (tmp_path / "dns").exists()
