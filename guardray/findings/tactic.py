"""The tactic that a finding type stands for, in ATT&CK's words: what somebody who does such a thing is after.

GuardDuty's threat purposes are partly tactics, and partly older words of its own that hold several. Types of one
purpose that differ are told by how they begin; the longest beginning counts.

Source: MITRE ATT&CK, Enterprise tactics; the GuardDuty user guide on what each type means.
"""

from __future__ import annotations

import re

C2 = "Command and Control"

_BY_BEGINNING = {
    "Backdoor:": "Impact",
    "Backdoor:EC2/C&CActivity": C2,
    "Behavior:EC2/NetworkPortUnusual": C2,
    "Behavior:EC2/TrafficVolumeUnusual": "Exfiltration",
    "CryptoCurrency:": "Impact",
    "Impact:EC2/PortSweep": "Discovery",
    "Impact:EC2/WinRMBruteForce": "Credential Access",
    "PenTest:": "Initial Access",
    "Policy:IAMUser/RootCredentialUsage": "Privilege Escalation",
    "Policy:IAMUser/ShortTermRootCredentialUsage": "Privilege Escalation",
    "Policy:S3/": "Exfiltration",
    "Policy:S3/AccountBlockPublicAccessDisabled": "Defense Evasion",
    "Policy:S3/BucketBlockPublicAccessDisabled": "Defense Evasion",
    "Recon:": "Discovery",
    "Recon:EC2/PortProbe": "Reconnaissance",
    "Stealth:": "Defense Evasion",
    "Trojan:EC2/BlackholeTraffic": C2,
    "Trojan:EC2/DGADomainRequest": C2,
    "Trojan:EC2/DNSDataExfiltration": "Exfiltration",
    "Trojan:EC2/DriveBySourceTraffic": "Initial Access",
    "Trojan:EC2/DropPoint": "Exfiltration",
    "Trojan:EC2/PhishingDomainRequest": "Initial Access",
    "UnauthorizedAccess:": "Initial Access",
    "UnauthorizedAccess:EC2/": "Credential Access",
    "UnauthorizedAccess:EC2/MaliciousIPCaller": C2,
    "UnauthorizedAccess:EC2/Tor": C2,
    "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration": "Credential Access",
    "UnauthorizedAccess:IAMUser/ResourceCredentialExfiltration": "Credential Access",
}

_TACTICS = (
    "Reconnaissance", "Resource Development", "Initial Access", "Execution", "Persistence", "Privilege Escalation",
    "Defense Evasion", "Defense Impairment", "Credential Access", "Discovery", "Lateral Movement", "Collection", C2,
    "Exfiltration", "Impact",
)  # fmt: skip


def tactic_of(finding_type: str) -> str | None:
    """The tactic; None where the type, such as one of somebody's own, does not tell."""
    beginnings = [beginning for beginning in _BY_BEGINNING if finding_type.startswith(beginning)]
    if beginnings:
        return _BY_BEGINNING[max(beginnings, key=len)]
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", finding_type.partition(":")[0])
    return next((tactic for tactic in _TACTICS if tactic.lower() == words.lower()), None)
