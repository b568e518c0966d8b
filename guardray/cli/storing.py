"""A scan's findings into a store, each part of the input counted once, however often it is scanned."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from guardray.dataflow.hits import RESOURCE
from guardray.dataflow.scan import ScanResult, ScanSettings
from guardray.detectors.declare import Detector
from guardray.findings.finding import Finding


def commit(url: str, settings: ScanSettings, result: ScanResult, findings: Sequence[Finding], now: datetime) -> int:
    """Folds the findings into the store. Returns how many of them an earlier scan had put there.

    Each finding type has an epoch of its own, so that a scan for more types, or with a first threat list, adds what is
    new and counts the rest no second time. Only types whose own lists have changed are counted anew.
    """
    from guardray.store.findings import FindingStore  # SQLAlchemy is only needed where findings are kept

    detectors = {detector.finding_type: detector for detector in settings.detectors}
    repeated = 0
    with FindingStore.open(url) as store:
        for finding_type, group in groupby(sorted(findings, key=attrgetter("type")), key=attrgetter("type")):
            of_type = list(group)
            done = store.commit(of_type, epoch=scan_epoch(settings, result, detectors[finding_type]), now=now)
            repeated += len(of_type) if done.repeated else 0
    return repeated


def scan_epoch(settings: ScanSettings, result: ScanResult, detector: Detector) -> str:
    """Names what a detector was shown: the content of what was read, what was filtered out, lists and inventory."""
    return "scan-" + hashlib.blake2b("\n".join(_shown(settings, result, detector)).encode(), digest_size=16).hexdigest()


def _shown(settings: ScanSettings, result: ScanResult, detector: Detector) -> Iterator[str]:
    wanted = settings.key_filter
    yield detector.finding_type
    if detector.revision:
        yield f"revision {detector.revision}"
    yield f"lateness {settings.limits.lateness} since {wanted.since} until {wanted.until}"
    yield f"accounts {sorted(wanted.account_ids)} regions {sorted(wanted.regions)}"
    for category in dict.fromkeys(category for _, category in detector.wanted_lists):
        yield f"indicators {settings.indicators.digest(category)}"
    if settings.indicators.has_trusted:
        yield f"trusted {settings.indicators.digest('trusted')}"
    if RESOURCE in detector.entity and settings.assets.height:
        yield f"inventory {settings.assets.unique().sort(settings.assets.columns).write_json()}"
    yield from map(str, sorted(result.objects))
