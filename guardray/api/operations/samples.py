"""Sample findings, written as real ones are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guardray.api.call import Call, Handler
from guardray.api.errors import bad_request
from guardray.api.sample_findings import sample_of
from guardray.detectors.declare import Detector
from guardray.store.folding import fold
from guardray.store.outbox_changes import note_changes


def create_samples(call: Call) -> Mapping[str, Any]:
    """A sample of each of the types, or of every one where none is named."""
    call.own_detector()
    detectors = {detector.finding_type: detector for detector in _detectors(call)}
    wanted = dict.fromkeys(call.params.get("FindingTypes") or sorted(detectors))
    if unknown := [name for name in wanted if name not in detectors]:
        raise bad_request(f"there is no finding type {unknown[0]}")
    findings = [sample_of(detectors[name], call.account_id, call.region, call.now) for name in wanted]
    fold(call.connection, findings)
    note_changes(call.connection, sorted(finding.id for finding in findings), call.now)
    return {}


def _detectors(call: Call) -> list[Detector]:
    return [*call.settings.detectors, *(rule.detector for rule in call.settings.rules)]


HANDLERS: Mapping[str, Handler] = {"CreateSampleFindings": create_samples}
