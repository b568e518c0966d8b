"""Scans for malware and the AI analyst, which guardray does not have: nothing is found there, and nothing can be asked
for. Paths are routed all the same, as audit tools read them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from guardray.api.call import Call, Handler
from guardray.api.errors import bad_request, not_found

_MALWARE = "guardray does not scan for malware"
_ANALYST = "guardray has no AI analyst"


def _answer(answer: Mapping[str, Any], call: Call) -> Mapping[str, Any]:
    _check_detector(call)
    return answer


def _nothing_of_that_id(what: str, call: Call) -> Mapping[str, Any]:
    _check_detector(call)
    raise not_found(f"there is no such {what}")


def _refuse(why: str, call: Call) -> Mapping[str, Any]:
    _check_detector(call)
    raise bad_request(f"this is not available: {why}")


def _check_detector(call: Call) -> None:
    if "DetectorId" in call.params:
        call.own_detector()


_NO_SCANS = {"Scans": [], "NextToken": ""}
_SCAN_SETTINGS = {
    "ScanResourceCriteria": {"Include": {}, "Exclude": {}},
    "EbsSnapshotPreservation": "NO_RETENTION",
}

HANDLERS: Mapping[str, Handler] = {
    "GetMalwareScanSettings": partial(_answer, _SCAN_SETTINGS),
    "DescribeMalwareScans": partial(_answer, _NO_SCANS),
    "ListMalwareScans": partial(_answer, _NO_SCANS),
    "ListMalwareProtectionPlans": partial(_answer, {"MalwareProtectionPlans": [], "NextToken": ""}),
    "ListInvestigations": partial(_answer, {"Investigations": [], "NextToken": ""}),
    "GetMalwareScan": partial(_nothing_of_that_id, "scan"),
    "GetMalwareProtectionPlan": partial(_nothing_of_that_id, "malware protection plan"),
    "GetInvestigation": partial(_nothing_of_that_id, "investigation"),
    "ListInvestigationRecords": partial(_nothing_of_that_id, "investigation"),
    **{
        name: partial(_refuse, _MALWARE)
        for name in (
            "UpdateMalwareScanSettings",
            "StartMalwareScan",
            "SendObjectMalwareScan",
            "CreateMalwareProtectionPlan",
            "UpdateMalwareProtectionPlan",
            "DeleteMalwareProtectionPlan",
        )
    },
    "CreateInvestigation": partial(_refuse, _ANALYST),
}
