"""Features of a detector: the same switches twice, as data sources of old and as a list of features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from guardray.api.errors import bad_request
from guardray.store.api_detectors import Features, StoredDetector

FOUNDATIONAL = ("CLOUD_TRAIL", "DNS_LOGS", "FLOW_LOGS")
"""Always on, and no request can name them."""

ADDITIONAL: Mapping[str, tuple[str, ...]] = {
    "S3_DATA_EVENTS": (),
    "EKS_AUDIT_LOGS": (),
    "EBS_MALWARE_PROTECTION": (),
    "RDS_LOGIN_EVENTS": ("RDS_DATA_RISK",),
    "LAMBDA_NETWORK_LOGS": (),
    "EKS_RUNTIME_MONITORING": ("EKS_ADDON_MANAGEMENT",),
    "RUNTIME_MONITORING": ("EKS_ADDON_MANAGEMENT", "ECS_FARGATE_AGENT_MANAGEMENT", "EC2_AGENT_MANAGEMENT"),
    "AI_PROTECTION": (),
    "AI_ANALYST": (),
}
"""Optional features, and the further switches that each has."""

DELIVERED = frozenset({"S3_DATA_EVENTS"})
"""Features that guardray has. The others are told as DISABLED, and cannot be switched on: an auditor who reads ENABLED
must be able to rely on it."""

_RUNTIME = {"EKS_RUNTIME_MONITORING", "RUNTIME_MONITORING"}
_SERVICE_ROLE = "role/aws-service-role/guardduty.amazonaws.com/AWSServiceRoleForAmazonGuardDuty"


def asked_for(params: Mapping[str, Any]) -> dict[str, bool]:
    """The switches that a request sets, by feature, from either form.

    Raises:
        ApiError: it uses both forms, or asks for what cannot be.
    """
    sources, features = params.get("DataSources"), params.get("Features")
    if sources and features:
        raise bad_request("dataSources and features cannot be given together")
    asked = _of_sources(sources) if sources else _of_features(features or ())
    if set(asked) >= _RUNTIME:
        raise bad_request("RUNTIME_MONITORING and EKS_RUNTIME_MONITORING cannot be given together")
    for name, on in asked.items():
        if on and name not in DELIVERED:
            raise bad_request(f"the feature {name} is not available in guardray and cannot be enabled")
    return asked


def auto_enabled(params: Mapping[str, Any]) -> dict[str, str]:
    """What UpdateOrganizationConfiguration says of features: NEW, ALL or NONE accounts, from either form.

    Raises:
        ApiError: it uses both forms, or asks for what cannot be.
    """
    sources, listed = params.get("DataSources"), params.get("Features")
    if sources and listed:
        raise bad_request("dataSources and features cannot be given together")
    asked = {one["Name"]: one["AutoEnable"] for one in listed or () if {"Name", "AutoEnable"} <= one.keys()}
    switches = {
        "S3_DATA_EVENTS": (sources or {}).get("S3Logs"),
        "EKS_AUDIT_LOGS": (sources or {}).get("Kubernetes", {}).get("AuditLogs"),
        "EBS_MALWARE_PROTECTION": (sources or {})
        .get("MalwareProtection", {})
        .get("ScanEc2InstanceWithFindings", {})
        .get("EbsVolumes"),
    }
    asked |= {name: "NEW" if one.get("AutoEnable") else "NONE" for name, one in switches.items() if one}
    for name, accounts in asked.items():
        if accounts != "NONE" and name not in DELIVERED:
            raise bad_request(f"the feature {name} is not available in guardray and cannot be enabled")
    return asked


def _of_features(features: Sequence[Mapping[str, Any]]) -> dict[str, bool]:
    asked: dict[str, bool] = {}
    for feature in features:
        name = feature.get("Name")
        if name is None or "Status" not in feature:
            raise bad_request("each of the features needs a name and a status")
        if name in asked:
            raise bad_request(f"the feature {name} is given twice")
        for more in feature.get("AdditionalConfiguration", ()):
            if more.get("Name") not in ADDITIONAL[name]:
                raise bad_request(f"{more.get('Name')} is no additional configuration of {name}")
            if more.get("Status") == "ENABLED":
                raise bad_request(f"{more['Name']} is not available in guardray and cannot be enabled")
        asked[name] = feature["Status"] == "ENABLED"
    return asked


def _of_sources(sources: Mapping[str, Any]) -> dict[str, bool]:
    asked: dict[str, bool] = {}
    if "S3Logs" in sources:
        asked["S3_DATA_EVENTS"] = sources["S3Logs"]["Enable"]
    if "Kubernetes" in sources:
        asked["EKS_AUDIT_LOGS"] = sources["Kubernetes"]["AuditLogs"]["Enable"]
    volumes = sources.get("MalwareProtection", {}).get("ScanEc2InstanceWithFindings", {}).get("EbsVolumes")
    if volumes is not None:
        asked["EBS_MALWARE_PROTECTION"] = volumes
    return asked


def switched(features: Features, asked: Mapping[str, bool], now: datetime) -> Features:
    """The features after a request."""
    changes = {name: {"status": _word(on), "changed": now.timestamp()} for name, on in asked.items()}
    return {**features, **{name: one for name, one in changes.items() if one["status"] != _status(features, name)}}


def initial(asked: Mapping[str, bool], now: datetime) -> Features:
    """The features of a new detector: all that there are, unless the request says otherwise."""
    return {
        name: {"status": _word(asked.get(name, name in DELIVERED)), "changed": now.timestamp()} for name in ADDITIONAL
    }


def features_of(detector: StoredDetector) -> list[dict[str, Any]]:
    """The list of GetDetector: the foundational ones first."""
    always = [{"Name": name, "Status": "ENABLED", "UpdatedAt": detector.created_at} for name in FOUNDATIONAL]
    return [*always, *(_feature(detector, name) for name in ADDITIONAL)]


def _feature(detector: StoredDetector, name: str) -> dict[str, Any]:
    known = detector.features.get(name)
    changed = datetime.fromtimestamp(known["changed"], UTC) if known else detector.created_at
    more = [{"Name": one, "Status": "DISABLED", "UpdatedAt": changed} for one in ADDITIONAL[name]]
    feature = {"Name": name, "Status": _status(detector.features, name), "UpdatedAt": changed}
    return feature | ({"AdditionalConfiguration": more} if more else {})


def data_sources_of(detector: StoredDetector) -> dict[str, Any]:
    """The older form of GetDetector."""

    def on(name: str) -> dict[str, str]:
        return {"Status": _status(detector.features, name)}

    always = {"Status": "ENABLED"}
    return {
        "CloudTrail": always,
        "DNSLogs": always,
        "FlowLogs": always,
        "S3Logs": on("S3_DATA_EVENTS"),
        "Kubernetes": {"AuditLogs": on("EKS_AUDIT_LOGS")},
        "MalwareProtection": {"ScanEc2InstanceWithFindings": {"EbsVolumes": on("EBS_MALWARE_PROTECTION")}},
    }


def service_role(detector: StoredDetector) -> str:
    """The role that the service itself would use; a required member of answers."""
    partition = detector.arn.split(":")[1]
    return f"arn:{partition}:iam::{detector.account_id}:{_SERVICE_ROLE}"


def _status(features: Features, name: str) -> str:
    known = features.get(name)
    return str(known["status"]) if known else "DISABLED"


def _word(on: bool) -> str:
    return "ENABLED" if on else "DISABLED"
