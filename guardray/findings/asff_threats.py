"""What threat lists say, in AWS Security Finding Format.

Source: the Security Hub API reference, ThreatIntelIndicator and Threat.
"""

from __future__ import annotations

from guardray.findings.ends import remote_address, remote_name
from guardray.findings.finding import Finding
from guardray.findings.finding_type import FindingType
from guardray.findings.wire import time_text
from guardray.findings.wire.members import Json, known

# The most and the longest that Security Hub takes.
_INDICATORS = 5
_INDICATOR_CHARS = 512
_INDICATOR_SOURCE_CHARS = 64
_THREATS = 32
_THREAT_CHARS = 128

_INDICATOR_CATEGORIES = {
    "C&CActivity": "COMMAND_AND_CONTROL",
    "DriveBySourceTraffic": "EXPLOIT_SITE",
    "DropPoint": "DROP_SITE",
}


def indicators(finding: Finding) -> list[Json]:
    """What each list says of the other end."""
    value = remote_name(finding)
    if value is None:
        return []
    address = remote_address(finding)
    kind = "DOMAIN" if address is None else "IPV6_ADDRESS" if ":" in address else "IPV4_ADDRESS"
    family = FindingType.parse(finding.type).threat_family_name
    return [
        known(
            Type=kind,
            Value=value[:_INDICATOR_CHARS],
            Category=_INDICATOR_CATEGORIES.get(family),
            LastObservedAt=time_text(finding.event_last_seen),
            Source=one.list_name[:_INDICATOR_SOURCE_CHARS],
        )
        for one in finding.threat_intelligence[:_INDICATORS]
    ]


def threats(finding: Finding) -> list[Json]:
    """The threats that lists name, each once."""
    names = dict.fromkeys(name for one in finding.threat_intelligence for name in one.threat_names if name.strip())
    return [{"Name": name[:_THREAT_CHARS]} for name in names][:_THREATS]
