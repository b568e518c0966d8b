from __future__ import annotations

import platform
from pathlib import Path

from guardray.bench.costs import measure_costs
from guardray.bench.machine import processor_name
from guardray.detectors.loader import load_detectors
from guardray.intel.store import IndicatorStore


def test_every_detector_is_measured_over_the_log_that_it_reads(tmp_path: Path):
    detectors = load_detectors(["Recon:EC2/Portscan", "PenTest:S3/KaliLinux", "Policy:IAMUser/RootCredentialUsage"])
    told: list[str] = []
    costs = measure_costs(detectors, IndicatorStore(), tmp_path, told.append, scale=0.01)
    figures = list(costs.ns_per_row.values())
    assert set(costs.ns_per_row) == {detector.finding_type for detector in detectors}
    assert all(0 < figure < 1e6 for figure in figures)
    assert figures == sorted(figures, reverse=True)
    assert costs.processor
    assert any("Portscan" in text for text in told)
    assert not (tmp_path / "dns").exists()


def test_the_processor_is_named_by_its_model_and_else_by_its_architecture(tmp_path: Path):
    cpuinfo = tmp_path / "cpuinfo"
    assert processor_name(cpuinfo) == platform.machine()
    cpuinfo.write_text("processor\t: 0\nmodel\t\t: 2\nmodel name\t: AMD EPYC\n")
    assert processor_name(cpuinfo) == "AMD EPYC"
