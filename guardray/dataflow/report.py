"""Sightings to findings: each detector says what its sightings mean, and what is known of the two ends is added."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from guardray.dataflow.scan import ScanResult, ScanSettings
from guardray.detectors.declare import Detector, WindowDetector
from guardray.errors import DetectorError
from guardray.findings.actions import located
from guardray.findings.details import Details
from guardray.findings.finding import Finding, finding_of
from guardray.findings.resources import Resource
from guardray.findings.sighting import Sighting
from guardray.geo.geography import Geography
from guardray.intel.store import IndicatorStore
from guardray.inventory import Inventory
from guardray.types import Row


def report(result: ScanResult, settings: ScanSettings, now: datetime) -> tuple[list[Finding], list[DetectorError]]:
    """The findings of a scan, with all that is known of both ends, and the detectors that failed to describe one.

    Those of detectors in DRY_RUN are made, so that it shows whether they can be, and left out.
    """
    detectors = {detector.finding_type: detector for detector in settings.detectors}
    findings, problems = findings_of(
        result.sightings, detectors, now, result.inventory, settings.geography, settings.indicators
    )
    return [finding for finding in findings if detectors[finding.type].mode == "LIVE"], problems


def dry_run(result: ScanResult, settings: ScanSettings) -> dict[str, tuple[int, int]]:
    """What detectors in DRY_RUN would have found: by finding type, how many findings of how many events."""
    tried = {detector.finding_type for detector in settings.detectors if detector.mode == "DRY_RUN"}
    found = dict.fromkeys(tried, (0, 0))
    for sighting in result.sightings:
        name = sighting.key.finding_type
        if name in tried:
            findings, events = found[name]
            found[name] = findings + 1, events + sighting.count
    return found


def findings_of(
    sightings: Iterable[Sighting],
    detectors: Mapping[str, Detector],
    now: datetime,
    inventory: Inventory | None = None,
    geography: Geography | None = None,
    indicators: IndicatorStore | None = None,
) -> tuple[list[Finding], list[DetectorError]]:
    """A finding for each sighting, and the detectors that failed to describe one.

    Sightings that turn out to be none of their detector's concern give none.
    """
    findings, problems = [], []
    for sighting in sightings:
        detector = detectors[sighting.key.finding_type]
        try:
            row = _with_indicators(sighting, detector, indicators)
            completed = _completed(detector.details(row), sighting, inventory, geography)
            details = _settled(detector, completed, sighting, inventory)
            if details is not None:
                findings.append(finding_of(sighting, details, detector.severity, detector.role, now))
        except Exception as error:  # whatever the code of a rule of somebody's own raises, the other findings are told
            problem = DetectorError(detector.finding_type, f"cannot describe {sighting.key.entity!r}: {error!r}")
            problem.__cause__ = error  # so that a traceback leads to the line
            problems.append(problem)
    return findings, problems


def _settled(detector: Detector, details: Details, sighting: Sighting, inventory: Inventory | None) -> Details | None:
    """The details once all is known; None where they are no finding after all."""
    if detector.concerns is not None and not detector.concerns(details.resource):
        return None
    if detector.settle is None:
        return details
    return detector.settle(details, inventory or Inventory(), sighting.key.account_id, sighting.latest.time)


def _with_indicators(sighting: Sighting, detector: Detector, indicators: IndicatorStore | None) -> Row:
    """The latest row; that of a window with the list entries that name its addresses, which no window keeps.

    Entries count whenever they expire, as they did in the rows that the window counted.
    """
    row = sighting.latest.row
    if not isinstance(detector, WindowDetector) or not detector.categories or indicators is None:
        return row
    key, values = sighting.key, [row[column] for column in detector.indicator]
    found = indicators.matches(values, detector.categories, account_id=key.account_id, region=key.region)
    return {**row, "indicators": found}


def _completed(
    details: Details, sighting: Sighting, inventory: Inventory | None, geography: Geography | None
) -> Details:
    """The details with what is known of the resource at the time, and of where the other end is."""
    resource = details.resource if inventory is None else _known(details.resource, sighting, inventory)
    action = details.action if geography is None else located(details.action, geography.place)
    return replace(details, resource=resource, action=action)


def _known(resource: Resource, sighting: Sighting, inventory: Inventory) -> Resource:
    if resource.instance is None or inventory.is_empty:
        return resource
    key, time = sighting.key, sighting.latest.time
    return replace(resource, instance=inventory.completed(key.account_id, key.region, resource.instance, time))
