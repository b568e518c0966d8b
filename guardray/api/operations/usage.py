"""Usage, free trials and the coverage of agents: a server of one's own has no bill, no trial and no agents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from guardray.api import features
from guardray.api.call import Call, Handler
from guardray.store import api_members
from guardray.types import AccountId

_NOTHING = {"Amount": "0.00", "Unit": "USD"}
_DATA_SOURCES = ("FLOW_LOGS", "CLOUD_TRAIL", "DNS_LOGS", "S3_LOGS", "KUBERNETES_AUDIT_LOGS", "EC2_MALWARE_SCAN")
_FEATURES = (*features.FOUNDATIONAL, *features.ADDITIONAL)
_COUNTS = {"COUNT_BY_RESOURCE_TYPE": "CountByResourceType", "COUNT_BY_COVERAGE_STATUS": "CountByCoverageStatus"}
_NO_DAYS = {"FreeTrialDaysRemaining": 0}
_TRIAL_SOURCES = {
    "CloudTrail": _NO_DAYS,
    "DnsLogs": _NO_DAYS,
    "FlowLogs": _NO_DAYS,
    "S3Logs": _NO_DAYS,
    "Kubernetes": {"AuditLogs": _NO_DAYS},
    "MalwareProtection": {"ScanEc2InstanceWithFindings": _NO_DAYS},
}


def get_usage_statistics(call: Call) -> Mapping[str, Any]:
    """What was spent by account, data source or feature: nothing, in each of those that are asked for."""
    criteria = call.params["UsageCriteria"]
    kind = call.params["UsageStatisticType"]
    if kind in ("SUM_BY_RESOURCE", "TOP_RESOURCES"):
        call.own_detector()
        member = "SumByResource" if kind == "SUM_BY_RESOURCE" else "TopResources"
        return {"UsageStatistics": {member: []}, "NextToken": ""}
    accounts = _accounts(call, criteria.get("AccountIds"))
    totals = [{"AccountId": account, "Total": _NOTHING} for account in accounts]
    wanted = criteria.get("Features") or _FEATURES
    match kind:
        case "SUM_BY_ACCOUNT":
            page, token = call.pages.cut(totals, lambda one: one["AccountId"])
            return {"UsageStatistics": {"SumByAccount": page}, "NextToken": token}
        case "SUM_BY_DATA_SOURCE":
            sources = criteria.get("DataSources") or _DATA_SOURCES
            sums = {"SumByDataSource": [{"DataSource": one, "Total": _NOTHING} for one in sources]}
        case "SUM_BY_FEATURES":
            sums = {"SumByFeature": [{"Feature": one, "Total": _NOTHING} for one in wanted]}
        case _:
            sums = {"TopAccountsByFeature": [{"Feature": one, "Accounts": totals} for one in wanted]}
    return {"UsageStatistics": sums, "NextToken": ""}


def get_free_trial(call: Call) -> Mapping[str, Any]:
    """Days that are left of free trials: none."""
    known = set(_accounts(call, None))
    asked = dict.fromkeys(call.params["AccountIds"])
    days = [{"Name": name, "FreeTrialDaysRemaining": 0} for name in _FEATURES]
    return {
        "Accounts": [
            {"AccountId": one, "DataSources": _TRIAL_SOURCES, "Features": days} for one in asked if one in known
        ],
        "UnprocessedAccounts": [
            {"AccountId": one, "Result": "The account is not a member of the current account."}
            for one in asked
            if one not in known
        ],
    }


def list_coverage(call: Call) -> Mapping[str, Any]:
    """Resources that an agent covers: none."""
    call.own_detector()
    return {"Resources": [], "NextToken": ""}


def get_coverage_statistics(call: Call) -> Mapping[str, Any]:
    """How many resources an agent covers: none of any kind."""
    call.own_detector()
    return {"CoverageStatistics": {_COUNTS[kind]: {} for kind in call.params["StatisticsType"]}}


def _accounts(call: Call, asked: Sequence[AccountId] | None) -> list[AccountId]:
    """The accounts that the caller sees, or those of them that are asked for, in order."""
    call.own_detector()
    seen = api_members.governed_by(call.connection, call.account_id, call.region)
    return sorted(seen if asked is None else set(seen) & set(asked))


HANDLERS: Mapping[str, Handler] = {
    "GetUsageStatistics": get_usage_statistics,
    "GetRemainingFreeTrialDays": get_free_trial,
    "ListCoverage": list_coverage,
    "GetCoverageStatistics": get_coverage_statistics,
}
