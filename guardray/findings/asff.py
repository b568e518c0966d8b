"""AWS Security Finding Format, as GuardDuty sends it to Security Hub, but under a product that customers may use.

Source: the Security Hub user guide on the format's attributes, and the GuardDuty user guide on its integration.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from guardray.findings.asff_resources import resource_json
from guardray.findings.asff_threats import indicators, threats
from guardray.findings.ends import named_resources
from guardray.findings.finding import Finding
from guardray.findings.finding_type import FindingType
from guardray.findings.identity import detector_arn
from guardray.findings.severity import Severity
from guardray.findings.wire import time_text, to_json
from guardray.findings.wire.members import Json, known

# The longest values that Security Hub takes.
_TITLE_CHARS = 256
_DESCRIPTION_CHARS = 1024
_PRODUCT_FIELDS = 50
_PRODUCT_KEY_CHARS = 128
_PRODUCT_VALUE_CHARS = 2048

# Security Hub derives the label from these numbers, and writes the lowest of each band for a label.
_NORMALIZED = {Severity.LOW: 1, Severity.MEDIUM: 40, Severity.HIGH: 70, Severity.CRITICAL: 90}

_NAMESPACES = {
    "Backdoor": "TTPs/Command and Control",
    "Behavior": "Unusual Behaviors/VM",
    "CredentialAccess": "TTPs/Credential Access",
    "CryptoCurrency": "Effects/Resource Consumption",
    "DefenseEvasion": "TTPs/Defense Evasion",
    "Discovery": "TTPs/Discovery",
    "Execution": "TTPs/Execution",
    "Exfiltration": "Effects/Data Exfiltration",
    "Impact": "TTPs/Impact",
    "InitialAccess": "TTPs/Initial Access",
    "LateralMovement": "TTPs/Lateral Movement",
    "Persistence": "TTPs/Persistence",
    "PrivilegeEscalation": "TTPs/Privilege Escalation",
    "Recon": "TTPs/Discovery",
    "Stealth": "TTPs/Defense Evasion",
    "Trojan": "TTPs/Command and Control",
}
_FAMILY_NAMESPACES = {
    "BucketBlockPublicAccessDisabled": "Effects/Data Exposure",
    "DenialOfService": "Effects/Denial of Service",
    "DriveBySourceTraffic": "TTPs/Initial Access",
    "DropPoint": "Effects/Data Exfiltration",
    "InstanceCredentialExfiltration": "Effects/Data Exfiltration",
    "RDPBruteForce": "TTPs/Initial Access",
    "SSHBruteForce": "TTPs/Initial Access",
    "TorClient": "Effects/Resource Consumption",
    "TorRelay": "Effects/Resource Consumption",
    "WinRMBruteForce": "TTPs/Initial Access",
}

# Members of GuardDuty's actions that Security Hub's have too, in their order.
_ACTION_MEMBERS = {
    "awsApiCallAction": ("api", "serviceName", "callerType", "remoteIpDetails", "domainDetails", "affectedResources"),
    "networkConnectionAction": (
        "connectionDirection",
        "remoteIpDetails",
        "remotePortDetails",
        "localPortDetails",
        "protocol",
        "blocked",
    ),
    "portProbeAction": ("portProbeDetails", "blocked"),
    "dnsRequestAction": ("domain", "protocol", "blocked"),
}
_CALLER_TYPES = {"Remote IP": "remoteIp", "Domain": "domain"}


def to_asff(finding: Finding) -> Json:
    """A finding as Security Hub's BatchImportFindings takes it."""
    types = [_type(finding.type)]
    severity = _severity(finding.severity)
    return {
        "SchemaVersion": "2018-10-08",
        "Id": finding.arn,
        "ProductArn": _product_arn(finding),
        "ProductName": "GuardRay",
        "CompanyName": "GuardRay",
        "Region": finding.region,
        "GeneratorId": detector_arn(finding.account_id, finding.region),
        "AwsAccountId": finding.account_id,
        "Types": types,
        "FirstObservedAt": time_text(finding.event_first_seen),
        "LastObservedAt": time_text(finding.event_last_seen),
        "CreatedAt": time_text(finding.created_at),
        "UpdatedAt": time_text(finding.updated_at),
        "Severity": severity,
        "Title": finding.title[:_TITLE_CHARS],
        "Description": finding.description[:_DESCRIPTION_CHARS],
        "ProductFields": _product_fields(finding),
        **known(Threats=threats(finding) or None, ThreatIntelIndicators=indicators(finding) or None),
        "Resources": [resource_json(finding, named) for named in named_resources(finding)],
        "WorkflowState": "NEW",
        "Workflow": {"Status": "NEW"},
        "RecordState": "ARCHIVED" if finding.archived else "ACTIVE",
        "Action": _action(to_json(finding)["service"]["action"]),
        "FindingProviderFields": {"Severity": {"Label": severity["Label"]}, "Types": types},
    }


