"""Usage, free trials and the coverage of agents: a server of one's own has no bill, no trial and no agents.

Usage is how many records of each log were read in the last 30 days, in the unit `EVENTS`. It costs nothing, which
is what those are told who ask for `USD`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from guardray.api import features
from guardray.api.call import Call, Handler
from guardray.api.errors import bad_request
from guardray.store import api_members
from guardray.store.usage import usage_of
from guardray.types import AccountId

_DATA_SOURCES = ("FLOW_LOGS", "CLOUD_TRAIL", "DNS_LOGS", "S3_LOGS", "KUBERNETES_AUDIT_LOGS", "EC2_MALWARE_SCAN")
_FEATURES = (*features.FOUNDATIONAL, *features.ADDITIONAL)
_EVENTS, _MONEY = "EVENTS", "USD"
_LOGS = {
    "FLOW_LOGS": "vpc-flow",
    "CLOUD_TRAIL": "cloudtrail-management",
    "DNS_LOGS": "dns",
    "S3_LOGS": "cloudtrail-s3",
    "S3_DATA_EVENTS": "cloudtrail-s3",
}
"""The log behind a data source or a feature; the others have none here."""
_COUNTS = {"COUNT_BY_RESOURCE_TYPE": "CountByResourceType", "COUNT_BY_COVERAGE_STATUS": "CountByCoverageStatus"}
_TOP_ACCOUNTS = 50
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
    """How much was read by account, data source or feature."""
    criteria = call.params["UsageCriteria"]
    kind = call.params["UsageStatisticType"]
    if kind in ("SUM_BY_RESOURCE", "TOP_RESOURCES"):
        call.own_detector()
        member = "SumByResource" if kind == "SUM_BY_RESOURCE" else "TopResources"
        return {"UsageStatistics": {member: []}, "NextToken": ""}
    read = _Read.of(call, _accounts(call, criteria.get("AccountIds")))
    wanted = criteria.get("Features") or _FEATURES
    match kind:
        case "SUM_BY_ACCOUNT":
            asked = criteria.get("DataSources") or criteria.get("Features") or _DATA_SOURCES
            page, token = call.pages.cut(read.by_account(asked), lambda one: one["AccountId"])
            return {"UsageStatistics": {"SumByAccount": page}, "NextToken": token}
        case "SUM_BY_DATA_SOURCE":
            sources = criteria.get("DataSources") or _DATA_SOURCES
            sums = {"SumByDataSource": [{"DataSource": one, "Total": read.total([one])} for one in sources]}
        case "SUM_BY_FEATURES":
            sums = {"SumByFeature": [{"Feature": one, "Total": read.total([one])} for one in wanted]}
        case _:
            sums = {"TopAccountsByFeature": [{"Feature": one, "Accounts": read.top(one)} for one in wanted]}
    return {"UsageStatistics": sums, "NextToken": ""}


@dataclass(frozen=True)
class _Read:
    """What was read of accounts: rows by account and log."""

    accounts: Sequence[AccountId]
    rows: Mapping[tuple[AccountId, str], int]
    unit: str

    @classmethod
    def of(cls, call: Call, accounts: Sequence[AccountId]) -> _Read:
        unit = call.params.get("Unit", _EVENTS)
        if unit not in (_EVENTS, _MONEY):
            raise bad_request(f"the parameter unit is neither {_EVENTS} nor {_MONEY}")
        return cls(accounts, usage_of(call.connection, accounts, call.region, call.now.date()), unit)

    def total(self, names: Sequence[str], accounts: Sequence[AccountId] | None = None) -> dict[str, str]:
        """Of these data sources or features together."""
        if self.unit == _MONEY:
            return {"Amount": "0.00", "Unit": _MONEY}
        return {"Amount": str(self._number(names, self.accounts if accounts is None else accounts)), "Unit": _EVENTS}

    def by_account(self, names: Sequence[str]) -> list[dict[str, Any]]:
        return [{"AccountId": account, "Total": self.total(names, [account])} for account in self.accounts]

    def top(self, name: str) -> list[dict[str, Any]]:
        """The accounts with the most first."""
        ordered = sorted(self.accounts, key=lambda account: (-self._number([name], [account]), account))
        return [{"AccountId": account, "Total": self.total([name], [account])} for account in ordered[:_TOP_ACCOUNTS]]

    def _number(self, names: Sequence[str], accounts: Sequence[AccountId]) -> int:
        logs = {_LOGS[name] for name in names if name in _LOGS}
        return sum(self.rows.get((account, log), 0) for account in accounts for log in logs)


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
