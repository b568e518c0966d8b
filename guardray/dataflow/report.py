"""Sightings to findings: each detector says what its sightings mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from guardray.detectors.declare import Detector
from guardray.errors import DetectorError
from guardray.findings.finding import Finding, finding_of
from guardray.findings.sighting import Sighting


def findings_of(
    sightings: Iterable[Sighting], detectors: Mapping[str, Detector], now: datetime
) -> tuple[list[Finding], list[DetectorError]]:
    """A finding for each sighting, and the detectors that failed to describe one."""
    findings, problems = [], []
    for sighting in sightings:
        detector = detectors[sighting.key.finding_type]
        try:
            details = detector.details(sighting.latest.row)
            findings.append(finding_of(sighting, details, detector.severity, detector.role, now))
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            problems.append(DetectorError(detector.finding_type, f"cannot describe {sighting.key.entity!r}: {error!r}"))
    return findings, problems