def _product_arn(finding: Finding) -> str:
    """The default product of the account itself, the only one that Security Hub lets customers import findings for."""
    hub = f"arn:{finding.partition}:securityhub:{finding.region}:{finding.account_id}"
    return f"{hub}:product/{finding.account_id}/default"


def _type(finding_type: str) -> str:
    """Such as `TTPs/Initial Access/UnauthorizedAccess:EC2-SSHBruteForce`: Security Hub splits types at slashes."""
    parts = FindingType.parse(finding_type)
    namespace = _FAMILY_NAMESPACES.get(parts.threat_family_name) or _NAMESPACES.get(parts.threat_purpose, "TTPs")
    return f"{namespace}/{finding_type.replace('/', '-')}"


def _severity(number: float) -> Json:
    band = Severity.of(number)
    return {"Product": number, "Label": band.name, "Normalized": _NORMALIZED[band]}


def _product_fields(finding: Finding) -> dict[str, str]:
    """GuardDuty's `service` block, one text a leaf, within Security Hub's limits. The prefix `aws/` is AWS's alone.

    What is short, as the count, comes first, so that a long action or evidence does not push it out.
    """
    members = sorted(to_json(finding)["service"].items(), key=lambda member: isinstance(member[1], Mapping))
    leaves = _leaves("guardduty/service", dict(members))
    fitting = ((path, text[:_PRODUCT_VALUE_CHARS]) for path, text in leaves if len(path) <= _PRODUCT_KEY_CHARS)
    return dict(islice(fitting, _PRODUCT_FIELDS))


def _leaves(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """All values with their paths, but for empty ones, which Security Hub does not take."""
    match value:
        case {**members} if members:
            for name, member in members.items():
                yield from _leaves(f"{path}/{name}", member)
        case [_, *_]:
            for index, item in enumerate(value):
                yield from _leaves(f"{path}.{index}_", item)
        case bool():
            yield path, str(value).lower()
        case None | {} | []:
            return
        case _ if str(value).strip():
            yield path, str(value)


def _action(action: Mapping[str, Any]) -> Json:
    name = next(name for name in action if name != "actionType")
    member = {key: action[name][key] for key in _ACTION_MEMBERS[name] if key in action[name]}
    if "callerType" in member:
        member["callerType"] = _CALLER_TYPES[member["callerType"]]
    affected = member.pop("affectedResources", None)
    return {
        "ActionType": action["actionType"],
        _pascal(name): _pascal_members(member) | known(AffectedResources=affected or None),
    }


def _pascal_members(value: Any) -> Any:
    """Members in Pascal case, without the IPv6 addresses that Security Hub's actions have no place for.

    The number of an autonomous system is a text for GuardDuty and a number for Security Hub.
    """
    if isinstance(value, Mapping):
        kept = ((name, member) for name, member in value.items() if name != "ipAddressV6")
        return {_pascal(name): int(member) if name == "asn" else _pascal_members(member) for name, member in kept}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_pascal_members(item) for item in value]
    return value


def _pascal(name: str) -> str:
    return name[0].upper() + name[1:]
